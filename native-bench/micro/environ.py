"""What it costs CPython to turn the variables of a request into a dict, in two forms of the block they come in.

    interleaved   NAME NUL VALUE NUL NAME NUL VALUE: split it all, pair every other piece
    names kept    the names in one block, the values in another: the names are looked up whole, the values split

src/wire/cgi.ts and src/worker/python/bridge_arena.py rely on the second being cheaper: clients send the same names with
every request. Both forms are read from a mapping into a copy of the constant part of the environ, as the bridge does.
Run: /usr/bin/python3 native-bench/micro/environ.py
"""

import mmap
import platform
import statistics
import time

ROUNDS = 15
CALLS = 50_000

#: What a load generator sends (7), and what a browser does (14).
SHORT = {
    'PATH_INFO': '/', 'REQUEST_METHOD': 'GET', 'REQUEST_URI': '/', 'REMOTE_ADDR': '127.0.0.1',
    'HTTP_HOST': '127.0.0.1:9090', 'HTTP_USER_AGENT': 'wrk/4.1.0', 'HTTP_ACCEPT': '*/*',
}
LONG = dict(SHORT, **{
    'HTTP_USER_AGENT': 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0',
    'HTTP_ACCEPT': 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
    'HTTP_ACCEPT_LANGUAGE': 'en-US,en;q=0.5', 'HTTP_ACCEPT_ENCODING': 'gzip, deflate, br, zstd',
    'HTTP_CONNECTION': 'keep-alive', 'HTTP_UPGRADE_INSECURE_REQUESTS': '1', 'HTTP_SEC_FETCH_DEST': 'document',
    'HTTP_SEC_FETCH_MODE': 'navigate', 'HTTP_COOKIE': 'session=0123456789abcdef0123456789abcdef',
})
BASE = {
    'SCRIPT_NAME': '', 'SERVER_NAME': 'localhost', 'SERVER_PORT': '9090', 'SERVER_PROTOCOL': 'HTTP/1.1',
    'wsgi.version': (1, 0), 'wsgi.url_scheme': 'http', 'wsgi.errors': None, 'wsgi.file_wrapper': None,
    'wsgi.run_once': False, 'wsgi.multithread': True, 'wsgi.multiprocess': True, 'uwsgi.version': b'0',
}


def interleaved(variables):
    """A function that decodes the first form, once per call."""
    block = '\0'.join(piece for pair in variables.items() for piece in pair).encode('latin-1')
    arena, stop = mapped(block), len(block)

    def decode():
        environ = BASE.copy()
        pieces = str(arena[0:stop], 'latin-1').split('\0')
        environ.update(zip(pieces[::2], pieces[1::2]))
        return environ

    return decode


def names_kept(variables):
    """A function that decodes the second form, once per call."""
    names = '\0'.join(variables).encode('latin-1')
    values = '\0'.join(variables.values()).encode('latin-1')
    arena, middle, stop = mapped(names + values), len(names), len(names) + len(values)
    known = {names: tuple(variables)}

    def decode():
        environ = BASE.copy()
        kept = known.get(arena[0:middle])
        environ.update(zip(kept, str(arena[middle:stop], 'latin-1').split('\0')))
        return environ

    return decode


def mapped(data):
    arena = mmap.mmap(-1, max(len(data), 1))
    arena[:len(data)] = data
    return arena


def us_per_call(decode):
    started_ns = time.perf_counter_ns()
    for _ in range(CALLS):
        decode()
    return (time.perf_counter_ns() - started_ns) / CALLS / 1000


def main():
    cases = {}
    for variables in (SHORT, LONG):
        forms = [interleaved(variables), names_kept(variables)]
        assert forms[0]() == forms[1]() == dict(BASE, **variables)
        cases[len(variables)] = forms
    rounds = {count: [] for count in cases}
    for _ in range(ROUNDS):
        for count, forms in cases.items():
            rounds[count].append([us_per_call(decode) for decode in forms])
    print('us per request, median of %d rounds of %d, CPython %s\n' % (ROUNDS, CALLS, platform.python_version()))
    print('| variables | interleaved | names kept | saved |')
    print('| --------: | ----------: | ---------: | ----: |')
    for count, figures in rounds.items():
        first, second = (statistics.median(column) for column in zip(*figures))
        saved = statistics.median(a - b for a, b in figures)
        print('| %9d | %11.2f | %10.2f | %5.2f |' % (count, first, second, saved))


if __name__ == '__main__':
    main()
