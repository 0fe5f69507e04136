"""A connection that breaks while jobs run: they go on, and come back with their results."""

import socket
import threading

OK = 0


class Relay:
    """A TCP relay in front of a head, whose connections can be cut at any moment."""

    def __init__(self, endpoint):
        host, port = endpoint[len("tcp://"):].rsplit(":", 1)
        self.target, self.pairs, self.lock = (host, int(port)), [], threading.Lock()
        self.server = socket.create_server(("127.0.0.1", 0))
        self.endpoint = "tcp://127.0.0.1:%d" % self.server.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                near = self.server.accept()[0]
                far = socket.create_connection(self.target)
            except OSError:
                return
            with self.lock:
                self.pairs += [near, far]
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self.carry, args=(source, sink), daemon=True).start()

    @staticmethod
    def carry(source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def cut(self):
        with self.lock:
            for end in self.pairs:
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
            self.pairs = []

    def close(self):
        try:
            self.server.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.server.close()
        self.cut()


def test_jobs_outlive_their_connection(weft, tmp_path):
    """Four jobs run while the connection is cut three times; each runs once, and ends well."""
    runs, go = tmp_path / "runs", tmp_path / "go"
    command = "echo {} >> %s; echo begun {}; while ! test -e %s; do sleep 0.05; done; echo ended {}" % (runs, go)
    head = weft.start("ventilator", "-v", "-b", "tcp://127.0.0.1:0", "--line-buffer", "-t", command, ":::", "1", "2",
                      "3", "4")
    relay = Relay(head.endpoint)
    try:
        worker = weft.start("worker", "-c", relay.endpoint, "-j4")
        head.out.wait(lambda data: data.count(b"begun") == 4, "four jobs that run")
        for times in range(1, 4):
            relay.cut()
            head.talk.wait(lambda talk: talk.count(b" is back, with 4 jobs") == times, "the worker's return")
        go.touch()
        assert head.wait() == OK, head.talk.data
        assert worker.wait() == OK, worker.talk.data
    finally:
        relay.close()
    assert sorted(runs.read_text().split()) == ["1", "2", "3", "4"]
    assert head.out.data.count(b"ended") == 4


def test_who_does_not_come_back_is_replaced(weft, tmp_path):
    """A worker on another host cannot be seen to be dead: its job waits for `reattach`, then runs elsewhere."""
    go = tmp_path / "go"
    head = weft.start("ventilator", "-v", "-b", "tcp://127.0.0.1:0", "--reattach", "50ms", "--line-buffer",
                      "echo begun; while ! test -e %s; do sleep 0.05; done # {}" % go, ":::", "1")
    relay = Relay(head.endpoint)
    try:
        first = weft.start("worker", "-c", relay.endpoint)
        head.out.wait(lambda data: b"begun" in data, "the job")
        relay.close()
        head.expect_talk("is lost: it did not come back")
        second = weft.start("worker", "-c", head.endpoint)
        go.touch()
        assert head.wait() == OK, head.talk.data
        assert second.wait() == OK
        first.kill()
    finally:
        relay.close()
    assert head.out.data.count(b"begun") == 2
