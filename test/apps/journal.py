"""Keeps a journal of its requests, so that a test can see which ones reached an app at all, and what they held.

`GET /journal?ADDRESS` answers the entries of the requests that came from there, `GET /journal` all of them by address,
which are forgotten then. For one worker.
"""

import json

entries = {}


def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'application/json')])
    if environ['PATH_INFO'] == '/journal':
        query = environ['QUERY_STRING']
        answer = json.dumps(entries.get(query, []) if query else entries).encode()
        if not query:
            entries.clear()
        return [answer]
    entry = {name: value for name, value in environ.items() if isinstance(value, str)}
    entry['body'] = environ['wsgi.input'].read().decode('latin-1')
    entries.setdefault(environ['REMOTE_ADDR'], []).append(entry)
    return [json.dumps(entry).encode()]
