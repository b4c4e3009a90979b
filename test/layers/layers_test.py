#!/usr/bin/env python3
"""Sees each rule of layers.py accept a good tree and fail on a broken one: layers_test.py COMPILER [ARGUMENT...]"""

import pathlib
import sys
import tempfile

import layers
from tap import Tap

# A tree that keeps every rule.
GOOD = {
    "include/meson.build": "'hawser/a.hpp' 'hawser/hawser.hpp'\n",
    "include/hawser/a.hpp": "#pragma once\n#include <string>\nstruct ev_loop;\n",
    "include/hawser/hawser.hpp": "#pragma once\n#include <hawser/a.hpp>\n",
    "lib/meson.build": "'types/a.cpp' 'reactor/b.cpp' 'connection/c.cpp' 'protocol/digest.cpp'\n",
    "lib/types/a.hpp": "#include <hawser/a.hpp>\n",
    "lib/types/a.cpp": '#include "types/a.hpp"\n#include "a.hpp"\n#include <ctime>\n',
    "lib/reactor/b.hpp": "",
    "lib/reactor/b.cpp": '#include "reactor/b.hpp"\n#include "types/a.hpp"\n#include <ev.h>\n',
    "lib/connection/c.cpp": '#include "reactor/b.hpp"\n#include "types/a.hpp"\n#include <unistd.h>\n',
    "lib/protocol/digest.cpp": "#include <mbedtls/md.h>\n#include <zlib.h>\n",
    "lib/transport/t.hpp": "#include <mbedtls/ssl.h>\n#include <ares.h>\n",
    "test/meson.build": "'types/a_test.cpp' 'reactor/b_test.cpp' 'connection/c_test.cpp' 'protocol/digest_test.cpp'\n",
    "test/types/a_test.cpp": "x\n" * 500,
    "test/reactor/b_test.cpp": "",
    "test/connection/c_test.cpp": "",
    "test/protocol/digest_test.cpp": "",
    "test/node_modules/long.mjs": "x\n" * 501,
    "tools/test": "#!/bin/sh\n",
    # What a dependency's header would be; -I leads the compiler here.
    "system/zlib.h": "",
    "system/ev.h": "",
    "system/through.h": "#include <zlib.h>\n",
}

# Name, the rule that must fail, the files that differ (None: removed), and what the complaint must name.
BROKEN = [
    ("a lower layer includes a higher one", layers.arrows, {"lib/types/a.hpp": '#include "reactor/b.hpp"\n'}, "lib/types/a.hpp:1"),
    ("a layer includes one beside it", layers.arrows, {"lib/reactor/b.hpp": '\n#  include "protocol/x.hpp"\n'}, "lib/reactor/b.hpp:2"),
    ("an inner header in angle brackets", layers.arrows, {"lib/types/a.hpp": "#include <reactor/b.hpp>\n"}, "lib/types/a.hpp:1"),
    ("a middleware includes an inner header", layers.arrows, {"lib/middleware/m.hpp": '#include "types/a.hpp"\n'}, "types/a.hpp"),
    ("a layer includes by a relative path", layers.arrows, {"lib/types/a.hpp": '#include "../reactor/b.hpp"\n'}, "relative"),
    ("a layer that the table has not", layers.arrows, {"lib/other/o.hpp": ""}, "lib/other/o.hpp"),
    ("a source beside the layers", layers.arrows, {"lib/o.cpp": ""}, "lib/o.cpp"),
    ("a public header includes an inner one", layers.public_headers_stand_alone,
     {"include/hawser/a.hpp": '#include "types/a.hpp"\n'}, "include/hawser/a.hpp:1"),
    ("ev.h outside of the reactor", layers.restricted_headers, {"lib/transport/t.hpp": "#include <ev.h>\n"}, "lib/transport/t.hpp:1"),
    ("mbedTLS's ssl outside of the transport", layers.restricted_headers,
     {"lib/connection/c.cpp": "#include <mbedtls/ssl.h>\n"}, "lib/connection/c.cpp:1"),
    ("mbedTLS's ssl in the digest", layers.restricted_headers, {"lib/protocol/digest.cpp": "#include <mbedtls/ssl.h>\n"}, "digest.cpp:1"),
    ("mbedTLS's md outside of the digest", layers.restricted_headers,
     {"lib/protocol/frame.hpp": "#include <mbedtls/md.h>\n"}, "lib/protocol/frame.hpp:1"),
    ("zlib outside of the protocol", layers.restricted_headers, {"lib/types/a.hpp": "#include <zlib.h>\n"}, "lib/types/a.hpp:1"),
    ("c-ares outside of the transport", layers.restricted_headers, {"lib/reactor/b.hpp": "#include <ares.h>\n"}, "lib/reactor/b.hpp:1"),
    ("a socket in the protocol", layers.restricted_headers,
     {"lib/protocol/frame.hpp": "#include <sys/socket.h>\n"}, "lib/protocol/frame.hpp:1"),
    ("a clock in the protocol", layers.restricted_headers, {"lib/protocol/frame.hpp": "#include <ctime>\n"}, "lib/protocol/frame.hpp:1"),
    ("a source without its test", layers.tests_mirror_lib, {"test/types/a_test.cpp": None}, "lib/types/a.cpp"),
    ("a source that is not built", layers.build_lists_are_complete, {"lib/types/new.cpp": ""}, "lib/types/new.cpp"),
    ("a test that is not built", layers.build_lists_are_complete, {"test/types/new_test.cpp": ""}, "test/types/new_test.cpp"),
    ("a header that is not installed", layers.build_lists_are_complete, {"include/hawser/b.hpp": ""}, "include/hawser/b.hpp"),
    ("a header that hawser.hpp leaves out", layers.main_header_is_complete, {"include/hawser/b.hpp": ""}, "<hawser/b.hpp>"),
    ("a header that does not compile alone", layers.public_headers_are_clean,
     {"include/hawser/a.hpp": "inline std::string name();\n"}, "include/hawser/a.hpp: does not compile alone"),
    ("a header that pulls in libev", layers.public_headers_are_clean, {"include/hawser/a.hpp": "#include <ev.h>\n"}, "ev.h"),
    ("a header that pulls in zlib through another", layers.public_headers_are_clean,
     {"include/hawser/a.hpp": "#include <through.h>\n"}, "include/hawser/hawser.hpp: pulls in"),
    ("a file of 501 lines", layers.files_are_short, {"lib/types/a.hpp": "x\n" * 501}, "lib/types/a.hpp: has 501 lines"),
    ("a script of 501 lines", layers.files_are_short, {"tools/test": "x\n" * 501}, "tools/test: has 501 lines"),
]


def complaints(rule, compiler, changes):
    """What a rule says of the good tree with these changes."""
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for name, text in (GOOD | changes).items():
            if text is not None:
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(text, encoding="utf-8")
        return list(rule(layers.Tree(root, compiler + ["-I", str(root / "system")])))


def main(*compiler):
    tap = Tap()
    for rule in layers.RULES:
        tap.report(f"a good tree: {rule.__doc__}", complaints(rule, list(compiler), {}))
    for name, rule, changes, named in BROKEN:
        found = complaints(rule, list(compiler), changes)
        tap.report(f"refused: {name}", [] if any(named in text for text in found) else [f"{rule.__name__} says {found}, not {named}"])
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
