#!/usr/bin/env python3
"""An echo server and client on raw sockets that breaks one rule: peer.py serve|URL [MUTANT]

Without a mutant it keeps to RFC 6455 and RFC 7692. As a server it prints its URL; as a client it connects again and
again until that is refused.
"""

import asyncio
import base64
import hashlib
import os
import re
import struct
import sys
import zlib

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
CONT, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
MAX_MESSAGE = 40 * 1024 * 1024
PARAMETERS = {
    "server_no_context_takeover": lambda value: value is None,
    "client_no_context_takeover": lambda value: value is None,
    "server_max_window_bits": lambda value: value in BITS,
    "client_max_window_bits": lambda value: value is None or value in BITS,
}
BITS = [str(bits) for bits in range(8, 16)]


class Failure(Exception):
    """The connection is to be failed with this status."""


def apply_mask(payload, key):
    repeated = key * (len(payload) // 4 + 1)
    return (int.from_bytes(payload, "big") ^ int.from_bytes(repeated[: len(payload)], "big")).to_bytes(len(payload), "big")


def accept_for(key):
    return base64.b64encode(hashlib.sha1(key.encode("latin-1") + GUID).digest()).decode()


def parse_extension(text):
    """Parameters of an element of Sec-WebSocket-Extensions; None if they are wrong."""
    name, *parameters = [part.strip() for part in text.split(";")]
    found = {}
    for parameter in parameters:
        key, equals, value = parameter.partition("=")
        value = value.strip('"') if equals else None
        if name != "permessage-deflate" or key in found or key not in PARAMETERS or not PARAMETERS[key](value):
            return None
        found[key] = value
    return found if name == "permessage-deflate" else None


class Deflate:
    """The extension's state on one connection."""

    def __init__(self, parameters, mutant, server):
        own, other = ("server", "client") if server else ("client", "server")
        self.own_bits = int(parameters.get(own + "_max_window_bits") or 15) if mutant != "large-window" else 15
        self.own_takeover = own + "_no_context_takeover" not in parameters or mutant == "keep-context"
        self.other_bits = 14 if mutant == "small-window" else 15
        self.other_takeover = other + "_no_context_takeover" not in parameters and mutant != "inflate-without-takeover"
        self.mutant = mutant
        self.compressor = self.decompressor = None

    def compress(self, content):
        if not self.compressor or not self.own_takeover:
            # zlib makes no window of 8 bits.
            self.compressor = zlib.compressobj(wbits=-max(self.own_bits, 9))
        data = self.compressor.compress(content) + self.compressor.flush(zlib.Z_SYNC_FLUSH)
        return data[:-4] if len(data) > 4 else b"\0"

    def decompress(self, data):
        if not self.decompressor or not self.other_takeover:
            self.decompressor = zlib.decompressobj(wbits=-self.other_bits)
        content = b""
        data += b"\0\0\xff\xff"
        try:
            while True:
                content += self.decompressor.decompress(data, MAX_MESSAGE)
                if not self.decompressor.eof or not self.decompressor.unused_data:
                    break
                data, self.decompressor = self.decompressor.unused_data, zlib.decompressobj(wbits=-self.other_bits)
        except zlib.error as error:
            if self.mutant == "swallow-corrupt-data":
                return content
            raise Failure(1007) from error
        if not self.ends_with_block(content):
            raise Failure(1007)
        return content

    def ends_with_block(self, content):
        """A message that was cut leaves the decompressor inside a block: one more empty block does not fit then."""
        try:
            return self.decompressor.copy().decompress(b"\0\0\0\xff\xff") == b""
        except zlib.error:
            return False


class Connection:
    def __init__(self, reader, writer, mutant, server):
        self.reader, self.writer, self.mutant, self.server = reader, writer, mutant, server
        self.deflate = None
        self.message = None  # opcode, content, compressed
        self.close_received = False
        self.kept_pongs = []
        self.key = os.urandom(4)

    def is_not(self, *mutants):
        return self.mutant not in mutants

    # Frames.

    async def read_payload(self, length, key):
        if self.is_not("mask-restarts"):
            return apply_mask(await self.reader.readexactly(length), key) if key else await self.reader.readexactly(length)
        payload = b""
        while len(payload) < length:
            piece = await self.reader.read(length - len(payload))
            if not piece:
                raise EOFError
            payload += apply_mask(piece, key) if key else piece
        return payload

    async def read_frame(self):
        first, second = await self.reader.readexactly(2)
        opcode, length = first & 15, second & 127
        self.check_head(first, second)
        if length > 125:
            form = length
            length = int.from_bytes(await self.reader.readexactly(2 if form == 126 else 8), "big")
            if self.is_not("long-forms") and length < (126 if form == 126 else 65536):
                raise Failure(1002)
            if length >> 63:
                if self.is_not("top-bit"):
                    raise Failure(1002)
                length &= (1 << 63) - 1
        if length > MAX_MESSAGE:
            raise Failure(1009)
        key = await self.reader.readexactly(4) if second & 128 else None
        return first >> 7, first >> 4 & 7, opcode, await self.read_payload(length, key)

    def check_head(self, first, second):
        fin, rsv, opcode, length = first >> 7, first >> 4 & 7, first & 15, second & 127
        allowed = 4 if self.deflate and (opcode in (TEXT, BINARY) or self.mutant == "rsv1-anywhere") else 0
        if rsv & ~allowed and self.is_not("any-rsv"):
            raise Failure(1002)
        if opcode not in (CONT, TEXT, BINARY, CLOSE, PING, PONG) and self.is_not("any-opcode"):
            raise Failure(1002)
        if (second >> 7) != self.server and self.is_not("any-masking"):
            raise Failure(1002)
        if opcode >= CLOSE and length > 125 and self.is_not("long-control"):
            raise Failure(1002)
        if opcode >= CLOSE and not fin and self.is_not("fragmented-control"):
            raise Failure(1002)

    def send(self, opcode, payload, rsv=0):
        masked = (not self.server) != (self.mutant == "wrong-masking")
        head = bytes([128 | rsv << 4 | opcode])
        bit = 128 if masked else 0
        if len(payload) < 126 and self.is_not("send-long-forms"):
            head += bytes([bit | len(payload)])
        elif len(payload) < 65536:
            head += struct.pack(">BH", bit | 126, len(payload))
        else:
            head += struct.pack(">BQ", bit | 127, len(payload))
        if masked:
            key = self.key if self.mutant == "fixed-key" else os.urandom(4)
            head += key
            payload = apply_mask(payload, key)
        self.writer.write(head + payload)

    # Messages.

    def check_text(self, content, final=True):
        if self.mutant == "no-utf8":
            return
        errors = {"surrogates": "surrogatepass"}.get(self.mutant, "strict")
        if self.mutant == "overlong":
            content = re.sub(rb"[\xc0\xc1][\x80-\xbf]", b"x", content)
        if self.mutant == "above-10ffff":
            content = re.sub(rb"\xf4[\x90-\xbf][\x80-\xbf]{2}", b"x", content)
        if self.mutant == "cut-utf8":
            content = re.sub(rb"[\xc2-\xf4][\x80-\xbf]{0,2}$", b"", content)
        try:
            content.decode("utf-8", errors)
        except UnicodeDecodeError as error:
            # Fragments may end inside a character.
            if final or error.end < len(content) or error.reason != "unexpected end of data":
                raise Failure(1007) from error

    def take_data(self, fin, rsv, opcode, payload):
        if opcode == CONT and not self.message:
            if self.is_not("continuation-first"):
                raise Failure(1002)
            opcode = TEXT
        if opcode != CONT and self.message and self.is_not("message-in-message"):
            raise Failure(1002)
        if opcode != CONT:
            self.message = [opcode, bytearray(), rsv & 4]
        kind, content, compressed = self.message
        content += payload
        if len(content) > MAX_MESSAGE:
            raise Failure(1009)
        if kind == TEXT and self.mutant == "utf8-per-frame":
            self.check_text(payload)
        if not fin:
            return
        self.message = None
        content = bytes(content)
        if compressed and self.deflate:
            content = self.deflate.decompress(content)
        if kind == TEXT and not (compressed and self.mutant == "no-utf8-in-compressed"):
            self.check_text(content)
        self.echo(kind, content)
        for pong in self.kept_pongs:
            self.send(PONG, pong)
        self.kept_pongs.clear()

    def echo(self, kind, content):
        if self.mutant == "lose-empty" and not content:
            return
        if self.mutant == "one-kind":
            kind = TEXT if kind == BINARY and content.isascii() else kind
        if self.mutant == "cut-long":
            content = content[:65535]
        if self.mutant == "swap-messages" and content.startswith(b"message 1"):
            content = b"message 0"
        if self.deflate:
            self.send(kind, self.deflate.compress(content), 4)
        else:
            self.send(kind, content)

    def take_control(self, opcode, payload):
        if opcode == PING and self.mutant == "late-pong" and self.message:
            self.kept_pongs.append(payload)
        elif opcode == PING and self.is_not("no-pong"):
            self.send(PONG, b"" if self.mutant == "empty-pong" else payload)
        elif opcode == PONG and self.mutant == "answer-pong":
            self.send(PONG, payload)
        elif opcode == CLOSE:
            self.take_close(payload)

    def take_close(self, payload):
        if len(payload) == 1 and self.is_not("half-code"):
            raise Failure(1002)
        code = int.from_bytes(payload[:2], "big") if len(payload) > 1 else 1005
        valid = code in range(1000, 1015) and code not in (1004, 1005, 1006) or code in range(3000, 5000)
        if len(payload) > 1 and not valid and self.is_not("any-code"):
            raise Failure(1002)
        if self.is_not("any-reason"):
            try:
                payload[2:].decode()
            except UnicodeDecodeError as error:
                raise Failure(1007) from error
        self.close_received = True
        if self.mutant == "no-close":
            return
        if self.mutant == "close-1005" and not payload:
            payload = struct.pack(">H", 1005)
        self.send(CLOSE, payload if len(payload) > 1 else b"")

    async def serve(self):
        try:
            while not self.close_received or self.mutant == "read-on":
                fin, rsv, opcode, payload = await self.read_frame()
                if opcode >= CLOSE:
                    self.take_control(opcode, payload)
                elif opcode <= BINARY:
                    self.take_data(fin, rsv, opcode, payload)
                await self.writer.drain()
        except Failure as failure:
            if self.is_not("no-failing-close"):
                self.send(CLOSE, struct.pack(">H", 1000 if self.mutant == "fail-with-1000" else failure.args[0]))
        except (EOFError, asyncio.IncompleteReadError):
            return
        if self.server and self.is_not("keep-open"):
            self.writer.write_eof()
        # What is not read would reset the connection, and take the Close with it.
        while await self.reader.read(65536):
            pass


# The opening handshake.


async def read_head(reader, mutant):
    """First line, and fields by lower-case name; None if it is not HTTP."""
    if mutant == "head-in-one-read":
        head = await reader.read(65536)
        if not head.endswith(b"\r\n\r\n"):
            return None
    else:
        head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head[:-4].decode("latin-1").split("\r\n")
    fields = {}
    for line in lines:
        match = re.fullmatch(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\0\r\n]*?)[ \t]*", line)
        if not match:
            return None
        fields.setdefault(match[1].lower(), []).append(match[2])
    return first, fields


def has_token(fields, name, token):
    return any(token in [one.strip().lower() for one in value.split(",")] for value in fields.get(name, []))


def is_key(text):
    try:
        return len(base64.b64decode(text, validate=True)) == 16
    except ValueError:
        return False


def refusal(head, mutant):
    """Why a request is refused, as a status line and fields; None if it is not."""
    bad = "HTTP/1.1 400 Bad Request\r\n"
    if head is None:
        return bad
    first, fields = head
    keys = fields.get("sec-websocket-key", [])
    checks = {
        "any-request-line": re.fullmatch(r"GET /\S* HTTP/1\.1", first),
        "no-host": len(fields.get("host", [])) == 1,
        "no-upgrade": has_token(fields, "upgrade", "websocket"),
        "no-connection": has_token(fields, "connection", "upgrade"),
        "any-key": len(keys) == 1 and is_key(keys[0]),
    }
    if any(not passed and mutant != name for name, passed in checks.items()):
        return bad
    if fields.get("sec-websocket-version") != ["13"] and mutant != "any-version":
        return "HTTP/1.1 426 Upgrade Required\r\nSec-WebSocket-Version: 13\r\n"
    return None


def choose_extension(fields, mutant):
    """The answer to what was offered, and its parameters."""
    if mutant == "unasked-extension":
        return "permessage-deflate", {}
    for offer in ",".join(fields.get("sec-websocket-extensions", [])).split(","):
        parameters = parse_extension(offer)
        if parameters is None and mutant == "any-parameter" and offer.strip().startswith("permessage-deflate"):
            parameters = {}
        # zlib makes no window of 8 bits.
        if parameters is None or parameters.get("server_max_window_bits") == "8":
            continue
        kept = {key: value for key, value in parameters.items() if key != "client_max_window_bits"}
        if mutant == "ignore-parameters":
            kept = {}
        return "; ".join(["permessage-deflate"] + [key if value is None else f"{key}={value}" for key, value in kept.items()]), kept
    return None, None


async def accept(reader, writer, mutant):
    head = await read_head(reader, mutant)
    refused = refusal(head, mutant)
    if refused:
        writer.write((refused + "Content-Length: 0\r\nConnection: close\r\n\r\n").encode())
        return
    _, fields = head
    key = fields.get("sec-websocket-key", [""])[0]
    response = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    response += f"Sec-WebSocket-Accept: {accept_for(key)}\r\n"
    if mutant == "wrong-accept":
        response = response.replace(accept_for(key), accept_for(key + "x"))
    if mutant == "any-subprotocol" and "sec-websocket-protocol" in fields:
        response += "Sec-WebSocket-Protocol: chat\r\n"
    extension, parameters = choose_extension(fields, mutant)
    if extension:
        response += f"Sec-WebSocket-Extensions: {extension}\r\n"
    writer.write((response + "\r\n").encode())
    connection = Connection(reader, writer, mutant, True)
    connection.deflate = Deflate(parameters, mutant, True) if extension else None
    await connection.serve()


async def serve(mutant):
    async def handle(reader, writer):
        try:
            await accept(reader, writer, mutant)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, limit=MAX_MESSAGE)
    print(f"listening on ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/", flush=True)
    await server.serve_forever()


def is_answer(extension):
    """Whether this may be agreed on. Unlike an offer, an answer says how many bits."""
    parameters = parse_extension(extension)
    return parameters is not None and parameters.get("client_max_window_bits", "15") is not None


def is_acceptable(head, key, mutant):
    """Whether a client takes this response."""
    if head is None:
        return False
    first, fields = head
    checks = {
        "any-status": re.fullmatch(r"HTTP/1\.1 101( .*)?", first),
        "no-upgrade": has_token(fields, "upgrade", "websocket"),
        "no-connection": has_token(fields, "connection", "upgrade"),
        "any-accept": fields.get("sec-websocket-accept") == [accept_for(key)],
        "any-subprotocol": "sec-websocket-protocol" not in fields,
        "any-extension": all(is_answer(value) for value in fields.get("sec-websocket-extensions", [])),
    }
    return all(passed or mutant == name for name, passed in checks.items())


async def connect(host, port, mutant):
    reader, writer = await asyncio.open_connection(host, port, limit=MAX_MESSAGE)
    try:
        key = base64.b64encode(b"0123456789abcdef" if mutant == "same-key" else os.urandom(15 if mutant == "short-key" else 16)).decode()
        request = (
            f"GET / HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n"
        )
        if mutant == "old-version":
            request = request.replace("Version: 13", "Version: 8")
        writer.write(request.encode())
        head = await read_head(reader, mutant)
        if not is_acceptable(head, key, mutant):
            return
        if mutant == "lose-what-follows-head":
            reader._buffer.clear()
        connection = Connection(reader, writer, mutant, False)
        extensions = head[1].get("sec-websocket-extensions")
        connection.deflate = Deflate(parse_extension(extensions[0]) or {}, mutant, False) if extensions else None
        await connection.serve()
    finally:
        writer.close()


async def call(url, mutant):
    host, port = re.fullmatch(r"ws://([^:/]+):(\d+)/.*", url).groups()

    async def again_and_again():
        while True:
            try:
                await connect(host, int(port), mutant)
            except ConnectionRefusedError:
                return
            except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                pass

    await asyncio.gather(*(again_and_again() for _ in range(16)))


if __name__ == "__main__":
    where, name = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else ""
    asyncio.run(serve(name) if where == "serve" else call(where, name))
