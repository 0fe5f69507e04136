"""kill -9 of whoever runs jobs: they end with it, and run nowhere twice at once."""

import os
import signal

import pytest

from running import is_sanitized, until

# A job tells who it is in a file, and who waits for a reader of its FIFO knows when it has ended: no sleep is needed.
JOB = "exec 3<> held; echo $$ >> pids; %s; sleep 1000 & sleep 1000"


class Jobs:
    """Those that have begun in a folder, by what they hold open there."""

    def __init__(self, folder):
        self.folder = folder
        os.mkfifo(folder / "held")

    def wait_for(self, count):
        return until(lambda: (self.folder / "pids").exists() and
                     len((self.folder / "pids").read_text().split()) >= count, "%d jobs" % count)

    def are_left(self):
        """Does any process have the FIFO open? Then it can be opened for writing without waiting."""
        try:
            os.close(os.open(self.folder / "held", os.O_WRONLY | os.O_NONBLOCK))
            return True
        except OSError:
            return False

    def wait_for_end(self):
        until(lambda: not self.are_left(), "the end of all jobs")


def guardians(pid):
    """Of the program: its children of that name."""
    found = []
    for task in os.listdir("/proc/%d/task" % pid):
        with open("/proc/%d/task/%s/children" % (pid, task), encoding="ascii") as file:
            for child in file.read().split():
                try:
                    with open("/proc/%s/comm" % child, encoding="ascii") as comm:
                        found += [int(child)] * (comm.read() == "weft-guardian\n")
                except OSError:
                    pass
    return found


@pytest.fixture
def jobs(tmp_path):
    return Jobs(tmp_path)


@pytest.mark.parametrize("trap", [":", "trap '' TERM"], ids=["willing", "unwilling"])
@pytest.mark.parametrize("options", [["-j2"], ["-j2", "-w2"]], ids=["one worker", "two workers"])
def test_a_run_is_killed(weft, jobs, options, trap):
    run = weft.start("run", *options, "-N0", JOB % trap, ":::", "1", "2", cwd=jobs.folder)
    jobs.wait_for(2)
    assert jobs.are_left()
    run.kill()
    jobs.wait_for_end()


def test_a_worker_is_killed_and_its_jobs_run_elsewhere_alone(weft, somewhere, jobs):
    """Each run makes a folder that none but itself may have: where two met, the job would fail."""
    job = "exec 3<> held; trap 'rmdir here; exit 1' TERM; mkdir here || exit 9; echo $$ >> pids; test -e go || " \
          "{ sleep 1000 & wait; }; rmdir here; echo done"
    head = weft.start("ventilator", "-b", somewhere, "--reattach", "100ms", "-N0", job, ":::", "1", cwd=jobs.folder)
    first = weft.start("worker", "-j1", "-c", head.endpoint, "--heartbeat", "100ms", cwd=jobs.folder)
    jobs.wait_for(1)
    first.kill()
    jobs.wait_for_end()
    (jobs.folder / "go").touch()
    weft.start("worker", "-j1", "-c", head.endpoint, cwd=jobs.folder)
    assert head.result()[:2] == (0, b"done\n")


def test_a_guardian_is_killed_and_then_its_worker(weft, somewhere, jobs):
    head = weft.start("ventilator", "-b", somewhere, "-N0", JOB % ":", ":::", "1", cwd=jobs.folder)
    worker = weft.start("worker", "-v", "-j1", "-c", head.endpoint, cwd=jobs.folder)
    jobs.wait_for(1)
    for _i in range(3):
        (guardian,) = until(lambda: guardians(worker.process.pid), "a guardian")   # which takes its name when it runs
        os.kill(guardian, signal.SIGKILL)
        until(lambda: guardians(worker.process.pid) not in ([], [guardian]), "another guardian")
    worker.expect_talk("its guardian was killed, and another started")
    assert jobs.are_left()
    worker.kill()
    jobs.wait_for_end()


def test_a_group_is_killed(weft, jobs):
    """As a shell kills its job: the guardian is not in that group."""
    run = weft.start("run", "-N0", JOB % ":", ":::", "1", cwd=jobs.folder, start_new_session=True)
    jobs.wait_for(1)
    os.killpg(run.process.pid, signal.SIGKILL)
    run.wait()
    jobs.wait_for_end()


@pytest.mark.skipif(is_sanitized(), reason="the sanitizer needs more memory than the limit")
def test_out_of_memory(weft, jobs):
    """The run ends at its limit, and so do its jobs."""
    values = b"".join(b"%d %s\n" % (number, b"x" * 120000) for number in range(1500))
    run = weft.start("run", "-j1", "--memory-limit", "64M", JOB % ": {}", cwd=jobs.folder, input=weft.OPEN)
    run.write(b"1\n")
    jobs.wait_for(1)
    try:
        run.write(values)
        run.close_input()
    except BrokenPipeError:
        pass
    assert run.wait() not in (0, 1)
    jobs.wait_for_end()


def test_nobody_is_left_and_nobody_is_waited_for(weft, tmp_path):
    """A guardian goes with its worker, and holds nothing open: not the output, not the ledger, no address."""
    run = weft.start("run", "-N0", "--ledger", "ledger", "echo $$; read x", ":::", "1", cwd=tmp_path)
    assert run.result()[0] in (0, 1)
    stubborn = "trap '' TERM; echo $$ > pid; sleep 1000"
    held = weft.start("run", "-N0", "--ledger", "other", "-b", "ipc://socket", stubborn, ":::", "1", cwd=tmp_path)
    until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text(), "the job")
    held.kill()
    assert held.result()[0] == -signal.SIGKILL      # its output has ended, while its guardian still waits for the job
    after = weft.start("run", "--ledger", "other", "--resume", "-b", "ipc://socket", cwd=tmp_path)
    assert after.endpoint == "ipc://socket"
    after.signal(signal.SIGINT)
    after.wait()
