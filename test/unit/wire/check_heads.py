"""Checks heads with bridge_wsgi.make_head: one JSON [status, headers] per line in, one JSON result per line out.

argv[1]: the directory of bridge_wsgi.py. A list in a list of headers becomes a tuple, as WSGI has it.
"""

import json
import sys

sys.path.insert(0, sys.argv[1])
import bridge_wsgi  # noqa: E402

bridge_wsgi.log = lambda text: None
for line in sys.stdin:
    status, headers = json.loads(line)
    if isinstance(headers, list):
        headers = [tuple(header) if isinstance(header, list) else header for header in headers]
    try:
        code, head, length, flags, fields = bridge_wsgi.make_head(status, headers)
        result = {'status': code, 'text': head.decode('latin-1'), 'length': length,
                  'dated': bool(flags & bridge_wsgi.DATED), 'fields': fields}
    except bridge_wsgi.BrokenAnswer as error:
        result = {'refused': str(error)}
    print(json.dumps(result), flush=True)
