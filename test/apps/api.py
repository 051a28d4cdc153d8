"""What the functions of `import uwsgi` return, under nuwsgi and under the real uWSGI alike."""

import json
import os
import threading
import time

import uwsgi
import uwsgidecorators

PACKET = os.environ.get('PACKET', '')


def handler(number):
    pass


def outcome(name, *args):
    """Type and text of what a call returns, or the error that it raises."""
    try:
        result = getattr(uwsgi, name)(*args)
    except Exception as error:
        return 'raises %s: %s' % (type(error).__name__, error)
    return '%s %r' % (type(result).__name__, result)


def first_words(text):
    return text.split(':')[0] if text.startswith('raises') else text


def outcomes(calls):
    """In the order of the calls; of the errors the types, because each server has its own words."""
    texts = ['%s(%s)' % (name, ', '.join(getattr(arg, '__name__', repr(arg)) for arg in args)) for name, *args in calls]
    return [[text, first_words(outcome(*call))] for text, call in zip(texts, calls)]


AT_LOAD = outcomes([
    ('signal_registered', 7), ('register_signal', 7, '', handler), ('signal_registered', 7), ('signal_registered', 8),
    ('add_timer', 7, 100000), ('add_rb_timer', 7, 100000), ('add_rb_timer', 7, 100000, 3),
    ('add_cron', 7, 1, 1, 1, 1, 1), ('add_file_monitor', 7, '/tmp/no-such-file-at-all'),
    ('worker_id',), ('mule_id',), ('in_farm',), ('is_locked',), ('lock',), ('unlock',), ('lock', 5), ('i_am_the_spooler',),
])

IN_REQUEST = [
    ('worker_id',), ('total_requests',), ('listen_queue',), ('accepting',), ('ready',), ('setprocname', 'hello'),
    ('cl',), ('log', 'said'), ('log', b'said'), ('set_logvar', 'a', 'b'), ('get_logvar', 'a'), ('get_logvar', b'a'),
    ('get_logvar', 'zz'), ('is_connected', -5), ('chunked_read_nb',), ('add_var', 'A', 'B'), ('extract', PACKET),
    ('parsefile', PACKET), ('parsefile', '/no/such/file'), ('set_warning_message', 'x'), ('set_user_harakiri', 50),
    ('set_user_harakiri', 0), ('set_user_harakiri',), ('lock',), ('is_locked',), ('is_locked', 0), ('unlock',), ('is_locked',),
    ('unlock', 9), ('is_locked', 9), ('signal', 7), ('signal', 'x'), ('signal_received',), ('log_this_request',),
    ('rpc_list',), ('call', 'nothing'), ('rpc', None, 'nothing'), ('mule_msg', 'x'), ('farm_msg', 'f', 'x'), ('in_farm', 'x'),
    ('metric_get', 'x'), ('metric_inc', 'x'), ('metric_set', 'x', 1), ('cache_get', 'x'), ('cache_set', 'x', b'y'),
    ('cache_update', 'x', b'y'), ('cache_exists', 'x'), ('cache_del', 'x'), ('cache_clear',), ('cache_inc', 'x'),
    ('i_am_the_lord', 'x'), ('lord_scroll', 'x'), ('scrolls', 'x'), ('embedded_data', 'x'), ('alarm', 'x', 'y'),
    ('logsize',), ('add_timer', 1), ('register_rpc', 'f', handler), ('rpc_list',), ('i_am_the_spooler',),
]


def facts(environ):
    workers = uwsgi.workers()
    return {
        'types': {name: type(getattr(uwsgi, name)).__name__ for name in dir(uwsgi)
                  if not name.startswith('_') and not callable(getattr(uwsgi, name))},
        'at load': AT_LOAD,
        'in a request': outcomes(IN_REQUEST),
        'env': uwsgi.env is environ,
        'mem': [type(n).__name__ for n in uwsgi.mem()],
        'micros': abs(uwsgi.micros() / 1e6 - time.time()) < 1,
        'workers': [type(workers).__name__, [{key: type(value).__name__ for key, value in w.items()} for w in workers]],
        'status': [repr(worker['status']) for worker in workers],
        'apps': [{key: type(value).__name__ for key, value in worker['apps'][0].items()} for worker in workers],
    }


def application(environ, start_response):
    path = environ['PATH_INFO']
    headers = [('Content-Type', 'text/plain')]
    if path == '/names':
        body = [name for name in dir(uwsgi) if not name.startswith('__')]
    elif path == '/decorators':
        body = [name for name, value in vars(uwsgidecorators).items()
                if getattr(value, '__module__', '') == 'uwsgidecorators' and not name.startswith('_')]
    elif path == '/facts':
        body = facts(environ)
    elif path == '/workers':
        body = [{k: v for k, v in w.items() if isinstance(v, int)} for w in uwsgi.workers()] + [uwsgi.total_requests(), uwsgi.masterpid()]
    elif path == '/body':
        pieces = iter(uwsgi.chunked_read, b'')
        body = [len(piece) for piece in pieces] + [uwsgi.cl()]
    elif path == '/sendfile':
        start_response('200 OK', headers)
        uwsgi.sendfile(PACKET)
        return []
    elif path == '/start':
        uwsgi.start_response('200 OK', headers)
        return [b'started']
    elif path == '/disconnect':
        return leave(start_response, headers)
    elif path == '/gone':
        return watch(start_response, headers)
    elif path == '/logvars':
        uwsgi.set_logvar('tenant', 'b\u00fccher "x"')
        uwsgi.add_var('ROLE', 'admin')
        body = environ['wsgi.input'].read().decode()
    elif path == '/elsewhere':
        body = []
        thread = threading.Thread(target=lambda: body.extend([hasattr(uwsgi, 'env'), uwsgi.cl(), outcome('disconnect')]))
        thread.start()
        thread.join()
    elif path == '/cache':
        body = [uwsgi.cache_set('key', b'value'), uwsgi.cache_get('key'), uwsgi.metric_get('x')]
    elif path == '/absent':
        body = [outcome(name) for name in ('spool', 'websocket_recv', 'sharedarea_read', 'snmp_incr_counter32', 'never_heard_of')]
    else:
        body = None
    start_response('200 OK', headers)
    return [json.dumps(body).encode()]


def leave(start_response, headers):
    start_response('200 OK', headers)
    yield b'all that you get'
    uwsgi.disconnect()
    yield b' and not this'
    print('went on after disconnect()')


def watch(start_response, headers):
    start_response('200 OK', headers)
    print('the client is there: %s' % uwsgi.is_connected(uwsgi.connection_fd()))
    while uwsgi.is_connected(uwsgi.connection_fd()):
        time.sleep(0.01)
    print('the client is gone')
    yield b'to nobody'


def hook():
    print('after request %d' % uwsgi.request_id())


def bye():
    print('worker %d says goodbye' % uwsgi.worker_id())


if os.environ.get('HOOKS'):
    uwsgi.after_req_hook = hook
    uwsgi.atexit = bye
