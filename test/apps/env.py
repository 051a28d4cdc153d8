"""Answers with the names of the environment variables of systemd that it sees, and with the sockets it has inherited."""

import json
import os


def application(environ, start_response):
    names = [name for name in os.environ if name.startswith('LISTEN_')]
    start_response('200 OK', [('Content-Type', 'application/json')])
    return [json.dumps(names).encode()]
