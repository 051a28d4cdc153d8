# As rests.mjs; /endless never ends.

import os
import time
from urllib.parse import parse_qs


def parts(count, size):
    for i in range(count):
        yield (b'%d\n' % i * size)[:size]
    print('rests after %d bytes' % (count * size), flush=True)
    while not os.path.exists(os.environ['RESTS_UNTIL']):
        time.sleep(0.005)


def endless():
    while True:
        yield b'x' * 100000


def application(environ, start_response):
    query = parse_qs(environ['QUERY_STRING'])
    start_response('200 OK', [('Content-Type', 'text/plain')])
    if environ['PATH_INFO'] == '/endless':
        return endless()
    if environ['PATH_INFO'] == '/short':
        return [b'short\n']
    return parts(int(query['count'][0]), int(query['bytes'][0]))
