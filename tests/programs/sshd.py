"""A real sshd of a test's own: its own port, keys and configuration, all below one folder.

The port is one that the system chose; each connection gets an sshd of its own, as from inetd, which
ends with it. What is left is ended by its process id."""

import getpass
import os
import socket
import subprocess
import threading

LIMIT = 20
SSHD = "/usr/sbin/sshd"
PRIVILEGES = "/run/sshd"        # sshd for root wants this empty folder, which a boot makes


class Sshd:
    def __init__(self, folder):
        self.folder, self.servers, self.log = folder, [], open(folder / "sshd.log", "wb")
        self.made = os.geteuid() == 0 and not os.path.exists(PRIVILEGES)
        if self.made:
            os.mkdir(PRIVILEGES, 0o755)
        for name in ("host", "user", "stranger"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
        (folder / "authorized").write_bytes((folder / "user.pub").read_bytes())
        (folder / "sshd_config").write_text(
            "HostKey {0}/host\nAuthorizedKeysFile {0}/authorized\nStrictModes no\nUsePAM no\nPidFile none\n"
            "PasswordAuthentication no\nPermitRootLogin yes\nAllowTcpForwarding no\nAllowStreamLocalForwarding no\n"
            .format(folder))
        self.socket = socket.create_server(("127.0.0.1", 0))
        port = self.socket.getsockname()[1]
        closed = socket.create_server(("127.0.0.1", 0))
        key = (folder / "host.pub").read_text()
        (folder / "known").write_text("node " + key)
        (folder / "config").write_text(
            "Host refused\n Port {1}\n"
            "Host stranger\n IdentityFile {0}/stranger\n"
            "Host * !stranger\n IdentityFile {0}/user\n"
            "Host *\n HostName 127.0.0.1\n Port {2}\n User {3}\n IdentitiesOnly yes\n"
            " UserKnownHostsFile {0}/known\n HostKeyAlias node\n StrictHostKeyChecking yes\n LogLevel ERROR\n"
            .format(folder, closed.getsockname()[1], port, getpass.getuser()))
        closed.close()
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    @property
    def rsh(self):
        return "ssh -F %s/config" % self.folder

    def serve(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            with connection:
                self.servers.append(subprocess.Popen(
                    [SSHD, "-i", "-e", "-f", self.folder / "sshd_config"], stdin=connection, stdout=connection,
                    stderr=self.log))

    def end(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join(LIMIT)
        self.socket.close()
        for server in self.servers:
            try:
                server.wait(LIMIT)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait(LIMIT)
        self.log.close()
        if self.made:
            os.rmdir(PRIVILEGES)
