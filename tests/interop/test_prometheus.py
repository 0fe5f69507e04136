"""Metrics, as Prometheus' own client library for Python reads them."""

from prometheus_client.parser import text_string_to_metric_families

from exposition import Metrics, address_of, ask
from running import ANY_TCP


def families_of(text):
    return {family.name: family for family in text_string_to_metric_families(text)}


def test_is_read_as_it_is_meant(weft, tmp_path):
    """A head with a ledger has all kinds; a reader that others wrote sees the same samples as that of our tests."""
    head = weft.start("ventilator", ANY_TCP, "--ledger", str(tmp_path / "ledger"), "--metrics", "127.0.0.1:0",
                      input=b"true\nfalse\n")
    text = ask(address_of(head))[2].decode()
    ours, theirs = Metrics(text), families_of(text)
    assert {(sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in theirs.values() for sample in family.samples} == ours.samples
    for name, (kind, words) in ours.families.items():
        family = theirs[name[:-len("_total")] if kind == "counter" else name]
        assert (family.type, family.documentation) == (kind, words)


def test_reads_names_that_need_escapes(weft, tmp_path):
    """The name of a part is anybody's choice, as far as a file of parts can say it."""
    (tmp_path / "fabric.zpl").write_text("a-b.c\n    command = pull\n    bind = %s\n" % ANY_TCP)
    up = weft.start("up", str(tmp_path / "fabric.zpl"), "--metrics", "127.0.0.1:0")
    up.expect_talk(r"ready$")
    peers = families_of(ask(address_of(up))[2].decode())["weft_peers"]
    assert [sample.labels["part"] for sample in peers.samples] == ["a-b.c"]
