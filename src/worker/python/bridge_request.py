"""What `import uwsgi` knows of the request that the calling thread runs.

A request costs nothing for it: its environ and its answer are found on the stack of the thread that asks, where
bridge_wsgi.respond has them. So a thread that the application started has no request.
"""

import os
import socket
import sys

import bridge_wsgi

_RESPOND = bridge_wsgi.respond.__code__
PIECE_BYTES = 65536
#: What uwsgi.connection_fd() gives: the connection is the server's.
CONNECTION_FD = -1


def _locals():
    """The variables of `respond` for the request in hand, or None."""
    frame = sys._getframe(1)
    while frame is not None:
        if frame.f_code is _RESPOND:
            return frame.f_locals
        frame = frame.f_back
    return None


def environ():
    found = _locals()
    return None if found is None else found['environ']


def response():
    found = _locals()
    if found is None:
        raise ValueError('this is for a thread that runs a request')
    return found['response']


def start_response(status, headers, exc_info=None):
    """That of the request in hand."""
    return response().start_response(status, headers, exc_info)


def cl():
    """The length of the request's body."""
    return int((environ() or {}).get('CONTENT_LENGTH') or 0)


def chunked_read(timeout=0):
    """A piece of the request's body, b'' at its end. It never waits: the body was there before the request began."""
    found = environ()
    return b'' if found is None else found['wsgi.input'].read(PIECE_BYTES)


def disconnect():
    """Ends the answer here; the application goes on without its client."""
    current = response()
    current.finish(environ())
    current.bodyless |= bridge_wsgi.BY_APP
    current.out.ring()


def is_connected(fd):
    """Whether the client is still there: of CONNECTION_FD, that of the request; or the peer of a socket."""
    if fd == CONNECTION_FD:
        found = _locals()
        return found is not None and not found['response'].out.client_gone()
    try:
        with socket.socket(fileno=os.dup(fd)) as copy:
            return copy.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
    except OSError:
        return False


def sendfile(what, chunk=0, position=0, size=0):
    """Sends a file, by path or descriptor, as (part of) the answer; start_response() was called before. `size` 0: to its end."""
    current = response()
    path = os.dup(what) if isinstance(what, int) else what
    with open(path, 'rb', buffering=0) as file:
        file.seek(position)
        left = size or sys.maxsize
        while left > 0:
            data = file.read(min(left, PIECE_BYTES))
            if not data:
                break
            current.write(data)
            left -= len(data)
    return True


def parsefile(path):
    """The variables of a file that holds a uwsgi packet, as bytes; None when there is none."""
    try:
        with open(path, 'rb') as file:
            head = file.read(4)
            packet = file.read(int.from_bytes(head[1:3], 'little'))
    except OSError as error:
        bridge_wsgi.log('open("%s"): %s' % (os.fsdecode(path), error.strerror))
        return None
    variables, at = {}, 0
    texts = []
    while at + 2 <= len(packet):
        length = int.from_bytes(packet[at:at + 2], 'little')
        texts.append(packet[at + 2:at + 2 + length])
        at += 2 + length
    for key, value in zip(texts[::2], texts[1::2]):
        variables[key] = value
    return variables


def extract(path):
    """The content of a file; None when it cannot be read."""
    try:
        with open(path, 'rb') as file:
            return file.read()
    except OSError as error:
        bridge_wsgi.log('open("%s"): %s' % (os.fsdecode(path), error.strerror))
        return None
