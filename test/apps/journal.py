"""Keeps a journal of its requests, so that a test can see which ones reached an app at all, and what they held.

`GET /journal?ADDRESS` answers the entries of the requests that came from there. For one worker.
"""

import json

entries = {}


def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'application/json')])
    if environ['PATH_INFO'] == '/journal':
        return [json.dumps(entries.get(environ['QUERY_STRING'], [])).encode()]
    entry = {name: value for name, value in environ.items() if isinstance(value, str)}
    entry['body'] = environ['wsgi.input'].read().decode('latin-1')
    entries.setdefault(environ['REMOTE_ADDR'], []).append(entry)
    return [json.dumps(entry).encode()]
