"""The chat page of weft up in a browser that others wrote: Chromium, driven by playwright."""

import json
import os
import re
import shutil
import subprocess

import pytest

from running import LIMIT

HERE = os.path.dirname(os.path.abspath(__file__))


@pytest.fixture
def browser(tmp_path):
    """Runs chat.js, which leaves nothing outside of the test's folder."""
    if not shutil.which("chromium"):
        pytest.skip("there is no chromium")
    probe = subprocess.run(["node", "-e", "require('playwright-core')"], cwd=HERE, capture_output=True, timeout=60)
    if probe.returncode != 0:
        pytest.skip("there is no playwright-core: npm ci in tests/interop installs it")

    def run(url):
        return subprocess.run(["node", HERE + "/node/chat.js", url], capture_output=True, text=True, timeout=6 * LIMIT,
                              env={**os.environ, "HOME": str(tmp_path), "TMPDIR": str(tmp_path)})
    return run


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
