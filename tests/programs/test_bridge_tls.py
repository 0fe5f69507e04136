"""weft bridge in TLS and over Unix sockets, as openssl s_client, Python's ssl and nc -U see it."""

import re
import shutil
import socket
import ssl
import subprocess
import time

import pytest

from running import ANY_TCP, LIMIT

ANY = "127.0.0.1:0"
OK, USAGE, NOT_AUTHORISED, LOSS = 0, 2, 5, 6


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Paths by name: ca.pem, and the certificates and keys of a server and of a client."""
    folder = tmp_path_factory.mktemp("certificates")

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, timeout=LIMIT, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)

    new = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    openssl("req", "-x509", *new, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=ca", "-days", "2")
    for name, names in (("server", "DNS:localhost,IP:127.0.0.1"), ("client", "DNS:client")):
        (folder / "names").write_text("subjectAltName=" + names + "\n")
        openssl("req", *new, "-keyout", name + ".key", "-out", name + ".csr", "-subj", "/CN=" + name)
        openssl("x509", "-req", "-in", name + ".csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days",
                "2", "-extfile", "names", "-out", name + ".pem")
    return lambda name: str(folder / name)


def listening(program, what="tcp"):
    found = program.talk.wait(lambda talk: re.search(rb"weft bridge: %s listening on (\S+)\n" % what.encode(), talk),
                              "the ready line of " + what)
    return found.group(1).decode()


@pytest.fixture
def echo(weft, files):
    """A bridge in front of a server that echoes, in TLS."""
    rep = weft.start("rep", ANY_TCP, "--echo")

    def run(*arguments):
        program = weft.start("bridge", "tcp", "-v", "--listen", ANY, "--req", rep.endpoint, "--tls", "--tls-cert",
                             files("server.pem"), "--tls-key", files("server.key"), *arguments)
        joined(program)
        return program
    return run


def joined(program):
    """Its socket of the fabric has shaken hands: one that is told to end in the middle of that has to linger."""
    program.expect_talk("a peer has come")


def dial(address, context, name="localhost"):
    host, port = address.rsplit(":", 1)
    return context.wrap_socket(socket.create_connection((host, int(port)), LIMIT), server_hostname=name)


def ended(program, status=OK):
    program.signal()
    assert program.wait() == status, program.talk.data


def s_client(weft, address, files, *arguments):
    return weft.command(["openssl", "s_client", "-connect", address, "-CAfile", files("ca.pem"), "-verify_return_error",
                         "-verify_hostname", "localhost", *arguments], input=weft.OPEN)


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_s_client_is_answered(weft, echo, files, version):
    program = echo()
    client = s_client(weft, listening(program), files, "-quiet", version)
    client.write(b"hello\nworld\n")
    client.out.wait(lambda out: out.endswith(b"hello\nworld\n"), "the replies")
    client.close_input()
    ended(program)


def test_python_has_its_replies_in_order(echo, files):
    context = ssl.create_default_context(cafile=files("ca.pem"))
    data = b"".join(b"%d\n" % each for each in range(20000))
    with dial(listening(echo()), context) as client:
        client.sendall(data)
        file = client.makefile("rb")
        assert b"".join(file.readline() for _ in range(20000)) == data
        client.unwrap()


def test_a_client_that_knows_another_name_is_told_of(echo, files):
    program = echo()
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        dial(listening(program), ssl.create_default_context(cafile=files("ca.pem")), "elsewhere.test")
    program.expect_talk("127.0.0.1:[0-9]+: it does not accept our certificate")
    ended(program)


def test_clients_may_need_a_certificate(echo, files):
    program = echo("--tls-verify", "all", "--tls-ca", files("ca.pem"))
    context = ssl.create_default_context(cafile=files("ca.pem"))
    with dial(listening(program), context) as client, pytest.raises(ssl.SSLError, match="(?i)certificate.required"):
        client.recv(1)
    program.expect_talk("no certificate, which --tls-verify all asks for")
    context.load_cert_chain(files("client.pem"), files("client.key"))
    with dial(listening(program), context) as client:
        client.sendall(b"it is me\n")
        assert client.makefile("rb").readline() == b"it is me\n"
    ended(program)


def test_nothing_is_negotiated_twice(weft, echo, files):
    program = echo()
    client = s_client(weft, listening(program), files, "-tls1_2")
    client.talk.wait(lambda talk: b"verify return:1" in talk, "the handshake")
    client.out.wait(lambda out: b"Verify return code: 0" in out, "the session")
    client.write(b"R\n")
    client.talk.wait(lambda talk: b"no renegotiation" in talk, "that it is refused")
    ended(program)


@pytest.mark.parametrize("data, words", [(b"GET / HTTP/1.0\r\n\r\n", "HTTP in clear text"),
                                         (b"hello, hello\n", "it does not speak TLS")])
def test_clear_text_is_told(echo, data, words):
    program = echo()
    host, port = listening(program).split(":")
    with socket.create_connection((host, int(port)), LIMIT) as client:
        client.sendall(data)
        program.expect_talk(words)
    ended(program)


def test_tls_in_front_of_clear_text_is_told(weft, files):
    program = weft.start("bridge", "tcp", "--listen", ANY, "--relay", "--framing", "len32")
    with pytest.raises((ssl.SSLError, ConnectionError)):
        dial(listening(program), ssl.create_default_context(cafile=files("ca.pem")))
    program.expect_talk("is disconnected: (it speaks TLS, and here is clear text|.*bytes)")
    ended(program)


def test_two_bridges_over_tls(weft, echo, files):
    there = echo()
    address = listening(there).replace("127.0.0.1", "localhost")
    here = weft.start("bridge", "tcp", "--dial", address, "--rep", ANY_TCP, "--tls", "--tls-ca", files("ca.pem"))
    assert weft.run("req", listening(here, "rep"), input=b"far away\n")[:2] == (OK, b"far away\n")
    ended(here)
    ended(there)


def test_a_server_that_is_not_trusted_is_not_spoken_to(weft, echo):
    there = echo()
    here = weft.start("bridge", "tcp", "--dial", listening(there), "--rep", ANY_TCP, "--tls")
    here.expect_talk("signed by nobody who is trusted here: --tls-ca")
    there.expect_talk("it does not trust our certificate")
    ended(here)
    ended(there)


def test_a_certificate_that_was_replaced_is_shown_to_the_next(weft, files, tmp_path):
    for name in ("server.pem", "server.key"):
        shutil.copy(files(name), tmp_path / name)
    program = weft.start("bridge", "tcp", "-v", "--listen", ANY, "--relay", "--tls", "--tls-cert",
                         str(tmp_path / "server.pem"), "--tls-key", str(tmp_path / "server.key"))
    context = ssl.create_default_context(cafile=files("ca.pem"))
    context.check_hostname = False
    seen, deadline = set(), time.monotonic() + LIMIT
    for name in ("server", "client"):
        for ending in (".key", ".pem"):
            shutil.copy(files(name + ending), tmp_path / "new")
            (tmp_path / "new").replace(tmp_path / ("server" + ending))
        while name not in seen:             # the files are looked at once a second
            assert time.monotonic() < deadline, program.talk.data
            try:
                with dial(listening(program), context) as client:
                    seen.add(dict(pair[0] for pair in client.getpeercert()["subject"])["commonName"])
            except (ssl.SSLError, ConnectionError):
                pass
    ended(program)


def test_curl_is_answered_by_https(weft, files):
    rep = weft.start("rep", ANY_TCP, "--echo")
    program = weft.start("bridge", "http", "-v", "--listen", ANY, "--req", rep.endpoint, "--tls", "--tls-cert",
                         files("server.pem"), "--tls-key", files("server.key"))
    joined(program)
    url = "https://localhost:%s/req" % listening(program, "http").rsplit(":", 1)[1]
    ask = ["curl", "-sS", "--http2", "--cacert", files("ca.pem"), "-d", "hello", "-w", " %{http_version} %{http_code}"]
    done = subprocess.run([*ask, url], stdout=subprocess.PIPE, timeout=LIMIT)
    assert b"hello" in done.stdout and done.stdout.endswith(b" 1.1 200")       # by ALPN: not HTTP/2
    ended(program)


@pytest.mark.parametrize("options, status, words", [
    (("--tls",), USAGE, "takes a certificate"),
    (("--tls-cert", "server.pem"), USAGE, "of no use without --tls"),
    (("--tls", "--tls-cert", "server.pem", "--tls-key", "client.key"), USAGE, "does not belong to the certificate"),
    (("--tls", "--tls-cert", "none.pem"), 1, "none.pem: No such file")])
def test_what_cannot_be_is_told_at_once(weft, files, options, status, words):
    arguments = [files(option) if "." in option else option for option in options]
    result = weft.run("bridge", "tcp", "--listen", ANY, "--relay", *arguments)
    assert result[0] == status
    assert words in result[2]


# ---------------------------------------------------------------------------- Unix sockets

def test_nc_over_a_unix_socket(weft, tmp_path):
    path = str(tmp_path / "sock")
    rep = weft.start("rep", ANY_TCP, "--echo")
    arguments = ("bridge", "tcp", "-v", "--listen", "unix:" + path, "--req", rep.endpoint)
    program = weft.start(*arguments)
    assert listening(program) == "unix:" + path
    assert (tmp_path / "sock").stat().st_mode & 0o777 == 0o600
    client = subprocess.Popen([shutil.which("nc"), "-N", "-U", path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    out, _ = client.communicate(b"hello\nlast", timeout=LIMIT)
    assert out == b"hello\nlast\n"
    program.expect_talk(r"unix:%d/\d+ is connected" % client.pid)
    status, _, talk = weft.run(*arguments)
    assert status != OK and "somebody listens there already" in talk
    program.kill()                                      # what it leaves is taken over
    again = weft.start(*arguments)
    joined(again)
    ended(again)
    assert not (tmp_path / "sock").exists()
