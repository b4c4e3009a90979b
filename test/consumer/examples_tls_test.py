#!/usr/bin/env python3
"""The examples that speak TLS: examples_tls_test.py EXAMPLES_FOLDER"""

import asyncio
import contextlib
import pathlib
import signal
import ssl
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tools"))
from peer import TEXT, Peer, Process, expect, expect_match, read_head, run  # noqa: E402

UPGRADE = (
    "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


class Certificates:
    """An authority and what it signs, as files of a folder."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.create("authority", ["-addext", "keyUsage=critical,keyCertSign,cRLSign"])

    def path(self, name):
        return str(self.folder / name)

    def create(self, name, signing):
        request = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", f"/CN={name}"]
        request += ["-addext", "subjectAltName=DNS:localhost", "-days", "30"]
        files = ["-keyout", self.path(name + ".key"), "-out", self.path(name + ".pem")]
        subprocess.run(["openssl", *request, *files, *signing], check=True, capture_output=True)

    def sign(self, name):
        self.create(name, ["-CA", self.path("authority.pem"), "-CAkey", self.path("authority.key"), "-addext", "basicConstraints=CA:FALSE"])


@contextlib.contextmanager
def certificates(*names):
    with tempfile.TemporaryDirectory() as folder:
        made = Certificates(folder)
        for name in names:
            made.sign(name)
        yield made


async def name_of_server(uri, made):
    """Talks to it, and says whose certificate it showed."""
    context = ssl.create_default_context(cafile=made.path("authority.pem"))
    context.verify_flags |= ssl.VERIFY_X509_STRICT  # as by itself from Python 3.13 on
    port = int(uri.rstrip("/").rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname="localhost")
    writer.write(UPGRADE.encode())
    peer = Peer(reader, writer, True, await read_head(reader))
    await peer.send(TEXT, "hello")
    await peer.expect(TEXT, "hello")
    await peer.close()
    certificate = writer.get_extra_info("ssl_object").getpeercert()
    await peer.shut()
    return certificate["subject"][0][0][1]


async def tls_server(folder):
    """tls_server: SIGHUP makes it show the new certificate; a file that is none leaves the old one"""
    with certificates("old", "new") as made:
        shown, key = pathlib.Path(made.path("shown.pem")), pathlib.Path(made.path("shown.key"))

        def show(name):
            shown.write_bytes(pathlib.Path(made.path(name + ".pem")).read_bytes())
            key.write_bytes(pathlib.Path(made.path(name + ".key")).read_bytes())

        show("old")
        async with Process(folder + "/tls_server", str(shown), str(key)) as server:
            uri = (await server.stdout.readline()).decode().removeprefix("listening on ").strip()
            expect(await name_of_server(uri, made), "old", "at first")
            show("new")
            expect(await name_of_server(uri, made), "old", "before SIGHUP")
            server.signal(signal.SIGHUP)
            expect(await server.stdout.readline(), b"reloaded\n", "answer to SIGHUP")
            expect(await name_of_server(uri, made), "new", "after SIGHUP")
            shown.write_text("nonsense")
            server.signal(signal.SIGHUP)
            expect_match(r"kept the old ones: .*\n", (await server.stdout.readline()).decode())
            expect(await name_of_server(uri, made), "new", "after SIGHUP with nonsense")


async def mutual_tls(folder):
    """mutual_tls: a client with a certificate is answered, one without is refused"""
    with certificates("server", "client") as made:
        files = [made.path(name) for name in ("authority.pem", "server.pem", "server.key", "client.pem", "client.key")]
        async with Process(folder + "/mutual_tls", *files) as example:
            status, out, _ = await example.end()
    expect(status, 0, "exit status")
    expect_match(r"answered: hello\nrefused: .*\n", out.decode())


if __name__ == "__main__":
    sys.exit(asyncio.run(run([tls_server, mutual_tls], sys.argv[1])))
