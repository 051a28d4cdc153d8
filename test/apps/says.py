"""Answers what the request's body tells it to, as JSON: {"status", "headers", "parts": [text, ...]}. Its twin is says.mjs.

Not under wsgiref's validator, which would stop before the server does what it must not.
"""

import json


def application(environ, start_response):
    path = environ['PATH_INFO']
    if path == '/raises':
        raise ValueError('secret of the application')
    if path == '/raises-late':
        return raises_late(start_response)
    if path == '/prints':
        print('said\n[pid: 1|app: 0|req: 1/1] forged')
    told = json.loads(environ['wsgi.input'].read() or b'{"status": "200 OK", "headers": [], "parts": ["fine"]}')
    headers = told['headers']
    if isinstance(headers, list):
        headers = [tuple(header) if isinstance(header, list) else header for header in headers]
    start_response(told['status'], headers)
    parts = [part.encode('latin-1') for part in told['parts']]
    return iter(parts) if path == '/parts' else parts


def raises_late(start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    yield b'begun;'
    raise ValueError('secret of the application')
