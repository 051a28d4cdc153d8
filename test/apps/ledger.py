"""Answers that can be told from all others, and a ledger of every request that was started.

The query says what to do: `id` (echoed), `ms` (sleep so long), `hold` (sleep while this file exists), `bytes` (length of the body: the id and a line end, over
and over), `parts` (streamed in so many; 0: in one piece), `post` (bytes of the same pattern that must have been sent), `die` (the
process is killed).
With LEDGER in the environment, each request first appends its id to that file, in one write.
"""

import os
import signal
import time
from urllib.parse import parse_qsl
from wsgiref.validate import validator

ledger = os.open(os.environ['LEDGER'], os.O_WRONLY | os.O_APPEND) if 'LEDGER' in os.environ else -1
TEXT = [('Content-Type', 'text/plain')]


def pattern(name, size):
    line = name + b'\n'
    return (line * (size // len(line) + 1))[:size]


class Parts:
    """`body` in `count` parts. Closing it is noted when `noted`."""

    def __init__(self, body, count):
        size = -(-len(body) // count)
        self.chunks = iter([body[at:at + size] for at in range(0, len(body), size)])

    def __iter__(self):
        return self

    def __next__(self):
        return next(self.chunks)

    def close(self):
        if ledger >= 0:
            os.write(ledger, b'closed\n')


def body_is(stream, expected):
    """Whether `stream` holds `expected`, read piece by piece."""
    at = 0
    while True:
        data = stream.read(65536)
        if not data:
            return at == len(expected)
        if data != expected[at:at + len(data)]:
            return False
        at += len(data)


@validator
def application(environ, start_response):
    query = dict(parse_qsl(environ['QUERY_STRING']))
    name = query['id'].encode()
    if ledger >= 0:
        os.write(ledger, name + b'\n')
    if 'die' in query:
        os.kill(os.getpid(), signal.SIGKILL)
    post = int(query.get('post', 0))
    if post and not body_is(environ['wsgi.input'], pattern(name, post)):
        start_response('422 Unprocessable Content', TEXT)
        return [b'the body is not what was sent']
    if 'ms' in query:
        time.sleep(float(query['ms']) / 1000)
    while os.path.exists(query.get('hold', '')):
        time.sleep(0.005)
    body = pattern(name, int(query.get('bytes', len(name) + 1)))
    parts = int(query.get('parts', 0))
    headers = TEXT + [('X-Id', query['id']), ('X-Pid', str(os.getpid()))]
    if parts == 0:
        start_response('200 OK', headers + [('Content-Length', str(len(body)))])
        return [body]
    start_response('200 OK', headers)
    return Parts(body, parts)
