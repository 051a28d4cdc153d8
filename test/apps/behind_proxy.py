"""What the tests send through a proxy: echo, sizes, streams, framing. Under wsgiref's validator."""

import hashlib
import os
from wsgiref.validate import validator

TEXT = [('Content-Type', 'text/plain')]


class Parts:
    """Yields `count` parts; says in the log when it is closed, and how many it gave."""

    def __init__(self, count, size):
        self.count, self.size, self.given = count, size, 0

    def __iter__(self):
        return self

    def __next__(self):
        if self.given == self.count:
            raise StopIteration
        self.given += 1
        return b'x' * self.size

    def close(self):
        os.write(2, b'closed after %d parts\n' % self.given)


@validator
def application(environ, start_response):
    path = environ['PATH_INFO']
    if path == '/sha':
        digest, size = hashlib.sha256(), 0
        while True:
            data = environ['wsgi.input'].read(1 << 20)
            if not data:
                break
            digest.update(data)
            size += len(data)
        start_response('200 OK', TEXT)
        return [('%d %s' % (size, digest.hexdigest())).encode()]
    if path == '/not-modified':
        start_response('304 Not Modified', [('ETag', '"1"')])
        return []
    if path == '/parts':
        start_response('200 OK', TEXT)
        return Parts(5, 10)
    if path == '/endless':
        start_response('200 OK', TEXT)
        return Parts(10 ** 9, 65536)
    if path == '/environ':
        wanted = ('REQUEST_METHOD', 'REQUEST_URI', 'QUERY_STRING', 'SERVER_PROTOCOL', 'REMOTE_ADDR', 'wsgi.url_scheme')
        start_response('200 OK', TEXT)
        return ['\n'.join('%s=%s' % (name, environ.get(name)) for name in wanted).encode()]
    start_response('200 OK', TEXT + [('Content-Length', '6')])
    return [b'hello\n']
