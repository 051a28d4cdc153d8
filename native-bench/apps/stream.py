"""64 parts of 1 KiB from a generator, without a Content-Length: each part is one hand-over, and the server frames it."""

PARTS = 64
PART = b'x' * 1023 + b'\n'


def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return parts()


def parts():
    for _ in range(PARTS):
        yield PART
