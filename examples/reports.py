# Decides who may have a file, and leaves it to the server to send it.
import os


def application(environ, start_response):
    name = os.path.basename(environ['PATH_INFO'])
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'reports', name)
    if not os.path.isfile(path):
        start_response('404 Not Found', [('Content-Type', 'text/plain')])
        return [b'no such report\n']
    start_response('200 OK', [('X-Sendfile', path), ('Content-Disposition', 'attachment')])
    return []
