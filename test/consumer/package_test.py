#!/usr/bin/env python3
"""The Debian package installs and removes cleanly, in a root of its own: package_test.py SCRIPT BUILD VERSION"""

import sys

from consumer import execute, expect, run_cases

script, build, version = sys.argv[1:4]
EXPECTED = ["hawser", "libhawser.so", "libhawser.a", "hawser.hpp", "hawser.pc", "hawser-config.cmake", "hawser.1.gz", "_hawser", "copyright"]


def files(root):
    """What is there but for dpkg's own records."""
    return {str(path.relative_to(root)) for path in root.rglob("*") if "dpkg" not in path.parts and not path.is_dir()}


def package(folder):
    """the package has all that meson installs, names what it needs, and leaves nothing behind"""
    archive = execute(script, build, folder).splitlines()[-1]
    expect(execute("dpkg-deb", "--field", archive, "Version").strip(), version, "version")
    needed = execute("dpkg-deb", "--field", archive, "Depends")
    # Debian 13 calls libc-ares2 libcares2.
    packages = ("libc6", "libev4", "libev-dev", "libmbedtls", "ares2", "libc-ares-dev", "zlib1g")
    expect([name for name in packages if name not in needed], [], "missing in Depends")

    root = folder / "root"
    records = root / "var" / "lib" / "dpkg"
    for name in ("info", "updates", "triggers"):
        (records / name).mkdir(parents=True)
    for name in ("status", "available"):
        (records / name).touch()
    dpkg = ["dpkg", f"--root={root}", "--force-depends", "--force-not-root", "--force-bad-path", "--log=/dev/null"]
    execute(*dpkg, "--install", archive)
    names = {path.rpartition("/")[2] for path in files(root)}
    expect([name for name in EXPECTED if name not in names], [], "missing files")
    command = next(path for path in root.rglob("bin/hawser"))
    library = next(path for path in root.rglob("libhawser.so")).parent
    expect(execute(command, "--version", LD_LIBRARY_PATH=str(library)).splitlines()[0], f"hawser {version}", "--version")
    execute(*dpkg, "--purge", "hawser")
    expect(files(root), set(), "left behind")


run_cases(package)
