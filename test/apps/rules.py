"""WSGI (PEP 3333), rule by rule: what an application may do, and what the server makes of it.

All of it runs under wsgiref's validator, but for the paths below /bare/: the same applications without it, because it
hides what some of them need (seek, the class of a file wrapper). Those that break the rules are in broken.py.
"""

import io
import io
import sys
import threading
from wsgiref.validate import validator

TEXT = [('Content-Type', 'text/plain')]
#: Set by a request to /release: what the streams of the tests wait for between two parts.
released = threading.Event()


class Parts:
    """An iterable with a close(), which tells the log how often it was closed."""

    def __init__(self, name, parts):
        self.name, self.parts, self.closed = name, iter(parts), 0

    def __iter__(self):
        return self

    def __next__(self):
        return next(self.parts)

    def close(self):
        self.closed += 1
        print('%s closed %d times' % (self.name, self.closed))


def endless(size=65536):
    while True:
        yield b'x' * size


def on_demand():
    yield b'first;'
    if not released.wait(10):
        raise TimeoutError('nobody asked for the rest')
    yield b'second'


def failing(start_response):
    yield b'part'
    try:
        raise ValueError('in the middle')
    except ValueError:
        start_response('500 Oops', TEXT, sys.exc_info())
    yield b'never sent'


def read_in_every_way(source):
    """What reading `source` in different ways gives, one line each."""
    yield source.read(2)
    yield source.readline()
    yield source.read(0)
    yield b'|'.join(source.readlines(1))
    yield source.readline(3)
    yield source.readline()
    for number, line in enumerate(source):
        yield line
        if number == 1:
            break
    yield source.read(-1)
    yield source.read(1)
    yield source.readline()
    yield b'|'.join(source.readlines())


def bare(environ, start_response):
    name = environ['PATH_INFO'].replace('/bare/', '/').split('/')[1]
    return globals()[name.replace('-', '_')](environ, start_response)


validated = validator(bare)


def application(environ, start_response):
    return (bare if environ['PATH_INFO'].startswith('/bare/') else validated)(environ, start_response)


# --- what an application may do -------------------------------------------------------------------------------------


def hello(environ, start_response):
    start_response('200 OK', TEXT)
    return [b'hello\n']


def release(environ, start_response):
    released.set()
    return hello(environ, start_response)


def yields(environ, start_response):
    released.clear()
    start_response('200 OK', TEXT)
    return on_demand()


class Held:
    def __del__(self):
        print('what was held is let go of')


def holds(environ, start_response):
    environ['test.held'] = Held()
    return hello(environ, start_response)


def writes(environ, start_response):
    released.clear()
    write = start_response('200 OK', TEXT)
    for part in on_demand():
        write(part)
    return []


def writes_then_yields(environ, start_response):
    write = start_response('200 OK', TEXT)
    write(b'written;')
    return Parts('writes-then-yields', [b'yielded'])


def starts_late(environ, start_response):
    """The head is due only with the first part that is not empty."""
    def parts():
        yield b''
        start_response('201 Created', TEXT + [('X-Late', 'yes')])
        yield b''
        yield b'late'
    body = parts()
    first = next(body)  # the validator wants start_response before the first part
    next(body)
    return Parts('starts-late', [first, b'', b'late'])


def changes_its_mind(environ, start_response):
    start_response('200 OK', TEXT + [('X-First', 'yes'), ('Content-Length', '3')])
    try:
        raise ValueError('before anything was sent')
    except ValueError:
        start_response('500 Changed', TEXT + [('X-Second', 'yes')], sys.exc_info())
    return [b'the error page']


def changes_from_204(environ, start_response):
    start_response('204 No Content', [])
    try:
        raise ValueError('there is something after all')
    except ValueError:
        start_response('500 Changed', TEXT, sys.exc_info())
    return Parts('changes-from-204', [b'the error page'])


def fails_in_the_middle(environ, start_response):
    start_response('200 OK', TEXT)
    return Parts('fails-in-the-middle', failing(start_response))


def closes(environ, start_response):
    start_response('200 OK', TEXT)
    return Parts('closes', [b'a', b'b', b'c'])


def closes_in_head(environ, start_response):
    start_response('200 OK', TEXT)
    return Parts('closes-in-head', endless())


def closes_when_gone(environ, start_response):
    start_response('200 OK', TEXT)
    return Parts('closes-when-gone', endless())


def closes_when_too_long(environ, start_response):
    start_response('200 OK', TEXT + [('Content-Length', '10')])
    return Parts('closes-when-too-long', endless(7))


def closes_when_too_short(environ, start_response):
    start_response('200 OK', TEXT + [('Content-Length', '10')])
    return Parts('closes-when-too-short', [b'abc'])


def no_content(environ, start_response):
    start_response('204 No Content', [('X-Kept', 'yes')])
    return Parts('no-content', [b'must not be sent'])


def not_modified(environ, start_response):
    start_response('304 Not Modified', [('ETag', '"1"'), ('Content-Length', '12345')])
    return []


def length_unknown(environ, start_response):
    start_response('200 OK', TEXT)
    return Parts('length-unknown', [b'abc', b'def'])


def length_known(environ, start_response):
    start_response('200 OK', TEXT + [('Content-Length', '6')])
    return Parts('length-known', [b'abc', b'def'])


def empty(environ, start_response):
    start_response('200 OK', TEXT)
    return []


def echo(environ, start_response):
    body = environ['wsgi.input'].read(-1)
    start_response('200 OK', TEXT)
    return [body]


def reads(environ, start_response):
    start_response('200 OK', TEXT)
    return [repr(list(read_in_every_way(environ['wsgi.input']))).encode()]


def file(environ, start_response):
    start_response('200 OK', TEXT)
    return environ['wsgi.file_wrapper'](open(__file__, 'rb'), 1000)


def errors(environ, start_response):
    environ['wsgi.errors'].write('written to wsgi.errors\n')
    environ['wsgi.errors'].writelines(['one\n', 'two\n'])
    environ['wsgi.errors'].flush()
    return hello(environ, start_response)


def many_fields(environ, start_response):
    start_response('200 Fine \xe9', TEXT + [('X-%d' % n, 'caf\xe9 %d' % n) for n in range(100)] + [
        ('Set-Cookie', 'a=1'), ('Set-Cookie', 'b=2'), ('Date', 'Thu, 01 Jan 1970 00:00:00 GMT')])
    return [b'ok']


def large(environ, start_response):
    """More than fits into the answer area of a slot, in one piece."""
    start_response('200 OK', TEXT)
    return [b'0123456789' * 100000]


def shows(environ, start_response):
    environ['test.note'] = 'an application may write to its environ'
    lines = ['%s=%a' % pair for pair in sorted(environ.items()) if not pair[0].startswith('wsgi.input')]
    start_response('200 OK', TEXT)
    return ['\n'.join(lines).encode()]


# --- what the validator would hide -----------------------------------------------------------------------------------


def seeks(environ, start_response):
    source = environ['wsgi.input']
    everything = source.read()
    source.seek(0)
    again = source.read()
    source.seek(3)
    start_response('200 OK', TEXT)
    return [repr((len(everything), everything == again, source.tell(), source.read(4))).encode()]


kept = []


def keeps_input(environ, start_response):
    kept.append(environ)
    return hello(environ, start_response)


def looks_at_kept_input(environ, start_response):
    start_response('200 OK', TEXT)
    return [repr(kept.pop()['wsgi.input'].closed).encode()]


class File(io.BytesIO):
    def close(self):
        print('the file was closed %d times' % (1 + self.closed))
        super().close()


def wraps_file(environ, start_response):
    start_response('200 OK', TEXT + [('Content-Length', '200000')])
    return environ['wsgi.file_wrapper'](File(b'y' * 200000))


def wraps_from_the_middle(environ, start_response):
    source = File(b'0123456789')
    source.seek(6)
    start_response('200 OK', TEXT)
    return environ['wsgi.file_wrapper'](source)
