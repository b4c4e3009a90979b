#!/usr/bin/env python3
"""Writes the manual page and the completions of the hawser command from what its --help says, so that they say the same:
manual.py HAWSER VERSION MAN_PAGE BASH_COMPLETION ZSH_COMPLETION"""

import pathlib
import re
import subprocess
import sys
from dataclasses import dataclass, field

HEADING = re.compile(r"([A-Z][\w -]*):")
ENTRY = re.compile(r"  (\S+(?: \S+)*)(?: {2,}(.*))?")


@dataclass
class Entry:
    """An option, a positional or a subcommand: what is written, and what it means."""

    written: str
    meaning: str

    @property
    def flags(self):
        return [flag for flag in self.written.split(" ")[0].split(",") if flag.startswith("-")]

    @property
    def value(self):
        """What the option takes, as help names it, or nothing."""
        return self.written.partition(" ")[2].removesuffix(" ...")

    @property
    def is_repeatable(self):
        return self.written.endswith(" ...")


@dataclass
class Help:
    """What --help of the command or of a subcommand says."""

    summary: str = ""
    usage: str = ""
    sections: dict = field(default_factory=dict)
    closing: str = ""

    def options(self):
        return [entry for entries in self.sections.values() for entry in entries if entry.flags]


def read_help(text):
    """Lines of entries begin with two spaces, what does not fit goes on in further lines, deeper indented."""
    lines = text.splitlines()
    usage = next(line for line in lines if line.startswith("Usage: "))
    page = Help(lines[0], usage.removeprefix("Usage: "))
    section, closing = None, []
    for line in lines[lines.index(usage) + 1 :]:
        if closing:
            closing.append(line)
        elif heading := HEADING.fullmatch(line):
            section = page.sections.setdefault(heading[1], [])
        elif section is not None and (entry := ENTRY.fullmatch(line)):
            section.append(Entry(entry[1], entry[2] or ""))
        elif section and line.startswith("   "):
            section[-1].meaning = (section[-1].meaning + " " + line.strip()).strip()
        elif line:
            closing.append(line)
    page.closing = "\n".join(closing).strip()
    return page


def ask(hawser, *arguments):
    return subprocess.run([hawser, *arguments, "--help"], capture_output=True, text=True, check=True).stdout


def roff(text):
    """Text as groff takes it: nothing in it is a request or an escape."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return "\n".join("\\&" + line if line.startswith((".", "'")) else line for line in escaped.split("\n"))


def roff_entries(entries):
    return "".join(f".TP\n.B {roff(entry.written)}\n{roff(entry.meaning)}\n" for entry in entries)


def man_page(version, main, subcommands):
    parts = [
        f'.TH HAWSER 1 "" "hawser {version}" "User Commands"\n',
        f".SH NAME\nhawser \\- {roff(main.summary[0].lower() + main.summary[1:].rstrip('.'))}\n",
        f".SH SYNOPSIS\n.B {roff(main.usage)}\n",
        ".SH OPTIONS\n" + roff_entries(main.options()),
    ]
    for name, page in subcommands.items():
        parts.append(f".SH {name.upper()}\n{roff(page.summary)}.\n.PP\n.B {roff(page.usage)}\n")
        parts += [roff_entries(entry for entry in entries if "--help" not in entry.flags) for entries in page.sections.values()]
        if page.closing != main.closing:
            parts.append(".PP\n" + roff(page.closing) + "\n")
    parts.append(".SH EXIT STATUS\n" + roff(main.closing.splitlines()[0].removeprefix("Exit status: ")) + "\n")
    return "".join(parts)


def bash_completion(main, subcommands):
    def words(entries):
        return " ".join(flag for entry in entries for flag in entry.flags)

    cases = "".join(f'        {name}) words="{words(page.options())}" ;;\n' for name, page in subcommands.items())
    return f"""# bash completion for hawser
_hawser() {{
    local current=${{COMP_WORDS[COMP_CWORD]}} words
    case ${{COMP_WORDS[1]}} in
{cases}        *) words="{" ".join(subcommands)} {words(main.options())}" ;;
    esac
    COMPREPLY=()
    # Whatever is not an option is an address, a text or a file.
    [[ $COMP_CWORD -gt 1 && $current != -* ]] && return
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}}
complete -o default -F _hawser hawser
"""


def zsh_specification(entry):
    """As _arguments(1) wants it."""
    meaning = re.sub(r"([\[\]:\\])", r"\\\1", entry.meaning).replace("'", "'\\''")
    value = re.sub(r"[^\w -]", "", entry.value) or "value"
    argument = f":{value}:_default" if entry.value else ""
    repeat = "\\*" if entry.is_repeatable else ""
    return [f"{repeat}'{flag}[{meaning}]{argument}'" for flag in entry.flags]


def zsh_completion(main, subcommands):
    def specifications(page, indentation):
        return "".join(f" \\\n{indentation}{text}" for entry in page.options() for text in zsh_specification(entry))

    names = "\n".join(f"                '{name}:{page.summary}'" for name, page in subcommands.items())
    cases = "".join(
        f"                {name})\n                    _arguments{specifications(page, ' ' * 24)} \\\n"
        f"                        '*:argument:_default' ;;\n"
        for name, page in subcommands.items()
    )
    return f"""#compdef hawser
_hawser() {{
    local state line
    local -a commands
    _arguments -C{specifications(main, " " * 8)} \\
        '1:command:->command' '*::argument:->argument'
    case $state in
        command)
            commands=(
{names}
            )
            _describe command commands ;;
        argument)
            case $line[1] in
{cases}            esac ;;
    esac
}}
_hawser "$@"
"""


def main():
    hawser, version, *outputs = sys.argv[1:]
    command = read_help(ask(hawser))
    subcommands = {entry.written: read_help(ask(hawser, entry.written)) for entry in command.sections["Subcommands"]}
    texts = [man_page(version, command, subcommands), bash_completion(command, subcommands), zsh_completion(command, subcommands)]
    for output, text in zip(outputs, texts):
        pathlib.Path(output).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
