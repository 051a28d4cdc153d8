"""Reads an answer over a plain socket, as programs in C do: a reset is a reset here, even behind data that has come.

Arguments: the port; a request on the standard input. Writes `end` or `reset`, and how many bytes came before.
"""

import socket
import sys

connection = socket.create_connection(('127.0.0.1', int(sys.argv[1])))
connection.sendall(sys.stdin.buffer.read())
count = 0
try:
    while True:
        data = connection.recv(65536)
        if not data:
            print('end', count)
            break
        count += len(data)
        if count == len(data):
            print('begun', flush=True)
except ConnectionResetError:
    print('reset', count)
