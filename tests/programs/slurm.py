"""A real Slurm of a test's own: one controller and two nodes, n1 and n2, on this machine.

Everything is below one folder; ports are ones that the system had free. The daemons are ended by
their process ids, and what they started with their process groups."""

import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import time

LIMIT = 30
NEEDED = ["slurmctld", "slurmd", "sbatch", "srun", "squeue", "scancel", "sinfo"]
CONFIG = """
ClusterName=weft
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/none
CredType=cred/none
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool.%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
KillWait=2
SlurmdParameters=config_overrides
SchedulerParameters=batch_sched_delay=0,sched_interval=1,sched_min_interval=0
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[1]} CPUs=4 State=UNKNOWN
NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[2]} CPUs=4 State=UNKNOWN
PartitionName=main Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP
"""


def there():
    return all(shutil.which(program) or os.path.exists("/usr/sbin/" + program) for program in NEEDED)


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


class AbsentPeer(Exception):
    """What others wrote does not run on this machine."""


class Slurm:
    def __init__(self, folder):
        self.folder, self.daemons = folder, []
        (folder / "state").mkdir()
        (folder / "slurm.conf").write_text(CONFIG.format(
            host=socket.gethostname().split(".")[0], folder=folder, ports=free_ports(3),
            user=pwd.getpwuid(os.geteuid()).pw_name))
        self.environment = {**os.environ, "SLURM_CONF": str(folder / "slurm.conf"),
                            "PATH": os.environ["PATH"] + ":/usr/sbin:/usr/bin"}
        self.daemon("slurmctld", "-D", "-c")
        for node in ("n1", "n2"):
            (folder / ("spool." + node)).mkdir()
            self.daemon("slurmd", "-D", "-N", node)

    def daemon(self, *command):
        with open(self.folder / "daemons.log", "ab") as log:
            self.daemons.append(subprocess.Popen(command, env=self.environment, stdin=subprocess.DEVNULL, stdout=log,
                                                 stderr=log, start_new_session=True))

    def say(self, *command):
        """What a program of Slurm writes."""
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=LIMIT)
        return done.stdout.strip() if done.returncode == 0 else ""

    def wait(self, ready, what):
        """Asks until it is so; Slurm tells nobody by itself."""
        deadline = time.monotonic() + LIMIT
        while time.monotonic() < deadline:
            found = ready()
            if found:
                return found
            time.sleep(0.05)
        raise AssertionError("waited in vain for " + what)

    def failure(self):
        """Why a daemon has ended, in its own words; None while all run."""
        if all(daemon.poll() is None for daemon in self.daemons):
            return None
        said = re.findall(r"(?:error|fatal): .*", (self.folder / "daemons.log").read_text(errors="replace"))
        return said[-1] if said else "a daemon ended without a word"

    def wait_up(self):
        """AbsentPeer where Slurm cannot run, which says why."""
        def up():
            if self.failure():
                raise AbsentPeer("Slurm does not run here: " + self.failure())
            return self.say("sinfo", "-h", "-o", "%t %D") == "idle 2"

        self.wait(up, "two idle nodes")

    def jobs(self):
        """ID, state and name of each that is not over."""
        return [line.split() for line in self.say("squeue", "-h", "-o", "%i %T %j").splitlines()]

    def wait_empty(self):
        self.wait(lambda: not self.jobs(), "an empty queue")

    def end(self):
        self.say("scancel", "-f", "-u", pwd.getpwuid(os.geteuid()).pw_name)
        for daemon in reversed(self.daemons):
            daemon.send_signal(signal.SIGTERM)
        for daemon in reversed(self.daemons):
            try:
                daemon.wait(LIMIT)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait(LIMIT)
