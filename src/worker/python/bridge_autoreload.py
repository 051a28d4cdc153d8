"""Reloads the application when one of its modules was changed (uWSGI's --py-autoreload), for development.

Each worker looks, in a thread of its own, because each may have imported modules that no other has. So that one change is
told once, however many workers see it, there is a token, a byte in a pipe that they share: who holds it tells.
Decided elsewhere: what a reload is (src/lifecycle/supervisor.ts).
"""

import os
import signal
import sys
import threading
import time

import bridge_wsgi

OWN_DIRECTORY = os.path.dirname(os.path.abspath(__file__))


class Autoreload:
    """Made in the zygote, so that its workers share the token; started in each worker."""

    def __init__(self, seconds, ignored, server_pid):
        self.seconds = seconds
        self.ignored = ignored
        self.server_pid = server_pid
        self.take, self.give = os.pipe()
        os.set_blocking(self.take, False)
        os.write(self.give, b'!')
        self.seen = {}  # file -> modification time in ns

    def start(self):
        """In a worker, when the application is loaded: notes what the files look like and begins to look."""
        self.look()
        threading.Thread(target=self.run, name='uWSGIAutoreload', daemon=True).start()

    def run(self):
        while True:
            time.sleep(self.seconds)
            changed = self.look()
            if changed:
                self.tell(changed)

    def files(self):
        for name, module in list(sys.modules.items()):
            if name in self.ignored:
                continue
            path = getattr(module, '__file__', None)
            if not isinstance(path, str):
                continue
            path = path[:-1] if path.endswith('.pyc') else path
            if os.path.dirname(path) != OWN_DIRECTORY:
                yield path

    def look(self):
        """The files that have changed since they were seen last; one that is seen for the first time has not."""
        changed = []
        for path in self.files():
            try:
                time_ns = os.stat(path).st_mtime_ns
            except OSError:
                continue  # it is just being replaced, and is seen again
            if self.seen.setdefault(path, time_ns) != time_ns:
                self.seen[path] = time_ns
                changed.append(path)
        return changed

    def tell(self, changed):
        try:
            os.read(self.take, 1)
        except BlockingIOError:
            return  # somebody else tells
        for path in changed:
            bridge_wsgi.log('[uwsgi-python-reloader] module/file %s has been modified' % path)
        os.kill(self.server_pid, signal.SIGHUP)
        time.sleep(2 * self.seconds)  # everybody has seen the change by then
        os.write(self.give, b'!')
