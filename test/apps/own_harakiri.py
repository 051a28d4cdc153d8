"""Sets a limit of its own for each request, then sleeps: /?LIMIT&SECONDS."""

import time

import uwsgi


def application(environ, start_response):
    limit, seconds = environ['QUERY_STRING'].split('&')
    uwsgi.set_user_harakiri(int(limit))
    time.sleep(float(seconds))
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [b'done']
