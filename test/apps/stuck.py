# An app that is at something until the file STUCK_UNTIL is there, for the tests that look at it. PATH_INFO says at what.

import ctypes
import os
import time


def is_over():
    return os.path.exists(os.environ['STUCK_UNTIL'])


def spin():
    while not is_over():
        sum(range(10000))


def nap():
    while not is_over():
        time.sleep(0.05)


def hold_the_gil():
    ctypes.PyDLL(None).usleep(6000000)  # a call into C that lets no other thread run


def application(environ, start_response):
    {'/spin': spin, '/nap': nap, '/hold': hold_the_gil}.get(environ['PATH_INFO'], lambda: None)()
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [b'done\n']
