#!/usr/bin/env python3
"""The wraps are whole: wraps_test.py SUBPROJECTS_FOLDER

Archives that lie in packagecache/ are compared with their hash; without network and archives that is all that can be seen."""

import configparser
import hashlib
import pathlib
import re
import sys

from consumer import Tap

folder = pathlib.Path(sys.argv[1])
NEEDED = {"c-ares", "catch2", "cli11", "libev", "mbedtls", "nlohmann_json", "zlib"}


def problems_of(path):
    wrap = configparser.ConfigParser()
    wrap.read(path)
    section = wrap["wrap-file"]
    if not section["source_url"].startswith("https://"):
        yield f"source_url is {section['source_url']}"
    if not re.fullmatch(r"[0-9a-f]{64}", section["source_hash"]):
        yield f"source_hash is {section['source_hash']}"
    if re.sub(r"\.tar\.(gz|bz2)$", "", section["source_filename"]) != section["directory"]:
        yield f"{section['source_filename']} is not unpacked to {section['directory']}"
    patch = section.get("patch_directory")
    if patch and not (folder / "packagefiles" / patch / "meson.build").is_file():
        yield f"packagefiles/{patch} has no meson.build"
    if not wrap["provide"]:
        yield "provides nothing"
    archive = folder / "packagecache" / section["source_filename"]
    if archive.is_file() and hashlib.sha256(archive.read_bytes()).hexdigest() != section["source_hash"]:
        yield f"{archive} has another hash"


wraps = sorted(folder.glob("*.wrap"))
tap = Tap()
tap.report("there is a wrap for each dependency", [f"{name} has none" for name in NEEDED - {path.stem for path in wraps}])
for path in wraps:
    tap.report(f"{path.name} is whole", list(problems_of(path)))
sys.exit(tap.finish())
