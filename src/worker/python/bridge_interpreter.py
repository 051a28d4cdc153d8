"""What options ask of the interpreter before the application is loaded, and of each worker when it begins.

uWSGI's --pyargv, --py-executable, --pythonpath, --import, --shared-import, --pymodule-alias, --chdir2, --cpu-affinity,
--thread-stacksize, --limit-as, --limit-nproc, --auto-procname. `settings` is PythonSettings of zygote.ts.
Decided elsewhere: how the application itself is loaded (bridge.py).
"""

import ctypes
import glob
import importlib
import os
import resource
import sys
import threading
import types

OWN_DIRECTORY = os.path.dirname(os.path.abspath(__file__))


def pythonize(path):
    """A path as the name of a module, as uWSGI makes it."""
    if path.endswith('.py'):
        path = path[:-3]
    return path.replace('.', '_').replace('/', '_')


def load_file(path, name=None):
    """Runs the file `path` as a module and returns it. The file of an app is called `uwsgi_file_` and its path."""
    module = types.ModuleType(name or 'uwsgi_file_' + pythonize(path))
    module.__file__ = path
    sys.modules[module.__name__] = module
    with open(path, 'rb') as source:
        code = compile(source.read(), path, 'exec')
    exec(code, module.__dict__)
    return module


def load(target, name=None):
    """The module that is called `target`, or the one in the file of that path: told by a slash or .py, as in uWSGI."""
    if '/' in target or target.endswith('.py'):
        return load_file(target, name or pythonize(target))
    return importlib.import_module(target)


def prepare_path(python_path):
    """uWSGI's order: the working directory first, then every --pythonpath in front of what is there. Patterns are expanded."""
    sys.path[:] = [entry for entry in sys.path if entry != OWN_DIRECTORY]
    sys.path.insert(0, '.')
    for pattern in python_path:
        for directory in sorted(glob.glob(pattern)) or [pattern]:
            sys.path.insert(0, directory)


def set_title(title):
    """Changes what this process is called in the list of processes, as far as the room of its arguments goes.

    The kernel shows the memory in which it once put the arguments, wherever the process wrote something else meanwhile.
    """
    with open('/proc/self/stat') as stat:
        fields = stat.read().rpartition(')')[2].split()
    start, end = int(fields[45]), int(fields[46])  # arg_start, arg_end: the 48th and 49th of all fields
    if end - start > 1:
        text = title.encode()[:end - start - 1]
        ctypes.memset(start, 0, end - start)
        ctypes.memmove(start, text, len(text))


def prepare(settings, arena_bytes):
    """In the zygote, before anything of the user's is loaded, lazily or not. `arena_bytes` are mapped already."""
    sys.argv = ['uwsgi'] + settings['argv']
    if settings['zygoteTitle']:
        set_title(settings['zygoteTitle'])
    if settings['executable']:
        sys.executable = settings['executable']
    if settings['addressSpaceBytes']:
        most = settings['addressSpaceBytes'] + arena_bytes  # which is the server's
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    if settings['processLimit']:
        resource.setrlimit(resource.RLIMIT_NPROC, (settings['processLimit'], settings['processLimit']))
    for alias, target in settings['aliases']:
        sys.modules[alias] = load(target, alias)
    for target in settings['sharedImports']:
        load(target)


def before_app(settings):
    """Wherever the application is loaded: in the zygote, or in each worker."""
    for target in settings['imports']:
        load(target)


def enter_worker(settings, worker_id):
    """In a worker, before the application is loaded there, or before it serves."""
    if settings['workerTitle']:
        set_title(settings['workerTitle'].replace('{worker}', str(worker_id)))
    if settings['stackBytes']:
        threading.stack_size(settings['stackBytes'])  # of threads that are started from now on
    if settings['affinity']:
        cpus = sorted(os.sched_getaffinity(0))
        first = (worker_id - 1) * settings['affinity']
        os.sched_setaffinity(0, {cpus[(first + i) % len(cpus)] for i in range(settings['affinity'])})
    if settings['chdir2']:
        os.chdir(settings['chdir2'])
