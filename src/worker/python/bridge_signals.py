"""uWSGI's signals: functions of the application that are called outside of requests, by number.

A handler belongs to the process that has registered it, and to those forked from it. Who is to handle a signal, and what
raises it, is told to the server, which gives it to a worker as it gives it a request (src/lifecycle/signals.ts); one of
the worker's threads then calls `handle`.
"""

import os
import re
import threading

import bridge_server
import bridge_wsgi

SIGNALS = 256

_handlers = {}
_here = threading.local()
#: Targets of uWSGI that do not exist here: some worker does it instead.
_ELSEWHERE = re.compile(r'mules?$|mule[0-9]+$|spooler$|farm_|subscribed$').match


def _checked(number):
    if isinstance(number, bool) or not isinstance(number, int):
        raise TypeError('%r is not the number of a signal' % (number,))
    if not 0 <= number < SIGNALS:
        raise ValueError('signals have numbers from 0 to %d, not %d' % (SIGNALS - 1, number))
    return number


def _count(value, least, what):
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError('%s must be a whole number, not %s' % (what, type(value).__name__))
    if value < least:
        raise ValueError('%s must be %d or more, not %d' % (what, least, value))
    return value


def _target(name):
    """uWSGI's name of a target as the server has it: 'any', 'each' or the number of a worker."""
    if isinstance(name, bytes):
        name = name.decode()
    if name in ('', 'worker', 'worker0'):
        return 'any'
    if name in ('workers', 'active-workers'):
        return 'each'
    match = re.match(r'worker([0-9]+)$', name)
    if match:
        return int(match.group(1))
    if _ELSEWHERE(name):
        bridge_wsgi.warn_once('target ' + name, 'nuwsgi has no %s: signals for it are handled by the first worker that is '
                              'free' % name)
        return 'any'
    raise ValueError('%r is no target of a signal: it can be "", "workers", or "worker" and a number' % name)


def register_signal(number, target, handler):
    """Has `handler(number)` called in the workers that `target` names, whenever signal `number` is raised."""
    if not callable(handler):
        raise TypeError('the handler of a signal must be callable, not %s' % type(handler).__name__)
    bridge_server.tell(do='register', signal=_checked(number), target=_target(target))
    _handlers[number] = handler


def raise_signal(number, remote=None):
    """uwsgi.signal(): raises a signal; returns before it is handled."""
    if remote is not None:
        raise ValueError('nuwsgi raises signals in its own workers only, not in %r' % (remote,))
    bridge_server.tell(do='raise', signal=_checked(number))


def signal_registered(number):
    return True if number in _handlers else None


def signal_received():
    """The signal that the calling thread has handled last; 0: none."""
    return getattr(_here, 'last', 0)


def _add(do, number, **facts):
    bridge_server.tell(do=do, signal=_checked(number), loading=bridge_server.loading, **facts)


def add_timer(number, seconds):
    _add('timer', number, seconds=_count(seconds, 1, 'seconds'), iterations=0)


def add_rb_timer(number, seconds, iterations=0):
    """As add_timer; with `iterations`, so many times and no more."""
    _add('timer', number, seconds=_count(seconds, 1, 'seconds'), iterations=_count(iterations, 0, 'iterations'))


def add_cron(number, minute, hour, day, month, week):
    """Numbers of crontab; -1: every, -N: every Nth."""
    fields = dict(minute=minute, hour=hour, day=day, month=month, week=week)
    _add('cron', number, **{name: _count(value, -366, name) for name, value in fields.items()})
    return True


def add_file_monitor(number, path):
    _add('monitor', number, path=os.path.abspath(os.fsdecode(path)))


def handle(number, worker_id):
    """Calls the handler. Nothing that it raises ends the worker."""
    handler = _handlers.get(number)
    _here.last = number
    if handler is None:
        bridge_wsgi.log('error managing signal %d on worker %d: it has registered no handler' % (number, worker_id))
        return
    try:
        handler(number)
    except BaseException:  # SystemExit too: the worker has requests of others in hand
        bridge_wsgi.log('error managing signal %d on worker %d\n%s' % (number, worker_id, bridge_wsgi.trim_traceback()))
