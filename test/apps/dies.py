"""An application that ends its process in every way there is. GATE names a FIFO: who waits there goes on when the test has
written to it."""

import ctypes
import os
import signal
import sys
import threading
from wsgiref.validate import validator

if os.path.exists(os.environ.get('BROKEN_IF', '')):
    print('broken just now')
    os._exit(9)


def wait_at_the_gate():
    print('at the gate: %d' % os.getpid())
    with open(os.environ['GATE']) as gate:
        gate.read()


def hold():
    wait_at_the_gate()


def hold_and_exit():
    wait_at_the_gate()
    os._exit(5)


def exits():
    os._exit(3)


def exits_with_0():
    os._exit(0)


def kills_itself():
    os.kill(os.getpid(), signal.SIGKILL)


def terminates_itself():
    os.kill(os.getpid(), signal.SIGTERM)


def of_a_real_time_signal():
    os.kill(os.getpid(), signal.SIGRTMIN + 6)


def aborts():
    os.abort()


def crashes():
    ctypes.string_at(0)


def crashes_in_a_thread():
    thread = threading.Thread(target=ctypes.string_at, args=(0,))
    thread.start()
    thread.join()


def interrupts():
    raise KeyboardInterrupt


def hello():
    pass


def stream(death):
    yield b'part'
    death()


@validator
def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    name = environ['PATH_INFO'][1:].replace('-', '_')
    if name.startswith('stream_'):
        return stream(globals()[name[len('stream_'):]])
    globals()[name]()
    return [b'%d' % os.getpid()]
