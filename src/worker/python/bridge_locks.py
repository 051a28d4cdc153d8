"""uwsgi.lock(), unlock() and is_locked(): locks that the workers of an app share.

Each is a byte of the arena's file, locked by the kernel on behalf of an open file; so it is free again when the process
that has it ends, however that comes about. Between the threads of a process a lock of Python stands in front, because to the
kernel they are one. The arena outlives reloads, so old and new workers have the same locks.
"""

import fcntl
import os
import struct
import threading

# Of Linux, the same on all machines that nuwsgi runs on; Python names them from 3.9 on.
_F_OFD_GETLK, _F_OFD_SETLK, _F_OFD_SETLKW = 36, 37, 38
_FLOCK = struct.Struct('@hhqqi4x')  # type, whence, start, length, pid


class Locks:
    """`highest`: the number of the last one, from 0. `fd`: any file that all workers have open for writing."""

    def __init__(self, fd, highest):
        self.shared_fd = fd
        self.highest = highest
        self.own_fd = None
        self.forget()
        os.register_at_fork(after_in_child=self.forget)

    def forget(self):
        """A new process holds no lock, and its parent's file must not keep one locked."""
        if self.own_fd is not None:
            os.close(self.own_fd)
        self.own_fd = None
        self.in_front = [threading.Lock() for _ in range(self.highest + 1)]
        self.opening = threading.Lock()

    def _open(self):
        return os.open('/proc/self/fd/%d' % self.shared_fd, os.O_RDWR | os.O_CLOEXEC)

    def _file(self):
        with self.opening:
            if self.own_fd is None:
                self.own_fd = self._open()
            return self.own_fd

    def _checked(self, number):
        if not 0 <= number <= self.highest:
            raise ValueError('Invalid lock number')
        return number

    def lock(self, number=0):
        """Waits until the lock is free, and takes it."""
        in_front = self.in_front[self._checked(number)]
        in_front.acquire()
        try:
            fcntl.fcntl(self._file(), _F_OFD_SETLKW, _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, number, 1, 0))
        except BaseException:  # harakiri, say
            in_front.release()
            raise

    def unlock(self, number=0):
        """Of a lock that this process does not have, nothing happens."""
        in_front = self.in_front[self._checked(number)]
        if in_front.locked():
            fcntl.fcntl(self._file(), _F_OFD_SETLK, _FLOCK.pack(fcntl.F_UNLCK, os.SEEK_SET, number, 1, 0))
            try:
                in_front.release()
            except RuntimeError:
                pass  # another thread was faster

    def is_locked(self, number=0):
        """Whether anybody has it, this process included."""
        fd = self._open()  # a file that holds nothing, so every lock is another's
        try:
            found = fcntl.fcntl(fd, _F_OFD_GETLK, _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, self._checked(number), 1, 0))
        finally:
            os.close(fd)
        return _FLOCK.unpack(found)[0] != fcntl.F_UNLCK
