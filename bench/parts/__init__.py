"""What is measured: each part is a function that yields comparisons. See README.md."""
from .bridge import bridge
from .common import HERE, Setting
from .datagrams import datagrams
from .http import http
from .jobs import footprint, outputs, spawn
from .pipe import pipe
from .pool import ledger, pool
from .seam import curve, seam
from .websocket import websocket

__all__ = ["HERE", "PARTS", "Setting"]

PARTS = {
    "seam": (seam, "the library against bare libzmq and a raw socket"),
    "curve": (curve, "the same with keys and in clear text, against bare libzmq"),
    "pipe": (pipe, "weft push and pull of lines against bare libzmq and pyzmq"),
    "spawn": (spawn, "weft run, with a ledger and without, against a bare posix_spawn loop, xargs -P and GNU parallel"),
    "ledger": (ledger, "a pool's ledger against a plain loop of inserts into SQLite, as durable"),
    "outputs": (outputs, "many small outputs kept by weft run: in few files, in files of each job, by GNU parallel"),
    "pool": (pool, "messages as jobs of a pool, with a ledger and without, against a plain libzmq pipeline"),
    "bridge": (bridge, "lines over TCP through weft bridge, against raw TCP and bare libzmq, and weft push"),
    "http": (http, "requests to a service through weft bridge http, against Python's own server and pyzmq"),
    "websocket": (websocket, "messages over WebSocket in and out of weft bridge, against Node's ws and websocketd"),
    "datagrams": (datagrams, "datagrams through weft bridge, against bare UDP and libzmq, and a bare recvmmsg loop"),
    "footprint": (footprint, "memory of weft run as input grows, and the time to start"),
}
