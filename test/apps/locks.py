"""Locks that workers share: as many requests at once as there are workers, and only one of them inside."""

import os

import uwsgi
from uwsgidecorators import lock

hold, release = os.pipe()  # of all workers


@lock
def inside():
    print('worker %d is inside' % uwsgi.worker_id())
    os.read(hold, 1)
    print('worker %d is out' % uwsgi.worker_id())


def application(environ, start_response):
    path = environ['PATH_INFO']
    if path == '/inside':
        inside()
    elif path == '/release':
        os.write(release, b'x')
    elif path == '/other':
        uwsgi.lock(1)
        uwsgi.unlock(1)
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [('%s %d' % (uwsgi.is_locked(), os.getpid())).encode()]
