"""weft key: keys as files, and the list of who may connect."""

import json
import os
import re
import resource
import shutil
import signal
import subprocess
import tempfile

import pytest

import running
from running import WEFT

KEY = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"
PRINT = r"[a-z]{5}(-[a-z]{5}){4}"


@pytest.fixture
def key(weft, tmp_path):
    """Runs weft key with a directory of keys of the test's own: exit status, output, talk."""
    def run(*arguments, **options):
        environment = {**os.environ, "WEFT_KEYS": str(tmp_path / "keys"), **options.pop("env", {})}
        status, output, talk = weft.run("key", *arguments, env=environment, **options)
        secrets = [re.search(rb'secret-key = "(.*)"', path.read_bytes()) for path in tmp_path.rglob("*.key")]
        for secret in filter(None, secrets):
            assert secret[1] not in output and secret[1].decode() not in talk
        return status, output.decode(), talk
    return run


@pytest.fixture
def keys(tmp_path):
    return tmp_path / "keys"


def mode(path):
    return oct(os.stat(path).st_mode & 0o7777)


def names(folder):
    return sorted(os.listdir(folder))


def test_new(key, keys):
    status, output, talk = key("new", "alice")
    assert status == 0 and len(output) == 41
    assert mode(keys) == "0o700" and mode(keys / "alice.key") == "0o600" and names(keys) == ["alice.key"]
    assert "weft key allow alice '%s'" % output.strip() in talk and re.search(PRINT, talk)
    text = (keys / "alice.key").read_text()
    assert 'name = "alice"' in text and 'public-key = "%s"' % output.strip() in text


@pytest.mark.parametrize("mask", [0, 0o777])
def test_the_umask_changes_nothing(key, keys, mask):
    keys.mkdir(0o700)
    assert key("new", "alice", preexec_fn=lambda: os.umask(mask))[0] == 0
    assert key("allow", "alice", "alice", preexec_fn=lambda: os.umask(mask))[0] == 0
    assert mode(keys / "alice.key") == "0o600" and mode(keys / "allowed") == "0o600"


def test_a_key_is_replaced_when_told_to(key, keys):
    first = key("new", "alice")[1]
    text = (keys / "alice.key").read_bytes()
    status, output, talk = key("new", "alice")
    assert (status, output) == (1, "") and "--replace" in talk and (keys / "alice.key").read_bytes() == text
    status, second, _talk = key("new", "alice", "--replace")
    assert status == 0 and second != first and names(keys) == ["alice.key"]


def test_the_name_of_somebody_else(key, keys):
    key("new", "bob")
    (keys / "bob.key").rename(keys / "alice.pub")
    status, _output, talk = key("new", "alice", "--replace")
    assert status == 1 and "alice.pub is the key of somebody else" in talk and names(keys) == ["alice.pub"]


def test_bad_names(key, keys):
    for name in ["a/b", "", ".a", "a b", "é"]:
        status, _output, talk = key("new", name)
        assert status == 2 and "letters, digits" in talk
    assert not keys.exists()


def test_a_file_of_its_own(key, keys, tmp_path):
    path = tmp_path / "x.key"
    status, output, _talk = key("new", "alice", "--file", str(path))
    assert status == 0 and mode(path) == "0o600" and not keys.exists()
    assert output.strip() in key("show", str(path))[1]
    assert key("new", "alice", "--file", str(path))[0] == 1
    status, _output, talk = key("new", "alice", "--file", str(tmp_path / "none" / "x.key"))
    assert status == 1 and "No such file" in talk


def test_show(key, keys):
    alice, bob = key("new", "alice")[1].strip(), key("new", "bob")[1].strip()
    lines = key("show")[1].splitlines()
    assert [line.split()[:2] for line in lines] == [["alice", alice], ["bob", bob]]
    assert re.fullmatch(PRINT, lines[0].split()[2]) and lines[0].split()[3] == str(keys / "alice.key")
    shown = json.loads(key("show", "bob", "--json")[1])
    assert shown == {"name": "bob", "public_key": bob, "fingerprint": lines[1].split()[2],
                     "file": str(keys / "bob.key"), "secret": True}
    status, output, talk = key("show", "nobody", "alice")
    assert status == 2 and alice in output and "no such key" in talk


def test_the_public_certificate(key, keys):
    public = key("new", "alice")[1].strip()
    status, output, _talk = key("show", "alice", "--public")
    assert status == 0 and 'public-key = "%s"' % public in output and "secret" not in output.replace("no secret", "")
    (keys / "friend.pub").write_text(output)
    assert json.loads(key("show", "friend", "--json")[1])["secret"] is False
    assert key("show", "--public")[0] == 2


def test_a_bad_file_hides_no_other(key, keys):
    key("new", "alice")
    key("new", "bob")
    (keys / "alice.key").chmod(0o644)
    (keys / "carol.pub").write_text("curve\n    public-key = \"1\"\n")
    status, output, talk = key("show")
    assert status == 5 and output.split()[0] == "bob"
    assert "chmod 600" in talk and "carol.pub:2:" in talk
    keys.chmod(0o777)
    for arguments in [["show"], ["new", "x"], ["list"], ["allow", "x", KEY], ["revoke", "x"]]:
        status, _output, talk = key(*arguments)
        assert status == 5 and "chmod 755" in talk


def test_allow_and_revoke(key, keys):
    status, _output, talk = key("allow", "alice", KEY)
    assert status == 0 and mode(keys / "allowed") == "0o600" and names(keys) == ["allowed"]
    assert re.search(r"alice \(fingerprint %s\) is allowed in .*allowed, line 3\n.*may do everything" % PRINT, talk)
    assert key("allow", "alice", KEY, "--for", "sub:weather.", "--for=req")[0] == 0
    entry = json.loads(key("list", "--json")[1])
    assert entry["name"] == "alice" and entry["public_key"] == KEY and entry["for"] == ["sub:weather.", "req"]
    assert entry["revoked"] is False and entry["list"] == str(keys / "allowed")
    status, _output, talk = key("revoke", KEY)
    assert status == 0 and "is revoked" in talk
    assert key("list")[1].split()[2:] == ["revoked;", "was", "for", "sub:weather.", "req"]
    status, _output, talk = key("revoke", "alice")
    assert status == 0 and "it was already" in talk
    status, _output, talk = key("allow", "alice", KEY)
    assert status == 0 and "it was revoked before" in talk and "may do sub:weather. req" in talk
    assert "may do everything" in key("allow", "alice", KEY, "--for", "all")[2]
    assert key("revoke", "bob")[0] == 1


def test_nobody_is_replaced_by_mistake(key, keys):
    key("allow", "alice", KEY)
    other = key("new", "other")[1].strip()
    before = (keys / "allowed").read_bytes()
    for arguments in [["alice", other], ["ally", KEY]]:
        status, _output, talk = key("allow", *arguments)
        assert status == 1 and "--replace" in talk and (keys / "allowed").read_bytes() == before
    assert key("allow", "alice", other, "--replace")[0] == 0
    assert [json.loads(line)["public_key"] for line in key("list", "--json")[1].splitlines()] == [other]


@pytest.mark.parametrize("way", ["text", "name", "file", "line", "input", "input line"])
def test_ways_to_give_a_key(key, tmp_path, way):
    public = key("new", "bob")[1]
    certificate = key("show", "bob", "--public")[1]
    (tmp_path / "f").write_text(public if way == "line" else certificate)
    operand = {"text": public.strip(), "name": "bob", "file": str(tmp_path / "f"), "line": str(tmp_path / "f")}
    data = certificate if way == "input" else public
    status, _output, talk = key("allow", "bob", operand.get(way, "-"), input=data.encode())
    assert status == 0, talk
    assert json.loads(key("list", "--json")[1])["public_key"] == public.strip()


def test_a_secret_that_was_handed_over(key, keys):
    key("new", "bob")
    status, _output, talk = key("allow", "bob", str(keys / "bob.key"))
    assert status == 0 and "holds the secret key, too" in talk


def test_keys_that_look_like_options(key):
    for name, text in [("a", "-" + KEY[1:]), ("b", "--" + KEY[2:]), ("c", "-h" + KEY[2:])]:
        assert key("allow", name, text, "--for", "req")[0] == 0
        assert json.loads(key("list", "--json")[1].splitlines()[-1])["public_key"] == text
        assert key("revoke", text)[0] == 0


def test_mangled_keys(key, keys):
    for text, words in [(KEY[:21], "this has 21; put it in single quotes"), (KEY + "x", "this has 41"),
                        (KEY[:-1] + "~", "not those of Z85"), ("Lns47E1", "there is no such key")]:
        status, _output, talk = key("allow", "alice", text)
        assert status == 2 and words in talk
    status, _output, talk = key("allow", "alice", "rq:rM", "U?@Lns47E1%kR.o@n")
    assert status == 2 and "single quotes" in talk
    status, _output, talk = key("allow", KEY, "alice")
    assert status == 2 and "the name comes first" in talk
    for data, words in [(b"", "has 0"), (b"123\n", "has 3"), (b"a b\n", "input:1:"),
                        (b"x" * 70000, "over 65536 bytes")]:
        status, _output, talk = key("allow", "alice", "-", input=data)
        assert status != 0 and words in talk
    assert not (keys / "allowed").exists()


def test_wrong_usage(key):
    for arguments, words in [([], "what to do?"), (["shwo"], "did you mean 'weft key show'?"),
                             (["frobnicate"], "it can "), (["new"], "write 'weft key new NAME'"),
                             (["new", "a", "b"], "write"), (["list", "x"], "write"),
                             (["list", "--for", "req"], "--for is nothing for 'weft key list'"),
                             (["show", "--replace"], "--replace is nothing"),
                             (["allow", "a", KEY, "--for", "reqq"], "did you mean req"),
                             (["allow", "a", KEY, "--for", "sub:"], "for all topics write sub"),
                             (["allow", "a", KEY, "--for", "all", "--for", "req"], "no room for another"),
                             (["revoke", "a b"], "neither a name nor a public key")]:
        status, output, talk = key(*arguments)
        assert (status, output) == (2, "") and words in talk, talk


def test_another_list(key, keys, tmp_path):
    path = str(tmp_path / "list")
    assert key("allow", "alice", KEY, "--allow", path)[0] == 0
    assert json.loads(key("list", "--allow", path, "--json")[1])["name"] == "alice"
    assert key("revoke", "alice", "--allow", path)[0] == 0
    assert not keys.exists()
    status, _output, talk = key("list")
    assert status == 1 and "there is no such list" in talk


def test_a_bad_list_is_left_alone(key, keys):
    key("allow", "alice", KEY)
    text = (keys / "allowed").read_text()
    for bad, bits, status, words in [(text + "bob\n", 0o600, 1, "allowed:4:"), (text, 0o620, 5, "chmod 600")]:
        (keys / "allowed").write_text(bad)
        (keys / "allowed").chmod(bits)
        for arguments in [["list"], ["allow", "carol", "0" * 40], ["revoke", "alice"]]:
            got, _output, talk = key(*arguments)
            assert got == status and words in talk
        assert (keys / "allowed").read_text() == bad


def limit_files():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))


def test_killed_in_the_middle(key, keys):
    """By the system, while it writes: what was there is whole, and what is left behind is nothing to anybody."""
    public = key("new", "alice")[1]
    key("allow", "alice", "alice")
    before = {name: (keys / name).read_bytes() for name in names(keys)}
    for arguments in [["new", "alice", "--replace"], ["new", "bob"], ["allow", "x", KEY], ["revoke", "alice"]]:
        assert key(*arguments, preexec_fn=limit_files)[0] == -signal.SIGXFSZ
    left = [name for name in names(keys) if name not in before]
    assert len(left) == 4 and all(name.startswith(".") and mode(keys / name) == "0o600" for name in left)
    assert {name: (keys / name).read_bytes() for name in before} == before
    status, output, _talk = key("show")
    assert status == 0 and output.split()[1] == public.strip() and len(output.splitlines()) == 1
    assert key("new", "bob")[0] == 0 and key("revoke", "alice")[0] == 0


def test_a_write_that_fails(key, keys):
    key("new", "alice")
    key("allow", "alice", "alice")
    before = {name: (keys / name).read_bytes() for name in names(keys)}
    for arguments in [["new", "alice", "--replace"], ["new", "bob"], ["allow", "x", KEY], ["revoke", "alice"]]:
        status, output, talk = key(*arguments, preexec_fn=limit_files, restore_signals=False)
        assert (status, output) == (1, "") and "File too large" in talk
    assert {name: (keys / name).read_bytes() for name in names(keys)} == before


def test_a_full_disk(key, small_disk):
    """To the last byte but for one file of keys."""
    disk = small_disk("64k").folder
    where = {"WEFT_KEYS": str(disk / "keys")}
    public = key("new", "alice", env=where)[1]
    assert key("allow", "alice", "alice", env=where)[0] == 0
    with open(disk / "filler", "wb", buffering=0) as filler, pytest.raises(OSError):
        while True:
            filler.write(b"x" * 1024)
    before = names(disk / "keys")
    for arguments in [["new", "alice", "--replace"], ["new", "bob"], ["allow", "x", KEY], ["revoke", "alice"]]:
        status, output, talk = key(*arguments, env=where)
        assert (status, output) == (1, "") and "No space left" in talk
    assert names(disk / "keys") == before
    assert key("show", env=where)[1].split()[1] == public.strip()
    assert json.loads(key("list", "--json", env=where)[1])["revoked"] is False


def test_a_directory_that_is_not_ours(key, monkeypatch):
    """Neither to write to, nor to be believed."""
    def nobody():
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
    if os.geteuid() != 0:
        pytest.skip("only root can be somebody else")
    folder, program = tempfile.mkdtemp(prefix="weft-key-"), tempfile.mkdtemp(prefix="weft-key-")
    try:
        os.chmod(folder, 0o755)
        os.chmod(program, 0o755)
        shutil.copy(WEFT, program)              # where it was built may be closed to others
        monkeypatch.setattr(running, "WEFT", program + "/weft")
        for where in [folder, folder + "/a/b"]:
            status, _output, talk = key("new", "alice", env={"WEFT_KEYS": where}, preexec_fn=nobody)
            assert status == 5 and "Permission denied" in talk
        assert names(folder) == []
        os.mkdir(folder + "/theirs", 0o755)
        os.chown(folder + "/theirs", 65533, 65533)
        status, _output, talk = key("list", env={"WEFT_KEYS": folder + "/theirs"}, preexec_fn=nobody)
        assert status == 5 and "belongs to another user" in talk
    finally:
        shutil.rmtree(folder)
        shutil.rmtree(program)
