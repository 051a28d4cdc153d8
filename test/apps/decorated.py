"""A site that has been written for uWSGI with a spooler and mules: here it starts, and says what it cannot do."""

import uwsgi
from uwsgidecorators import *  # noqa: F403
from uwsgidecorators import farm, mule, mulefunc, postfork, rpc, spool, thread


@spool
def later(arguments):
    return uwsgi.SPOOL_OK


@spool(pass_arguments=True)
def later_too(number):
    return uwsgi.SPOOL_OK


@mulefunc
def in_any_mule():
    pass


@mulefunc(2)
def in_mule_two():
    pass


@mule(1)
def loop():
    raise AssertionError('nobody calls it')


@farm('workers')
def of_farm(message):
    raise AssertionError('nobody calls it')


@rpc('double')
def double(text):
    return text * 2


@postfork(2)
def only_in_two():
    print('forked: worker %d' % uwsgi.worker_id())


@thread
def aside(text):
    print('aside: %s' % text)


def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    aside('hello').join()
    lines = [repr(uwsgi.call('double', 'ab'))]
    for function in (later, later.spool, later_too, in_any_mule, in_mule_two):
        try:
            function()
        except NotImplementedError as error:
            lines.append(str(error))
    return ['\n'.join(lines).encode()]
