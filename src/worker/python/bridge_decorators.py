"""`import uwsgidecorators`, where the module of uWSGI is not installed: the decorators that mean something here.

uWSGI's own module works too (it is found first): it assigns uwsgi.post_fork_hook, as this one does.
Decided elsewhere: when hooks are called (bridge.py).
"""

import functools
import threading

import uwsgi

postfork_chain = []


def postfork(function):
    """Calls `function` in each worker, after the fork and before the first request; several in the order of their coming."""
    postfork_chain.append(function)
    return function


def postfork_chain_hook():
    for function in postfork_chain:
        function()


uwsgi.post_fork_hook = postfork_chain_hook


def thread(function):
    """Runs each call of `function` in a thread of its own, and returns the thread."""
    @functools.wraps(function)
    def start(*args, **kwargs):
        started = threading.Thread(target=function, args=args, kwargs=kwargs, daemon=True)
        started.start()
        return started
    return start


class harakiri:
    """Limits the time that a request may take from the call of the function on: `@harakiri(30)`."""

    def __init__(self, seconds):
        self.seconds = seconds

    def __call__(self, function):
        @functools.wraps(function)
        def limited(*args, **kwargs):
            uwsgi.set_user_harakiri(self.seconds)
            try:
                return function(*args, **kwargs)
            finally:
                uwsgi.set_user_harakiri(0)
        return limited
