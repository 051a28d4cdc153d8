"""The memory that the server and its workers share: the mapping, the semaphores, and what keeps stores in order.

Decided elsewhere: what each word means (src/arena/layout.ts, which arrives as `layout`), how requests come and answers go
(bridge_arena.py).
"""

import ctypes
import mmap
import platform


class Semaphores:
    """The semaphore calls, each in the form that suits its use."""

    def __init__(self):
        waiting = ctypes.CDLL(None, use_errno=True)  # lets other threads run while it waits
        at_once = ctypes.PyDLL(None)  # keeps the GIL: cheaper, for calls that return at once
        self.wait = waiting.sem_wait
        self.try_wait = at_once.sem_trywait
        self.post = at_once.sem_post
        for call in (self.wait, self.try_wait, self.post):
            call.argtypes = [ctypes.c_void_p]
            call.restype = ctypes.c_int


def barrier_for(semaphores, address):
    """A full memory barrier as a function, or None where the processor keeps stores in order by itself.

    sem_post releases and a successful sem_trywait acquires; on ARM a release followed by an acquire is a barrier for
    everything before and behind the pair (the instructions are sequentially consistent among each other).
    """
    if platform.machine() in ('x86_64', 'AMD64', 'i686', 'i386'):
        return None
    post, try_wait = semaphores.post, semaphores.try_wait

    def barrier():
        post(address)
        try_wait(address)

    return barrier


class Arena:
    """The mapping, with the offsets that this worker needs."""

    def __init__(self, fd, layout):
        g = layout['geometry']
        structs = layout['structs']
        self.constants = layout['constants']
        self.header, self.worker, self.core, self.slot = (structs[n] for n in ('HEADER', 'WORKER', 'CORE', 'SLOT'))
        self.geometry = g
        self.map = mmap.mmap(fd, g['totalBytes'])
        self.address = ctypes.addressof(ctypes.c_char.from_buffer(self.map))
        self.view = memoryview(self.map)
        self.words = self.view.cast('i')
        self.test()

    def test(self):
        """The bridge's half of the self-test (Arena in src/arena/arena.ts): both sides see what the other does."""
        if self.words[self.header['magic']] != self.constants['MAGIC']:
            raise RuntimeError('shared memory: what the server wrote does not arrive here')
        semaphores, probe = Semaphores(), self.word_address(self.header['probe'])
        if semaphores.try_wait(probe) != 0:
            raise RuntimeError('shared memory: a semaphore that the server posted cannot be taken here')
        self.words[self.header['magic_echo']] = self.constants['MAGIC']
        semaphores.post(probe)

    def word_address(self, word):
        return self.address + 4 * word

    def worker_word(self, place):
        return self.geometry['workersAtWord'] + place * self.geometry['workerWords']
