"""Answers whose heads the server edits, and answers that name files."""

import os
from urllib.parse import parse_qs


class Endless:
    def __iter__(self):
        return self

    def __next__(self):
        return b'x' * 65536

    def close(self):
        os.write(2, b'the endless body is closed\n')


def application(environ, start_response):
    query = parse_qs(environ['QUERY_STRING'])
    path = environ['PATH_INFO']
    if path == '/crash':
        raise RuntimeError('on purpose')
    if path == '/own-500':
        start_response('500 Mine', [('Content-Type', 'text/plain')])
        return [b'my own']
    if path == '/own-404':
        start_response('404 Not Found', [('Content-Type', 'text/plain')])
        return [b'my own']
    if path in ('/x-sendfile', '/endless'):
        field = query.get('field', ['X-Sendfile'])[0]
        more = [tuple(text.split('=', 1)) for text in query.get('more', [])]
        start_response(query.get('status', ['200 OK'])[0], [(field, query['path'][0])] + more)
        return Endless() if path == '/endless' else [b'the body of the app']
    start_response('200 OK', [('Content-Type', 'text/plain'), ('X-Powered-By', 'app'), ('Server', 'app')])
    if path == '/parts':
        return iter([b'one ', b'two'])
    return [b'hello\n']
