#!/usr/bin/env python3
"""The manual page and the completions of the hawser command: manual_test.py HAWSER MAN_PAGE BASH_COMPLETION ZSH_COMPLETION"""

import os
import pathlib
import pty
import re
import select
import subprocess
import sys
import time

from consumer import Failed, execute, expect, run_cases

hawser, page, bash, zsh = [pathlib.Path(path).resolve() for path in sys.argv[1:5]]
WAIT = 100  # seconds for each answer of the shell, on a machine that has other work
OPTION = re.compile(r"^  (?:-\w,)?(--[\w-]+)", re.MULTILINE)
SUBCOMMANDS = re.findall(r"^  (\w+)", execute(hawser, "--help").partition("Subcommands:")[2], re.MULTILINE)


def options(*arguments):
    return set(OPTION.findall(execute(hawser, *arguments, "--help")))


def bash_offers(*words):
    """What bash completes the last word to."""
    quoted = " ".join(f"'{word}'" for word in words)
    script = f'source "{bash}"; COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; _hawser; printf "%s\\n" "${{COMPREPLY[@]}}"'
    return {line for line in execute("bash", "--norc", "-c", script).splitlines() if line}


class Zsh:
    """An interactive zsh, as a terminal sees it, that reads .zshrc in the folder."""

    def __init__(self, folder):
        self.process, self.descriptor = pty.fork()
        if self.process == 0:
            os.execvpe("zsh", ["zsh", "-d", "-i"], {**os.environ, "TERM": "dumb", "ZDOTDIR": str(folder)})

    def type(self, text, until):
        """Types, and reads until the pattern is there."""
        os.write(self.descriptor, text.encode())
        seen, end = "", time.monotonic() + WAIT
        while not re.search(until, seen):
            if not select.select([self.descriptor], [], [], max(0, end - time.monotonic()))[0]:
                raise Failed(f"zsh: no {until!r} in {seen!r}")
            seen += os.read(self.descriptor, 65536).decode(errors="replace")
        return seen

    def close(self):
        os.close(self.descriptor)
        os.waitpid(self.process, 0)


def man_page(_):
    """the manual page has every subcommand and option, and groff finds nothing to warn of"""
    run = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-P-cbou", page], capture_output=True, text=True, check=False)
    expect((run.returncode, run.stderr), (0, ""), "groff")
    for name in SUBCOMMANDS:
        section = run.stdout.partition(f"\n{name.upper()}\n")[2]
        if not section:
            raise Failed(f"no section {name.upper()}")
        written = re.split(r"\n(?=[A-Z])", section)[0].replace("‐\n", "").replace("−", "-")
        missing = {option for option in options(name) - {"--help"} if option not in written}
        expect(missing, set(), f"options that are missing in {name.upper()}")


def bash_completion(_):
    """bash completes subcommands, and each one's options"""
    expect(bash_offers("hawser", "s") >= {"serve", "send"}, True, "subcommands with s are offered")
    expect(bash_offers("hawser", "con"), {"connect"}, "subcommands with con")
    expect(bash_offers("hawser", "connect", "ws"), set(), "words that are no options")
    for name in SUBCOMMANDS:
        expect(bash_offers("hawser", name, "--"), options(name), f"options of {name}")


def zsh_completion(folder):
    """zsh completes a subcommand and an option"""
    (folder / "_hawser").write_bytes(zsh.read_bytes())
    execute("zsh", "-n", zsh)
    (folder / ".zshrc").write_text(f"fpath=({folder} $fpath)\nautoload -U compinit\ncompinit -u -D\nPS1='ready> '\n")
    shell = Zsh(folder)
    try:
        shell.type("", "ready> ")
        shell.type("hawser conn\t", r"hawser connect ")
        shell.type("--bin\t", r"--binary")
    finally:
        shell.close()


def version(_):
    """--version names hawser and the libraries it uses"""
    lines = [line.split(" ")[0] for line in execute(hawser, "--version").splitlines()]
    expect(lines, ["hawser", "libev", "mbedTLS", "zlib", "c-ares"], "what --version names")


run_cases(man_page, bash_completion, zsh_completion, version)
