"""Tells what the interpreter is like, as JSON."""
import json
import os
import sys
import threading

import nickname
import second

IMPORTED_BEFORE = 'early' in sys.modules, sys.modules['early'].PID


def application(env, start_response):
    start_response('200 OK', [('Content-Type', 'application/json')])
    facts = {
        'argv': sys.argv,
        'executable': sys.executable,
        'optimize': sys.flags.optimize,
        'no_site': sys.flags.no_site,
        'path': sys.path,
        'cwd': os.getcwd(),
        'affinity': len(os.sched_getaffinity(0)),
        'stack': threading.stack_size(),
        'nickname': nickname.WHO,
        'second': second.__name__,
        'early': [IMPORTED_BEFORE[0], IMPORTED_BEFORE[1] == os.getppid()],
        'shared': sys.modules['shared'].PID == os.getppid(),
        'wrapper': 'wsgi.file_wrapper' in env,
        'nice': os.nice(0),
        'files': __import__('resource').getrlimit(__import__('resource').RLIMIT_NOFILE),
        'processes': __import__('resource').getrlimit(__import__('resource').RLIMIT_NPROC)[0],
        'environ': {name: os.environ.get(name) for name in ('FROM_DIR', 'GONE', 'EMPTY', 'HOME', 'OVER')},
    }
    return [json.dumps(facts).encode()]
