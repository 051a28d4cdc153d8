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

import bridge_wsgi

_worker = None
_here = threading.local()


def install(setup):
    """Makes `import uwsgi` work, with what is known before there are workers."""
    module = types.ModuleType('uwsgi', 'The application server this program runs in.')
    geometry = setup['layout']['geometry']
    module.version = setup['version']
    module.version_info = tuple(int(n) if n.isdecimal() else n for n in setup['version'].split('-')[0].split('.'))
    module.hostname = setup['hostname'].encode()
    module.numproc = setup['workers']
    module.cores = geometry['cores']
    module.has_threads = True
    module.buffer_size = setup['bufferBytes']
    module.started_on = int(time.time())
    module.opt = {name: _option(value) for name, value in setup['options'].items()}
    module.masterpid = lambda: setup['serverPid']
    module.worker_id = lambda: 0 if _worker is None else _worker.id
    module.reload = lambda: _tell_server(setup['serverPid'], signal.SIGHUP)
    module.stop = lambda: _tell_server(setup['serverPid'], signal.SIGTERM)
    module.request_id = lambda: getattr(_here, 'core').request_id if hasattr(_here, 'core') else 0
    module.log = _log
    module.mem = _mem
    module.set_user_harakiri = _set_user_harakiri
    module.micros = lambda: time.time_ns() // 1000
    sys.modules['uwsgi'] = module
    sys.meta_path.append(_Decorators)


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
    bridge_wsgi.log(text)
    return True


def _set_user_harakiri(seconds):
    """Limits the time of the request in hand, from now on: longer or shorter than --harakiri. 0 takes it back."""
    core = getattr(_here, 'core', None)
    if core is None:
        raise ValueError('set_user_harakiri() is for a thread that runs a request')
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


def enter_core(core):
    """Called once in each thread that runs requests."""
    _here.core = core
