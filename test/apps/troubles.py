"""An app with every way to come to harm, by path; the number in the query says how much or how long."""

import ctypes
import faulthandler
import os
import signal
import threading
import time

leaked = []


def spin(seconds):
    """Takes the processor, in Python."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


def hold_the_gil(seconds):
    """Waits in C, and lets no other thread run: PyDLL does not give the GIL up."""
    ctypes.PyDLL(None).usleep(int(seconds * 1e6))


def sleep_in_c(seconds):
    """Waits in C, and lets other threads run."""
    ctypes.CDLL(None).usleep(int(seconds * 1e6))


def sleep_lost(seconds):
    """Waits in C where no signal reaches this thread: only the end of the process ends it."""
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    sleep_in_c(seconds)


def leak(mebibytes):
    leaked.append(b'x' * int(mebibytes * 1048576))


TROUBLES = {
    '/exit': lambda n: os._exit(int(n)),
    '/segv': lambda n: faulthandler._sigsegv(),
    '/null': lambda n: ctypes.string_at(0),
    '/abort': lambda n: os.abort(),
    '/kill': lambda n: os.kill(os.getpid(), signal.SIGKILL),
    '/leak': leak,
    '/allocate': lambda n: bytearray(int(n * 1048576)),
    '/sleep': time.sleep,
    '/spin': spin,
    '/gil': hold_the_gil,
    '/c': sleep_in_c,
    '/lost': sleep_lost,
}


def application(environ, start_response):
    path, query = environ['PATH_INFO'], environ.get('QUERY_STRING', '')
    if path in TROUBLES:
        print('%s has begun' % path, flush=True)
        TROUBLES[path](float(query or 0))
    start_response('200 OK', [('Content-Type', 'text/plain')])
    if path == '/who':
        return [('%d %s' % (os.getpid(), threading.current_thread().name)).encode()]
    if path == '/half':
        return half()
    return [b'fine']


def half():
    yield b'x' * 1000
    os._exit(1)
