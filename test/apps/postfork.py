"""What a program wants done in each worker after the fork: by both ways that uWSGI has for it."""

import os

import uwsgi
from uwsgidecorators import postfork

imported_in = os.getpid()
forked = []


@postfork
def connect():
    forked.append((uwsgi.worker_id(), os.getpid()))
    if os.environ.get('FAIL_POSTFORK'):
        raise RuntimeError('no database')


def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    is_own = forked == [(uwsgi.worker_id(), os.getpid())]
    return [('%s %s' % (is_own, imported_in == os.getpid())).encode()]
