"""The chat page of weft up in a browser that others wrote: Chromium, driven by playwright."""

import json
import re
import subprocess

import pytest

from running import LIMIT


@pytest.fixture
def browser(chromium):
    """Runs chat.js."""
    command, environment = chromium("chat.js")
    return lambda url: subprocess.run([*command, url], capture_output=True, text=True, timeout=6 * LIMIT,
                                      env=environment)


def test_two_tabs_talk(weft, browser):
    """What one says the other shows, as text and not as a page's source; both show all in one order."""
    program = weft.start("up", "--any-port")
    address = program.expect_talk(r"^weft up: chat: ws listening on (\S+)$").group(1).decode()
    program.expect_talk("^weft up: ready$")
    done = browser("http://%s/" % address)
    assert (done.returncode, done.stderr) == (0, "")
    lines = ["one:hello <b>there</b>", "two:grüß dich \U0001f642"]
    assert [json.loads(line) for line in done.stdout.splitlines()] == [lines, lines]
    program.signal()
    assert program.wait() == 0, program.talk.data
    assert not re.search(rb"failed", program.talk.data)
