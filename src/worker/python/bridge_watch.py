"""Breaking off a request that runs for too long, and showing what the threads of a worker are doing.

A thread of its own waits until the server names a request. It then raises Harakiri in the thread that runs it: in the main
thread by a signal, which also ends most waits of the kernel (time.sleep, a socket), in others as an asynchronous exception,
which comes when the thread is back in Python code. What neither reaches (C code that does not come back) the server ends by
killing the process, when the other threads are done.
Stacks are shown by faulthandler, in the signal handler itself, so also while C code holds the GIL.
Decided elsewhere: which request is late, and what follows (src/lifecycle/harakiri.ts).
"""

import ctypes
import faulthandler
import signal
import threading

#: Signals that programs do not use: the C library has the first few of this range for itself.
BREAK_OFF = signal.SIGRTMIN + 11
SHOW_STACKS = signal.SIGRTMIN + 12
STDERR_FD = 2


class Harakiri(BaseException):
    """The request ran for too long. No `except Exception` of an application catches it."""

    def __init__(self, text='the request ran for too long (harakiri)'):
        super().__init__(text)


class Watch:
    """Of one worker. `start` may be called at any time, and again."""

    def __init__(self, worker):
        self.worker = worker
        arena = worker.arena
        self.words = arena.words
        self.break_off_at = worker.at + arena.worker['break_off']
        self.broke_off_at = worker.at + arena.worker['broke_off']
        self.bell_address = arena.word_address(worker.at + arena.worker['watch'])
        self.thread = None
        faulthandler.register(SHOW_STACKS, file=STDERR_FD, all_threads=True, chain=False)

    def prepare(self):
        """To be called in the main thread: only there can a signal be taken over."""
        signal.signal(BREAK_OFF, self.on_signal)

    def start(self):
        if self.thread is None:
            self.thread = threading.Thread(target=self.run, name='uWSGIWatch%d' % self.worker.id, daemon=True)
            self.thread.start()

    def run(self):
        wait, words = self.worker.semaphores.wait, self.words
        while True:
            while wait(self.bell_address):
                pass  # interrupted by a signal
            entry = words[self.break_off_at]
            # No other thread runs between the look and what follows: this one has the GIL.
            for core in self.worker.cores:
                if core.entry == entry and core.open:
                    if core.index == 0:
                        signal.pthread_kill(core.thread_id, BREAK_OFF)
                    else:
                        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(core.thread_id), ctypes.py_object(Harakiri))
            words[self.broke_off_at] = entry

    def on_signal(self, *_):
        core = self.worker.cores[0]
        if core.open and core.entry == self.words[self.break_off_at]:
            raise Harakiri
