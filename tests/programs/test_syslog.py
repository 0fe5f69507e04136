"""examples/syslog.sh: what is serious reaches its subscriber, in both formats; the rest does not."""

import os
import re
import socket

from running import WEFT, until

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SERIOUS = [b"<34>1 2026-01-01T00:00:00Z host su - ID47 - 'su root' failed", b"<11>Oct 11 22:14:15 host app: it broke",
           b"<0>1 - - - - - - the end"]
OTHERS = [b"<165>1 2003-08-24T05:14:15.000003-07:00 192.0.2.1 myproc 8710 - - fine", b"<14>Oct 11 host app: all well",
          b"<190>local7.info", b"no syslog at all", b""]


def test_what_is_serious_reaches_its_subscriber(weft, tmp_path):
    program = weft.command([os.path.join(TOP, "examples", "syslog.sh"), "127.0.0.1:0", "ipc://%s/pub" % tmp_path],
                           env={**os.environ, "WEFT": os.path.abspath(WEFT)})
    found = program.talk.wait(lambda talk: re.search(rb"udp listening on (\S+):(\d+)", talk), "the ready line")
    to = (found.group(1).decode(), int(found.group(2)))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as logger:
        def subscribed():
            logger.sendto(b"<3>probe", to)
            return b"<3>probe\n" in program.out.data
        until(subscribed, "the subscriptions")
        for line in SERIOUS + OTHERS + SERIOUS:
            logger.sendto(line, to)

    def got():
        return [line for line in program.out.data.split(b"\n") if line and line != b"<3>probe"]
    until(lambda: len(got()) >= 6, "all that is serious")
    assert got() == SERIOUS + SERIOUS
    program.signal()
    program.wait()
