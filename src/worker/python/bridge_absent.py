"""The parts of uWSGI's module that nuwsgi has not got: how `import uwsgi` behaves where an application looks for them.

Caches, mules, metrics, the legion and embedded files are parts that an installation of uWSGI has only when it is configured for
them; so these functions do what they do in uWSGI without that, and an application that can live without can live here. The
first call of each part says so in the log, because an application cannot tell: nothing is kept, counted or sent.
RPC works inside a process. What makes no sense at all without uWSGI's own loops (asynchronous waiting, websockets) is
absent: hasattr() says so, and using it says why.
"""

import bridge_wsgi

_RPC = {}


def _without(part, instead, result=None):
    """A function of a part that is not there: it gives `result`, and says in the log what to use instead, once per process."""
    def nothing(*_, **__):
        bridge_wsgi.warn_once(part, 'uwsgi: nuwsgi has no %s; %s' % (part, instead))
        return result
    return nothing


def _nothing(*_, **__):
    return None


def _no_mule(*_, **__):
    raise ValueError('no mule configured: nuwsgi has none; use --attach-daemon or a task queue')


def _no_cache(*_, **__):
    raise ValueError('no local uWSGI cache available: nuwsgi has none; use Redis or memcached')


def _no_symbol(name):
    raise ValueError('unable to find symbol %s' % name)


def register_rpc(name, function, arguments=0):
    """For `call` in this process; nuwsgi answers no calls from outside."""
    _RPC[name.encode() if isinstance(name, str) else name] = function
    return True


def call(name, *arguments):
    """Calls what `register_rpc` has registered under this name, and returns bytes or None."""
    function = _RPC.get(name.encode() if isinstance(name, str) else name)
    if function is None:
        raise ValueError('unable to call rpc function')
    result = function(*[each.encode() if isinstance(each, str) else each for each in arguments])
    return result.encode() if isinstance(result, str) else result


def rpc(node, name, *arguments):
    if node:
        raise ValueError('nuwsgi calls functions of its own process only, not of %r' % (node,))
    return call(name, *arguments)


def rpc_list():
    return tuple(_RPC)


_cache = _without('cache: nothing is kept', 'use Redis or memcached')
_metric = _without('metrics of the app: nothing is counted', 'use prometheus_client or statsd')
_alarm = _without('alarms: nobody is told', 'use the log, or what collects it')

#: As in a uWSGI that is not configured for it.
UNCONFIGURED = {
    **{'cache_' + name: _cache for name in
       ('get', 'set', 'update', 'del', 'exists', 'clear', 'inc', 'dec', 'mul', 'div')},
    'cache_keys': _no_cache, 'cache_num': _no_cache,
    **{'metric_' + name: _metric for name in ('set', 'inc', 'dec', 'mul', 'div', 'set_max', 'set_min')},
    'metric_get': _without('metrics of the app: nothing is counted', 'use prometheus_client or statsd', 0),
    'mule_id': lambda: 0, 'mule_msg': _no_mule, 'mule_get_msg': _no_mule, 'in_farm': _nothing, 'farm_msg': _nothing,
    'farm_get_msg': _nothing, 'i_am_the_spooler': _nothing,
    'i_am_the_lord': lambda legion: False, 'lord_scroll': _nothing, 'scrolls': _nothing,
    'alarm': _alarm, 'embedded_data': _no_symbol,
    'register_rpc': register_rpc, 'call': call, 'rpc': rpc, 'rpc_list': rpc_list,
}

_ASYNC = 'it waits in the loop of uWSGI\'s asynchronous mode; use threads, or the socket module'
_WEBSOCKETS = 'nuwsgi has no websockets for WSGI apps; serve them by a JavaScript app or an ASGI server'
_SPOOLER = 'nuwsgi has no spooler; use a task queue, or a program of its own by --attach-daemon'
_IMPORTERS = 'it imports from symbols that were linked into uWSGI'

#: Why it is not there, and what to do instead.
ABSENT = {
    'async_sleep': _ASYNC, 'async_connect': _ASYNC, 'connect': _ASYNC, 'send': _ASYNC, 'recv': _ASYNC, 'close': _ASYNC,
    'wait_fd_read': _ASYNC, 'wait_fd_write': _ASYNC, 'suspend': _ASYNC, 'green_schedule': _ASYNC,
    'websocket_handshake': _WEBSOCKETS, 'websocket_recv': _WEBSOCKETS, 'websocket_recv_nb': _WEBSOCKETS,
    'websocket_send': _WEBSOCKETS, 'websocket_send_binary': _WEBSOCKETS,
    'spool': _SPOOLER, 'send_to_spooler': _SPOOLER, 'set_spooler_frequency': _SPOOLER, 'spooler_jobs': _SPOOLER,
    'spooler_get_task': _SPOOLER, 'spooler_pid': _SPOOLER, 'spooler_pids': _SPOOLER,
    'signal_wait': 'handlers of signals are called between requests, nothing has to wait for them',
    'offload': 'answers leave the worker at once anyway; return uwsgi.sendfile() or wsgi.file_wrapper',
    'route': 'rules stand before the app here: docs/static-and-routing.md',
    'ready_fd': 'answers are written by the server',
    'SymbolsImporter': _IMPORTERS, 'SymbolsZipImporter': _IMPORTERS, 'ZipImporter': _IMPORTERS,
}


def explain(name):
    """The error for a name that the module has not got."""
    why = ABSENT.get(name)
    if name.startswith(('queue_', 'sharedarea_')):
        why = 'nuwsgi shares no memory between workers; use Redis or a database'
    elif name.startswith('snmp_'):
        why = 'nuwsgi answers no SNMP; its figures are in --stats, and in Prometheus\' form'
    if why is not None:
        return AttributeError('uwsgi.%s does not exist in nuwsgi: %s' % (name, why))
    return AttributeError("module 'uwsgi' has no attribute %r" % name)
