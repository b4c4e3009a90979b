#!/usr/bin/env python3
"""Makes a header of a page: embed.py PAGE HEADER"""

import pathlib
import sys

page, header = map(pathlib.Path, sys.argv[1:])
header.write_text(
    "#pragma once\n\n#include <string_view>\n\nnamespace hawser::command {\n\n"
    f'constexpr std::string_view page = R"page({page.read_text()})page";\n\n'
    "}  // namespace hawser::command\n"
)
