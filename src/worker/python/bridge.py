"""The process in which a Python application lives: loads it once, then forks the workers that run it.

This first process (the zygote) never runs a request. It maps the arena, imports the application, and forks a worker
whenever the server asks; so the application's memory is shared copy-on-write, and a new worker takes milliseconds. It
also reaps its workers and tells the server how each one ended. When the server is gone, so are zygote and workers.

Started by src/worker/python/zygote.ts with these descriptors: 3 control (JSON lines, both ways), 4 the arena,
5 the doorbell, 6 and up the log pipe of each worker. Only the standard library is used; CPython 3.8 or newer.
Decided elsewhere: the rules of WSGI (bridge_wsgi.py), the shared memory (bridge_memory.py, bridge_arena.py), `import uwsgi`
(bridge_uwsgi.py), what it tells the server (bridge_server.py), what is printed (bridge_output.py), what options ask of the interpreter (bridge_interpreter.py).
"""

import os
import sys

CONTROL_FD, ARENA_FD, DOORBELL_FD, FIRST_LOG_FD = 3, 4, 5, 6
OLDEST_PYTHON = (3, 8)

# Up to here, and in its syntax all of this file, is for every Python: so that an old one says what is wrong with it.
if sys.version_info < OLDEST_PYTHON:
    sys.exit('Python %s is too old: nuwsgi needs %d.%d or newer' % ((sys.version.split()[0],) + OLDEST_PYTHON))

OWN_DIRECTORY = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, OWN_DIRECTORY)  # Python itself does not put it there when it is told to be careful (PYTHONSAFEPATH)

import ctypes  # noqa: E402
import faulthandler  # noqa: E402
import gc  # noqa: E402
import http  # noqa: E402
import importlib  # noqa: E402
import json  # noqa: E402
import select  # noqa: E402
import signal  # noqa: E402
import socket  # noqa: E402
import threading  # noqa: E402
import time  # noqa: E402
import warnings  # noqa: E402

import bridge_arena  # noqa: E402
import bridge_autoreload  # noqa: E402
import bridge_probe  # noqa: E402
import bridge_server  # noqa: E402
import bridge_interpreter  # noqa: E402
import bridge_memory  # noqa: E402
import bridge_output  # noqa: E402
import bridge_uwsgi  # noqa: E402
import bridge_watch  # noqa: E402
import bridge_wsgi  # noqa: E402

PR_SET_PDEATHSIG = 1
#: Exit code of a worker that could not load the application (uWSGI's UWSGI_FAILED_APP_CODE).
FAILED_APP = 22


class Control:
    """The channel to the server: one JSON object per line."""

    def __init__(self, fd):
        self.socket = socket.socket(fileno=fd)
        self.buffered = b''
        self.telling = threading.Lock()  # threads of the application may have something to tell

    def tell(self, event, **facts):
        with self.telling:
            self.socket.sendall(json.dumps(dict(facts, event=event)).encode() + b'\n')

    def receive(self):
        """The messages that are there, or None when the server has gone."""
        try:
            data = self.socket.recv(65536)
        except ConnectionError:
            data = b''
        if not data:
            return None
        lines = (self.buffered + data).split(b'\n')
        self.buffered = lines.pop()
        return [json.loads(line) for line in lines]


def signal_name(number):
    """As in SIGSEGV; of the real-time signals, all but two of which Python has no names for, as in SIGRTMIN+3."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return 'SIGRTMIN+%d' % (number - signal.SIGRTMIN)


def die_with_parent(parent_pid):
    """Ends this process as soon as its parent has ended, however that came about."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent_pid:  # it ended before the line above
        os._exit(1)


# --- loading the application ----------------------------------------------------------------------------------------


def load_app(setup):
    """The WSGI callable of setup['target']: {'file': path} or {'module': 'package.module[:callable]'}.

    `pkg.mod:factory()` calls the factory, as uWSGI does. Raises LookupError when there is no such callable.
    """
    bridge_interpreter.before_app(setup['settings'])
    target, callable_name = setup['target'], setup['callable']
    if 'file' in target:
        module, place, name = bridge_interpreter.load_file(target['file']), 'file %s' % target['file'], callable_name
    else:
        module_name, _, name = target['module'].partition(':')
        name = name or callable_name
        module, place = importlib.import_module(module_name), 'module %s' % module_name
    is_factory = name.endswith('()')
    app = getattr(module, name[:-2] if is_factory else name, None)
    if app is not None and is_factory:
        app = app()
    if not callable(app):
        raise LookupError('unable to find "%s" callable in %s' % (name, place))
    return app


def tell_of_threads():
    """Says of threads that the application has started while it was loaded that a fork does not copy them."""
    names = [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()]
    if names:
        bridge_wsgi.log('the application started threads while it was loaded, which do not run in its workers: %s. Start them in a '
                        'function that has @postfork (uwsgidecorators), or load the application in each worker (--lazy-apps).'
                        % ', '.join(names))


# --- the zygote -----------------------------------------------------------------------------------------------------


class Zygote:
    """Loads the application, forks workers on demand, reports their ends."""

    def __init__(self, control, setup):
        self.control = control
        self.setup = setup
        self.pid = os.getpid()
        self.children = {}  # pid -> place in the arena
        self.app = None
        self.arena = None
        self.autoreload = None
        self.lines = None

    def prepare(self):
        """Everything up to the first fork, step by step; the server reads from the last step what went wrong."""
        setup, tell = self.setup, self.control.tell
        answer, request = setup['layout']['flags']['ANSWER'], setup['layout']['flags']['REQUEST']
        assert [answer[bit] for bit in ('HEAD', 'LAST', 'BROKEN', 'DATED', 'SIZED', 'FAILED', 'STREAM')] == \
            [bridge_wsgi.HEAD, bridge_wsgi.LAST, bridge_wsgi.BROKEN, bridge_wsgi.DATED, bridge_wsgi.SIZED,
             bridge_wsgi.FAILED, bridge_wsgi.STREAM], answer
        assert (request['HEAD'], request['PACKET']) == (bridge_arena.IS_HEAD, bridge_arena.PACKET), request
        self.arena = bridge_memory.Arena(ARENA_FD, setup['layout'])
        tell('mapped', python=sys.version.split()[0], pid=self.pid)
        for status in http.HTTPStatus:
            bridge_wsgi.REASONS[str(status.value)] = status.phrase
        bridge_server.enter_zygote(tell)
        bridge_uwsgi.install(setup, ARENA_FD)
        bridge_interpreter.prepare_path(setup['pythonPath'])
        faulthandler.enable(2)  # a segmentation fault in an extension leaves a Python traceback in the log
        settings = setup['settings']
        if settings['autoreloadSeconds']:
            ignored = frozenset(settings['autoreloadIgnored'])
            self.autoreload = bridge_autoreload.Autoreload(settings['autoreloadSeconds'], ignored, setup['serverPid'])
        started = time.perf_counter()
        try:
            bridge_interpreter.prepare(setup['settings'], setup['layout']['geometry']['totalBytes'])
            if not setup['lazy']:
                self.app = load_app(setup)
                tell_of_threads()
        except BaseException:  # SystemExit too: a module that ends the program has not loaded
            tell('failed', detail=bridge_wsgi.trim_traceback())
            return False
        gc.collect()
        gc.freeze()  # what is loaded stays out of collections, and so on pages that the workers share
        tell('loaded', ms=round((time.perf_counter() - started) * 1000, 1))
        return True

    def serve(self):
        """Obeys the server until it hangs up. Returns None in the zygote at the end, or in a worker its place and its number."""
        wake_read, wake_write = os.pipe()
        os.set_blocking(wake_read, False)
        os.set_blocking(wake_write, False)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        poll = select.poll()
        poll.register(self.control.socket, select.POLLIN)
        poll.register(wake_read, select.POLLIN)
        self.lines = bridge_server.Lines(self.control.tell, poll)
        while True:
            ready = {fd for fd, _ in poll.poll()}
            if wake_read in ready:
                try:
                    os.read(wake_read, 512)
                except BlockingIOError:
                    pass
                self.reap()
            for fd in ready & self.lines.open.keys():
                self.lines.pass_on(fd)
            if self.control.socket.fileno() in ready:
                messages = self.control.receive()
                if messages is None:
                    self.end_all()
                    return None
                for message in messages:
                    if message['do'] == 'fork':
                        if self.fork(message['place']) == 0:
                            signal.set_wakeup_fd(-1)
                            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                            os.close(wake_read)
                            os.close(wake_write)
                            return message['place'], message['worker']
                    elif message['do'] == 'answer':
                        self.lines.answer(message['place'], message['number'], message['answer'])
                    elif message['do'] == 'stacks':
                        self.kill(message['place'], bridge_watch.SHOW_STACKS)
                    elif message['do'] == 'kill':
                        self.kill(message['place'], message['signal'])
                    elif message['do'] == 'dump':
                        self.kill(message['place'], bridge_probe.DUMP_SIGNAL)

    def fork(self, place):
        bridge_output.flush_all()  # what stands unfinished here must not come out of every worker
        own_end, its_end = bridge_server.pair()
        with warnings.catch_warnings():  # what Python says of threads here was said better (tell_of_threads)
            warnings.simplefilter('ignore', DeprecationWarning)
            pid = os.fork()
        if pid:
            its_end.close()
            self.lines.add(own_end, place)
            self.children[pid] = place
            self.control.tell('forked', place=place, pid=pid)
        else:
            own_end.close()
            self.lines.close_all()
            bridge_server.enter_worker(its_end)
        return pid

    def kill(self, place, number):
        for pid, its_place in self.children.items():  # only own children that are not reaped: never a stranger's pid
            if its_place == place:
                os.kill(pid, number)

    def reap(self):
        while self.children:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            if pid in self.children:
                place = self.children.pop(pid)
                name = signal_name(os.WTERMSIG(status)) if os.WIFSIGNALED(status) else None
                code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else None
                self.control.tell('ended', place=place, pid=pid, code=code, signal=name)

    def end_all(self):
        for pid in self.children:
            os.kill(pid, signal.SIGKILL)
        while self.children:
            pid, _ = os.waitpid(-1, 0)
            self.children.pop(pid, None)


def run_worker(zygote, place, worker_id):
    """The life of a worker process, from the fork on. Users know it by the number `worker_id`."""
    die_with_parent(zygote.pid)
    zygote.control.socket.close()
    log_fd = FIRST_LOG_FD + place
    os.dup2(log_fd, 1)
    os.dup2(log_fd, 2)
    for other in range(zygote.setup['layout']['geometry']['places']):
        os.close(FIRST_LOG_FD + other)
    setup = zygote.setup
    try:
        bridge_interpreter.enter_worker(setup['settings'], worker_id)
        if setup['lazy']:
            zygote.app = load_app(setup)
    except BaseException:
        bridge_wsgi.log(bridge_wsgi.trim_traceback())
        os._exit(FAILED_APP)
    environs = [environ_base(setup, listener) for listener in setup['listeners']]
    worker = bridge_arena.Worker(zygote.arena, place, worker_id, zygote.app, environs, DOORBELL_FD, setup['serverPid'],
                                 bridge_uwsgi.enter_core, setup['watches'])
    bridge_uwsgi.enter_worker(worker)
    try:
        bridge_uwsgi.call_post_fork_hook()
    except BaseException:
        bridge_wsgi.log(bridge_wsgi.trim_traceback())
        os._exit(FAILED_APP)
    if zygote.autoreload is not None:
        zygote.autoreload.start()
    if setup['probed']:
        bridge_probe.start(worker)
    worker.respond = bridge_uwsgi.responder()
    worker.run()
    bridge_uwsgi.call_atexit()
    bridge_output.flush_all()


def environ_base(setup, listener):
    """The variables that are the same for all requests of one listener, in a worker."""
    geometry = setup['layout']['geometry']
    environ = dict(listener)
    environ.update({
        'wsgi.version': (1, 0),
        'wsgi.url_scheme': 'https' if listener.get('HTTPS') == 'on' else 'http',
        'wsgi.errors': sys.stderr,
        'wsgi.file_wrapper': bridge_wsgi.FileWrapper,
        'wsgi.run_once': False,
        'wsgi.multithread': geometry['cores'] > 1,
        'wsgi.multiprocess': setup['workers'] > 1,
        'wsgi.input_terminated': True,  # a chunked body has been read to its end before the request came here
        'uwsgi.version': setup['version'].encode(),
        'uwsgi.node': setup['hostname'].encode(),
    })
    if not setup['settings']['fileWrapper']:
        del environ['wsgi.file_wrapper']
    return environ


def main():
    bridge_output.install()
    control = Control(CONTROL_FD)
    setup = None
    while not setup:
        setup = control.receive()
        if setup is None:
            return
    setup = setup[0]
    die_with_parent(setup['serverPid'])
    for fd in range(CONTROL_FD, FIRST_LOG_FD + setup['layout']['geometry']['places']):
        os.set_inheritable(fd, False)  # programs that the application starts have no business with them
    zygote = Zygote(control, setup)
    if not zygote.prepare():
        bridge_output.flush_all()
        os._exit(1)  # the application may have started threads, which Python would wait for
    worker = zygote.serve()
    if worker is not None:
        run_worker(zygote, *worker)


if __name__ == '__main__':
    main()
