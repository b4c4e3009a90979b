#!/usr/bin/env python3
"""nginx and haproxy in front of `hawser serve`: proxies.py HAWSER NGINX HAPROXY

They listen on Unix sockets, so that no port has to be free.
"""

import asyncio
import contextlib
import csv
import pathlib
import sys
import tempfile

import websockets
import websockets.legacy.client
from harness import CASE_SECONDS, Serve, expect, run, start

TEXT = "grüße, 世界 🎉"
UPGRADE = (
    "GET {} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)

# The health check is haproxy's own: OPTIONS / by HTTP/1.0.
HAPROXY = """
global
    stats socket {folder}/admin
defaults
    mode http
    timeout connect 10s
    timeout client 60s
    timeout server 60s
    timeout tunnel 60s
frontend front
    bind unix@{folder}/front
    default_backend hawser
backend hawser
    option httpchk
    server one {address} check inter 50ms
"""

# What a location says of its upstream is nginx's own, HTTP/1.0, unless it says otherwise.
NGINX = """
daemon off;
master_process off;
pid {folder}/pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/client_body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    upstream hawser_servers {{ server {address}; }}
    server {{
        listen unix:{folder}/front;
        location / {{ proxy_pass http://hawser_servers; }}
        location /upgrade {{
            proxy_pass http://hawser_servers/;
            proxy_http_version 1.1;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection "upgrade";
        }}
    }}
}}
"""


async def listening(path):
    """Waits until somebody listens there."""
    while True:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_unix_connection(path)
            return writer.close()
        await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def proxy(configuration, serve, program, *arguments):
    """The proxy with this configuration in front of a server; gives the folder of its sockets."""
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder, "configuration")
        file.write_text(configuration.format(folder=folder, address=serve.uri.removeprefix("ws://").rstrip("/")), encoding="utf-8")
        async with start(program, *arguments, file) as process:
            ready = asyncio.create_task(listening(folder + "/front"))
            ended = asyncio.create_task(process.wait())
            await asyncio.wait((ready, ended), timeout=CASE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            ended.cancel()
            if not ready.done():
                ready.cancel()
                process.kill()
                raise RuntimeError(f"{program} does not listen: {(await process.stderr.read()).decode()}")
            yield folder


async def ask(path, text):
    """All that comes in answer to this text."""
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(text.encode())
    answer = await asyncio.wait_for(reader.read(), CASE_SECONDS)
    writer.close()
    return answer.decode()


async def page(path, method, version):
    """Status and body of an answer."""
    head, _, body = (await ask(path, f"{method} / HTTP/{version}\r\nHost: x\r\nConnection: close\r\n\r\n")).partition("\r\n\r\n")
    return head.split()[1], body


async def expect_pages(path):
    for version in ("1.0", "1.1"):
        status, body = await page(path, "GET", version)
        expect((status, body.startswith("<!DOCTYPE html>")), ("200", True), "answer to GET by " + version)
        expect(await page(path, "HEAD", version), ("200", ""), "answer to HEAD by " + version)
        expect(await page(path, "OPTIONS", version), ("200", ""), "answer to OPTIONS by " + version)


async def expect_echo(path, uri):
    async with websockets.legacy.client.unix_connect(path, uri, ping_interval=None) as socket:
        for content in (TEXT, bytes(range(256)), "x" * 65536):
            await socket.send(content)
            expect(await socket.recv(), content, "echo")


async def health(folder):
    """What haproxy thinks of the server, when it has checked its health."""
    while True:
        rows = csv.DictReader((await ask(folder + "/admin", "show stat\n")).removeprefix("# ").splitlines())
        (row,) = (row for row in rows if row["svname"] == "one")
        if row["check_status"] != "INI" and not row["check_status"].startswith("*"):
            return row["status"], row["check_status"], row["check_code"]
        await asyncio.sleep(0.01)


async def haproxy_check(hawser, _, haproxy):
    """haproxy: the default health check is answered, and the server is up"""
    async with Serve(hawser) as serve, proxy(HAPROXY, serve, haproxy, "-db", "-f") as folder:
        expect(await asyncio.wait_for(health(folder), CASE_SECONDS), ("UP", "L7OK", "200"), "state")


async def haproxy_traffic(hawser, _, haproxy):
    """haproxy: pages and WebSockets pass"""
    async with Serve(hawser) as serve, proxy(HAPROXY, serve, haproxy, "-db", "-f") as folder:
        await expect_pages(folder + "/front")
        await expect_echo(folder + "/front", "ws://localhost/")


async def nginx_pages(hawser, nginx, _):
    """nginx: the default proxy_pass, which speaks HTTP/1.0, is answered with pages"""
    async with Serve(hawser) as serve, proxy(NGINX, serve, nginx, "-e", "stderr", "-c") as folder:
        await expect_pages(folder + "/front")


async def nginx_websocket(hawser, nginx, _):
    """nginx: WebSockets pass where it is told to upgrade, and elsewhere the refusal says what is missing"""
    async with Serve(hawser) as serve, proxy(NGINX, serve, nginx, "-e", "stderr", "-c") as folder:
        await expect_echo(folder + "/front", "ws://localhost/upgrade")
        answer = await ask(folder + "/front", UPGRADE.format("/").replace("Connection: Upgrade", "Connection: Upgrade, close"))
        expect(answer.split()[1], "400", "status")
        if "a WebSocket needs HTTP/1.1" not in answer:
            raise AssertionError(f"the refusal does not say why: {answer!r}")


CASES = [haproxy_check, haproxy_traffic, nginx_pages, nginx_websocket]

if __name__ == "__main__":
    sys.exit(asyncio.run(run(CASES, *sys.argv[1:])))
