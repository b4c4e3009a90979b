#!/usr/bin/env python3
"""Compiles every C++ example of README and guide: readme_test.py PAGE... -- COMPILER [ARGUMENT...]"""
import pathlib
import re
import subprocess
import sys
import tempfile


def main():
    separator = sys.argv.index("--")
    pages, compile_command = sys.argv[1:separator], sys.argv[separator + 1 :]
    text = "\n".join(pathlib.Path(page).read_text() for page in pages)
    examples = re.findall(r"^```cpp\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    failed = 0
    print(f"1..{len(examples) + 1}")
    print(f"{'ok' if len(examples) >= 4 else 'not ok'} 1 - the pages have examples")
    with tempfile.TemporaryDirectory() as folder:
        for number, example in enumerate(examples, 1):
            source = pathlib.Path(folder) / f"example{number}.cpp"
            source.write_text(example)
            run = subprocess.run([*compile_command, "-fsyntax-only", str(source)], capture_output=True, text=True)
            print(f"{'ok' if run.returncode == 0 else 'not ok'} {number + 1} - example {number} compiles")
            print("".join(f"# {line}\n" for line in run.stderr.splitlines()), end="")
            failed += run.returncode != 0
    return 1 if failed or len(examples) < 4 else 0


if __name__ == "__main__":
    sys.exit(main())
