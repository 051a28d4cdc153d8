"""`import uwsgi`: what applications use of the module that uWSGI puts into its interpreter.

The module exists before the application is imported, in the zygote (worker_id() is 0 there, as in uWSGI's master), and
comes to life in each worker. Names, types and meanings are uWSGI's (bytes where it has bytes).
"""

import importlib.util
import mmap
import os
import signal
import sys
import threading
import time
import types

import bridge_absent
import bridge_interpreter
import bridge_locks
import bridge_request
import bridge_server
import bridge_signals
import bridge_wsgi

_worker = None
_setup = None
_here = threading.local()


def install(setup, shared_fd):
    """Makes `import uwsgi` work, with what is known before there are workers. `shared_fd`: for locks."""
    global _setup
    _setup = setup
    module = types.ModuleType('uwsgi', 'The application server this program runs in.')
    geometry = setup['layout']['geometry']
    numbers = [int(n) if n.isdecimal() else n for n in setup['version'].split('-')[0].split('.')]
    locks = bridge_locks.Locks(shared_fd, setup['settings']['highestLock'])
    vars(module).update(bridge_absent.UNCONFIGURED)
    vars(module).update({
        # facts
        'version': setup['version'].encode(),
        'version_info': tuple(numbers),
        'hostname': setup['hostname'].encode(),
        'numproc': setup['workers'],
        'cores': geometry['cores'],
        'has_threads': 1,
        'buffer_size': setup['bufferBytes'],
        'started_on': int(time.time()),
        'is_a_reload': setup['isReload'],
        'opt': {name: _option(value) for name, value in setup['options'].items()},
        'magic_table': {},
        'applications': None,
        'loop': None,
        'unbit': None,
        'sockets': [],
        'SPOOL_OK': -2,
        'SPOOL_RETRY': -1,
        'SPOOL_IGNORE': 0,
        # the server and its workers
        'masterpid': lambda: setup['serverPid'],
        'worker_id': lambda: 0 if _worker is None else _worker.id,
        'workers': _workers,
        'total_requests': lambda: bridge_server.ask('total_requests') or 0,
        'listen_queue': _listen_queue,
        'reload': lambda: _tell_server(setup['serverPid'], signal.SIGHUP),
        'stop': lambda: _tell_server(setup['serverPid'], signal.SIGTERM),
        'accepting': lambda: None,
        'ready': lambda: True,
        'mem': _mem,
        'micros': lambda: time.time_ns() // 1000,
        'setprocname': bridge_interpreter.set_title,
        # the log
        'log': _log,
        'logsize': lambda: 0,
        'log_this_request': lambda: None,
        'set_warning_message': lambda text: True,
        'set_logvar': _set_logvar,
        'get_logvar': _get_logvar,
        # the request in hand
        'request_id': lambda: getattr(_here, 'core').request_id if hasattr(_here, 'core') else 0,
        'set_user_harakiri': _set_user_harakiri,
        'start_response': bridge_request.start_response,
        'add_var': _add_var,
        'cl': bridge_request.cl,
        'chunked_read': bridge_request.chunked_read,
        'chunked_read_nb': bridge_request.chunked_read,
        'connection_fd': lambda: bridge_request.CONNECTION_FD,
        'is_connected': bridge_request.is_connected,
        'disconnect': bridge_request.disconnect,
        'sendfile': bridge_request.sendfile,
        # files
        'parsefile': bridge_request.parsefile,
        'extract': bridge_request.extract,
        # locks
        'lock': locks.lock,
        'unlock': locks.unlock,
        'is_locked': locks.is_locked,
        # signals
        'register_signal': bridge_signals.register_signal,
        'signal': bridge_signals.raise_signal,
        'signal_registered': bridge_signals.signal_registered,
        'signal_received': bridge_signals.signal_received,
        'add_timer': bridge_signals.add_timer,
        'add_rb_timer': bridge_signals.add_rb_timer,
        'add_cron': bridge_signals.add_cron,
        'add_file_monitor': bridge_signals.add_file_monitor,
        '__getattr__': _missing,
    })
    if 'pidfile' in setup['options']:
        module.pidfile = module.opt['pidfile']
    sys.modules['uwsgi'] = module
    sys.meta_path.append(_Decorators)


def _missing(name):
    """What is looked for when it is asked for: `env` is the environ of the request in hand."""
    if name == 'env':
        environ = bridge_request.environ()
        if environ is not None:
            return environ
    raise bridge_absent.explain(name)


class _Decorators:
    """Finds `uwsgidecorators` where nobody else has: the last in the row of those who look for modules."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == 'uwsgidecorators':
            file = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'bridge_decorators.py')
            return importlib.util.spec_from_file_location(name, file)
        return None


def _option(value):
    """uWSGI's `opt`: True for a flag, bytes for a value, a list of bytes for several."""
    if isinstance(value, list):
        return [str(item).encode() for item in value]
    return True if value is True else str(value).encode()


def _tell_server(pid, number):
    os.kill(pid, number)
    return True


def _log(text):
    if not isinstance(text, str):
        raise TypeError('log() argument 1 must be str, not %s' % type(text).__name__)
    bridge_wsgi.log(text)
    return True


def _listen_queue(number=0):
    """Requests that wait for a worker: none waits in the queue of a socket."""
    return bridge_server.ask('listen_queue') or 0


def _workers():
    """What is known of the workers of the app, a dict for each; before there are any, that there are none."""
    workers = bridge_server.ask('workers') or []
    for worker in workers:
        worker['status'] = worker['status'].encode()
        for app in worker['apps']:
            app.update(mountpoint=app['mountpoint'].encode(), chdir=app['chdir'].encode(), interpreter=0, callable=0)
        worker['apps'] = tuple(worker['apps'])
    return tuple(workers)


def _bytes(text):
    return text.encode() if isinstance(text, str) else bytes(text)


def _set_logvar(name, value):
    """Sets what --log-format calls %(name), for the request in hand."""
    core = _core()
    if core is not None:
        core.log_variables()[_bytes(name)] = _bytes(value)
        core.tell_log_variables()


def _get_logvar(name):
    core = _core()
    return None if core is None else core.log_variables().get(_bytes(name))


def _add_var(name, value):
    """Adds a variable to the request in hand for the log, which calls it %(var.NAME)."""
    _set_logvar(b'var.' + _bytes(name), value)
    return True


def _core():
    """The thread of the worker that calls, while it runs a request; else None."""
    core = getattr(_here, 'core', None)
    return core if core is not None and core.open else None


def _set_user_harakiri(seconds):
    """Limits the time of the request in hand, from now on: longer or shorter than --harakiri. 0 takes it back."""
    core = _core()
    if core is not None:
        core.end_within(seconds)


def _mem():
    """(resident, virtual) memory of this process in bytes."""
    with open('/proc/self/statm') as statm:
        virtual, resident = statm.read().split()[:2]
    return int(resident) * mmap.PAGESIZE, int(virtual) * mmap.PAGESIZE


def enter_worker(worker):
    """Called once in each worker, after the fork."""
    global _worker
    _worker = worker


def call_post_fork_hook():
    """Called once in each worker, when the application is loaded: what it wants done before the first request."""
    hook = getattr(sys.modules['uwsgi'], 'post_fork_hook', None)
    if hook is not None:
        hook()
    bridge_server.loaded()


def call_atexit():
    """Called in a worker that leaves, when it has answered its last request."""
    hook = getattr(sys.modules['uwsgi'], 'atexit', None)
    if callable(hook):
        try:
            hook()
        except BaseException:
            bridge_wsgi.log(bridge_wsgi.trim_traceback())


def responder():
    """What runs a request: bridge_wsgi.respond, and behind it uwsgi.after_req_hook, where the application has set that."""
    hook = getattr(sys.modules['uwsgi'], 'after_req_hook', None)
    if not callable(hook):
        return bridge_wsgi.respond

    def respond_and_tell(app, environ, out, bodyless):
        bridge_wsgi.respond(app, environ, out, bodyless)
        out.ring()  # the client does not wait for the hook
        try:
            hook()
        except BaseException:
            bridge_wsgi.log(bridge_wsgi.trim_traceback())
        out.begin_anew()

    return respond_and_tell


def enter_core(core):
    """Called once in each thread that runs requests."""
    _here.core = core
