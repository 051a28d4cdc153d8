"""Reads the whole request body and answers how many bytes it had."""


def application(environ, start_response):
    body = b'%d\n' % len(environ['wsgi.input'].read(int(environ.get('CONTENT_LENGTH') or 0)))
    start_response('200 OK', [('Content-Type', 'text/plain'), ('Content-Length', str(len(body)))])
    return [body]
