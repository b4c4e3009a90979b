#!/usr/bin/env python3
"""`hawser check` against a peer that breaks one rule at a time, in both roles: mutants_test.py HAWSER"""

import concurrent.futures
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from checker import PATIENCE, Checker, deviations  # noqa: E402
from tap import Tap  # noqa: E402

PEER = [sys.executable, str(pathlib.Path(__file__).resolve().parent / "peer.py")]

# Seconds for a case that sees that something never comes. Any other has time enough to come to its end.
TIME_OUT = 10
# What each mutant does wrong, the case that sees it, and what that finds. A case with an asterisk stands for those that match.
SERVERS = {
    "any-masking": ("mask.unmasked-text-5", "accepted: it answered 5 bytes"),
    "wrong-masking": ("framing.text-1", "it masks, as a server"),
    "mask-restarts": ("mask.cut-*", "came back as|Close 1007"),
    "any-rsv": ("reserved.rsv-4-text", "accepted: it answered 5 bytes"),
    "any-opcode": ("reserved.opcode-3", "accepted: the connection stayed open"),
    "fail-with-1000": ("reserved.opcode-11", "Close 1000"),
    "no-failing-close": ("reserved.opcode-12", "the connection was closed .no Close"),
    "long-control": ("control.ping-126", "it sends a control frame of more than 125 bytes"),
    "fragmented-control": ("control.ping-fragment", "accepted: the connection stayed open"),
    "no-pong": ("control.ping-5", "the ping was not answered with its content", TIME_OUT),
    "empty-pong": ("control.ping-125", "an unexpected pong came: 0 bytes", TIME_OUT),
    "late-pong": ("fragments.text-ping-at-once", "the ping was not answered with its content", TIME_OUT),
    "answer-pong": ("control.pong-5", "an unexpected pong came: 5 bytes"),
    "long-forms": ("framing.long-form-text-16-125", "accepted: it answered 125 bytes"),
    "send-long-forms": ("framing.text-125", "it does not send a length in its shortest form"),
    "top-bit": ("framing.length-2-to-63-and-5-text", "accepted: it answered 5 bytes"),
    "lose-empty": ("framing.text-0", "0 of 1 messages came back, and the connection stayed open", TIME_OUT),
    "one-kind": ("framing.binary-2", "a message came back with another opcode"),
    "cut-long": ("framing.text-65536", "a message came back as 65535 bytes"),
    "swap-messages": ("framing.sequence-10", '"message 0" instead of 9 bytes "message 1"'),
    "continuation-first": ("fragments.continuation-first", "accepted: it answered 5 bytes"),
    "message-in-message": ("fragments.text-inside-text", "accepted: it answered 6 bytes"),
    "no-utf8": ("utf8.invalid-ff", "it sends a text that is not UTF-8"),
    "utf8-per-frame": ("utf8.valid-u+0080.split-1", "0 of 1 messages came back, and .*Close 1007"),
    "surrogates": ("utf8.invalid-ed-a0-80", "it sends a text that is not UTF-8"),
    "overlong": ("utf8.invalid-c0-80", "it sends a text that is not UTF-8"),
    "above-10ffff": ("utf8.invalid-f4-90-80-80", "it sends a text that is not UTF-8"),
    "cut-utf8": ("utf8.invalid-cut-c2", "it sends a text that is not UTF-8"),
    "any-code": ("close.code-1005", "it sends a Close with status 1005"),
    "half-code": ("close.half-a-code-3", "a Close without a status"),
    "any-reason": ("close.reason-invalid-ff", "it sends a reason that is not UTF-8"),
    "close-1005": ("close.empty", "it sends a Close with status 1005"),
    "no-close": ("close.code-1000", "the Close was not answered: the connection was closed"),
    "read-on": ("close.message-behind", "it sends a frame behind its Close"),
    "keep-open": ("close.code-1001", "it did not close the TCP connection", TIME_OUT),
    "wrong-accept": ("request.plain", "it answers with a wrong Sec-WebSocket-Accept"),
    "any-request-line": ("request.http-1.0", "accepted: status 101"),
    "no-host": ("request.no-host", "accepted: status 101"),
    "no-upgrade": ("request.no-upgrade", "accepted: status 101"),
    "no-connection": ("request.no-connection", "accepted: status 101"),
    "any-key": ("request.key-of-15", "accepted: status 101"),
    "any-version": ("request.version-8", "accepted: status 101"),
    "head-in-one-read": ("request.bytewise", "refused with status 400"),
    "any-subprotocol": ("request.unknown-subprotocol", 'it chose "chat"'),
    "unasked-extension": ("request.no-extension", "it agrees on an extension that was not offered"),
    "ignore-parameters": ("deflate.offer-server-bits-9", 'its answer "permessage-deflate" does not keep to the offer'),
    "any-parameter": ("deflate.bad-offer-unknown", 'it agreed: "permessage-deflate"'),
    "large-window": ("deflate.offer-server-bits-14", "it sends a message that cannot be decompressed"),
    "keep-context": ("deflate.offer-server-takeover", "it sends a message that cannot be decompressed"),
    "small-window": ("deflate.window-15", "0 of 1 messages came back, and .*Close 1007"),
    "rsv1-anywhere": ("deflate.rsv1-continuation", 'accepted: it answered 2 bytes "ab"'),
    "inflate-without-takeover": ("deflate.takeover-9", "1 of 20 messages came back, and .*Close 1007"),
    "swallow-corrupt-data": ("deflate.corrupt-block-type", "accepted: it answered 0 bytes"),
    "no-utf8-in-compressed": ("deflate.utf8-ff", "it sends a text that is not UTF-8"),
}
CLIENTS = {
    "any-masking": ("mask.masked-text-5", "accepted: it answered 5 bytes"),
    "wrong-masking": ("framing.text-1", "it does not mask, as a client"),
    "fixed-key": ("mask.fresh-keys", "a masking key was used for more than one frame"),
    "same-key": ("response.request-*", "it uses a Sec-WebSocket-Key again"),
    "short-key": ("response.request-key", "it does not$"),
    "old-version": ("response.request-version", "it does not$"),
    "any-accept": ("response.other-accept", "accepted: it sent frames"),
    "any-status": ("response.status-200", "accepted: it sent frames"),
    "no-upgrade": ("response.no-upgrade", "accepted: it sent frames"),
    "no-connection": ("response.no-connection", "accepted: it sent frames"),
    "any-subprotocol": ("response.subprotocol", "accepted: it sent frames"),
    "any-extension": ("response.extension", "it sets a reserved bit"),
    "lose-what-follows-head": ("response.glued", "0 of 1 messages came back, and the connection stayed open", TIME_OUT),
    "large-window": ("deflate.answer-client-bits-14", "it sends a message that cannot be decompressed"),
    "keep-context": ("deflate.answer-client-takeover", "it sends a message that cannot be decompressed"),
    "any-rsv": ("reserved.rsv-1-binary", "accepted: it answered 5 bytes"),
    "no-utf8": ("utf8.invalid-fe", "it sends a text that is not UTF-8"),
    "no-pong": ("control.ping-1", "the ping was not answered with its content", TIME_OUT),
    "continuation-first": ("fragments.continuation-first", "accepted: it answered 5 bytes"),
}


def clean(rows):
    return [f"{key}: {what}" for key, what in deviations(rows).items()]


def caught(status, rows, finding, timeout):
    """Nothing, if the case sees the mutant, for the reason that is expected."""
    found = deviations(rows)
    if not found:
        return ["not seen"]
    problems = [f"{key}: {what}" for key, what in found.items() if not re.search(finding, what)]
    problems += [f"{key}: time is up: {what}" for key, what in found.items() if is_time_up(rows[key]) != (timeout == TIME_OUT)]
    failed = any(what.startswith("failed") for what in found.values())
    return problems + ([] if status == int(failed) else [f"exit status {status} with {found}"])


def is_time_up(row):
    return any(line.endswith("time is up") for line in row.get("wire", []))


def main(hawser):
    tap = Tap()
    checker = Checker(hawser)
    tap.report("the server without a mutant has no deviation", clean(checker.server([*PEER, "serve"])[1]))
    tap.report("the client without a mutant has no deviation", clean(checker.client([*PEER, "{url}"])[1]))

    def try_one(role, mutant, case, finding, timeout=PATIENCE):
        # Whether a peer reads before or after a pause is up to the system: one case after the other gives it a chance each.
        options = ["--only", case, "--jobs", "1"]
        if role == "server":
            result = checker.server([*PEER, "serve", mutant], *options, timeout=timeout)
        else:
            result = checker.client([*PEER, "{url}", mutant], *options, timeout=timeout)
        return caught(*result, finding, timeout)

    tables = {"server": SERVERS, "client": CLIENTS}
    mutants = [(role, mutant, *sight) for role, table in tables.items() for mutant, sight in table.items()]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for (role, mutant, case, *_), problems in zip(mutants, pool.map(lambda one: try_one(*one), mutants)):
            tap.report(f"{role}, {mutant}: {case} sees it", problems)
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
