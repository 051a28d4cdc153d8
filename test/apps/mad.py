"""An application that goes mad when it is told to, and writes over the shared memory through ctypes.

`/?do=NAME` does one of the functions below and then sleeps, as if nothing had happened; `/?id=NAME` is an innocent
request, answered with NAME. Not under wsgiref's validator: it looks for the server's own objects on the stack.
"""

import ctypes
import os
import random
import sys
import threading
import time
from urllib.parse import parse_qsl

HEAD, LAST = 1, 2
MOST = 2 ** 31 - 1


def find_core():
    """The object by which the bridge serves this request."""
    frame = sys._getframe()
    while frame is not None:
        for value in frame.f_locals.values():
            if type(value).__name__ == 'Core':
                return value
        frame = frame.f_back
    raise LookupError('no Core on the stack')


def poke(core, word, value):
    ctypes.c_int32.from_address(core.address + 4 * word).value = value


def describe(core, **fields):
    """Writes the answer words of its slot: a sound answer, but for `fields`."""
    first = core.slot_byte // 4
    head = b'200 OK\r\nContent-Type: text/plain'
    ctypes.memmove(core.address + core.area, head + b'mad', len(head) + 3)
    sound = dict(length_low=3, length_high=0, answer_flags=HEAD | LAST, status=200, head_bytes=len(head), body_bytes=3,
                 header_count=1)
    for name, value in dict(sound, **fields).items():
        poke(core, first + core.worker.arena.slot[name], value)


def publish(core, entry=None):
    poke(core, core.answers_at + (core.tail & core.mask), core.entry if entry is None else entry)
    core.tail += 1


def scribble(core, first_word, words):
    for word in range(first_word, first_word + words):
        poke(core, word, random.randint(-2 ** 31, MOST))


def forge(**fields):
    def do(core):
        describe(core, **fields)
        publish(core)
    return do


def slots(core):
    """Answers for every slot and the first generations, whoever has them."""
    own = core.entry & 0xffff
    for slot in range(core.worker.arena.geometry['slots']):
        if slot != own:
            for generation in range(1, 17):
                publish(core, generation << 16 | slot)
            core.ring()
            time.sleep(0.001)  # longer than the server needs to read them: the ring has not more entries than that


def ring(core):
    scribble(core, core.answers_at, core.mask + 1)


def answers(core):
    """Changes its answer words again and again while they are read; at no time are they sound."""
    deadline = time.monotonic() + 0.3
    while time.monotonic() < deadline:
        describe(core, status=7, head_bytes=random.choice((32, MOST)), body_bytes=random.choice((3, -1)))
        publish(core)
        core.ring()


def endless(core):
    """Fills its ring as fast as it can, for ever, with answers that nobody waits for."""
    def fill():
        old = (1 << 16) | (core.worker.arena.geometry['slots'] - 1)
        while True:
            for at in range(core.answers_at, core.answers_at + core.mask + 1):
                core.words[at] = old
            core.ring()
    threading.Thread(target=fill, daemon=True).start()


def credits(core):
    """Says that nothing it was given has been started."""
    worker = core.worker
    poke(core, worker.at + worker.arena.worker['credits'], 1000)
    describe(core, status=7)
    publish(core)


def everything(core):
    """Random numbers over the rings, the semaphores and the slots of the whole application."""
    g = core.worker.arena.geometry
    scribble(core, 0, g['payloadAtByte'] // 4)


MADNESS = {
    'long-head': forge(head_bytes=MOST),
    'long-body': forge(body_bytes=MOST),
    'negative-head': forge(head_bytes=-1),
    'negative-body': forge(body_bytes=-MOST),
    'overflowing-sum': forge(head_bytes=MOST, body_bytes=MOST),
    'one-byte-too-many': lambda core: forge(head_bytes=32, body_bytes=core.answer_bytes - 31)(core),
    'low-status': forge(status=99),
    'high-status': forge(status=1000),
    'endless-length': forge(length_high=MOST),
    'no-head': forge(answer_flags=0),
    'unknown-slot': lambda core: publish(core, 1 << 16 | 0xfffe),
    'unknown-event': lambda core: publish(core, 9 << 16 | 0xffff),
    'ready-again': lambda core: publish(core, 1 << 16 | 0xffff),
    'slots': slots,
    'ring': ring,
    'answers': answers,
    'endless': endless,
    'credits': credits,
    'everything': everything,
}


def application(environ, start_response):
    query = dict(parse_qsl(environ['QUERY_STRING']))
    if 'do' in query:
        core = find_core()
        MADNESS[query['do']](core)
        core.ring()
        time.sleep(60)
    if query.get('late'):
        core = find_core()
        older = ((core.entry >> 16) - 1) << 16 | core.entry & 0xffff
        for _ in range(int(query['late'])):
            publish(core, older)
        core.ring()
    if query.get('head'):  # a head that the bridge would never let through
        core = find_core()
        core.first(200, query['head'].encode('latin-1'), b'mad', 3, LAST, 1)
        core.ring()
        time.sleep(60)
    start_response('200 OK', [('Content-Type', 'text/plain'), ('X-Id', query['id']), ('X-Pid', str(os.getpid()))])
    return [query['id'].encode() + b'\n']
