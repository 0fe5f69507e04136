"""weft run --slurm: workers on the nodes of a real Slurm, whose jobs are pilots."""

import os
import re
import signal
import stat

import pytest

import slurm
from running import WEFT

pytestmark = pytest.mark.skipif(not slurm.there(), reason="there is no Slurm")

RUN_ERROR = 255


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    running = slurm.Slurm(tmp_path_factory.mktemp("slurm"))
    try:
        try:
            running.wait_up()
        except slurm.AbsentPeer as absent:
            pytest.skip(str(absent))
        yield running
    finally:
        running.end()


class Runner:
    """weft run --slurm with a folder of its own."""

    def __init__(self, weft, cluster, folder):
        self.weft, self.cluster, self.folder = weft, cluster, folder
        self.options = ["run", "--listen", "tcp://127.0.0.1:0", "--slurm-dir", str(folder / "shared"),
                        "--remote-weft", os.path.abspath(WEFT)]

    def start(self, *arguments):
        return self.weft.start(*self.options, *arguments, env=self.cluster.environment, cwd=self.folder)

    def left(self):
        shared = self.folder / "shared"
        return sorted(os.listdir(shared)) if shared.exists() else []


@pytest.fixture
def run(weft, cluster, tmp_path):
    runner = Runner(weft, cluster, tmp_path)
    yield runner
    for program in weft.programs:
        if program.process.poll() is None:
            program.signal(signal.SIGINT)
            program.wait()
    cluster.wait_empty()


def meet(count):
    """A command that ends when so many of it run at once."""
    return ": > at.$PPID.$WEFT_JOB; until set -- at.*; [ $# -ge %d ]; do sleep 0.05; done; " % count


def pilot(program, number=1):
    """The ID of the pilot that was submitted as that one."""
    def found(talk):
        ids = re.findall(rb"slurm job (\d+): submitted", talk)
        return ids[number - 1].decode() if len(ids) >= number else None
    return program.talk.wait(found, "pilot %d" % number)


def test_both_nodes(run, cluster):
    """In as many slots as they have; the ticket is for us alone; nothing is left."""
    program = run.start("-k", "--slurm", "2", meet(8) + "echo $SLURMD_NODENAME $SLURM_CPUS_ON_NODE {}",
                        ":::", *"12345678")
    program.expect_talk("slurm job [0-9]+: all its nodes are there, with 8 slots")
    assert program.wait() == 0
    assert {line[:4] for line in program.out.data.splitlines()} == {b"n1 4", b"n2 4"}
    assert run.left() == []
    cluster.wait_empty()


def test_a_part_of_a_node(run, tmp_path):
    """-j N asks for no more than that; what is handed over is for our eyes only."""
    (tmp_path / "shared").mkdir(0o755)
    program = run.start("--slurm", "1", "-j2", meet(2) + "until [ -e go ]; do sleep 0.05; done; env; : {}",
                        ":::", *"12")
    program.expect_talk("with 2 slots")
    folder, = (tmp_path / "shared").iterdir()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "ticket").stat().st_mode) == 0o600
    secret = re.search("secret-key = (.*)", (folder / "ticket").read_text())[1]
    (tmp_path / "go").touch()
    assert program.wait() == 0
    assert secret.encode() not in program.out.data + program.talk.data
    assert run.left() == []


def test_lifetime(run, tmp_path):
    """Before its end a pilot takes no more jobs; then the next one is submitted, and nothing is lost or run twice."""
    program = run.start("--slurm", "1", "-j2", "--lifetime", "2s", "sleep 0.4; echo {} >> ran; echo {}", ":::",
                        *map(str, range(16)))
    pilot(program, 2)
    assert program.wait(60) == 0
    expected = sorted(map(str, range(16)))
    assert sorted(program.out.data.decode().split()) == expected
    assert sorted((tmp_path / "ran").read_text().split()) == expected


def test_walltime(run):
    """The lifetime comes from what Slurm has left for the job."""
    program = run.start("--slurm", "1", "-j1", "--sbatch=--time=1",
                        "tr '\\0' ' ' < /proc/$PPID/cmdline; : {}", ":::", "a")
    assert program.wait(40) == 0
    lifetime = int(re.search(rb"--lifetime (\d+) ", program.out.data)[1])
    assert 0 < lifetime <= 50           # less by how long the pilot took to begin


def test_no_walltime(run):
    program = run.start("--slurm", "1", "-j1", "tr '\\0' ' ' < /proc/$PPID/cmdline; : {}", ":::", "a")
    assert program.wait(40) == 0 and b"--lifetime 0 " in program.out.data


def test_scancel_in_the_middle(run, cluster, tmp_path):
    """Another pilot is submitted, and each job has its one result."""
    program = run.start("--slurm", "1", "-j2", "[ {} -gt 3 ] || [ -e again ] || { : > begun.{}; exec sleep 1000; };"
                        " echo {}", ":::", *"123456")
    first = pilot(program)
    cluster.wait(lambda: all((tmp_path / name).exists() for name in ("begun.1", "begun.2")), "two jobs")
    (tmp_path / "again").touch()
    cluster.say("scancel", first)
    assert pilot(program, 2) != first
    assert program.wait(60) == 0
    assert sorted(program.out.data.split()) == [b"1", b"2", b"3", b"4", b"5", b"6"]


def test_any_port(run, cluster, tmp_path):
    """Without --listen the nodes are told a port that was free, and the name or address that is given."""
    run.options[1:3] = ["--head-address", "127.0.0.1"]
    assert run.start("--slurm", "1", "-j1", "echo {}; cat shared/*/ticket", ":::", "a").wait(40) == 0
    program = run.weft.programs[-1]
    assert re.search(rb"^connect = tcp://127\.0\.0\.1:\d+$", program.out.data, re.M)


def test_a_bad_option(run):
    program = run.start("--slurm", "1", "--sbatch=--nosuch=1", "echo", ":::", "a")
    assert program.wait() == RUN_ERROR
    talk = program.talk.data.decode()
    assert re.search("slurm: sbatch: .*nosuch", talk) and "did not take the job" in talk and "no machine left" in talk
    assert run.left() == []


def test_a_partition_that_is_none(run):
    program = run.start("--slurm", "1", "--sbatch=-p nowhere", "echo", ":::", "a")
    assert program.wait() == RUN_ERROR and b"invalid partition" in program.talk.data


def test_workers_that_do_not_start(run):
    """What the pilot wrote is shown."""
    program = run.start("--slurm", "1", "-j1", "--remote-weft", "/nowhere/weft", "echo", ":::", "a")
    assert program.wait(40) == RUN_ERROR
    talk = program.talk.data.decode()
    assert re.search(r"slurm job \d+: .*/nowhere/weft.*not found", talk)
    assert re.search(r"slurm job \d+: no worker came of it", talk)


def test_waiting_in_the_queue(run, cluster):
    """It says why, and Ctrl-C takes the pilot out of it."""
    program = run.start("--slurm", "1", "--sbatch=--begin=now+1hour", "echo", ":::", "a")
    program.expect_talk(r"slurm job \d+: waits in the queue \(BeginTime\)")
    assert pilot(program) in [job[0] for job in cluster.jobs()]
    program.signal(signal.SIGINT)
    assert program.wait() == RUN_ERROR
    cluster.wait_empty()
    assert run.left() == []


def test_ctrl_c_in_the_middle(run, cluster):
    """Its jobs end, the pilot is cancelled, nothing is left."""
    program = run.start("-u", "--slurm", "1", "-j1", "echo started; exec sleep 1000; : {}", ":::", "a", "b")
    program.expect(b"started\n")
    program.signal(signal.SIGINT)
    assert program.wait() == RUN_ERROR and program.out.data == b"started\n"
    cluster.wait_empty()
    assert run.left() == []


def test_two_runs_at_once(run):
    programs = [run.start("--slurm", "2", "-j1", meet(4) + "echo {}", ":::", name + "1", name + "2") for name in "ab"]
    for program, name in zip(programs, "ab"):
        assert program.wait(60) == 0
        assert sorted(program.out.data.decode().split()) == [name + "1", name + "2"]


def test_the_head_is_killed(run, cluster, tmp_path):
    """Its workers end when they have waited for it; the next run removes what it left."""
    program = run.start("--slurm", "1", "-j1", "exec sleep 1000; : {}", ":::", "a")
    program.expect_talk("with 1 slot")
    first = pilot(program)
    program.kill()
    assert len(run.left()) == 1
    cluster.say("scancel", first)
    assert run.start("--slurm", "1", "-j1", "echo", ":::", "a").wait(40) == 0
    assert run.left() == []
