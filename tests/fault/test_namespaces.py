"""A pool with keys over a network: its head in one network namespace, its workers in another.

The test makes both, and the cable between them, and takes them away again."""

import itertools
import os
import re
import subprocess

import pytest

from running import LIMIT

NOT_AUTHORISED = 5
NUMBERS = itertools.count()


class Network:
    """Two namespaces with a cable; `head` has the address `address`."""

    address = "10.99.47.1"

    def __init__(self):
        number = "%d-%d" % (os.getpid(), next(NUMBERS))
        self.head, self.away = "weft-head-" + number, "weft-away-" + number

    def lay(self):
        ends = ["w%dh" % os.getpid(), "w%da" % os.getpid()]
        self.ip("netns", "add", self.head)
        self.ip("netns", "add", self.away)
        self.ip("-n", self.head, "link", "add", ends[0], "type", "veth", "peer", "name", ends[1], "netns", self.away)
        for name, end, address in ((self.head, ends[0], self.address), (self.away, ends[1], "10.99.47.2")):
            self.ip("-n", name, "address", "add", address + "/30", "dev", end)
            self.ip("-n", name, "link", "set", end, "up")
            self.ip("-n", name, "link", "set", "lo", "up")

    @staticmethod
    def ip(*arguments):
        done = subprocess.run(["ip", *arguments], capture_output=True, text=True, timeout=LIMIT)
        if done.returncode != 0:
            pytest.skip("no network namespaces: ip %s: %s" % (" ".join(arguments[:3]), done.stderr.strip()[-120:]))

    def take_up(self):
        for name in (self.head, self.away):
            subprocess.run(["ip", "netns", "delete", name], capture_output=True, timeout=LIMIT)


@pytest.fixture
def network():
    made = Network()
    try:
        made.lay()
        yield made
    except FileNotFoundError:
        pytest.skip("no network namespaces: there is no ip (iproute2)")
    finally:
        made.take_up()


class Pool:
    """A head with keys, that takes jobs as they are written to it, and workers whose keys it may know."""

    def __init__(self, weft, network, folder):
        self.weft, self.network, self.folder = weft, network, folder
        self.server = self.key("server", "new", "server")
        self.head = self.run(network.head, "server", "ventilator", "--key", "server", "--reattach", "100ms",
                             "-b", "tcp://*:0", "-a", "-", "sh -c", input=weft.OPEN)
        self.port = self.head.endpoint.rsplit(":", 1)[1]

    def environment(self, who):
        return {**os.environ, "WEFT_KEYS": str(self.folder / who), "WHO": who}

    def key(self, who, *arguments):
        status, output, talk = self.weft.run("key", *arguments, env=self.environment(who))
        assert status == 0, talk
        return output.decode().strip()

    def new(self, who):
        return self.key(who, "new", who)

    def allow(self, who, public, *more):
        self.key("server", "allow", who, public, *more)

    def run(self, namespace, who, *arguments, **options):
        command = ["ip", "netns", "exec", namespace, os.path.abspath(os.environ.get("WEFT", "build/weft")), *arguments]
        return self.weft.command(command, env=self.environment(who), **options)

    def worker(self, who, keys=True):
        secured = ["--key", who, "--server-key", self.server] if keys else []
        return self.run(self.network.away, who, "worker", "-j", "1", *secured, "-c",
                        "tcp://%s:%s" % (self.network.address, self.port))

    def job(self, line):
        self.head.write(line.encode() + b"\n")

    def expect_line(self, line):
        self.head.out.wait(lambda data: line.encode() in data.splitlines(), "line %r" % line)

    def fingerprint(self, who):
        return re.search(r'"fingerprint":"([^"]+)"', self.key(who, "show", who, "--json")).group(1)

    def refused(self, worker, words, head_words):
        """It has ended as one does who is not let in, and both sides say why."""
        status, _output, talk = worker.result()
        assert status == NOT_AUTHORISED, talk
        assert re.search(words, talk), talk
        self.head.expect_talk(head_words)

    def works(self):
        """The authorised worker does, and nobody else ever did."""
        self.job("echo done by $WHO")
        self.expect_line("done by alice")
        self.head.close_input()
        assert self.head.wait() == 0
        assert set(re.findall(rb"by (\w+)", self.head.out.data)) == {b"alice"}


@pytest.fixture
def pool(weft, network, tmp_path):
    return Pool(weft, network, tmp_path)


def test_an_authorised_worker_works(pool):
    pool.allow("alice", pool.new("alice"), "--for", "worker")
    pool.worker("alice")
    pool.works()


def test_an_unlisted_worker(pool):
    pool.allow("alice", pool.new("alice"))
    public = pool.new("mallory")
    pool.job("echo first by $WHO")
    who = pool.fingerprint("mallory"), re.escape(public)
    pool.refused(pool.worker("mallory"), r"does not let our key in.*%s.*weft key allow NAME '%s'" % who,
                 r"an unknown key \(%s\); to let it in: weft key allow NAME '%s'" % who)
    pool.worker("alice")
    pool.works()


def test_a_worker_that_is_listed_for_something_else(pool):
    pool.allow("alice", pool.new("alice"))
    pool.allow("mallory", pool.new("mallory"), "--for", "sub")
    pool.refused(pool.worker("mallory"), "does not let our key in",
                 r"mallory \(%s\) is allowed, but not to worker" % pool.fingerprint("mallory"))
    pool.worker("alice")
    pool.works()


def test_a_worker_that_was_revoked(pool):
    pool.allow("alice", pool.new("alice"))
    pool.allow("mallory", pool.new("mallory"))
    pool.key("server", "revoke", "mallory")
    pool.refused(pool.worker("mallory"), "does not let our key in",
                 r"mallory \(%s\) was revoked" % pool.fingerprint("mallory"))
    pool.worker("alice")
    pool.works()


def test_a_worker_that_is_revoked_while_it_works(pool):
    """It is put out, and another does its job."""
    pool.allow("mallory", pool.new("mallory"))
    worker = pool.worker("mallory")
    begun = pool.folder / "begun"
    os.mkfifo(begun)
    pool.job("test $WHO = alice || { echo > %s; exec tail -f /dev/null; }; echo again by $WHO" % begun)
    begun.read_text()
    pool.allow("alice", pool.new("alice"))
    pool.key("server", "revoke", "mallory")
    pool.refused(worker, "does not let our key in", r"no longer let in: mallory \(%s\) was revoked" %
                 pool.fingerprint("mallory"))
    pool.worker("alice")
    pool.expect_line("again by alice")
    pool.works()


def test_a_worker_in_clear_text(pool):
    """It sees at once that the head wants keys, and may be gone before that has seen what it is: then it only left."""
    pool.allow("alice", pool.new("alice"))
    seen = b"a peer speaks clear text, and this side wants keys"
    for _ in range(100):
        pool.refused(pool.worker("mallory", keys=False),
                     "the peer wants keys: give our --key, and its public key as --server-key", "listening")
        if seen in pool.head.talk.data:
            break
    pool.head.expect_talk(seen.decode())
    pool.worker("alice")
    pool.works()


def test_a_worker_that_takes_the_head_for_another(pool):
    pool.allow("alice", pool.new("alice"))
    mallory = pool.new("mallory")
    pool.allow("mallory", mallory)
    pool.server, server = mallory, pool.server
    pool.refused(pool.worker("mallory"), "perhaps our --server-key is not its key",
                 "a peer takes us for somebody else: its --server-key is not our key, which is '%s'" %
                 re.escape(server))
    pool.server = server
    pool.worker("alice")
    pool.works()
