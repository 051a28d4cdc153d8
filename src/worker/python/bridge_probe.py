"""A look into a running worker: what its threads are doing, and where their time goes.

A thread of its own answers, so that it can tell of all others, also of one that waits for a database in C code. It
sleeps until the server asks (a semaphore in the arena), and exists only where statistics are switched on. It needs the
GIL for a moment; how long it waits for it says how busy the worker's threads are. Where the GIL is held for good, it
does not answer: then the server has the dump taken that faulthandler can write without it.

Answers are JSON in a memory file that the server opens under /proc. Decided elsewhere: when is asked
(src/worker/python/python-probe.ts), what the words mean (src/arena/layout.ts).
"""

import faulthandler
import json
import os
import re
import signal
import struct
import sys
import threading
from time import monotonic, sleep

PING, STACKS, PROFILE = 1, 2, 3
#: A signal that no application is likely to use.
DUMP_SIGNAL = signal.SIGRTMIN + 5

_TIME = struct.Struct('=d')
_HERE = os.path.dirname(os.path.abspath(__file__))
_CORE = re.compile(r'uWSGIWorker\d+Core(\d+)$')
#: What stands in a profile for a thread that has no request.
_IDLE = ('(waiting for a request)', '', 0)


def start(worker):
    """Starts the thread that answers for `worker`, and makes the dump possible."""
    dump_fd = os.memfd_create('nuwsgi-dump')
    faulthandler.register(DUMP_SIGNAL, file=dump_fd, all_threads=True)
    worker.arena.words[worker.at + worker.arena.worker['dump_fd']] = dump_fd
    threading.Thread(target=_answer, args=(worker,), name='nuwsgi-probe', daemon=True).start()


def _answer(worker):
    arena = worker.arena
    words, at, field = arena.words, worker.at, arena.worker
    wait, post, try_wait = worker.semaphores.wait, worker.semaphores.post, worker.semaphores.try_wait
    asked_address, fence = arena.word_address(at + field['asked']), arena.word_address(at + field['probe_fence'])
    answer_fd = os.memfd_create('nuwsgi-probe')
    words[at + field['answer_fd']] = answer_fd
    while True:
        while wait(asked_address):
            pass  # interrupted by a signal
        _TIME.pack_into(arena.map, (at + field['heard_s']) * 4, monotonic())
        kind, number = words[at + field['ask_kind']], words[at + field['ask_number']]
        answer = b''
        if kind == STACKS:
            answer = json.dumps(stacks()).encode()
        elif kind == PROFILE:
            answer = json.dumps(profile(words[at + field['ask_ms']] / 1000, words[at + field['ask_hz']])).encode()
        os.ftruncate(answer_fd, 0)
        os.pwrite(answer_fd, answer, 0)
        words[at + field['answer_bytes']] = len(answer)
        post(fence)  # with the line below a barrier: the answer is there before its number
        try_wait(fence)
        words[at + field['answer_number']] = number


def _frames(frame):
    """The application's frames from the innermost one outwards, as (function, file, line in it, first line)."""
    found = []
    while frame is not None:
        code = frame.f_code
        if os.path.dirname(code.co_filename) != _HERE:
            found.append((code, frame.f_lineno))
        elif code.co_name == 'serve':
            break  # the loop of a thread that runs requests: what lies outwards is the thread's beginning
        frame = frame.f_back
    return found


def _threads():
    """Name and core (-1: none) of each thread, by its identity."""
    threads = {}
    for thread in threading.enumerate():
        match = _CORE.match(thread.name)
        core = int(match.group(1)) if match else 0 if thread is threading.main_thread() else -1
        threads[thread.ident] = (thread.name, core)
    return threads


def stacks():
    """What each thread is doing now."""
    names = _threads()
    mine = threading.get_ident()
    result = []
    for ident, frame in sys._current_frames().items():
        if ident == mine:
            continue
        name, core = names.get(ident, ('thread %d' % ident, -1))
        frames = [{'function': getattr(code, 'co_qualname', code.co_name), 'file': code.co_filename, 'line': line}
                  for code, line in _frames(frame)]
        result.append({'name': name, 'core': core, 'frames': frames})
    result.sort(key=lambda thread: (thread['core'] < 0, thread['core'], thread['name']))
    return result


def profile(seconds, hz):
    """Where the time of each thread goes, as a file for speedscope: what was running at each of many moments."""
    mine = threading.get_ident()
    known = {}  # code object -> index of its frame
    frames = []
    samples = {}  # thread -> stacks, as tuples of indexes from the outermost one inwards
    weights = []

    def index_of(code):
        index = known.get(code)
        if index is None:
            index = known[code] = len(frames)
            name, file, line = _IDLE if code is None else (
                getattr(code, 'co_qualname', code.co_name), code.co_filename, code.co_firstlineno)
            frames.append({'name': name, 'file': file, 'line': line})
        return index

    started = before = monotonic()
    late = 0.0
    while before - started < seconds:
        due = before + 1 / hz
        sleep(max(0, due - monotonic()))
        now = monotonic()
        late += max(0, now - due)
        for ident, frame in sys._current_frames().items():
            if ident != mine:
                stack = tuple(index_of(code) for code, _ in reversed(_frames(frame))) or (index_of(None),)
                samples.setdefault(ident, [()] * len(weights)).append(stack)
        weights.append(now - before)
        for stack_list in samples.values():
            if len(stack_list) < len(weights):
                stack_list.append(())  # its thread has ended
        before = now
    names = _threads()
    profiles = [{
        'type': 'sampled',
        'name': names.get(ident, ('thread %d' % ident, -1))[0],
        'unit': 'seconds',
        'startValue': 0,
        'endValue': before - started,
        'samples': stack_list,
        'weights': weights,
    } for ident, stack_list in samples.items()]
    return {
        '$schema': 'https://www.speedscope.app/file-format-schema.json',
        'exporter': 'nuwsgi',
        'shared': {'frames': frames},
        'profiles': profiles,
        'nuwsgi': {'samples': len(weights), 'late_ms': round(1000 * late / max(1, len(weights)), 3)},
    }
