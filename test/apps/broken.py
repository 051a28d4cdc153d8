"""Applications that break the rules of WSGI, each in one way: none of them under wsgiref's validator, which would see to
it that the server never gets to know. What the server has to make of them is in test/e2e/python-broken.test.ts."""

import io
import sys

TEXT = [('Content-Type', 'text/plain')]


def application(environ, start_response):
    name = environ['PATH_INFO'].strip('/').replace('-', '_')
    return (TABLE.get(name) or globals()[name])(environ, start_response)


class File(io.BytesIO):
    def close(self):
        print('the long file was closed at %d' % self.tell())
        super().close()


def wraps_long_file(environ, start_response):
    start_response('200 OK', TEXT + [('Content-Length', '5')])
    return environ['wsgi.file_wrapper'](File(b'z' * 200000), 3)


def text(environ, start_response):
    start_response('200 OK', TEXT)
    return 'gr\xfc\xdfe'


def plain_bytes(environ, start_response):
    start_response('200 OK', TEXT)
    return b'plain'


def too_long(environ, start_response):
    start_response('200 OK', TEXT + [('Content-Length', '5')])
    return [b'123456789']


def too_short(environ, start_response):
    start_response('200 OK', TEXT + [('Content-Length', '10')])
    return [b'12345']


def too_short_empty(environ, start_response):
    start_response('200 OK', TEXT + [('Content-Length', '10')])
    return []


def goes_on_when_gone(environ, start_response):
    write = start_response('200 OK', TEXT)
    failures = 0
    while failures < 3:
        try:
            write(b'x' * 65536)
        except ConnectionError as error:
            failures += 1
            print('write said: %s' % error)
    return [b'nobody sees this']


def close_fails(environ, start_response):
    class Body(list):
        def close(self):
            raise RuntimeError('close() failed')
    start_response('200 OK', TEXT + [('Content-Length', '5')])
    return Body([b'whole'])


def raises(environ, start_response):
    raise LookupError('raised before start_response')


def raises_after_start(environ, start_response):
    start_response('200 OK', TEXT)
    raise LookupError('raised after start_response')


def raises_after_204(environ, start_response):
    start_response('204 No Content', [])
    raise LookupError('raised after 204')


def raises_from_itself(environ, start_response):
    error = ValueError('its own cause')
    raise error from error


def raises_chained(environ, start_response):
    try:
        raise KeyError('the first')
    except KeyError as error:
        raise ValueError('the second') from error


def raises_deep(environ, start_response):
    raises_deep(environ, start_response)


def exits(environ, start_response):
    sys.exit(3)


def interrupts(environ, start_response):
    raise GeneratorExit('an application may raise this too')


def no_start(environ, start_response):
    return [b'x']


def no_start_no_body(environ, start_response):
    return []


def starts_twice(environ, start_response):
    start_response('200 OK', TEXT)
    start_response('201 Created', TEXT)
    return []


def returns(make):
    def returning(environ, start_response):
        start_response('200 OK', TEXT)
        return make()
    return returning


def starts(status, headers):
    def starting(environ, start_response):
        start_response(status, headers)
        return [b'must not be sent']
    return starting


def catches_too_large_head(environ, start_response):
    try:
        start_response('200 OK', TEXT + [('X-Large', 'x' * 100000)])
    except Exception as error:
        print('start_response said: %s' % error)
    start_response('200 OK', TEXT)
    return [b'a smaller one']


TABLE = {
    'returns_none': returns(lambda: None),
    'returns_number': returns(lambda: 42),
    'returns_dict_of_numbers': returns(lambda: {1: 2}),
    'yields_none': returns(lambda: iter([None])),
    'yields_zero': returns(lambda: [0]),
    'yields_number': returns(lambda: iter([b'ok', 7])),
    'status_number': starts(200, []),
    'status_injection': starts('200 OK\r\nX-Evil: 1', []),
    'status_word': starts('OK', []),
    'status_100': starts('100 Continue', []),
    'status_latin': starts('200 \u20ac', []),
    'headers_tuple': starts('200 OK', ()),
    'header_list': starts('200 OK', [['X-A', 'b']]),
    'header_triple': starts('200 OK', [('X-A', 'b', 'c')]),
    'name_bytes': starts('200 OK', [(b'X-A', 'b')]),
    'name_space': starts('200 OK', [('X A', 'b')]),
    'name_empty': starts('200 OK', [('', 'b')]),
    'name_colon': starts('200 OK', [('X:', 'b')]),
    'name_injection': starts('200 OK', [('X-A: b\r\nX-Evil', '1')]),
    'value_number': starts('200 OK', [('X-A', 1)]),
    'value_cr': starts('200 OK', [('X-A', 'b\rX-Evil: 1')]),
    'value_lf': starts('200 OK', [('X-A', 'b\nX-Evil: 1')]),
    'value_nul': starts('200 OK', [('X-A', 'b\0')]),
    'value_euro': starts('200 OK', [('X-A', '\u20ac')]),
    'length_word': starts('200 OK', [('Content-Length', 'five')]),
    'length_negative': starts('200 OK', [('Content-Length', '-1')]),
    'length_twice': starts('200 OK', [('Content-Length', '5'), ('Content-Length', '6')]),
    'status_short': starts('404', TEXT + [('Content-Length', '16')]),
    'hop_by_hop': starts('200 OK', TEXT + [
        ('Connection', 'upgrade'), ('Transfer-Encoding', 'chunked'), ('Keep-Alive', 'timeout=1'), ('Upgrade', 'h2c')]),
    'head_too_large': starts('200 OK', [('X-Large', 'x' * 100000)]),
}
