"""Keys go between weft and CZMQ, both ways, as files that neither side changes."""

import json
import os

import pytest


@pytest.fixture
def key(weft, tmp_path):
    def run(*arguments):
        status, output, talk = weft.run("key", *arguments, env={**os.environ, "WEFT_KEYS": str(tmp_path / "keys")})
        assert status == 0, talk
        return output.decode().strip()
    return run


def test_czmq_loads_a_key_of_weft(key, czmq_cert, tmp_path):
    for name in ["alice", "a.b_c-1"]:
        public = key("new", name)
        assert czmq_cert("load", str(tmp_path / "keys" / name) + ".key") == "%s %s" % (name, public)


@pytest.mark.parametrize("name", ["bob", "Bob's own key"])
@pytest.mark.parametrize("way", ["save", "save-secret"])
def test_weft_takes_a_key_of_czmq(key, czmq_cert, tmp_path, way, name):
    path = str(tmp_path / "bob")
    public = czmq_cert(way, path, name)
    shown = json.loads(key("show", path, "--json"))
    assert shown["name"] == "bob" and shown["public_key"] == public and shown["secret"] is True
    key("allow", "robert", path)
    assert json.loads(key("list", "--json"))["public_key"] == public


def test_czmq_keys_by_name(key, czmq_cert, tmp_path):
    """A pair that CZMQ saved as NAME.key in the directory of keys is found as weft's own are."""
    (tmp_path / "keys").mkdir(0o700)
    public = czmq_cert("save", str(tmp_path / "keys" / "carol.key"), "carol")
    assert json.loads(key("show", "carol", "--json"))["public_key"] == public
    assert [line.split()[:2] for line in key("show").splitlines()] == [["carol", public]]


def test_a_public_certificate_of_weft(key, czmq_cert, tmp_path):
    """As a store of CZMQ's has them."""
    public = key("new", "dora")
    (tmp_path / "dora").write_text(key("show", "dora", "--public") + "\n")
    assert public in (tmp_path / "dora").read_text()
    assert json.loads(key("show", str(tmp_path / "dora"), "--json"))["secret"] is False
