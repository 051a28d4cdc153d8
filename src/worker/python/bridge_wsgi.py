"""The rules of WSGI (PEP 3333), for one request at a time.

What is here: which answers an application may give, what becomes of its mistakes, when its iterable is closed.
What is not: how a request comes and where an answer goes. That is the transport (bridge_arena.py), of which this file
uses four calls:

    first(status, head, data, length, flags, fields)   the head and the first part, or with LAST all of the body
    more(data)                                         a further part; returns when the next may follow
    end(flags)                                         nothing follows, or, with BROKEN, the connection must be cut
    begin_anew()                                       what comes now is not this request's time any more

The first two return when the next part may follow. Both raise ClientGone when nobody listens any more.
"""

import os
import re
import sys
import traceback

HEAD, LAST, BROKEN, DATED, SIZED, FAILED, STREAM = 1, 2, 4, 8, 16, 32, 64

#: Why no more of a body is sent: the method was HEAD, the status is 204 or 304, the declared length has been reached, the
#: application has said so (uwsgi.disconnect(), after which it goes on for itself).
#: Bits, because an error may replace the status and never the method.
BY_METHOD, BY_STATUS, BY_LENGTH, BY_APP = 1, 2, 4, 8

REASONS = {}  # filled by bridge.py from http.HTTPStatus, so that this file imports little

#: The answer to a client when the application failed; what went wrong is for the log only.
FAILURE_BODY = b'Internal Server Error'
FAILURE_HEAD = b'500 Internal Server Error\r\nContent-Type: text/plain'


class ClientGone(ConnectionError):
    """The client went away while its answer was written. Raised out of `write()` and to no application otherwise."""


class BrokenAnswer(Exception):
    """The application gave an answer that must not be sent. The text says which rule it broke."""


# Checking a field costs more than the rest of the head together, and applications send the same ones again and again.
# A checked field is kept by its (name, value) pair, and all are forgotten when there are too many of them.
KEPT_FIELDS = 2048
KEPT_VALUE_CHARS = 128

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+").fullmatch
_VALUE = re.compile(r'[\t\x20-\x7e\x80-\xff]*').fullmatch
_SHORT_STATUS = re.compile(r'[2-9][0-9][0-9] ?').fullmatch
_STATUS = re.compile(r'[2-9][0-9][0-9](?: [\t\x20-\x7e\x80-\xff]*)?').fullmatch
_LENGTH = re.compile(r'[0-9]{1,15}').fullmatch

#: Fields that belong to the connection and not to the answer: PEP 3333 forbids them, the server sends its own.
HOP_BY_HOP = frozenset(
    ('connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade')
)

_UNKNOWN = object()

_statuses = {}
_fields = {}
_warned = set()


def log(text):
    """Writes `text` to the log in one call, so that the lines of other threads do not come in between."""
    sys.__stderr__.write(text + '\n')
    sys.__stderr__.flush()


def warn_once(topic, text):
    """Writes `text` to the log the first time `topic` comes up in this process."""
    if topic not in _warned:
        _warned.add(topic)
        log(text)


def _checked_status(status):
    if not isinstance(status, str):
        raise BrokenAnswer('http status must be a string, not %s' % type(status).__name__)
    if _SHORT_STATUS(status):
        status = '%s %s' % (status[:3], REASONS.get(status[:3], 'Unknown'))
    if not _STATUS(status):
        raise BrokenAnswer('the status must be three digits (200 or above), a space and a reason, not %r' % status[:80])
    kept = (int(status[:3]), status.encode('latin-1'))
    if len(_statuses) < KEPT_FIELDS:
        _statuses[status] = kept
    return kept


def _checked_field(pair):
    """The line of one field as bytes (of a Date in a tuple), a number for Content-Length, None for what is not sent."""
    if not isinstance(pair, tuple):
        raise BrokenAnswer('http header must be defined in a tuple, not %s' % type(pair).__name__)
    if len(pair) != 2:
        raise BrokenAnswer('http header must be a 2-item tuple, not %d items' % len(pair))
    name, value = pair
    if not isinstance(name, str):
        raise BrokenAnswer('http header key must be a string, not %s' % type(name).__name__)
    if not isinstance(value, str):
        raise BrokenAnswer('http header value of %.80s must be a string, not %s' % (name, type(value).__name__))
    if not _TOKEN(name):
        raise BrokenAnswer('http header key %r is not a token' % name[:80])
    if not _VALUE(value):
        raise BrokenAnswer('http header value of %s has a control character or one outside latin-1: %r' % (name, value[:80]))
    lower = name.lower()
    if lower == 'content-length':
        if not _LENGTH(value):
            raise BrokenAnswer('Content-Length %r is not a number of bytes' % value[:80])
        field = int(value)
    elif lower in HOP_BY_HOP:
        warn_once(lower, 'the application sends %s, which is the server\'s own matter: dropped' % name)
        field = None
    else:
        field = ('%s: %s' % (name, value)).encode('latin-1')
        if lower == 'date':
            field = (field,)
    if len(value) <= KEPT_VALUE_CHARS:
        if len(_fields) >= KEPT_FIELDS:
            _fields.clear()
        _fields[pair] = field
    return field


def make_head(status, headers):
    """(status, head, Content-Length or -1, DATED and SIZED, number of fields). Raises BrokenAnswer."""
    kept = _statuses.get(status) if status.__class__ is str else None
    code, line = kept or _checked_status(status)
    if not isinstance(headers, list):
        raise BrokenAnswer('http headers must be in a python list, not %s' % type(headers).__name__)
    lines = [line]
    length = -1
    flags = 0
    for pair in headers:
        try:
            field = _fields.get(pair, _UNKNOWN)
        except TypeError:  # not hashable: a list, say
            field = _UNKNOWN
        if field is _UNKNOWN:
            field = _checked_field(pair)
        kind = field.__class__
        if kind is bytes:
            lines.append(field)
        elif kind is int:
            if length >= 0 and length != field:
                raise BrokenAnswer('two different Content-Length: %d and %d' % (length, field))
            length = field
        elif kind is tuple:
            lines.append(field[0])
            flags = DATED
    fields = len(lines) - 1
    if length >= 0:
        flags |= SIZED
        fields += 1
    return code, b'\r\n'.join(lines), length, flags, fields


class FileWrapper:
    """`wsgi.file_wrapper`: an iterable over a file-like object, in blocks. The transport may read the file itself."""

    def __init__(self, filelike, block_bytes=65536):
        self.filelike = filelike
        self.block_bytes = block_bytes
        if hasattr(filelike, 'close'):
            self.close = filelike.close

    def __iter__(self):
        return self

    def __next__(self):
        data = self.filelike.read(self.block_bytes)
        if data:
            return data
        raise StopIteration


class Response:
    """What one request's application has said so far."""

    __slots__ = ('out', 'bodyless', 'head', 'sent', 'left')

    def __init__(self, out, bodyless):
        self.out = out
        self.bodyless = bodyless  # BY_ bits: 0 while a body is to be sent
        self.head = None  # what make_head gave
        self.sent = False  # whether the head has left
        self.left = -1  # bytes that the declared Content-Length still allows; -1: none declared

    def start_response(self, status, headers, exc_info=None):
        """PEP 3333's callable: takes status and headers, returns `write`."""
        if exc_info:
            try:
                if self.sent:
                    raise exc_info[1].with_traceback(exc_info[2])
            finally:
                exc_info = None  # breaks the cycle of frame and traceback
            self.bodyless &= BY_METHOD
        elif self.head is not None:
            raise BrokenAnswer('start_response() was called a second time, without exc_info')
        head = make_head(status, headers)
        if len(head[1]) > self.out.answer_bytes:
            raise BrokenAnswer('the head of the answer has %d bytes, the most is %d' % (len(head[1]), self.out.answer_bytes))
        self.head = head
        self.left = head[2]
        if head[0] == 204 or head[0] == 304:
            self.bodyless |= BY_STATUS
        return self.write

    def write(self, data):
        """PEP 3333's imperative way: sends `data` before it returns. Raises ClientGone."""
        if self.head is None:
            raise BrokenAnswer('write() was called before start_response()')
        if data:
            self.send(data)

    def send(self, data):
        """Sends one non-empty part. With the last byte of the declared length, the answer is complete."""
        if data.__class__ is not bytes:
            data = as_bytes(data)
        if self.head is None:
            raise BrokenAnswer('the application gives a body but did not call start_response()')
        if self.bodyless:
            return
        out = self.out
        if not out.open:
            self.too_long()
            return
        last = 0
        if self.left >= 0:
            if len(data) > self.left:
                self.too_long()
                data = data[:self.left]
            self.left -= len(data)
            if self.left == 0:
                last = LAST
        if self.sent:
            out.more(data, last)
        else:
            status, head, length, flags, fields = self.head
            self.sent = True
            out.first(status, head, data, length, flags | last, fields)
        if last:
            out.ring()  # the application may take its time before it returns

    def send_list(self, chunks):
        """Sends what a list or tuple holds. All of it is there already, so it goes out in one piece, of known length."""
        if len(chunks) == 1:
            body = chunks[0]
            if body.__class__ is not bytes:
                body = as_bytes(body)
        else:
            body = b''.join([c if c.__class__ is bytes else as_bytes(c) for c in chunks])
        if self.head is not None and not self.sent:
            status, head, length, flags, fields = self.head
            if length == -1 or length == len(body):
                if not self.bodyless:
                    self.sent = True
                    self.out.first(status, head, body, len(body), flags | LAST, fields)
                    return
                if status != 204 and status != 304:  # a HEAD: the same head as for a GET
                    self.head = (status, head, len(body), flags, fields)
        if body:
            self.send(body)

    def finish(self, environ):
        """Nothing comes any more. Sends the head if it is still here, and sees to it that missing bytes are noticed."""
        out = self.out
        if not out.open:
            return
        if self.head is None:
            raise BrokenAnswer('the application returned without calling start_response()')
        status, head, length, flags, fields = self.head
        missing = self.left > 0 and not self.bodyless
        if missing:
            gave = 'the application announced %d bytes and gave %d less' % (length, self.left)
            if not self.sent:
                raise BrokenAnswer(gave)
            log('%s: %s: the connection is closed' % (request_of(environ), gave))
        if self.sent:
            out.end(BROKEN if missing else 0)
        else:
            self.sent = True
            # without a body the length is what the application said, if it said so; with an empty one it is 0
            out.first(status, head, b'', length if self.bodyless else 0, flags | LAST, fields)

    def fail(self):
        """The application failed: 500 when nothing has left yet, otherwise the connection is cut."""
        if not self.out.open:
            return
        if self.sent:
            self.out.end(BROKEN | FAILED)
        else:
            self.sent = True
            body = b'' if self.bodyless & BY_METHOD else FAILURE_BODY
            self.out.first(500, FAILURE_HEAD, body, len(FAILURE_BODY), LAST | FAILED, 1)

    def too_long(self):
        self.bodyless |= BY_LENGTH  # what follows need not even be asked for: there may be no end to it
        warn_once('too long', 'the application gives more bytes than its Content-Length of %d: cut off' % self.head[2])


def as_bytes(data):
    """`data` as bytes: text becomes UTF-8, with one warning, because hello-worlds return it."""
    if isinstance(data, str):
        warn_once('text', 'the application gives str where WSGI wants bytes: sent as UTF-8')
        return data.encode('utf-8', 'surrogateescape')
    if isinstance(data, (bytes, bytearray, memoryview)):
        return bytes(data)
    raise BrokenAnswer('the application gives %s where WSGI wants bytes' % type(data).__name__)


def respond(app, environ, out, bodyless):
    """Runs `app` for one request and sends what it answers. Raises only what is to end the process.

    `bodyless`: BY_METHOD if the request is a HEAD, else 0. `out`: the transport, as this file's docstring says.
    """
    response = Response(out, bodyless)
    try:
        result = app(environ, response.start_response)
        kind = result.__class__
        if kind is list or kind is tuple:
            if result:
                response.send_list(result)
            if out.open:
                response.finish(environ)
        elif kind is bytes or kind is str:
            response.send_list((result,))
            response.finish(environ)
        elif result is None:
            raise BrokenAnswer('the application returned None where WSGI wants an iterable')
        else:
            try:
                if kind is FileWrapper:
                    send_file(response, result)
                else:
                    for chunk in result:
                        if chunk:
                            response.send(chunk)
                        elif chunk.__class__ is not bytes:
                            as_bytes(chunk)  # None or 0 is a mistake too
                        if response.bodyless & ~BY_APP and response.head is not None:
                            break  # nothing of what follows would be sent
                response.finish(environ)
            finally:
                close = getattr(result, 'close', None)
                if close is not None:
                    close()
                    out.begin_anew()  # what it took is not the next request's time
    except ClientGone:
        pass
    except KeyboardInterrupt:
        log_failure(environ)
        response.fail()
        raise
    except BaseException:  # SystemExit too: one request cannot end the worker, and with it its neighbours' requests
        log_failure(environ)
        response.fail()
    if out.open:
        out.end(BROKEN)


def send_file(response, wrapper):
    """Sends a wrapped file from where it stands to its end."""
    read, block_bytes = wrapper.filelike.read, wrapper.block_bytes
    while not response.bodyless:
        data = read(block_bytes)
        if not data:
            return
        response.send(data)


def trim_traceback():
    """The traceback of the exception in flight, without the lines of the server's own files."""
    described = traceback.TracebackException(*sys.exc_info())
    _trim(described, os.path.dirname(os.path.abspath(__file__)))
    text = ''.join(described.format()).rstrip()
    # an error of the server's own has no lines left under its headline
    return re.sub(r'Traceback \(most recent call last\):\n(?! )', '', text)


def _trim(described, own_directory):
    """Takes our frames, and the import system's, out of a TracebackException and all that hang on it."""
    todo = [described]
    while todo:
        one = todo.pop()
        one.stack[:] = [
            frame for frame in one.stack
            if os.path.dirname(os.path.abspath(frame.filename)) != own_directory
            and '<frozen importlib' not in frame.filename
        ]
        linked = [one.__cause__, one.__context__]
        linked += getattr(one, 'exceptions', None) or []  # of an exception group, since 3.11
        todo += [other for other in linked if other is not None]


def request_of(environ):
    """Whose request it was, for a line in the log: no control character of the client's in it."""
    text = '%s %s' % (environ.get('REQUEST_METHOD'), environ.get('REQUEST_URI'))
    return text.encode('unicode_escape').decode('ascii')


def log_failure(environ):
    """Writes the exception in flight to the log, behind a line that says whose request it was."""
    log('failed: %s\n%s' % (request_of(environ), trim_traceback()))
