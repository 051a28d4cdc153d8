"""Answers with its environ and the size of its body, as JSON. Not under wsgiref's validator: it is also given requests
that lack what PEP 3333 wants, because a uwsgi peer may send whatever it likes."""

import json


def application(environ, start_response):
    body = environ['wsgi.input'].read()
    shown = {name: value for name, value in environ.items() if isinstance(value, str)}
    data = json.dumps({'environ': shown, 'bodyBytes': len(body)}).encode()
    start_response('200 OK', [('Content-Type', 'application/json')])
    return [data]
