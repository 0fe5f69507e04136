"""A TCP relay whose connections stall, break and end in the middle of a message."""

import random
import socket
import struct
import threading


class Relay:
    """In front of a head: `target` () is its (host, port), or None when there is none."""

    def __init__(self, target, seed):
        self.target, self.random = target, random.Random(seed)
        self.pairs, self.lock, self.flowing = [], threading.Lock(), threading.Event()
        self.closed, self.halve = False, False
        self.flowing.set()
        self.server = socket.create_server(("127.0.0.1", 0))
        self.endpoint = "tcp://127.0.0.1:%d" % self.server.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while not self.closed:
            try:
                near = self.server.accept()[0]
            except OSError:
                return
            try:
                target = self.target() if self.flowing.is_set() else None
                if target is None:
                    raise ConnectionRefusedError
                far = socket.create_connection(target)
            except OSError:
                self.reset(near)
                continue
            with self.lock:
                self.pairs.append((near, far))
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self.carry, args=(source, sink), daemon=True).start()

    def carry(self, source, sink):
        try:
            while data := source.recv(65536):
                self.flowing.wait()
                if self.halve:
                    self.halve = False
                    sink.sendall(data[:self.random.randrange(len(data))])
                    break
                sink.sendall(data)
        except OSError:
            pass
        self.part(source, sink)

    def part(self, source, sink):
        """The one that ends takes its other half with it, as a process that dies does."""
        with self.lock:
            mine = [pair for pair in self.pairs if source in pair]
            self.pairs = [pair for pair in self.pairs if source not in pair]
        for pair in mine:
            for end in pair:
                self.shut(end)
        source.close()

    @staticmethod
    def shut(end):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    @staticmethod
    def reset(end):
        try:
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        except OSError:
            pass
        end.close()

    def cut(self):
        with self.lock:
            for pair in self.pairs:
                for end in pair:
                    self.shut(end)

    def cut_within_a_message(self):
        self.halve = True

    def stall(self):
        """Nothing passes, nobody is told; new connections are refused."""
        self.flowing.clear()

    def flow(self):
        self.flowing.set()

    def close(self):
        self.closed = True
        self.flow()
        self.shut(self.server)
        self.server.close()
        self.cut()
