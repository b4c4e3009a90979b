#!/usr/bin/env python3
"""Debian's python3-websockets over TLS, as a client and as a server: python_tls.py HAWSER"""

import asyncio
import http
import ssl
import sys

import python_client as client
from harness import Serve, command, expect, run
from python_server import MEBIBYTE, TEXT, echo, expect_echo, serving

from certificates import certificate, client_context, identity, server_context

TRUST = ("--cafile", certificate("root"))


def over_tls(case):
    """A case of the client's script, against a server of wss."""

    async def run_case(hawser):
        async with Serve(hawser, "--tls", *identity()) as serve:
            serve.tls = client_context()
            await case(serve)

    run_case.__doc__ = "a client over TLS: " + case.__doc__
    return run_case


async def client_certificate(hawser):
    """a client over TLS shows its certificate"""
    async with Serve(hawser, "--tls", *identity(), "--client-ca", certificate("root")) as serve:
        serve.tls = client_context("client")
        await client.text(serve)


async def send(hawser):
    """send over TLS: the messages arrive, the replies are printed, the close is clean"""
    messages = ["hello", TEXT, "x" * 60000]
    for client_ca, options in ((None, ()), ("root", identity("client"))):
        async with serving(echo, ssl=server_context(client_ca=client_ca)) as (uri, done):
            status, out, err = await command(hawser, "send", uri, *TRUST, *options, *messages)
            expect(status, 0, f"exit status ({err.strip()})")
            expect(out.splitlines(), messages, "replies")
            expect(await done(), (1000, ""), "close of the client")


async def echo_client(hawser):
    """echo over TLS: messages of every length class, fragments and 1 MiB come back"""

    async def handler(socket):
        for content in (TEXT, "", bytes(range(256)), b"", "x" * 16383, "x" * 16384, "x" * 65536, "x" * MEBIBYTE, ["a", "", TEXT]):
            await expect_echo(socket, content)

    async with serving(handler, ssl=server_context()) as (uri, done):
        status, _, err = await command(hawser, "echo", uri, *TRUST)
        await done()
        expect(status, 0, f"exit status ({err.strip()})")


async def wrong_name(hawser):
    """a server whose certificate is for another host is refused, and learns it"""
    async with serving(echo, ssl=server_context("other")) as (uri, _):
        status, _, err = await command(hawser, "send", uri, *TRUST, "hello")
        expect(status, 1, "exit status")
        expect('is not for "127.0.0.1" but for "other.example"' in err, True, err)


async def resumption(hawser):
    """a client that is sent on to the same server resumes its session, in TLS 1.2 and in the newest version that both speak"""

    async def send_on(path, _headers):
        return None if path == "/second" else (http.HTTPStatus.FOUND, {"Location": "/second"}, b"")

    async def is_resumed(socket):
        await echo(socket)
        return socket.transport.get_extra_info("ssl_object").session_reused

    for newest in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.MAXIMUM_SUPPORTED):
        context = server_context()
        context.maximum_version = newest
        async with serving(is_resumed, ssl=context, process_request=send_on) as (uri, done):
            status, out, err = await command(hawser, "send", "--context", "http.follow_location=true", *TRUST, uri, "hello")
            expect(status, 0, f"exit status ({err.strip()})")
            expect(out.splitlines(), ["hello"], "replies")
            expect(await done(), True, f"resumed, up to {newest.name}")


CASES = [
    *map(over_tls, [client.text, client.binary, client.mebibyte, client.fragments, client.ping, client.server_ping, client.client_close,
                    client.server_close, client.many, client.shutdown]),
    client_certificate,
    send,
    echo_client,
    wrong_name,
    resumption,
]

if __name__ == "__main__":
    sys.exit(asyncio.run(run(CASES, *sys.argv[1:])))
