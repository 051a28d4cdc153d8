"""What an application says: print, logging, warnings, bytes, programs it starts; and what `import uwsgi` tells it."""

import logging
import os
import subprocess
import sys
import threading
import time
import warnings
from wsgiref.validate import validator

import uwsgi

logging.basicConfig(level=logging.INFO, format='%(levelname)s %(message)s')  # keeps the stream that is there now
print('loading in worker %d, pid %d' % (uwsgi.worker_id(), os.getpid()))
sys.stdout.write('a line that loading does not end')
AT_LOAD = (uwsgi.worker_id(), uwsgi.request_id())

LINES_PER_THREAD = 200


def chatter(name):
    """Prints lines in pieces, as print() does: text and end apart, and more pieces than that."""
    for number in range(LINES_PER_THREAD):
        print('<%s' % name, number, end='', sep='-', file=sys.stdout if number % 2 else sys.stderr)
        print('-' * 20, end='', file=sys.stdout if number % 2 else sys.stderr)
        print('%s>' % name, file=sys.stdout if number % 2 else sys.stderr)


def speak(topic):
    if topic == 'print':
        print('to stdout', 'in two words')
        print('to stderr', file=sys.stderr)
    elif topic == 'logging':
        logging.info('a record')
        try:
            raise ValueError('logged with its traceback')
        except ValueError:
            logging.exception('it failed')
    elif topic == 'warnings':
        warnings.warn('a warning')
    elif topic == 'bytes':
        sys.stdout.buffer.write(b'bytes to the buffer\n')
        os.write(1, b'bytes to descriptor 1\n')
        os.write(2, b'bytes to descriptor 2\n')
    elif topic == 'program':
        subprocess.check_call(['echo', 'from a program'])
        subprocess.check_call(['echo', 'to the stream it was given'], stdout=sys.stderr)
        # the arena and the doorbell are among the first descriptors of a worker
        own = [os.readlink('/proc/self/fd/%d' % fd) for fd in (4, 5)]
        listed = subprocess.run('ls -l /proc/self/fd', shell=True, close_fds=False, stdout=subprocess.PIPE).stdout.decode()
        print('inherited: %r' % [target for target in own if target in listed])
    elif topic == 'unicode':
        print('\u20ac' * 30000)  # 90 kB of UTF-8, which the pipe takes in pieces
        print('a lone surrogate: \udc80')
    elif topic == 'threads':
        threads = [threading.Thread(target=chatter, args=(name,)) for name in 'abcd']
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        print('threads are done')
    elif topic == 'unfinished':
        print('begun', end='', flush=True)
        other = threading.Thread(target=print, args=('from another thread',))
        other.start()
        other.join()
        print('and ended')
    elif topic == 'uwsgi.log':
        uwsgi.log('said by uwsgi.log')
    elif topic == 'thread-fails':
        def fail():
            raise KeyError('in a thread of the application')
        threading.Thread(target=fail).start()


def tell():
    opt = uwsgi.opt
    return {
        'version': uwsgi.version, 'numproc': uwsgi.numproc, 'cores': uwsgi.cores, 'hostname': uwsgi.hostname,
        'has_threads': uwsgi.has_threads, 'buffer_size': uwsgi.buffer_size, 'masterpid': uwsgi.masterpid(),
        'parent': os.getppid(), 'pid': os.getpid(), 'worker_id': uwsgi.worker_id(), 'request_id': uwsgi.request_id(),
        'at_load': AT_LOAD, 'started': abs(uwsgi.started_on - time.time()) < 60, 'micros': abs(uwsgi.micros() / 1e6 - time.time()) < 60,
        'mem': all(1 << 20 < size < 1 << 40 for size in uwsgi.mem()), 'argv': sys.argv, 'name': __name__,
        'processes': opt['processes'], 'wsgi-file': opt['wsgi-file'], 'flag': opt['lazy-apps'] if 'lazy-apps' in opt else None,
        'env': opt.get('env'), 'log': uwsgi.log('x'), 'bad': 'nothing' in opt,
    }


@validator
def application(environ, start_response):
    topic = environ['PATH_INFO'][1:]
    start_response('200 OK', [('Content-Type', 'text/plain')])
    if topic == 'uwsgi':
        return [ascii(tell()).encode()]
    speak(topic)
    return [b'said']
