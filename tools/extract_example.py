#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Writes the program in README.md to a file, so that the tests compile it.

    tools/extract_example.py README.md example.c

The program is the one block fenced as c. Exit status 1 if there is not exactly
one, or if it is no whole program.
"""

import pathlib
import re
import sys


def main():
    if len(sys.argv) != 3:
        print(__doc__.strip())
        return 2
    text = pathlib.Path(sys.argv[1]).read_text()
    blocks = re.findall(r"^```c\n(.*?)^```$", text, re.S | re.M)
    if len(blocks) != 1 or "int main(" not in blocks[0]:
        print(f"{sys.argv[1]}: {len(blocks)} programs, needed: 1")
        return 1
    pathlib.Path(sys.argv[2]).write_text(blocks[0])
    return 0


if __name__ == "__main__":
    sys.exit(main())
