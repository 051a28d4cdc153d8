"""How requests come and answers go: the arena, the rings and the semaphores, seen from CPython.

The arena is memory that the server maps too; a request is read where the server wrote it, an answer is written where
the server reads it. What each word means is told by the server (src/arena/layout.ts) and arrives as `layout`.

CPython has no atomic operations, so everything shared rests on three rules:
 * A semaphore is the only word two sides count in, and sem_post/sem_wait/sem_trywait are the only ways to it.
 * Every other word has one writer, or its protocol is written where it is used.
 * Order: x86-64 makes stores visible in program order, so "first the answer, then the ring entry" holds by itself.
   What it does not keep in order is a store before a later load; there a semaphore call that succeeds (a locked
   instruction) stands between. Other machines get a full barrier in both places: see `barrier_for`.
"""

import io
import itertools
import os
import struct
import sys
import threading
import time
import traceback
from time import monotonic

import bridge_signals
from bridge_memory import Semaphores, barrier_for
from bridge_watch import Harakiri, Watch
from bridge_wsgi import BROKEN, FAILURE_BODY, FAILURE_HEAD, HEAD, LAST, STREAM, ClientGone, log, respond, warn_once

_SLOT_REQUEST = struct.Struct('=8i')  # request_id .. client_gone
_SLOT_ANSWER = struct.Struct('=qiiiiiid')  # length .. header_count, a word that is not used, ended_s
_TIME = struct.Struct('=d')
_MOST_NS = (1 << 31) - 1
#: Bits of a request's flags, as src/arena/layout.ts has them (bridge.py compares).
IS_HEAD, PACKET = 1, 2
#: Clients send other values with every request and the same names; so names are split once and kept, up to this many
#: combinations.
KEPT_NAME_BLOCKS = 1024
_known_names = {}
#: The names that applications look for. Interned, they are the very strings of the application's code, and are found
#: without being compared. No others are: some releases of Python (3.12.0 to 3.12.6) never free an interned string, and
#: clients can make up any number of names.
_COMMON_NAMES = {name: name for name in map(sys.intern, """
    CONTENT_LENGTH CONTENT_TYPE DOCUMENT_ROOT HTTPS PATH_INFO QUERY_STRING REMOTE_ADDR REMOTE_PORT REMOTE_USER REQUEST_METHOD
    REQUEST_SCHEME REQUEST_URI SCRIPT_NAME SERVER_NAME SERVER_PORT SERVER_PROTOCOL UWSGI_SCHEME
    HTTP_ACCEPT HTTP_ACCEPT_ENCODING HTTP_ACCEPT_LANGUAGE HTTP_AUTHORIZATION HTTP_CACHE_CONTROL HTTP_CONNECTION HTTP_COOKIE
    HTTP_HOST HTTP_IF_MATCH HTTP_IF_MODIFIED_SINCE HTTP_IF_NONE_MATCH HTTP_IF_RANGE HTTP_IF_UNMODIFIED_SINCE HTTP_ORIGIN
    HTTP_RANGE HTTP_REFERER HTTP_USER_AGENT HTTP_X_CSRFTOKEN HTTP_X_FORWARDED_FOR HTTP_X_FORWARDED_HOST
    HTTP_X_FORWARDED_PROTO HTTP_X_REAL_IP HTTP_X_REQUESTED_WITH
""".split())}
#: Requests from one measurement of their duration to the next.
SAMPLE_EVERY = 8
#: Counts of a stream are modulo 2^31, because a word is signed.
_COUNT_MASK = 0x7fffffff
#: A ring behind the first part of an answer that is shorter is not worth it: then that part is waited for.
LEAST_RING_BYTES = 16 * 1024


def yield_to_server():
    """Makes the calling thread one that does not push others off the processor when it is woken.

    Woken by the first request of a burst, a worker would otherwise interrupt the accept thread in the middle of it, and
    run with a burst of one. Its share of processor time stays the same. native-bench/README.md has what it buys.
    """
    try:
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    except (OSError, AttributeError):
        pass  # a sandbox may forbid it: slower, not wrong


class Worker:
    """What the threads of one worker process share."""

    def __init__(self, arena, place, worker_id, app, environs, doorbell_fd, server_pid, on_thread, watches=False):
        self.arena = arena
        self.id = worker_id  # the number users know it by
        self.app = app
        self.environs = environs  # one per listener: the variables that are the same for all its requests
        self.doorbell_fd = doorbell_fd
        self.server_pid = server_pid
        self.on_thread = on_thread  # called in each thread that runs requests, with its Core
        self.semaphores = Semaphores()
        self.at = arena.worker_word(place)
        self.watch = Watch(self)
        self.respond = respond  # or what an application has put around it (bridge_uwsgi.py)
        self.watches = watches  # it is to be ready from the start to break requests off
        self.cores = []
        self.heads = itertools.count()  # next() is atomic under the GIL: each thread gets entries of its own

    def run(self):
        """Serves until the server says stop, with the calling thread as core 0. Returns when all threads have ended."""
        self.cores = [Core(self, n) for n in range(self.arena.geometry['cores'])]
        self.watch.prepare()
        if self.watches:
            self.watch.start()
        threads = [
            threading.Thread(target=core.serve_or_die, name='uWSGIWorker%dCore%d' % (self.id, core.index), daemon=True)
            for core in self.cores[1:]
        ]
        for thread in threads:
            thread.start()
        self.cores[0].announce(self.arena.constants['EVENT_READY'])
        try:
            self.cores[0].serve()
        except Harakiri:
            pass  # it came when its request had just ended; the worker is on its way out anyway
        for thread in threads:
            thread.join()


class Core:
    """One thread of a worker: takes requests, runs the application, sends answers. Also the transport of bridge_wsgi."""

    def __init__(self, worker, index):
        arena = worker.arena
        constants = arena.constants
        g = arena.geometry
        self.worker = worker
        self.index = index
        self.map = arena.map
        self.view = arena.view
        self.words = arena.words
        self.mask = g['ringMask']
        core_at = worker.at + arena.worker['words'] + g['ringEntries'] + index * g['coreWords']
        self.running_at = core_at + arena.core['running']
        self.sample_at = core_at + arena.core['sample_ns']
        self.answers_at = core_at + arena.core['words']  # behind them
        self.woke_byte = (core_at + arena.core['woke_s']) * 4
        self.sleeps_at = arena.header['main_sleeps']
        self.core_sleeps_at = core_at + arena.core['sleeps']
        self.bell_address = arena.word_address(core_at + arena.core['bell'])
        self.slots_at = g['slotsAtWord']
        self.slot_words = arena.slot['words']
        self.payload_at = g['payloadAtByte']
        self.payload_bytes = g['payloadBytes']
        self.request_bytes = g['requestBytes']
        self.answer_bytes = g['answerBytes']
        self.answer_offset = arena.slot['length_low'] * 4
        assert (arena.slot['ended_s'] - arena.slot['length_low']) * 4 == _SLOT_ANSWER.size - 8
        self.gone_at = arena.slot['client_gone']
        self.deadline_byte = arena.slot['deadline_s'] * 4
        self.credit_byte = arena.slot['credit'] * 4
        self.ended_byte = arena.slot['ended_s'] * 4
        (self.stream_at, self.stream_bytes_at, self.written_at, self.parts_at, self.entries_at, self.stream_flags_at,
         self.taken_at, self.seen_at, self.wants_room_at) = (
            arena.slot[name] for name in ('stream_at', 'stream_bytes', 'written', 'parts', 'entries', 'stream_flags', 'taken',
                                          'seen', 'wants_room'))
        self.fence_at = worker.at + arena.worker['fence']
        self.fence_address = arena.word_address(self.fence_at)
        self.barrier = barrier_for(worker.semaphores, self.fence_address)
        self.post = worker.semaphores.post
        self.wait = worker.semaphores.wait
        self.address = arena.address
        self.tail = 0  # of this thread's answer ring
        # of the stream in hand (src/dispatch/answer-stream.ts)
        self.ring_bytes = 0  # 0: there is none
        self.ring_start = 0
        self.ring_at = 0
        self.written = 0
        self.parts = 0
        self.first_tail = 0  # where its answer begins on the answer ring
        # of the request in hand
        self.open = False
        self.entry = 0
        self.slot_byte = 0
        self.answer_byte = 0
        self.area = 0
        self.request_id = 0
        self.thread_id = 0
        self.logged = {}  # log variables of the request `logged_entry`
        self.logged_entry = 0
        self.environs = [dict(environ) for environ in worker.environs]
        if g['cores'] > 1:
            for environ in self.environs:
                environ['uwsgi.core'] = index

    # --- the loop -----------------------------------------------------------------------------------------------

    def serve_or_die(self):
        """`serve` for threads other than the main one, whose uncaught exceptions would go unnoticed."""
        try:
            self.serve()
        except Harakiri:
            pass  # it came when its request had just ended; the worker is on its way out anyway
        except BaseException:
            traceback.print_exc()
            sys.stderr.flush()
            os._exit(1)  # the server answers what ran here and starts another worker

    def serve(self):
        """Runs requests until a stop command comes."""
        self.thread_id = threading.get_ident()
        self.worker.on_thread(self)
        yield_to_server()
        worker, words, arena_map = self.worker, self.words, self.map
        constants, app, environs = worker.arena.constants, worker.app, self.environs
        slot_mask, command_slot, respond = constants['ENTRY_SLOT_MASK'], constants['COMMAND_SLOT'], worker.respond
        entries_at, mask, heads = worker.at + worker.arena.worker['words'], self.mask, worker.heads
        credits_address = worker.arena.word_address(worker.at + worker.arena.worker['credits'])
        try_wait, sleeps_at, running_at = worker.semaphores.try_wait, self.sleeps_at, self.running_at
        known_names = _known_names
        slots_at, slot_words, answer_offset = self.slots_at, self.slot_words, self.answer_offset
        payload_at, payload_bytes, request_bytes = self.payload_at, self.payload_bytes, self.request_bytes
        unpack, bytes_io, barrier = _SLOT_REQUEST.unpack_from, io.BytesIO, self.barrier
        sample_at, clock_ns, countdown = self.sample_at, time.perf_counter_ns, 1
        while True:
            if try_wait(credits_address) == 0:
                # The successful claim was a barrier: an answer published before it is visible before this load.
                if barrier is not None:
                    barrier()
                if words[sleeps_at]:
                    self.ring_doorbell()
            else:
                environ = None  # the last request: what it holds goes now, and not when another one comes
                self.wait_for_request(credits_address)
            entry = words[entries_at + (next(heads) & mask)]
            slot = entry & slot_mask
            if slot == command_slot:
                if not self.obey(entry):
                    return
                continue
            words[running_at] = self.entry = entry
            self.slot_byte = byte = (slots_at + slot * slot_words) * 4
            self.answer_byte = byte + answer_offset
            request_id, listener, flags, names_bytes, values_bytes, input_bytes, input_fd, gone = unpack(arena_map, byte)
            start = payload_at + slot * payload_bytes
            self.area = start + request_bytes
            self.open = True
            if gone:
                self.ring_bytes = 0
                self.end(BROKEN)  # nobody waits for it, and it has not begun: it need not
                continue
            self.request_id = request_id
            environ = environs[listener].copy()
            middle = start + names_bytes
            stop = middle + values_bytes
            if flags & PACKET:
                self.unpack(environ, arena_map[start:stop])
            else:
                block = arena_map[start:middle]
                names = known_names.get(block) or self.learn_names(block)
                environ.update(zip(names, str(arena_map[middle:stop], 'latin-1').split('\0')))
            if input_fd >= 0:
                self.respond_spooled(app, environ, flags & IS_HEAD, input_fd)
                continue
            environ['wsgi.input'] = bytes_io(arena_map[stop:stop + input_bytes]) if input_bytes else bytes_io()
            countdown -= 1
            if countdown:
                respond(app, environ, self, flags & IS_HEAD)
            else:  # the clock costs as much as the rest of this loop's bookkeeping, so it is read now and then
                countdown = SAMPLE_EVERY
                started_ns = clock_ns()
                respond(app, environ, self, flags & IS_HEAD)
                words[sample_at] = min(clock_ns() - started_ns, _MOST_NS)

    @staticmethod
    def unpack(environ, payload):
        """Adds the variables of a uwsgi packet: NUL NUL name NUL NUL value, as often as there are any."""
        parts = str(payload, 'latin-1').split('\0\0')
        environ.update(zip(parts[1::2], parts[2::2]))
        scheme = environ.get('UWSGI_SCHEME')
        if scheme:
            environ['wsgi.url_scheme'] = scheme
        elif environ.get('HTTPS', '').lower() in ('on', '1'):
            environ['wsgi.url_scheme'] = 'https'

    @staticmethod
    def learn_names(block):
        """The variable names in `block`, kept for the next request that has the same ones."""
        names = tuple(_COMMON_NAMES.get(name, name) for name in str(block, 'latin-1').split('\0'))
        if len(_known_names) >= KEPT_NAME_BLOCKS:
            _known_names.clear()
        _known_names[block] = names
        return names

    def wait_for_request(self, credits_address):
        """Rings for what was published, then sleeps until a request can be claimed, and claims it."""
        words, try_wait, bell_address = self.words, self.worker.semaphores.try_wait, self.bell_address
        while True:
            words[self.core_sleeps_at] = 1
            self.ring()  # has the barrier that must stand between the store above and the look below
            if try_wait(credits_address) == 0:
                words[self.core_sleeps_at] = 0  # the bell may have been rung in between: then the next sleep is short
                self.begin_anew()
                return
            while self.wait(bell_address):
                pass  # interrupted by a signal
            if try_wait(credits_address) == 0:
                self.begin_anew()
                return

    def client_gone(self):
        """Whether nobody waits for the answer to the request in hand any more."""
        return self.open and self.words[(self.slot_byte >> 2) + self.gone_at] != 0

    def begin_anew(self):
        """Notes that what comes now is not the time of the request before: its thread has slept, or gone on behind its answer."""
        _TIME.pack_into(self.map, self.woke_byte, monotonic())

    def ring_doorbell(self):
        """Wakes the accept thread, which has said that it sleeps. Who rings takes the word back, so one byte is enough."""
        self.words[self.sleeps_at] = 0
        try:
            os.write(self.worker.doorbell_fd, b'\0')
        except BlockingIOError:
            pass  # the pipe is full of bells already

    def publish(self):
        """Puts the slot in hand on the answer ring. The doorbell follows when the thread next looks for work."""
        if self.barrier is not None:
            self.barrier()
        self.words[self.answers_at + (self.tail & self.mask)] = self.entry
        self.tail += 1

    def fence(self):
        """Stores before it are visible before loads behind it."""
        if self.post(self.fence_address):  # a locked instruction, but when the count is at its end: it begins anew then
            self.words[self.fence_at] = 0
            self.post(self.fence_address)
        if self.barrier is not None:
            self.barrier()

    def ring(self):
        """Makes what was published visible, and wakes the accept thread if it sleeps."""
        self.fence()
        if self.words[self.sleeps_at]:
            self.ring_doorbell()

    def obey(self, entry):
        """Does what a command says. False: it says stop."""
        constants = self.worker.arena.constants
        signal = (entry >> constants['ENTRY_SLOT_BITS']) - constants['COMMAND_SIGNAL']
        if signal < 0:
            return False
        bridge_signals.handle(signal, self.worker.id)
        self.announce(constants['EVENT_HANDLED'])
        self.begin_anew()  # what it took is not the next request's time
        return True

    def announce(self, event):
        """Sends the server an event that concerns no request."""
        constants = self.worker.arena.constants
        self.entry = (event << constants['ENTRY_SLOT_BITS']) | constants['COMMAND_SLOT']
        self.publish()
        self.ring()

    def end_within(self, seconds):
        """Wants the request in hand ended so many seconds from now; 0: as any other."""
        if not self.open:
            return  # its answer is complete: the slot may be another request's
        _TIME.pack_into(self.map, self.slot_byte + self.deadline_byte, monotonic() + seconds if seconds > 0 else 0)
        self.worker.watch.start()

    def log_variables(self):
        """What the application has set for the log of the request in hand: a dict of bytes."""
        if self.logged_entry != self.entry:
            self.logged_entry, self.logged = self.entry, {}
        return self.logged

    def tell_log_variables(self):
        """Writes them into the slot, over the request's body, of which the application has its own copy."""
        slot, words, at = self.worker.arena.slot, self.words, self.slot_byte >> 2
        texts = [text for pair in self.logged.items() for text in pair]
        block = b'\0'.join([text.replace(b'\0', b'') for text in texts])
        start = self.area - self.request_bytes + words[at + slot['names_bytes']] + words[at + slot['values_bytes']]
        if len(block) > self.area - start:
            warn_once('log variables', 'there is no room for what uwsgi.set_logvar() has set: it does not reach the log')
            return
        self.map[start:start + len(block)] = block
        words[at + slot['logged_bytes']] = len(block)
        words[at + slot['logged_entry']] = self.entry

    # --- the request body ---------------------------------------------------------------------------------------

    def respond_spooled(self, app, environ, is_head, fd):
        """`respond` with a request body that lies in a file, which the server holds open as `fd`."""
        try:
            # opened anew, so that it has a position of its own
            spooled = open('/proc/%d/fd/%d' % (self.worker.server_pid, fd), 'rb')
        except OSError as error:
            log('cannot open the request body: %s' % error)
            self.first(500, FAILURE_HEAD, b'' if is_head else FAILURE_BODY, len(FAILURE_BODY), LAST, 1)
            return
        environ['wsgi.input'] = spooled
        try:
            self.worker.respond(app, environ, self, is_head)
        finally:
            spooled.close()  # the application may have kept the environ

    # --- the transport of bridge_wsgi ---------------------------------------------------------------------------

    def first(self, status, head, data, length, flags, fields):
        """The head of the answer and the first part of its body."""
        head_bytes = len(head)
        room = self.answer_bytes - head_bytes
        size = len(data)
        if size > room:
            rest = memoryview(data)[room:]
            last = flags & LAST
            data, size, flags = bytes(data[:room]), room, flags & ~LAST
        else:
            rest = None
        arena_map = self.map
        at = self.area
        used = head_bytes + size
        arena_map[at:at + used] = head + data
        if not flags & LAST:
            self.first_tail = self.tail
            self.ring_bytes = 0
            if rest is None and self.answer_bytes - used >= LEAST_RING_BYTES:
                self.begin_stream(used)
                flags |= STREAM
        _SLOT_ANSWER.pack_into(arena_map, self.answer_byte, length, flags | HEAD, status, head_bytes, size, fields, 0,
                               monotonic())
        if flags & LAST:
            self.open = False
            if self.barrier is not None:
                self.barrier()
            self.words[self.answers_at + (self.tail & self.mask)] = self.entry
            self.tail += 1
            return
        if flags & STREAM:
            self.publish()
            self.ring()
            return
        self.publish_and_wait()
        if rest is not None:
            self.more(rest, last)

    def begin_stream(self, start):
        """Makes a ring of the answer area from byte `start` on."""
        words, at = self.words, self.slot_byte >> 2
        self.ring_at = self.written = self.parts = 0
        size = self.answer_bytes - start
        for word, value in ((self.written_at, 0), (self.parts_at, 0), (self.entries_at, 0), (self.stream_flags_at, 0),
                            (self.stream_at, start), (self.stream_bytes_at, size)):
            words[at + word] = value
        self.ring_start = self.area + start
        self.ring_bytes = size

    def more(self, data, flags):
        """A further part of the body. Returns when it is in the ring: from there it reaches the client whatever the app does."""
        if not self.ring_bytes:
            self.begin_stream(0)
        words, at, size = self.words, self.slot_byte >> 2, len(data)
        if words[at + self.gone_at]:
            raise ClientGone('the client went away')
        self.parts += 1
        start = 0
        while True:
            room = self.ring_bytes - ((self.written - words[at + self.taken_at]) & _COUNT_MASK)
            if room == 0:
                self.wait_for_room(at)
                continue
            count = min(room, size - start)
            self.put(data if count == size else memoryview(data)[start:start + count], count)
            start += count
            if self.barrier is not None:
                self.barrier()
            words[at + self.written_at] = self.written = (self.written + count) & _COUNT_MASK
            if start == size and flags & LAST:
                self.end_stream(at, LAST)
                return
            self.fence()
            if words[at + self.seen_at] == self.tail - self.first_tail:  # else the server has yet to look
                self.publish()
                self.ring()
            if start == size:
                return

    def put(self, data, count):
        """Copies `data`, for which there is room, into the ring."""
        arena_map, start, at = self.map, self.ring_start, self.ring_at
        behind = self.ring_bytes - at
        if count <= behind:
            arena_map[start + at:start + at + count] = data
        else:
            data = memoryview(data)
            arena_map[start + at:start + self.ring_bytes] = data[:behind]
            arena_map[start:start + count - behind] = data[behind:]
        self.ring_at = (at + count) % self.ring_bytes

    def wait_for_room(self, at):
        """Sleeps until the server has taken something out of the full ring. Raises ClientGone when nobody wants the rest."""
        words = self.words
        words[at + self.wants_room_at] = 1
        self.fence()
        is_full = (self.written - words[at + self.taken_at]) & _COUNT_MASK == self.ring_bytes
        if is_full and not words[at + self.gone_at]:
            while self.wait(self.address + self.slot_byte + self.credit_byte):
                pass  # interrupted by a signal
        words[at + self.wants_room_at] = 0
        if words[at + self.gone_at]:
            raise ClientGone('the client went away')

    def end_stream(self, at, flags):
        """Says that all is written, with an entry of its own: until that comes, the slot is still this request's."""
        words = self.words
        words[at + self.parts_at] = self.parts
        words[at + self.entries_at] = self.tail - self.first_tail + 1
        _TIME.pack_into(self.map, self.slot_byte + self.ended_byte, monotonic())
        if self.barrier is not None:
            self.barrier()
        words[at + self.stream_flags_at] = flags
        self.open = False
        self.ring_bytes = 0
        self.publish()

    def end(self, flags):
        """The last event of a request."""
        if self.ring_bytes:
            self.end_stream(self.slot_byte >> 2, flags | LAST)
            return
        _SLOT_ANSWER.pack_into(self.map, self.answer_byte, -1, flags | LAST, 0, 0, 0, 0, 0, monotonic())
        self.open = False
        self.publish()

    def publish_and_wait(self):
        """Publishes a part and waits until the server has taken it: the answer area is free again then."""
        self.publish()
        self.ring()
        while self.wait(self.address + self.slot_byte + self.credit_byte):
            pass  # interrupted by a signal
        if self.words[(self.slot_byte >> 2) + self.gone_at]:
            raise ClientGone('the client went away')
