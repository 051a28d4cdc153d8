"""Bodies of any size, in and out: hashed as they are read, made as they are sent. Under wsgiref's validator."""

import hashlib
import os
from urllib.parse import parse_qs
from wsgiref.validate import validator

BLOCK = bytes(range(256)) * 256  # 64 KiB
TEXT = [('Content-Type', 'text/plain')]
started = 0


class Blocks:
    """`count` blocks; says in the log when it is closed, and how many it gave."""

    def __init__(self, count):
        self.count, self.given = count, 0

    def __iter__(self):
        return self

    def __next__(self):
        if self.given == self.count:
            raise StopIteration
        self.given += 1
        return BLOCK

    def close(self):
        print('closed after %d blocks' % self.given)


def digest_of(source):
    digest, size = hashlib.sha256(), 0
    while True:
        data = source.read(1 << 20)
        if not data:
            return '%d %s' % (size, digest.hexdigest())
        digest.update(data)
        size += len(data)


@validator
def application(environ, start_response):
    global started
    path = environ['PATH_INFO']
    if path == '/blocks':
        query = parse_qs(environ['QUERY_STRING'])
        count = int(query['count'][0])
        fields = TEXT + ([('Content-Length', str(count * len(BLOCK)))] if 'length' in query else [])
        start_response('200 OK', fields)
        return Blocks(count)
    body = b'hello\n'
    if path == '/sha':
        body = digest_of(environ['wsgi.input']).encode()
    elif path == '/hold':
        print('holding')
        with open(os.environ['GATE']) as gate:  # a FIFO: the test writes to it
            gate.read()
    elif path == '/count':
        started += 1
    elif path == '/started':
        body = b'%d' % started
    elif path == '/pid':
        body = b'%d' % os.getpid()
    start_response('200 OK', TEXT + [('Content-Length', str(len(body)))])
    return [body]
