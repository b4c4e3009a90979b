#!/usr/bin/env python3
"""`hawser` over TLS, both sides, and --context: tls_test.py HAWSER"""

import asyncio
import hashlib
import os
import signal
import ssl
import sys
import tempfile

from peer import CLOSE, TEXT, Serve, connect, echo_until_close, execute, expect, expect_match, request, run, serving

from certificates import certificate, client_context, identity, key, server_context


def serve_tls(hawser, *options, name="server"):
    return Serve(hawser, "--tls", *identity(name), *options)


async def send(hawser, uri, *options):
    return await execute(hawser, "send", uri, "hello", *options)


async def expect_failure(hawser, uri, options, *parts):
    """`hawser send` fails with an error that has these parts."""
    status, out, err = await send(hawser, uri, *options)
    expect((status, out), (1, b""), "exit status and output")
    for part in ("the TLS handshake failed: ", *parts):
        expect(part in err, True, f"{part!r} in {err!r}")


async def made_certificate(hawser):
    """serve --tls: without --cert one is made, whose fingerprint is printed; its file is gone"""
    with tempfile.TemporaryDirectory() as folder, Temporary(folder):
        async with Serve(hawser, "--tls") as serve:
            line = (await serve.stdout.readline()).decode()
            expect_match("fingerprint [0-9a-f]{64}\n", line)
            pin = line.split()[1]
            expect(os.listdir(folder), [], "files left")
            port = int(serve.address.rstrip("/").rpartition(":")[2])
            pem = await asyncio.to_thread(ssl.get_server_certificate, ("127.0.0.1", port))
            expect(hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest(), pin, "fingerprint")
            own = os.path.join(folder, "own.pem")
            with open(own, "w", encoding="ascii") as file:
                file.write(pem)
            for address in (serve.address, serve.address.replace("127.0.0.1", "localhost")):
                expect(await send(hawser, address, "--cafile", own), (0, b"hello\n", ""), "send that trusts it")
            expect(await send(hawser, serve.address, "--insecure", "--pin", pin), (0, b"hello\n", ""), "send with the pin")
            expect(await send(hawser, serve.address, "--insecure"), (0, b"hello\n", ""), "send --insecure")
            await expect_failure(hawser, serve.address, ["--insecure", "--pin", "0" * 64], "another fingerprint", '"peer_fingerprint"')
            await expect_failure(hawser, serve.address, [], "self-signed and not trusted")
            serve.signal(signal.SIGTERM)
            expect(await serve.end(), (0, b"", ""), "end")


class Temporary:
    """Has temporary files made in this folder."""

    def __init__(self, folder):
        self.folder, self.before = folder, os.environ.get("TMPDIR")

    def __enter__(self):
        os.environ["TMPDIR"] = self.folder

    def __exit__(self, *_):
        if self.before is None:
            del os.environ["TMPDIR"]
        else:
            os.environ["TMPDIR"] = self.before


async def given_certificate(hawser):
    """serve --tls --cert --key: the server is verified, by --cafile and --servername"""
    async with serve_tls(hawser) as serve:
        expect(serve.address.startswith("wss://127.0.0.1:"), True, serve.address)
        trust = ["--cafile", certificate("root")]
        expect(await send(hawser, serve.address, *trust), (0, b"hello\n", ""), "send --cafile")
        expect(await send(hawser, serve.address, *trust, "--servername", "localhost"), (0, b"hello\n", ""), "send --servername")
        await expect_failure(hawser, serve.address, [], '"CN=Test Root", which is neither trusted', '"cafile"')
        wrong = 'is not for "other.example" but for "localhost", 127.0.0.1, ::1'
        await expect_failure(hawser, serve.address, [*trust, "--servername", "other.example"], wrong, '"peer_name"')
        async with connect(serve.address, tls=client_context()) as peer:
            await peer.send(TEXT, "hello")
            await peer.expect(TEXT, "hello")
            expect(await peer.close(), 1000, "close status")


async def one_file(hawser):
    """serve --tls --cert: one file may hold both, certificate and key"""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "both.pem")
        with open(path, "w", encoding="ascii") as both:
            for part in (certificate("server"), key("server")):
                with open(part, encoding="ascii") as file:
                    both.write(file.read())
        async with Serve(hawser, "--tls", "--cert", path) as serve:
            expect(await send(hawser, serve.address, "--cafile", certificate("root")), (0, b"hello\n", ""), "send")


async def refusal_of_a_certificate(hawser):
    """What a client reads: servers of mbedTLS 3 encrypt their alert of TLS 1.3 with the handshake's keys, which no client has any more."""
    _, versions, _ = await execute(hawser, "--version")
    return "alert" if b"mbedTLS 2." in versions else "Verification of the message MAC failed"


async def client_certificates(hawser):
    """serve --client-ca: asks for a certificate, which a client shows with --cert and --key"""
    trust = ["--cafile", certificate("root")]
    async with serve_tls(hawser, "--client-ca", certificate("root"), "--verbose") as serve:
        expect(await send(hawser, serve.address, *trust, *identity("client")), (0, b"hello\n", ""), "send --cert")
        for options in (trust, [*trust, *identity("stranger")]):
            status, out, err = await send(hawser, serve.address, *options)
            expect((status, out), (1, b""), "exit status and output")
            expect(await refusal_of_a_certificate(hawser) in err, True, err)
        serve.signal(signal.SIGTERM)
        _, _, err = await serve.end()
        expect("the client sent no certificate" in err, True, err)
        expect("CN=stranger" in err and "is self-signed" in err, True, err)


async def python_server(hawser):
    """connect, echo and send reach a server of OpenSSL, one that asks for a certificate too"""
    for client_ca, options in ((None, []), ("root", identity("client"))):
        tls = server_context(client_ca=client_ca)
        async with serving(echo_until_close, tls=tls) as (uri, done):
            expect(await send(hawser, uri, "--cafile", certificate("root"), *options), (0, b"hello\n", ""), "send")
            expect(await done, (1000, ""), "close")
        async with serving(echo_until_close, tls=tls) as (uri, done):
            ended = await execute(hawser, "connect", uri, "--cafile", certificate("root"), *options, stdin=b"x" * 50000 + b"\nlast")
            expect(ended, (0, b"x" * 50000 + b"\nlast\n", ""), "connect")
            expect(await done, (1000, ""), "close")

        async def talk(peer):
            await peer.send(TEXT, "hello")
            await peer.expect(TEXT, "hello")
            return await peer.close()

        async with serving(talk, tls=tls) as (uri, done):
            expect(await execute(hawser, "echo", uri, "--cafile", certificate("root"), *options), (0, b"", ""), "echo")
            expect(await done, 1000, "close")


async def verbose(hawser):
    """--verbose tells version and cipher"""
    async with serve_tls(hawser) as serve:
        status, _, err = await send(hawser, serve.address, "--verbose", "--cafile", certificate("root"))
        expect(status, 0, err)
        expect_match(r".*\nencrypted by TLSv1\.[23] with TLS\S+\n.*", err)


async def context(hawser):
    """--context sets any option, by its type, on both sides"""
    options = ["--context", "ssl.alpn_protocols=one,http/1.1", "--context", f"ssl.SNI_server_certs=other.example={certificate('other')},{key('other')}"]
    async with serve_tls(hawser, *options) as serve:
        tls = client_context()
        tls.set_alpn_protocols(["http/1.1"])
        async with connect(serve.address, tls=tls) as peer:
            expect(peer.writer.get_extra_info("ssl_object").selected_alpn_protocol(), "http/1.1", "protocol")
            await peer.close()
        trust = ["--context", f"ssl.cafile={certificate('root')}", "--context", "socket.tcp_nodelay=false", "--context", "ssl.verify_depth=3"]
        for name in ("other.example", "localhost"):
            ended = await send(hawser, serve.address, *trust, "--servername", name)
            expect(ended, (0, b"hello\n", ""), name)
        # It goes before the options of one purpose.
        await expect_failure(hawser, serve.address, [*trust, "--servername", "localhost", "--context", "ssl.peer_name=no.example"], '"no.example"')
        await expect_failure(hawser, serve.address, ["--cafile", certificate("root"), "--context", "ssl.verify_depth=0"], '"verify_depth"')
        header = await execute(hawser, "send", serve.address, "x", *trust, "--context", "http.header=A: b", "--context", "http.header=C: d")
        expect(header, (0, b"x\n", ""), "a list")


async def wrong_context(hawser):
    """--context: an unknown name, a wrong value and a wrong form are wrong usage, and say what would be right"""
    for setting, part in (
        ("ssl.verify_dept=3", '"ssl" option "verify_depth"'),
        ("sll.verify_depth=3", '"ssl" option "verify_depth"'),
        ("ssl.verify_depth=x", 'ssl option "verify_depth" is "x", expected an integer'),
        ("ssl.verify_depth=101", "must be 0 to 100"),
        ("ssl.verify_peer=no", "expected true or false"),
        ("ssl.ciphers=none", "does not know"),
        ("verify_depth=3", "is not of the form WRAPPER.NAME=VALUE"),
        ("ssl.verify_depth", "is not of the form WRAPPER.NAME=VALUE"),
        ("http.proxy=https://x:1", "is no URI of a proxy"),
    ):
        for subcommand in (["send", "wss://127.0.0.1:1/", "x"], ["serve"]):
            status, out, err = await execute(hawser, *subcommand, "--context", setting)
            expect((status, out), (2, b""), "exit status and output")
            expect(part in err, True, f"{part!r} in {err!r}")


async def wrong_usage(hawser):
    """TLS options that make no sense, or name what cannot be read, are wrong usage"""
    missing = os.path.join(os.path.dirname(certificate("root")), "missing")
    for arguments, part in (
        (["send", "ws://127.0.0.1:1/", "x", "--insecure"], "need wss://"),
        (["echo", "ws://127.0.0.1:1/", "--pin", "0" * 64], "need wss://"),
        (["connect", "wss://127.0.0.1:1/", "--key", missing], "--cert"),
        (["connect", "wss://127.0.0.1:1/", "--pin", "12"], "64 hex digits"),
        (["serve", "--cert", missing], "--tls"),
        (["serve", "--client-ca", missing], "--tls"),
        (["serve", "--tls", "--port", "0", "--cert", missing], f'ssl option "local_cert": cannot read "{missing}"'),
        (["serve", "--tls", "--port", "0", "--cert", certificate("root"), "--key", key("server")], "does not belong to"),
        (["send", "wss://127.0.0.1:1/", "x", "--cafile", missing], f'ssl option "cafile": cannot read "{missing}"'),
    ):
        status, out, err = await execute(hawser, *arguments)
        expect((status, out), (2, b""), f"exit status and output of {arguments}")
        expect(part in err, True, f"{part!r} in {err!r}")


async def wrong_port(hawser):
    """TLS on a plain port, and the plain protocol on a port for TLS, are named as such"""
    async with serve_tls(hawser) as serve, Serve(hawser) as plain:
        status, out, err = await send(hawser, serve.address.replace("wss:", "ws:"))
        expect((status, out), (1, b""), "exit status and output")
        expect("the server answered 400 This Port Speaks TLS" in err, True, err)
        await expect_failure(hawser, plain.address.replace("ws:", "wss:"), [], "the server speaks plain HTTP on this port")
        for address, options in ((serve.address, ["--cafile", certificate("root")]), (plain.address, [])):
            expect(await send(hawser, address, *options), (0, b"hello\n", ""), "send afterwards")


async def page(hawser):
    """serve --tls: the page is there over https, and may open wss"""
    async with serve_tls(hawser) as serve:
        status, head, _ = await request(serve.address, "GET", "/", client_context())
        expect(status, 200, "status")
        expect(any(line.startswith("Content-Security-Policy:") and "wss:" in line for line in head), True, "policy")


async def cut_off(hawser):
    """a server that ends without close_notify is told from one that ends cleanly"""

    async def cut(peer):
        expect(await peer.receive(), (TEXT, b"hello"), "message")
        peer.writer.transport.abort()

    async with serving(cut, tls=server_context()) as (uri, done):
        status, _, err = await send(hawser, uri, "--cafile", certificate("root"))
        await done
        expect(status, 1, "exit status")
        expect("without TLS's close_notify" in err or "reset by peer" in err, True, err)

    async def end(peer):
        expect(await peer.receive(), (TEXT, b"hello"), "message")

    async with serving(end, tls=server_context()) as (uri, done):
        status, _, err = await send(hawser, uri, "--cafile", certificate("root"))
        await done
        expect(status, 1, "exit status")
        expect("without a Close frame (1006)" in err and "close_notify" not in err, True, err)


CASES = [
    made_certificate,
    given_certificate,
    one_file,
    client_certificates,
    python_server,
    verbose,
    context,
    wrong_context,
    wrong_usage,
    wrong_port,
    page,
    cut_off,
]

if __name__ == "__main__":
    # What is trusted by default signed none of these; the machine may have no CA certificates of its own.
    os.environ["SSL_CERT_FILE"] = certificate("stranger")
    sys.exit(asyncio.run(run(CASES, *sys.argv[1:])))
