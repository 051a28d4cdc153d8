"""The least a WSGI application can do, with everything a client needs to keep its connection."""

BODY = b'Hello, world!\n'
HEADERS = [('Content-Type', 'text/plain'), ('Content-Length', str(len(BODY)))]


def application(environ, start_response):
    start_response('200 OK', HEADERS)
    return [BODY]
