# Answers of every kind, for the tests of the log and of the statistics. PATH_INFO says which.

import logging
import sys
import time

logging.basicConfig(level=logging.INFO, format='%(levelname)s %(message)s', stream=sys.stderr)


def application(environ, start_response):
    path = environ['PATH_INFO']
    kind = path.split('/')[1]
    if kind == 'sized':
        start_response('200 OK', [('Content-Type', 'text/plain'), ('Content-Length', '5')])
        return [b'hello']
    if kind == 'missing':
        start_response('404 Not Found', [('Content-Type', 'text/plain')])
        return [b'nothing here']
    if kind == 'empty':
        start_response('204 No Content', [])
        return []
    if kind == 'big':
        start_response('200 OK', [('X-One', '1'), ('X-Two', '22'), ('Content-Length', '100000')])
        return [b'x' * 100000]
    if kind == 'parts':
        start_response('200 OK', [('Content-Type', 'text/plain')])
        return iter([b'one', b'two', b'three'])
    if kind == 'body':
        data = environ['wsgi.input'].read(int(environ.get('CONTENT_LENGTH') or 0))
        start_response('200 OK', [('Content-Type', 'text/plain')])
        return [b'%d' % len(data)]
    if kind == 'slow':
        print('begins', path, flush=True)
        time.sleep(float(path.split('/')[2]))
        start_response('200 OK', [])
        return [b'at last']
    if kind == 'fail':
        raise ValueError('as it was asked for')
    if kind == 'print':
        for i in range(200):
            print('printed %s %d' % (path, i))
        logging.info('logged %s', path)
        sys.stderr.write('no line end')
        sys.stderr.flush()
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [b'hello\n']
