"""Every format in and out, through weft push and weft pull."""

import base64
import json
import random
import re

import pytest

BINARY = bytes(range(256))
MESSAGES = [[b"plain"], [b""], [b"two", b"frames"], [b"", b"", b""], [b"caf\xc3\xa9 \xf0\x9f\x98\x80"], [b'"\\\r'],
            [BINARY, b"x" * 100_000, bytes(random.Random(1).randbytes(5000))]]
TEXT = [[b"plain"], [b""], [b"a\0b\r"], [b"two", b"frames", b""], [b"x" * 100_000]]


def delimited(end):
    return lambda frames: b"\t".join(frames) + end


def len32(frames):
    text = b""
    for i, frame in enumerate(frames):
        text += (len(frame) | (0x80000000 if i < len(frames) - 1 else 0)).to_bytes(4, "big") + frame
    return text


def to_hex(frames):
    return b" ".join(frame.hex().encode() or b"-" for frame in frames) + b"\n"


def json_frame(frame):
    try:
        text = frame.decode()
    except UnicodeDecodeError:
        text = "\0"
    return {"base64": base64.b64encode(frame).decode()} if "\0" in text else text


def to_json(frames):
    return json.dumps({"frames": [json_frame(frame) for frame in frames]}).encode() + b"\n"


WRITE = {"lines": delimited(b"\n"), "nul": delimited(b"\0"), "len32": len32, "hex": to_hex, "json": to_json}


def through(weft, somewhere, push, pull, data):
    """What push reads and pull writes."""
    receiver = weft.start("pull", somewhere, "--until-gone", *pull)
    assert weft.run("push", receiver.endpoint, *push, input=data) == (0, b"", "")
    assert receiver.wait() == 0, receiver.talk.data
    return receiver.out.data


def without_time(line):
    message = json.loads(line)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", message.pop("time"))
    return message


@pytest.mark.parametrize("name", ["len32", "hex", "json"])
def test_binary_formats(weft, somewhere, name):
    text = through(weft, somewhere, ["--" + name], ["--" + name], b"".join(map(WRITE[name], MESSAGES)))
    if name != "json":
        assert text == b"".join(map(WRITE[name], MESSAGES))
        return
    for line, frames in zip(text.splitlines(), MESSAGES, strict=True):
        assert without_time(line) == {"size": sum(map(len, frames)), "frames": list(map(json_frame, frames))}


@pytest.mark.parametrize("name", ["lines", "nul"])
@pytest.mark.parametrize("separator", [None, "\\t"])
def test_text_formats(weft, somewhere, name, separator):
    options = ["--" + name] + (["--separator", separator] if separator else [])
    messages = [[b"".join(frames).replace(b"\0", b"" if name == "nul" else b"\0")] for frames in TEXT]
    if separator:
        messages = [[b"two", b"frames", b""], [b"one"], [b"", b""]]
    data = b"".join(map(WRITE[name], messages))
    assert through(weft, somewhere, options, options, data) == data
    as_hex = through(weft, somewhere + "2" if somewhere.startswith("ipc") else somewhere, options, ["--hex"], data)
    assert as_hex == b"".join(map(to_hex, messages))


def test_nul_in_a_line_is_data(weft, somewhere):
    assert through(weft, somewhere, [], ["--hex"], b"a\0b\r\n\0\n") == b"6100620d\n00\n"


def test_last_line_without_newline(weft, somewhere):
    assert through(weft, somewhere, [], [], b"one\ntwo") == b"one\ntwo\n"


@pytest.mark.parametrize("data", [b"", b"one\ntwo\0", BINARY * 20_000], ids=["empty", "short", "large"])
def test_raw(weft, somewhere, data):
    """All of the input is one message, and the output is its bytes."""
    receiver = weft.start("pull", somewhere, "--raw", "--count", "1")
    assert weft.run("push", receiver.endpoint, "--raw", input=data) == (0, b"", "")
    assert receiver.wait() == 0
    assert receiver.out.data == data


def test_nothing_to_send(weft, somewhere):
    """No input is no message; nobody is waited for."""
    for name in ("lines", "nul", "len32", "hex", "json"):
        status, output, _talk = weft.run("push", "-b", "tcp://127.0.0.1:0", "--" + name, "--timeout", "20s")
        assert (status, output) == (0, b"")


def test_input_and_output_differ(weft, somewhere):
    rep = weft.start("rep", somewhere, "--echo")
    assert weft.run("req", rep.endpoint, "--input", "hex", "--output", "nul", input=b"610a62\n") == (0, b"a\nb\0", "")


def test_template(weft, somewhere):
    text = through(weft, somewhere, ["--len32"], ["--format", "%n|%f|%z|%1|%b|%s|%x|100%%\\x21\\0\\n"],
                   len32([b"top", b"a\0"]) + len32([b"one"]))
    assert text == b"1|2|5|top|a\0|top\ta\0|746f70 6100|100%!\0\n" + b"2|1|3|one|one|one|6f6e65|100%!\0\n"


def test_template_of_topics_and_time(weft, somewhere):
    pub = weft.start("pub", "-b", somewhere, "--wait-subs", "1", "-t", "news", input=b"hello\n")
    sub = weft.start("sub", pub.endpoint, "-t", "ne", "--count", "1", "--format", "%t %b %T %u %j\\n")
    assert sub.wait() == 0
    topic, body, time, seconds, rest = sub.out.data.decode().split(" ", 4)
    assert (topic, body) == ("news", "hello")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", time)
    assert re.fullmatch(r"\d{10,}\.\d{6}", seconds)
    message = json.loads(rest)
    assert message == {"topic": "news", "size": 9, "time": time, "frames": ["news", "hello"]}


def test_json_takes_data_and_topic(weft, somewhere):
    data = b'{"topic":"t","data":"x"}\n{"data":{"base64":"AP8="},"other":[1,{"a":null}]}\n'
    assert through(weft, somewhere, ["--json"], ["--hex"], data) == b"74 78\n00ff\n"


def test_newline_in_the_body_is_told_once(weft, somewhere):
    receiver = weft.start("pull", somewhere, "--until-gone")
    assert weft.run("push", receiver.endpoint, "--hex", input=b"610a62\n630a64\n")[0] == 0
    status, output, talk = receiver.result()
    assert (status, output) == (0, b"a\nb\nc\nd\n")
    assert talk.count("--len32") == 1
