"""What the application tells the server and asks of it, by way of `import uwsgi`.

The zygote has the control channel; a worker has a socket to its zygote, which passes on what it says. The server takes
nothing of it on trust (src/worker/app-signals.ts). Nothing here is used by a request that does not call for it.
"""

import json
import select
import socket
import threading

#: How long the server may take to answer. It is its main thread that does, so more than this means trouble.
ANSWER_SECONDS = 2
LONGEST_MESSAGE = 1 << 18

#: Whether what is said comes from loading the application: then the same is said in each process that loads it.
loading = True

_tell_control = None  # in the zygote
_socket = None  # in a worker
_asking = threading.Lock()
_number = 0


def pair():
    """A socket for the zygote and one for a worker. Messages stay apart, and the end of the worker is seen."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def enter_zygote(tell_control):
    global _tell_control
    _tell_control = tell_control


def enter_worker(its_socket):
    """After the fork: the control channel is the zygote's alone."""
    global _tell_control, _socket, _asking
    _tell_control = None
    _socket = its_socket
    _asking = threading.Lock()


def loaded():
    """From now on what is said is said once."""
    global loading
    loading = False


def tell(**said):
    if _socket is None:
        _tell_control('said', place=-1, said=said)
    else:
        _socket.send(json.dumps({'said': said}).encode())


def ask(about):
    """The server's answer, or None: it has none, or this is the zygote, which is too early to ask."""
    global _number
    if _socket is None:
        return None
    with _asking:
        _number += 1
        _socket.send(json.dumps({'about': about, 'number': _number}).encode())
        _socket.settimeout(ANSWER_SECONDS)
        try:
            while True:
                answer = json.loads(_socket.recv(LONGEST_MESSAGE))
                if answer['number'] == _number:  # or it came too late for the question before
                    return answer['answer']
        except (socket.timeout, ValueError):
            return None
        finally:
            _socket.settimeout(None)


class Lines:
    """The zygote's ends: a socket per worker, by its descriptor."""

    def __init__(self, tell_control, poll):
        self.tell_control = tell_control
        self.poll = poll
        self.open = {}  # descriptor -> (socket, place)

    def add(self, its_socket, place):
        its_socket.setblocking(False)
        self.open[its_socket.fileno()] = (its_socket, place)
        self.poll.register(its_socket, select.POLLIN)

    def close_all(self):
        """In a worker: these are not its own."""
        for its_socket, _ in self.open.values():
            its_socket.close()

    def pass_on(self, fd):
        """Tells the server what the worker behind `fd` has said. A worker that has gone mad can say anything."""
        its_socket, place = self.open[fd]
        try:
            data = its_socket.recv(LONGEST_MESSAGE)
        except BlockingIOError:
            return
        except OSError:
            data = b''
        if not data:
            self.poll.unregister(its_socket)
            its_socket.close()
            del self.open[fd]
            return
        try:
            message = json.loads(data)
            if 'said' in message:
                self.tell_control('said', place=place, said=message['said'])
            else:
                self.tell_control('asked', place=place, about=str(message['about']), number=int(message['number']))
        except (ValueError, TypeError, KeyError):
            pass

    def answer(self, place, number, answer):
        data = json.dumps({'number': number, 'answer': answer}).encode()
        for its_socket, its_place in self.open.values():
            if its_place == place:
                try:
                    its_socket.send(data)
                except OSError:
                    pass  # it has ended, or does not read: then it gets none
