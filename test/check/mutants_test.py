#!/usr/bin/env python3
"""`hawser check` against a peer that breaks one rule at a time, in both roles: mutants_test.py HAWSER"""

import concurrent.futures
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from checker import Checker, deviations  # noqa: E402
from tap import Tap  # noqa: E402

PEER = [sys.executable, str(pathlib.Path(__file__).resolve().parent / "peer.py")]

# What each mutant does wrong, and the case that sees it. A case with an asterisk stands for those that match.
SERVERS = {
    "any-masking": "mask.unmasked-text-5",
    "wrong-masking": "framing.text-1",
    "mask-restarts": "mask.cut-*",
    "any-rsv": "reserved.rsv-4-text",
    "any-opcode": "reserved.opcode-3",
    "fail-with-1000": "reserved.opcode-11",
    "no-failing-close": "reserved.opcode-12",
    "long-control": "control.ping-126",
    "fragmented-control": "control.ping-fragment",
    "no-pong": "control.ping-5",
    "empty-pong": "control.ping-125",
    "late-pong": "fragments.text-ping-at-once",
    "answer-pong": "control.pong-5",
    "long-forms": "framing.long-form-text-16-125",
    "send-long-forms": "framing.text-125",
    "top-bit": "framing.length-2-to-63-and-5-text",
    "lose-empty": "framing.text-0",
    "one-kind": "framing.binary-2",
    "cut-long": "framing.text-65536",
    "swap-messages": "framing.sequence-10",
    "continuation-first": "fragments.continuation-first",
    "message-in-message": "fragments.text-inside-text",
    "no-utf8": "utf8.invalid-ff",
    "utf8-per-frame": "utf8.valid-u+0080.split-1",
    "surrogates": "utf8.invalid-ed-a0-80",
    "overlong": "utf8.invalid-c0-80",
    "above-10ffff": "utf8.invalid-f4-90-80-80",
    "cut-utf8": "utf8.invalid-cut-c2",
    "any-code": "close.code-1005",
    "half-code": "close.half-a-code-3",
    "any-reason": "close.reason-invalid-ff",
    "close-1005": "close.empty",
    "no-close": "close.code-1000",
    "read-on": "close.message-behind",
    "keep-open": "close.code-1001",
    "wrong-accept": "request.plain",
    "any-request-line": "request.http-1.0",
    "no-host": "request.no-host",
    "no-upgrade": "request.no-upgrade",
    "no-connection": "request.no-connection",
    "any-key": "request.key-of-15",
    "any-version": "request.version-8",
    "head-in-one-read": "request.bytewise",
    "any-subprotocol": "request.unknown-subprotocol",
    "unasked-extension": "request.no-extension",
    "ignore-parameters": "deflate.offer-server-bits-9",
    "any-parameter": "deflate.bad-offer-unknown",
    "large-window": "deflate.offer-server-bits-14",
    "keep-context": "deflate.offer-server-takeover",
    "small-window": "deflate.window-15",
    "rsv1-anywhere": "deflate.rsv1-continuation",
    "inflate-without-takeover": "deflate.takeover-9",
    "swallow-corrupt-data": "deflate.corrupt-block-type",
    "no-utf8-in-compressed": "deflate.utf8-ff",
}
CLIENTS = {
    "any-masking": "mask.masked-text-5",
    "wrong-masking": "framing.text-1",
    "fixed-key": "mask.fresh-keys",
    "same-key": "response.request-*",
    "short-key": "response.request-key",
    "old-version": "response.request-version",
    "any-accept": "response.other-accept",
    "any-status": "response.status-200",
    "no-upgrade": "response.no-upgrade",
    "no-connection": "response.no-connection",
    "any-subprotocol": "response.subprotocol",
    "any-extension": "response.extension",
    "lose-what-follows-head": "response.glued",
    "large-window": "deflate.answer-client-bits-14",
    "keep-context": "deflate.answer-client-takeover",
    "any-rsv": "reserved.rsv-1-binary",
    "no-utf8": "utf8.invalid-fe",
    "no-pong": "control.ping-1",
    "continuation-first": "fragments.continuation-first",
}


def clean(rows):
    return [f"{key}: {what}" for key, what in deviations(rows).items()]


def caught(status, rows):
    """Nothing, if the case sees the mutant."""
    found = deviations(rows)
    if not found:
        return ["not seen"]
    failed = any(what.startswith("failed") for what in found.values())
    return [] if status == int(failed) else [f"exit status {status} with {found}"]


def main(hawser):
    tap = Tap()
    checker = Checker(hawser)
    tap.report("the server without a mutant has no deviation", clean(checker.server([*PEER, "serve"])[1]))
    tap.report("the client without a mutant has no deviation", clean(checker.client([*PEER, "{url}"])[1]))

    def try_one(role, mutant, case):
        # Whether a peer reads before or after a pause is up to the system: one case after the other gives it a chance each.
        options = ["--only", case, "--jobs", "1"]
        if role == "server":
            return caught(*checker.server([*PEER, "serve", mutant], *options, timeout=3))
        return caught(*checker.client([*PEER, "{url}", mutant], *options, timeout=3))

    mutants = [(role, *pair) for role, table in (("server", SERVERS), ("client", CLIENTS)) for pair in table.items()]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for (role, mutant, case), problems in zip(mutants, pool.map(lambda one: try_one(*one), mutants)):
            tap.report(f"{role}, {mutant}: {case} sees it", problems)
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
