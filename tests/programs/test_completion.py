"""Completion in a real bash, on a terminal of its own: what is typed, a tab, and what weft then gets."""

import os
import pty
import re
import select
import subprocess
import time

import pytest

from running import LIMIT, WEFT

COMMON = "/usr/share/bash-completion/bash_completion"     # what most systems load before


class Shell:
    """An interactive bash in which weft only tells its arguments."""

    def __init__(self, tmp_path):
        script = tmp_path / "weft.bash"
        script.write_bytes(subprocess.check_output([WEFT, "help", "--completion", "bash"]))
        self.data, self.terminal = b"", None
        self.terminal, child = pty.openpty()
        self.process = subprocess.Popen(["bash", "--noprofile", "--norc", "-i"], cwd=tmp_path, stdin=child,
                                        stdout=child, stderr=child, start_new_session=True,
                                        env={"PATH": os.environ["PATH"], "TERM": "dumb", "HOME": str(tmp_path),
                                             "INPUTRC": "/dev/null", "HISTFILE": ""})
        os.close(child)
        if os.path.exists(COMMON):
            self.type("source " + COMMON + "\n")
        self.type("source ./weft.bash; weft () { printf '<%s>' \"$@\"; echo; }; echo rea''dy\n")
        self.wait(rb"ready")

    def type(self, text):
        os.write(self.terminal, text.encode())

    def wait(self, pattern):
        deadline = time.monotonic() + LIMIT
        while not re.search(pattern, self.data):
            left = deadline - time.monotonic()
            assert left > 0 and select.select([self.terminal], [], [], left)[0], self.data[-2000:]
            self.data += os.read(self.terminal, 4096)

    def end(self):
        self.process.kill()
        self.process.wait(LIMIT)
        os.close(self.terminal)


@pytest.fixture
def shell(terminals, tmp_path):
    shell = Shell(tmp_path)
    yield shell
    shell.end()


@pytest.mark.parametrize("typed, arguments", [
    ("weft he", "<help>"),
    ("weft req --ti", "<req><--timeout>"),
    ("weft req tcp://127.0.0.1:5555 --retry-delay-", "<req><tcp://127.0.0.1:5555><--retry-delay-max>"),
    ("weft help ven", "<help><ventilator>"),
    ("weft proxy queue --rep", "<proxy><queue><--reply-timeout>"),
    ("weft push ipc://som", "<push><ipc://som>"),
    ("weft key rev", "<key><revoke>"),
    ("weft key --pub", "<key><--public>"),
    ("weft proxy str", "<proxy><streamer>"),
    ("weft bridge ht", "<bridge><http>"),
    ("weft help bridge w", "<help><bridge><ws>"),
    ("weft bridge tcp --fr", "<bridge><tcp><--framing>"),
    ("weft bridge tcp --framing net", "<bridge><tcp><--framing><netstring>"),
    ("weft run --durability g", "<run><--durability><group>"),
    ("weft bridge http --r", "<bridge><http><--r>"),       # --root, --req, ...
    ("weft bridge udp --tl", "<bridge><udp><--tl>"),       # which has no TLS
    ("weft bridge udp --listen 127.0.0.1:0 --amp", "<bridge><udp><--listen><127.0.0.1:0><--amplify>"),
])
def test_a_word_is_completed(shell, typed, arguments):
    shell.type(typed + "\t\n")
    shell.wait(re.escape(arguments).encode() + rb"\r?\n")
