"""The README and the guide tell the truth: their lines are typed to a shell, and do what it says.

With one change: a port becomes a socket in the test's own folder, and so do its files, so that tests never meet."""

import hashlib
import os
import re
import subprocess

import pytest

from running import LIMIT, WEFT

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


@pytest.fixture
def typed(tmp_path):
    """Runs a script; what it leaves in the background is told to end. Gives its output."""
    def run(script):
        script = re.sub(r"tcp://127\.0\.0\.1:(\d+)", r"ipc://%s/\1" % tmp_path, script)
        path = "%s:%s" % (os.path.dirname(os.path.abspath(WEFT)), os.environ["PATH"])
        child = subprocess.Popen(["bash", "-c", script + "\nstatus=$?\n[ -z \"$(jobs -p)\" ] || kill $(jobs -p)\n"
                                                         "wait\nexit $status"],
                                 cwd=tmp_path, env={**os.environ, "PATH": path}, start_new_session=True,
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            output, talk = child.communicate(timeout=LIMIT)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, 9)
            output, talk = child.communicate()
            raise AssertionError("goes on; it wrote %r and said %r" % (output[-500:], talk[-2000:])) from None
        assert child.returncode == 0, talk
        return output
    return run


def in_readme(line, more=""):
    """That line, which the README has, and more that it has not."""
    with open(os.path.join(TOP, "README.md"), encoding="utf-8") as file:
        assert "    " + line in file.read(), "the README says it otherwise"
    return line + more + "\n"


def test_exec(typed, tmp_path):
    script = (in_readme("weft rep -b ipc:///tmp/up.sock --exec 'tr a-z A-Z' &") +
              in_readme("echo hello | weft req ipc:///tmp/up.sock --timeout 2s --retries 3"))
    assert typed(script.replace("/tmp", str(tmp_path))) == "HELLO\n"


def test_pipeline(typed):
    assert typed(in_readme("weft pull tcp://127.0.0.1:5557 --until-gone | wc -l &") +
                 in_readme("seq 1000000 | weft push tcp://127.0.0.1:5557") + "wait") == "1000000\n"


def test_topics(typed):
    output = typed(in_readme("weft sub -c tcp://127.0.0.1:5556 -t weather. --count 3 --json &") +
                   in_readme("seq 10 | sed 's/^/weather./' | weft pub -b tcp://127.0.0.1:5556 --wait-subs 1") + "wait")
    assert [line.count('"weather.%d"' % number) > 0 for number, line in enumerate(output.splitlines(), 1)] == [True] * 3


def test_run_on_files(typed, tmp_path):
    line = in_readme("find /usr/share/doc -type f | weft run --bar --joblog log 'sha256sum {}'")
    output = typed(line.replace("/usr/share/doc", os.path.join(TOP, "core")))
    for found in output.splitlines():
        digest, path = found.split("  ")
        with open(path, "rb") as file:
            assert hashlib.sha256(file.read()).hexdigest() == digest
    files = len(os.listdir(os.path.join(TOP, "core")))
    assert len(output.splitlines()) == files
    with open(tmp_path / "log", encoding="utf-8") as log:
        assert len(log.read().splitlines()) == files + 1


def test_run_goes_on(typed, tmp_path):
    """Its second half is run when the first is."""
    (tmp_path / "simulate").write_text("#!/bin/sh\necho $1\n")
    (tmp_path / "simulate").chmod(0o755)
    line = in_readme("weft run --joblog log --resume --results out ./simulate {} :::: cases.txt",
                     "       # goes on where it was interrupted")
    typed("seq 3 > cases.txt\n" + line + "seq 5 > cases.txt\n" + line)
    assert [(tmp_path / "out/1" / str(case) / "stdout").read_text() for case in range(1, 6)] == [
        "%d\n" % case for case in range(1, 6)]
    assert len((tmp_path / "log").read_text().splitlines()) == 6


def test_run_on_many_machines(typed):
    """A worker that comes when all is done waits for another head: it is told to end."""
    output = typed("seq 100 | sed 's/^/echo job /' > jobs.txt\n" +
                   2 * in_readme("weft worker -c tcp://127.0.0.1:6000 -j2", " &") +
                   in_readme("weft ventilator -b tcp://127.0.0.1:6000 jobs.txt"))
    assert sorted(output.splitlines()) == sorted("job %d" % number for number in range(1, 101))


def test_keys(typed, tmp_path):
    """Both sides are this machine, and the keys are what was written when they were made."""
    script = ("export WEFT_KEYS=$PWD/keys\n" +
              "server=$(%s)\n" % in_readme("weft key new server").strip() +
              "alice=$(%s)\n" % in_readme("weft key new alice").strip() +
              in_readme("weft key allow alice 'PUBLIC-KEY-OF-ALICE'") +
              in_readme("weft rep --key server 'tcp://*:5555' --echo", " &") + "echo hello | " +
              in_readme("weft req --key alice --server-key 'PUBLIC-KEY-OF-SERVER' tcp://server:5555"))
    here = "ipc://%s/5555" % tmp_path
    for word, place in (("'PUBLIC-KEY-OF-ALICE'", '"$alice"'), ("'PUBLIC-KEY-OF-SERVER'", '"$server"'),
                        ("'tcp://*:5555'", here), ("tcp://server:5555", here)):
        assert script.count(word) == 1
        script = script.replace(word, place)
    assert typed(script) == "hello\n"


def guide():
    """Its sections that have something to type: the heading, the lines, and a pattern of what comes out."""
    with open(os.path.join(TOP, "docs", "guide.md"), encoding="utf-8") as file:
        for section in file.read().split("\n## ")[1:]:
            blocks = re.findall(r"(?:^    .*\n)+", section, re.M)
            lines = [line[4:] for block in blocks if block.startswith("    $ ") for line in block.splitlines()]
            output = "".join(line + "\n" for line in lines if not line.startswith("$ "))
            if lines:
                yield pytest.param("\n".join(line[2:] for line in lines if line.startswith("$ ")),
                                   re.escape(output).replace(re.escape("..."), ".*"),
                                   id=section.partition("\n")[0])


@pytest.mark.parametrize("script, expected", guide())
def test_guide(typed, script, expected):
    output = typed(script)
    assert re.fullmatch(expected, output), output
