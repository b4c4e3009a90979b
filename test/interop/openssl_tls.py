#!/usr/bin/env python3
"""OpenSSL's own programs as peers of the hawser command over TLS: openssl_tls.py HAWSER"""

import asyncio
import contextlib
import os
import re
import sys
import tempfile

from harness import Serve, command, expect, run

from certificates import certificate, identity, key

REQUEST = (
    "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
ACCEPTED = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
# s_server answers requests with a page, by HTTP/1.0, when it is asked to.
ANSWERED = "the server answered 200 ok"
TRUST = ["-CAfile", certificate("root"), "-verify_return_error", "-verify_hostname", "localhost"]


@contextlib.asynccontextmanager
async def openssl(*arguments):
    pipes = {"stdin": asyncio.subprocess.PIPE, "stdout": asyncio.subprocess.PIPE, "stderr": asyncio.subprocess.STDOUT}
    process = await asyncio.create_subprocess_exec("openssl", *arguments, **pipes)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def read_until(process, *marks):
    """Its output up to one of these marks, or to its end."""
    seen = b""
    while piece := await process.stdout.read(4096):
        seen += piece
        if any(mark.encode() in seen for mark in marks):
            break
    return seen.decode(errors="replace")


async def s_client(serve, *options, say=REQUEST, marks=(ACCEPTED,)):
    """What `openssl s_client` shows, of a handshake and the answer to `say`."""
    port = serve.uri.rstrip("/").rpartition(":")[2]
    async with openssl("s_client", "-connect", f"127.0.0.1:{port}", *TRUST, *options) as process:
        process.stdin.write(say.encode())
        with contextlib.suppress(ConnectionError):
            await process.stdin.drain()
        return await read_until(process, *marks)


def expect_parts(text, *parts):
    for part in parts:
        if part not in text:
            raise AssertionError(f"{part!r} is not in {text[-3000:]}")


def serve_tls(hawser, *options, name="server"):
    return Serve(hawser, "--tls", *identity(name), *options)


async def handshake(hawser):
    """s_client verifies the server and is answered, with an ECDSA and with an RSA certificate"""
    for name in ("server", "rsa"):
        async with serve_tls(hawser, name=name) as serve:
            expect_parts(await s_client(serve), "Verification: OK", ACCEPTED)


async def ciphers(hawser):
    """each ciphersuite that is on by default is agreed on, and no other one"""
    for name, kind in (("server", "ECDSA"), ("rsa", "RSA")):
        async with serve_tls(hawser, name=name) as serve:
            for cipher in ("CHACHA20-POLY1305", "AES128-GCM-SHA256", "AES256-GCM-SHA384"):
                full = f"ECDHE-{kind}-{cipher}"
                expect_parts(await s_client(serve, "-tls1_2", "-cipher", full), f"Cipher is {full}", ACCEPTED)
            for cipher in (f"ECDHE-{kind}-AES128-SHA", f"ECDHE-{kind}-AES128-SHA256", "AES128-GCM-SHA256", "DHE-RSA-AES128-GCM-SHA256", "AES128-SHA"):
                expect_parts(await s_client(serve, "-tls1_2", "-cipher", cipher + ":@SECLEVEL=0"), "handshake failure", "Cipher is (NONE)")


async def curves(hawser):
    """the server chooses the fastest curve for the key exchange, in TLS 1.3 the one whose key comes first, and none below 256 bits"""
    for name in ("server", "rsa"):
        async with serve_tls(hawser, name=name) as serve:
            expect_parts(await s_client(serve, "-tls1_2", "-curves", "P-521:P-256:X25519"), "Temp Key: X25519", ACCEPTED)
            expect_parts(await s_client(serve, "-tls1_2", "-curves", "P-521:P-256"), "Temp Key: ECDH, prime256v1", ACCEPTED)
            for version in await versions_of(serve):
                expect_parts(await s_client(serve, version, "-curves", "X25519:P-256"), "Temp Key: X25519", ACCEPTED)
                expect_parts(await s_client(serve, version, "-curves", "P-256"), "Temp Key: ECDH, prime256v1", ACCEPTED)
            for curve in ("secp224r1", "prime192v1", "secp256k1"):
                expect_parts(await s_client(serve, "-tls1_2", "-curves", curve), "Cipher is (NONE)")


async def versions(hawser):
    """TLS below 1.2 is refused"""
    async with serve_tls(hawser) as serve:
        for version in ("-tls1", "-tls1_1"):
            expect_parts(await s_client(serve, version, "-cipher", "ALL:@SECLEVEL=0"), "Cipher is (NONE)")
        expect_parts(await s_client(serve, "-tls1_2"), "Cipher is ECDHE", ACCEPTED)


async def resumption(hawser):
    """the second handshake is resumed by a ticket, in either version of TLS, unless no_ticket is set"""
    with tempfile.TemporaryDirectory() as folder:
        session = os.path.join(folder, "session")
        for options, expected in (([], "Reused, "), (["--context", "ssl.no_ticket=true"], "New, ")):
            async with serve_tls(hawser, *options) as serve:
                for version in await versions_of(serve):
                    expect_parts(await s_client(serve, version, "-sess_out", session), "New, ", ACCEPTED)
                    if not os.path.exists(session):  # written when s_client ends
                        await finish(serve, version, "-sess_out", session)
                    if not os.path.exists(session):  # of TLS 1.3 it is nothing but the ticket
                        expect((version, expected), ("-tls1_3", "New, "), "no session")
                        continue
                    expect_parts(await s_client(serve, version, "-sess_in", session), expected, ACCEPTED)
                    os.unlink(session)


async def finish(serve, *options):
    """Lets s_client come to its own end."""
    port = serve.uri.rstrip("/").rpartition(":")[2]
    async with openssl("s_client", "-connect", f"127.0.0.1:{port}", *TRUST, *options) as process:
        await process.communicate(b"Q\n")


async def renegotiation(hawser):
    """a client that asks for renegotiation is refused, and harms nobody"""
    async with serve_tls(hawser) as serve:
        seen = await s_client(serve, "-tls1_2", say="R\n", marks=("no renegotiation", "closed"))
        expect_parts(seen, "RENEGOTIATING", "no renegotiation")
        expect_parts(await s_client(serve), ACCEPTED)


async def client_certificate(hawser):
    """a server that asks for a certificate takes the right one, and refuses none and a wrong one with an alert"""
    async with serve_tls(hawser, "--client-ca", certificate("root")) as serve:
        for version in await versions_of(serve):
            own = ("-cert", certificate("client"), "-key", key("client"))
            expect_parts(await s_client(serve, version, *own), ACCEPTED)
            wrong = ("-cert", certificate("stranger"), "-key", key("stranger"))
            for options in ((), wrong):
                # A client of TLS 1.3 has finished before, and mbedTLS encrypts the alert by the handshake's keys.
                marks = ("SSL alert number", "bad record mac" if version == "-tls1_3" else "SSL alert number")
                seen = await s_client(serve, version, *options, marks=marks)
                expect(any(mark in seen for mark in marks), True, f"refusal in {seen}")


async def versions_of(serve):
    """The options of s_client for each version of TLS that this build of the command speaks."""
    has_tls13 = "New, TLSv1.3" in await s_client(serve, "-tls1_3", marks=("Cipher is",))
    return ("-tls1_2", "-tls1_3") if has_tls13 else ("-tls1_2",)


async def key_update(hawser):
    """s_client goes on to new keys, which mbedTLS cannot follow: it gets an alert, and harms nobody; without TLS 1.3 it gets no keys"""
    async with serve_tls(hawser) as serve:
        has_tls13 = "-tls1_3" in await versions_of(serve)
        for letter in "Kk":
            seen = await s_client(serve, "-tls1_3", say=f"{letter}\n", marks=("SSL alert number",))
            expect_parts(seen, *(("KEYUPDATE", "unexpected message") if has_tls13 else ("alert handshake failure",)))
            expect_parts(await s_client(serve), ACCEPTED)


async def server_key_update(hawser):
    """s_server goes on to new keys: the command ends with an error that says so; without TLS 1.3 nothing is in common"""
    for letter in (b"K\n", b"k\n"):
        async with s_server("-tls1_3") as (process, uri):
            client = asyncio.create_task(command(hawser, "connect", uri, "--cafile", certificate("root"), "--timeout", "20"))
            has_tls13 = "Upgrade: websocket" in await read_until(process, "Upgrade: websocket", "unsupported protocol")
            process.stdin.write(letter)
            status, _, err = await client
            expect(status, 1, "exit status")
            expect_parts(err, "goes on to new keys (KeyUpdate), which mbedTLS 3." if has_tls13 else "protocol_version (70)")


async def names(hawser):
    """SNI chooses the certificate, ALPN the protocol"""
    other = f"ssl.SNI_server_certs=other.example={certificate('other')},{key('other')}"
    async with serve_tls(hawser, "--context", other, "--context", "ssl.alpn_protocols=one,http/1.1") as serve:
        asked = ("-servername", "other.example", "-verify_hostname", "other.example", "-alpn", "http/1.1")
        expect_parts(await s_client(serve, "-nameopt", "RFC2253", *asked), "CN=other.example", "ALPN protocol: http/1.1", ACCEPTED)
        seen = await s_client(serve, "-nameopt", "RFC2253", "-servername", "localhost")
        expect_parts(seen, "CN=localhost", "No ALPN negotiated", ACCEPTED)


@contextlib.asynccontextmanager
async def s_server(*options):
    """`openssl s_server`; gives the process and its URI."""
    arguments = ("-accept", "127.0.0.1:0", "-cert", certificate("server"), "-key", key("server"), *options)
    async with openssl("s_server", *arguments) as process:
        seen = await read_until(process, "ACCEPT 127.0.0.1:")
        found = re.search(r"ACCEPT 127\.0\.0\.1:(\d+)", seen)
        if not found:
            raise RuntimeError(f"openssl s_server said {seen!r}")
        yield process, f"wss://127.0.0.1:{found[1]}/"


async def server(hawser):
    """the command as a client completes the handshake with s_server, with either curve and each ciphersuite"""
    for options in ([], ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES256-GCM-SHA384"], ["-tls1_2", "-cipher", "ECDHE-ECDSA-CHACHA20-POLY1305"],
                    ["-curves", "P-256"], ["-curves", "X25519"]):
        async with s_server("-www", *options) as (_, uri):
            status, _, err = await command(hawser, "send", uri, "x", "--cafile", certificate("root"))
            expect(status, 1, "exit status")
            expect_parts(err, ANSWERED)


async def server_verifies(hawser):
    """s_server asks for a certificate: the right one is taken, none is refused, and the error says so"""
    async with s_server("-www", "-Verify", "2", "-verify_return_error", "-CAfile", certificate("root")) as (_, uri):
        _, _, err = await command(hawser, "send", uri, "x", "--cafile", certificate("root"), *identity("client"))
        expect_parts(err, ANSWERED)
        _, _, err = await command(hawser, "send", uri, "x", "--cafile", certificate("root"))
        expect_parts(err, "alert", '"local_cert"')


async def server_renegotiates(hawser):
    """s_server asks for renegotiation: it is refused"""
    async with s_server("-tls1_2") as (process, uri):
        client = asyncio.create_task(command(hawser, "connect", uri, "--cafile", certificate("root"), "--timeout", "20"))
        await read_until(process, "Upgrade: websocket")
        process.stdin.write(b"R\n")
        seen = await read_until(process, "no renegotiation")
        expect_parts(seen, "no renegotiation")
        process.kill()
        status, _, _ = await client
        expect(status, 1, "exit status")


CASES = [
    handshake,
    ciphers,
    curves,
    versions,
    resumption,
    renegotiation,
    key_update,
    client_certificate,
    names,
    server,
    server_verifies,
    server_renegotiates,
    server_key_update,
]

if __name__ == "__main__":
    sys.exit(asyncio.run(run(CASES, *sys.argv[1:])))
