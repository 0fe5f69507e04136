"""Listeners under attack: they stay up, within a limit of memory, and whoever is authorised is served all the while.

An attacker here has no key, or one that nobody knows; in clear text he is a peer like any other. What clear text
cannot withstand is not tried: messages without an end, and floods of well-formed ones."""

import re
import threading

import pytest
import zmq

import attacks
import zmtp
from running import LIMIT


MEMORY = 96                             # MiB that a listener may have had at most, whatever is done to it


def check(place, memory=MEMORY):
    """Up, small, and with keys nobody but the authorised peer was heard."""
    assert place.peak() < memory
    place.exchange()
    if place.keys:
        assert all(line.startswith(b"exchange ") for line in place.program.out.data.splitlines())
    place.program.signal()
    status, _output, talk = place.program.result()
    assert status >= 0, "ended by signal %d: %s" % (-status, talk)
    assert talk.count("\n") < 50, "it is in its log again and again: " + talk


@pytest.mark.parametrize("attack", [attacks.garbage, attacks.fragments, attacks.banners, attacks.huge_frames,
                                    attacks.in_a_row], ids=lambda attack: attack.__name__)
def test_what_is_no_peer(listen, name, keys_or_none, attack):
    place = listen(name, keys_or_none)
    with place.at_work():
        attack(place)
    check(place)


def test_banners_are_no_messages(listen):
    """Not in clear text either."""
    place = listen("pull", None)
    attacks.banners(place)
    place.exchange()
    assert place.program.out.data == b"exchange 1\n"


def test_half_handshakes_held_open(listen, name, keys_or_none):
    """Thousands, and whoever comes then is served."""
    place = listen(name, keys_or_none)
    with place.at_work():
        for saying in (b"", zmtp.greeting(b"CURVE")[:20], zmtp.greeting(b"CURVE" if place.keys else b"NULL")):
            with attacks.held(place, 1000, saying):
                pass
    with attacks.held(place, attacks.room(9000), zmtp.greeting()[:11]):
        place.rejoin()
        with place.at_work():
            pass
    check(place)


def test_no_descriptors_left(listen, name, keys_or_none, somewhere):
    """More connections than it has descriptors for: who was there before is served, and others when they have gone."""
    place = listen(name, keys_or_none, at=somewhere, descriptors=200)
    with place.at_work(), attacks.held(place, 400, welcome=False):
        place.program.expect_talk("out of file descriptors")
    place.rejoin()
    with place.at_work():
        pass
    check(place)


def test_handshakes_end(listen, keys_or_none):
    """Those who say no more are hung up on, in the time of the option."""
    place = listen("rep", keys_or_none, "--handshake", "200ms")
    with place.at_work(), attacks.held(place, 1000, zmtp.greeting(b"CURVE")[:30]) as peers:
        for peer in peers:
            attacks.until_closed(peer)
    check(place)


# --------------------------------------------------------------- with keys alone

def test_strangers(listen, name, keys):
    place = listen(name, keys)
    with place.at_work():
        attacks.strangers(place)
    check(place)


def test_strangers_from_many_sides(listen, keys):
    place = listen("rep", keys)
    with place.at_work():
        sides = [threading.Thread(target=attacks.strangers, args=(place, 200, 50)) for _ in range(4)]
        for side in sides:
            side.start()
        attacks.in_a_row(place, 1000)
        for side in sides:
            side.join(LIMIT)
    check(place)


@pytest.mark.parametrize("name, options", [("pull", ["--until-gone"]), ("push", ["--wait-peers", "1"]), ("pub", [])])
def test_strangers_do_not_count(listen, name, options, keys):
    """Neither as peers that have come, nor as some that have gone: nothing is sent to them, and nothing ends."""
    place = listen(name, keys, *options, alone=True)
    for attack in (attacks.strangers, attacks.garbage, attacks.banners):
        attack(place)
    if name != "pull":
        place.program.write(b"exchange 0\n")
    place.join()
    if name != "pull":
        assert place.peer.recv() == b"exchange 0"
    place.exchange()


def test_endless_message(listen, name, keys):
    """Of frames without an end, which no limit of a message's size holds back; it is not even listened to."""
    place = listen(name, keys)
    piece = zmtp.frame(b"x" * 1000, more=True) * 1000
    with place.at_work():
        for said in (zmtp.Saying(zmtp.clear(place.kind)), zmtp.Saying(zmtp.clear(place.kind), b"\x01\x00"),
                     zmtp.Saying(zmtp.greeting(b"CURVE")), zmtp.Saying(zmtp.hello(place.server_key))):
            assert attacks.endless(place, said, piece, 1000) < 100
    check(place)


@pytest.mark.parametrize("name", ["rep", "pull"])
def test_endless_handshake(listen, name, keys):
    """A command may be as long as a message, before anybody is asked for a key: so much each connection can cost."""
    place = listen(name, keys, "--max-size", "256k")
    piece = zmtp.frame(b"\x05HELLO" + b"x" * 250_000, command=True)[:-1]
    with place.at_work(), attacks.held(place, 50, zmtp.greeting(b"CURVE")) as peers:
        for peer in peers:
            peer.settimeout(LIMIT)
            peer.sendall(piece)
    check(place)


@pytest.mark.parametrize("name", ["rep", "pull", "head"])
def test_loud_strangers(listen, name, keys):
    """Who says more than a handshake, and has shown no key, is hung up on; a peer that has a lot to say is not."""
    place = listen(name, keys, *([] if name == "head" else ["--handshake", "1h"]))
    piece = zmtp.frame(b"\x05HELLO" + b"x" * 60_000_000, command=True)[:100_000]
    with place.at_work(), attacks.held(place, 50, zmtp.greeting(b"CURVE")) as peers:
        for peer in peers:
            peer.settimeout(LIMIT)
            peer.sendall(piece)
        if name == "rep":
            say_a_lot(place)
        for peer in peers:
            attacks.until_closed(peer)
    place.program.expect_talk("peers were cut off that sent too much before they had shown a key")
    place.exchange()


def say_a_lot(place):
    with place.socket(zmq.REQ) as req, req.get_monitor_socket(zmq.EVENT_DISCONNECTED) as monitor:
        req.connect(place.endpoint)
        large = b"l" * 10_000_000
        for _ in range(6):
            req.send(large)
            assert req.recv() == large
        assert not monitor.poll(0)
        req.disable_monitor()


def test_endless_handshake_of_a_subscriber(listen, keys):
    """Nothing that a publisher reads is long."""
    place = listen("pub", keys)
    with place.at_work():
        said = zmtp.Saying(zmtp.greeting(b"CURVE"))
        assert attacks.endless(place, said, zmtp.frame(b"\x05HELLO" + b"x" * 60_000_000, command=True), 1) == 0
    check(place)


@pytest.mark.parametrize("name", ["rep", "pub"])
def test_broken_encryption(listen, name, keys):
    """A peer with a good key, each byte of whose handshake is broken once."""
    place = listen(name, keys, "--handshake", "300ms")
    with place.at_work():
        attacks.broken(place)
    check(place)


# ------------------------------------------------------------------ subscriptions

FLOODS = {              # and what whoever sent it is cut off for, if for anything
    "long": ([b"%05d" % number + b"t" * 795 for number in range(15_000)], "fits into 256M"),
    "short": ([b"%d" % number for number in range(200_000)], "max-subscriptions"),
    "nested": ([b"n" * number for number in range(246)] * 100, None),
}
# MiB for a publisher. It grants about 256 to all topics, and before it is told of any libzmq may have taken in more.
SUBSCRIPTIONS = 448


@pytest.mark.parametrize("flood", FLOODS)
def test_subscription_flood_in_clear_text(listen, flood):
    place = listen("pub", None)
    topics, reason = FLOODS[flood]
    with place.at_work():
        flooder = zmtp.Saying(zmtp.clear("SUB"), b"".join(zmtp.frame(b"\x01" + topic) for topic in topics))
        attacks.endless(place, flooder)
    check(place, SUBSCRIPTIONS)
    check_cut_off(place, reason)


def check_cut_off(place, reason):
    cut_off = re.findall("a subscriber was cut off: .*", place.program.talk.data.decode())
    assert len(cut_off) == (reason is not None)
    assert not reason or reason in cut_off[0]


@pytest.mark.parametrize("flood", ["long", "short"])
def test_subscription_flood_with_a_key(listen, keys, flood):
    """Of a peer that is on the list."""
    place = listen("pub", keys)
    topics, reason = FLOODS[flood]
    with place.at_work():
        peer = place.socket(zmq.SUB)
        peer.sndhwm = 0
        for topic in topics:
            peer.subscribe(topic)
        with peer.get_monitor_socket(zmq.EVENT_DISCONNECTED) as monitor:
            peer.connect(place.endpoint)
            assert monitor.poll(3000 * LIMIT), "it was not cut off"
            peer.disable_monitor()
        peer.close()
    check(place, SUBSCRIPTIONS)
    check_cut_off(place, reason)
