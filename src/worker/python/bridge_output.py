"""What the application prints, on its way to the log: in whole lines, whoever else prints at the same time.

Python's own text streams mix the lines of threads: print() writes text and line end apart, and what another thread
writes comes in between. Here the unfinished line of each thread waits until the thread ends it, or flushes it; a line
that was flushed unfinished is ended before another thread's begins.

The server reads the other end, and marks each line with its worker (src/lifecycle/). stdout and stderr are one stream.
"""

import io
import os
import sys
import threading

#: An unfinished line is let out when it is this long.
LONGEST_CHARS = 65536


class Sink:
    """The descriptor both streams write to, and whose unfinished line stands at its end."""

    def __init__(self, fd):
        self.fd = fd
        self.lock = threading.RLock()  # a signal handler may print in the middle of a print
        self.unfinished = None  # the writer of the last bytes, if they did not end a line
        os.register_at_fork(before=self.lock.acquire, after_in_parent=self.lock.release, after_in_child=self.lock.release)

    def write(self, data, writer):
        with self.lock:
            if self.unfinished is not None and self.unfinished != writer:
                data = b'\n' + data
            self.unfinished = None if data.endswith(b'\n') else writer
            while data:
                data = data[os.write(self.fd, data):]


class Bytes(io.RawIOBase):
    """`sys.stdout.buffer`: what is written there goes out at once."""

    def __init__(self, sink, fd):
        super().__init__()
        self.sink, self.fd = sink, fd

    def fileno(self):
        return self.fd

    def writable(self):
        return True

    def write(self, data):
        data = bytes(data)
        if data:
            self.sink.write(data, (threading.get_ident(), self.fd))
        return len(data)


class Text(io.TextIOBase):
    """`sys.stdout` or `sys.stderr`."""

    encoding = 'utf-8'
    errors = 'backslashreplace'
    line_buffering = True
    write_through = False
    mode = 'w'

    def __init__(self, sink, fd, name):
        super().__init__()
        self.sink, self.fd, self.name = sink, fd, name
        self.buffer = Bytes(sink, fd)
        self.pending = {}  # by thread: the beginning of a line

    def write(self, text):
        if not isinstance(text, str):
            raise TypeError('write() argument must be str, not %s' % type(text).__name__)
        me = threading.get_ident()
        end = text.rfind('\n') + 1
        if end:
            self._send(self.pending.pop(me, '') + text[:end])
        if end < len(text):
            line = self.pending.get(me, '') + text[end:]
            if len(line) > LONGEST_CHARS:
                self.pending.pop(me, None)
                self._send(line)
            else:
                self.pending[me] = line
        return len(text)

    def _send(self, text):
        self.sink.write(text.encode(self.encoding, self.errors), (threading.get_ident(), self.fd))

    def flush(self):
        line = self.pending.pop(threading.get_ident(), '')
        if line:
            self._send(line)

    def flush_all(self):
        """Lets out the unfinished lines of all threads; for the end of the process."""
        while self.pending:
            _, line = self.pending.popitem()
            self._send(line + '\n')

    def close(self):
        self.flush()  # and stays open: the log is not the application's to close

    def fileno(self):
        return self.fd

    def writable(self):
        return True

    def isatty(self):
        return False

    def reconfigure(self, **_):
        """Takes what TextIOWrapper takes, and changes nothing: the log is UTF-8, in lines."""


def install():
    """Puts the streams in place. Before the application is loaded, because it may keep them: logging handlers do."""
    sink = Sink(2)
    sys.stdout = sys.__stdout__ = Text(sink, 1, '<stdout>')
    sys.stderr = sys.__stderr__ = Text(sink, 2, '<stderr>')


def flush_all():
    sys.__stdout__.flush_all()
    sys.__stderr__.flush_all()
