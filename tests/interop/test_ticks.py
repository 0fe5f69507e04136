"""examples/ticks.zpl in a browser that others wrote: its page shows what is published, and what is missing."""

import json
import os
import re

import pytest

from running import ANY_TCP, WEFT

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
OK, LOSS = 0, 6


class Page:
    """node/ticks.js, driven by lines."""

    def __init__(self, program):
        self.program, self.lines = program, 0

    def ask(self, line):
        self.lines += 1
        self.program.write((line + "\n").encode())
        answer = self.program.out.wait(lambda data: data.count(b"\n") >= self.lines and data.splitlines()[-1], line)
        return json.loads(answer)


@pytest.fixture
def page(weft, chromium):
    """page (URL): it, in the browser."""
    command, environment = chromium("ticks.js")
    return lambda url: Page(weft.command([*command, url], input=weft.OPEN, env=environment))


@pytest.fixture
def fabric(weft, tmp_path):
    """The example, at ports of its own: its address for browsers, and for those who publish."""
    with open(os.path.join(TOP, "examples", "ticks.zpl")) as file:
        text = file.read().replace("127.0.0.1:8000\n", "127.0.0.1:0\n").replace("tcp://127.0.0.1:8001 ", ANY_TCP + " ")
    assert text.count("127.0.0.1:0") == 2
    (tmp_path / "ticks.zpl").write_text(text)
    program = weft.start("up", str(tmp_path / "ticks.zpl"), cwd=TOP)
    program.expect_talk("^weft up: ready$")
    found = [program.expect_talk(pattern).group(1).decode()
             for pattern in (r"ticks: http listening on (\S+)$", r"ticks: sub listening on (\S+)$")]
    yield found
    program.signal()
    assert program.wait() in (OK, LOSS), program.talk.data         # a page that was cut off had not taken all
    assert not re.search(rb"failed", program.talk.data)


def test_ticks_move_and_gaps_are_told(weft, fabric, page):
    address, endpoint = fabric
    shown = page("http://%s/" % address)
    feed = weft.start("pub", "-c", endpoint, "--wait-subs", "1", input=weft.OPEN)
    shown.ask("wait #state live")
    for line, text in (("A 7 10.5", ".value 10.5"), ("A 8 10.25", ".value 10.25"), ("<b>B</b> 1 -3", "h2 <b>B</b>"),
                       ("nothing\nA 9 11.00", ".value 11.00")):
        feed.write((line + "\n").encode())
        shown.ask("wait " + text)
    assert shown.ask("cards") == [["<b>B</b>", "-3", "#1", "", True], ["A", "11.00", "#9", "", True]]

    feed.write(b"A 13 12.0\n")
    shown.ask("wait .gap 3 missed, last #10–#12")
    shown.ask("cut")
    shown.ask("wait #state trying again")
    shown.ask("wait #state live")
    for line, text in (("A 14 13.0", ".number #14"), ("A 16 14.0", ".gap 4 missed, last #15"),
                       ("A 1 15.0", ".value 15.0")):
        feed.write((line + "\n").encode())
        shown.ask("wait " + text)
    assert shown.ask("cards")[1] == ["A", "15.0", "#1", "4 missed, last #15", True]


def test_the_feed_of_the_example_is_read(weft, fabric, page):
    """A symbol is a topic."""
    address, endpoint = fabric
    shown = page("http://%s/?topic=OIL" % address)
    feed = weft.command([os.path.join(TOP, "examples", "ticks.sh"), endpoint, "1ms"],
                        env={**os.environ, "WEFT": os.path.abspath(WEFT)})
    shown.ask("wait h2 OIL")
    shown.ask("wait .value 7")
    cards = shown.ask("cards")
    assert len(cards) == 1 and re.fullmatch(r"\d\d\.\d\d\d", cards[0][1]) and cards[0][4]
    feed.signal()
    feed.wait()
