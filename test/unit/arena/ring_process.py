"""A CPython worker around the real serving loop, whose application notes every request it is given. For rings.test.ts.

Arguments: the directory of bridge_arena.py, the worker's place, the ledger. Descriptor 3 is the arena, 4 the doorbell;
the layout comes as JSON on the standard input.
"""

import json
import os
import sys

sys.path.insert(0, sys.argv[1])

import bridge_arena  # noqa: E402
import bridge_memory  # noqa: E402

arena = bridge_memory.Arena(3, json.loads(sys.stdin.readline()))
ledger = os.open(sys.argv[3], os.O_WRONLY | os.O_APPEND)


def application(environ, start_response):
    os.write(ledger, environ['ID'].encode() + b'\n')
    start_response('200 OK', [])
    return [b'done']


bridge_arena.Worker(arena, int(sys.argv[2]), int(sys.argv[2]) + 1, application, [{}], 4, os.getppid(), lambda core: None).run()
