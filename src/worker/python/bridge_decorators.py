"""`import uwsgidecorators`, where the module of uWSGI is not installed.

uWSGI's own module works too (it is found first). What needs a part that nuwsgi has not got (mules, the spooler) can be used
to decorate, with a warning, so that a program that has it starts; calling such a function says that it cannot be done.
Decided elsewhere: when hooks are called (bridge.py), who handles signals (bridge_signals.py).
"""

import functools
import threading

import bridge_wsgi
import uwsgi

postfork_chain = []


class postfork:
    """Calls the function in each worker, after the fork and before the first request; several in the order of their coming.

    `@postfork(2)`: only in worker 2.
    """

    def __init__(self, function_or_worker):
        self.function = function_or_worker if callable(function_or_worker) else None
        self.worker = 0 if self.function else function_or_worker
        postfork_chain.append(self)

    def __call__(self, *args):
        if self.function is None:
            self.function, = args
            return self.function
        if self.worker in (0, uwsgi.worker_id()):
            return self.function()
        return None


def postfork_chain_hook():
    for function in postfork_chain:
        function()


uwsgi.post_fork_hook = postfork_chain_hook


# --- signals --------------------------------------------------------------------------------------------------------


def get_free_signal():
    for number in range(256):
        if not uwsgi.signal_registered(number):
            return number
    raise Exception('No free uwsgi signal available')


class signal:
    """Calls the function when signal `number` is raised: `@signal(17)`, `@signal(17, target='workers')`."""

    def __init__(self, number, target=''):
        self.number = number
        self.target = target

    def __call__(self, function):
        if self.number is None:
            self.number = get_free_signal()
        uwsgi.register_signal(self.number, self.target, function)
        self.begin()
        return function

    def begin(self):
        """What raises the signal, in the classes below."""


class timer(signal):
    """Every so many seconds: `@timer(60)`."""

    def __init__(self, seconds, signum=None, target=''):
        super().__init__(signum, target)
        self.seconds = seconds

    def begin(self):
        uwsgi.add_timer(self.number, self.seconds)


class rbtimer(timer):
    def begin(self):
        uwsgi.add_rb_timer(self.number, self.seconds)


class cron(signal):
    """By the clock: `@cron(minute, hour, day, month, weekday)`; -1: every, -N: every Nth."""

    def __init__(self, minute, hour, day, month, dayweek, signum=None, target=''):
        super().__init__(signum, target)
        self.fields = (minute, hour, day, month, dayweek)

    def begin(self):
        uwsgi.add_cron(self.number, *self.fields)


class filemon(signal):
    """When a file changes, or something in a directory: `@filemon('/tmp/x')`."""

    def __init__(self, path, signum=None, target=''):
        super().__init__(signum, target)
        self.path = path

    def begin(self):
        uwsgi.add_file_monitor(self.number, self.path)


# --- requests and threads -------------------------------------------------------------------------------------------


def thread(function):
    """Runs each call of `function` in a thread of its own, and returns the thread."""
    @functools.wraps(function)
    def start(*args, **kwargs):
        started = threading.Thread(target=function, args=args, kwargs=kwargs, daemon=True)
        started.start()
        return started
    return start


def lock(function):
    """Lets no two calls of the functions it decorates run at the same time, in whatever worker."""
    @functools.wraps(function)
    def locked(*args, **kwargs):
        uwsgi.lock()
        try:
            return function(*args, **kwargs)
        finally:
            uwsgi.unlock()
    return locked


class harakiri:
    """Limits the time that a request may take from the call of the function on: `@harakiri(30)`."""

    def __init__(self, seconds):
        self.seconds = seconds

    def __call__(self, function):
        @functools.wraps(function)
        def limited(*args, **kwargs):
            uwsgi.set_user_harakiri(self.seconds)
            try:
                return function(*args, **kwargs)
            finally:
                uwsgi.set_user_harakiri(0)
        return limited


class rpc:
    """Registers the function for uwsgi.call() in the same process: `@rpc('name')`."""

    def __init__(self, name):
        self.name = name

    def __call__(self, function):
        uwsgi.register_rpc(self.name, function)
        return function


# --- what is not here -----------------------------------------------------------------------------------------------


def _without(part, decorator, function, instead):
    """`function`, or a stand-in that says why it cannot run there."""
    bridge_wsgi.warn_once(decorator, '@%s: nuwsgi has no %s, so %s will not run there; %s' % (
        decorator, part, getattr(function, '__name__', function), instead))

    @functools.wraps(function)
    def refuse(*_, **__):
        raise NotImplementedError('@%s: nuwsgi has no %s; %s' % (decorator, part, instead))
    return refuse


_QUEUE = 'use a task queue, or @thread where a task may be lost'
_DAEMON = 'run it as a program of its own by --attach-daemon, or in a @thread that a @postfork starts'


def _spooled(decorator):
    def decorate(function=None, pass_arguments=False):
        if function is None:
            return decorate
        refuse = _without('spooler', decorator, function, _QUEUE)
        refuse.spool = refuse
        return refuse
    return decorate


spool, spoolraw, spoolforever = _spooled('spool'), _spooled('spoolraw'), _spooled('spoolforever')


def mulefunc(function_or_mule):
    """For functions whose calls run in a mule: `@mulefunc`, `@mulefunc(2)`, `@mulefunc('farm')`."""
    if callable(function_or_mule):
        return _without('mules', 'mulefunc', function_or_mule, _QUEUE)
    return mulefunc


def _in_mule(decorator):
    """For functions that nobody calls but a mule."""
    def of(number=None):
        return lambda function: _without('mules', decorator, function, _DAEMON)
    return of


mule, muleloop, mulemsg, mulemsg_loop = (_in_mule(name) for name in ('mule', 'muleloop', 'mulemsg', 'mulemsg_loop'))
farm, farm_loop = _in_mule('farm'), _in_mule('farm_loop')


def erlang(name):
    return lambda function: _without('Erlang node', 'erlang', function, 'speak to it by HTTP')
