#!/usr/bin/env python3
"""Stands in for the interpreter, and hands it a copy of the shared memory: what is written there reaches nobody."""

import os
import sys

ARENA_FD = 4
size = os.fstat(ARENA_FD).st_size
copy = os.memfd_create('copy')
os.ftruncate(copy, size)
os.pwrite(copy, os.pread(ARENA_FD, 65536, 0), 0)
os.dup2(copy, ARENA_FD)
os.execvp('python3', ['python3'] + sys.argv[1:])
