"""Signals of `import uwsgi`, by its functions and by uwsgidecorators; each handler says in the log that it has run."""

import os
import threading

import uwsgi
from uwsgidecorators import cron, filemon, postfork, rbtimer, signal, timer

DIRECTORY = os.environ.get('WATCHED', '')
runs = {}


def say(name, number):
    runs[name] = runs.get(name, 0) + 1
    inside = threading.current_thread() is threading.main_thread() or threading.current_thread().name
    print('%s: signal %s, worker %d, run %d, thread %s' % (name, number, uwsgi.worker_id(), runs[name], inside))


@timer(1)
def tick(number):
    say('tick', number)


@timer(1, target='workers', signum=60)
def everywhere(number):
    say('everywhere', number)


@rbtimer(1, target='worker2')
def second(number):
    say('second', number)


@cron(-1, -1, -1, -1, -1)
def minute(number):
    say('minute', number)


@signal(70)
def raised(number):
    say('raised', number)


@signal(71)
def fails(number):
    say('fails', number)
    raise LookupError('no such thing')


@signal(72)
def leaves(number):
    say('leaves', number)
    raise SystemExit(3)


@signal(73, target='mule')
def elsewhere(number):
    say('elsewhere', number)


if DIRECTORY:
    @filemon(DIRECTORY)
    def directory(number):
        say('directory', number)

    @filemon(os.path.join(DIRECTORY, 'single'))
    def single(number):
        say('single', number)


def once(number):
    say('once', number)


uwsgi.register_signal(80, 'worker', once)
uwsgi.add_rb_timer(80, 1, 2)
uwsgi.signal(70)


@postfork
def forked():
    say('forked', uwsgi.signal_registered(80))


def slow(number):
    say('slow', number)
    os.read(hold, 1)
    say('slow end', number)


hold, release = os.pipe()  # of all workers
uwsgi.register_signal(90, 'worker1', slow)


def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    path = environ['PATH_INFO']
    if path.startswith('/raise/'):
        uwsgi.signal(int(path.rpartition('/')[2]))
    elif path == '/wait':
        print('waits in worker %d' % uwsgi.worker_id())
        os.read(hold, 1)
    elif path == '/release':
        os.write(release, b'x')
    return [str(uwsgi.worker_id()).encode()]
