#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Writes the program in README.md to a file, so that the tests compile it.

    tools/extract_example.py example.c [README.md]

The program is the one block fenced as c. Exit status 1 if there is not exactly
one, or if it is no whole program.
"""

import pathlib
import re
import sys


def main():
    if len(sys.argv) not in (2, 3):
        print(__doc__.strip())
        return 2
    readme = pathlib.Path(__file__).resolve().parent.parent / "README.md"
    if len(sys.argv) == 3:
        readme = pathlib.Path(sys.argv[2])
    blocks = re.findall(r"^```c\n(.*?)^```$", readme.read_text(), re.S | re.M)
    if len(blocks) != 1 or "int main(" not in blocks[0]:
        print(f"{readme}: {len(blocks)} programs, needed: 1")
        return 1
    pathlib.Path(sys.argv[1]).write_text(blocks[0])
    return 0


if __name__ == "__main__":
    sys.exit(main())
