"""The C++ examples of README and guide."""

import dataclasses
import pathlib
import re

README = pathlib.Path(__file__).resolve().parent.parent.parent / "README.md"


@dataclasses.dataclass
class Example:
    page: str  # the file's name, without its ending
    heading: str  # the one above it
    number: int  # among those below that heading, from 1
    code: str

    def __str__(self):
        return f"{self.page}, {self.heading} {self.number}"

    @property
    def is_program(self):
        return "int main(" in self.code


def examples(path):
    """All of a page, in their order."""
    path = pathlib.Path(path)
    found, heading = [], ""
    for title, code in re.findall(r"^#+ ([^\n]*)$|^```cpp\n(.*?)^```$", path.read_text(), re.MULTILINE | re.DOTALL):
        heading = title.partition(" {#")[0] or heading
        if code:
            found.append(Example(path.stem, heading, 1 + sum(one.heading == heading for one in found), code))
    return found


def own_loop():
    """README's program that has a loop of its own."""
    return next(one for one in examples(README) if one.heading == "In your loop")
