#!/usr/bin/python3
"""The dozen lines of pyzmq that people write today for weft push and weft pull."""
import sys
import zmq

context = zmq.Context()
if sys.argv[1] == "push":
    socket = context.socket(zmq.PUSH)
    socket.connect(sys.argv[2])
    for line in sys.stdin.buffer:
        socket.send(line.rstrip(b"\n"))
else:
    socket = context.socket(zmq.PULL)
    socket.bind(sys.argv[2])
    for _ in range(int(sys.argv[3])):
        sys.stdout.buffer.write(socket.recv() + b"\n")
