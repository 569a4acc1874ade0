#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Checks that what docs/MAPPING.md names exists.

Names (fh_*, FH_*, and name_* of the type macro) must stand in include/, src/ or
arch/ outside of comments, files in include/framehold/, src/ or arch/, tests in a
cmocka table in test/, among the checks of test/hygiene.py, or as a driver of
tools/interleave/. Rows that say "later" are not looked into. Conversely, every seed item named in a header
comment ("Seed: ...") must stand in the mapping. Too few rows, names or tests
mean that something was not understood: an error, not a success.

    tools/check_mapping.py [--list] [ROOT]

--list only names the tests.

Prints a line for each miss and a count; exit status 0 if nothing is missing,
1 if something is, 2 if the mapping cannot be checked.
"""

import pathlib
import re
import sys

# Fewer rows than this mean that the tables were not understood.
LEAST_ROWS = {
    "Seed 000": 20,
    "Seed 001": 35,
    "Seed 002": 15,
    "Seed 003": 20,
    "Seed 004": 20,
    "Named by the seeds": 40,
    "Readers and writers": 8,
    "Ours alone": 10,
    "Tests across items": 3,
    "Panics of the seeds": 40,
    "Bugs of the source system": 15,
    "Not carried over": 20,
}
# In these sections each row that is not for later has a test of its own.
TESTED = ("Seed 0", "Named by", "Readers", "Ours alone", "Tests across",
          "Bugs of")
LEAST_TESTS = 50
LEAST_NAMES = 200


class Unreadable(Exception):
    """The mapping cannot be checked."""


def cells_of(line):
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def read_tables(text):
    """Yields (section, line number, {column: cell}) for each table row."""
    section, columns, expect_rule = "", None, False
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("## "):
            section = line[3:].strip()
        if not line.startswith("|"):
            columns = None
        elif columns is None:
            columns, expect_rule = cells_of(line), True
        elif expect_rule:
            if not re.fullmatch(r"[|\s:-]+", line):
                raise Unreadable(f"line {number}: a table without a rule")
            expect_rule = False
        else:
            cells = cells_of(line)
            if len(cells) != len(columns):
                raise Unreadable(f"line {number}: {len(cells)} cells under "
                                 f"{len(columns)} columns")
            yield section, number, dict(zip(columns, cells))


def without_comments(code):
    return re.sub(r"/\*.*?\*/|//[^\n]*", " ", code, flags=re.S)


def read_code(root):
    """All words of include/, src/ and arch/, and the stems of the type macro."""
    words, stems = set(), set()
    for folder in ("include", "src", "arch"):
        for path in sorted((root / folder).rglob("*.[ch]")):
            code = without_comments(path.read_text())
            words.update(re.findall(r"\b(?:fh|FH)_\w+", code))
            stems.update(re.findall(r"\bname##(_\w+)", code))
    if len(words) < LEAST_NAMES or not stems:
        raise Unreadable(f"only {len(words)} names in include/, src/, arch/")
    return words, stems


def tests_of(code):
    """Functions in a cmocka table, also by a macro of the file's own."""
    macros = re.findall(r"#define (\w+)\(\w+\)[\s\\]*cmocka_unit_test", code)
    entries = "|".join(["cmocka_unit_test\\w*", *macros])
    return set(re.findall(rf"\b(?:{entries})\(\s*(\w+)", code))


def read_tests(root):
    tests = set()
    for path in sorted((root / "test").glob("*_test.c")):
        tests.update(tests_of(without_comments(path.read_text())))
    checks = re.search(r"^CHECKS = \[(.*?)\]",
                       (root / "test" / "hygiene.py").read_text(), re.M | re.S)
    tests.update(re.findall(r"\w+", checks.group(1) if checks else ""))
    drivers = root / "tools" / "interleave" / "drivers"
    tests.update(path.stem for path in drivers.glob("*.c"))
    if len(tests) < LEAST_TESTS:
        raise Unreadable(f"only {len(tests)} tests in test/")
    return tests


def is_later(row):
    return any(cell.startswith("later") for cell in row.values())


def quoted(cell):
    return re.findall(r"`([^`]*)`", cell)


def check_names(row, words, stems):
    for text in row.values():
        for name in re.findall(r"\b(?:fh|FH)_\w+", text):
            if name not in words:
                yield f"no such name: {name}"
        for stem in re.findall(r"`(?:struct )?name(_\w+)`", text):
            if stem not in stems:
                yield f"FH_META_TYPE makes no name{stem}"


def check_files(row, root):
    if "File" not in row:
        return
    files = quoted(row["File"])
    if not files:
        yield "no file"
    for name in files:
        homes = (root / "include" / "framehold", root / "src", root / "arch")
        if not any((home / name).is_file() for home in homes):
            yield f"no such file: {name}"


def check_tests(section, row, tests):
    names = quoted(row.get("Test", ""))
    if not names and section.startswith(TESTED):
        yield "no test"
    for name in names:
        if name not in tests:
            yield f"no such test: {name}"


def seed_names(root):
    """(file, item) for each item that a header's "Seed: ..." names."""
    for path in sorted((root / "include").rglob("*.h")):
        for comment in re.findall(r"/\*.*?\*/", path.read_text(), re.S):
            plain = re.sub(r"\s*\n\s*\*?\s*", " ", comment)
            for said in re.findall(r"Seed:([^.]*)", plain):
                for item in re.findall(r"[A-Za-z_]{4,}", said):
                    if "_" in item or not item.islower():
                        yield path.name, item


def check(root):
    text = (root / "docs" / "MAPPING.md").read_text()
    words, stems = read_code(root)
    tests = read_tests(root)
    misses, counts, used = [], {}, set()

    for section, line, row in read_tables(text):
        key = next((k for k in LEAST_ROWS if section.startswith(k)), "")
        counts[key] = counts.get(key, 0) + 1
        if is_later(row):
            continue
        used.update(quoted(row.get("Test", "")))
        for miss in (*check_names(row, words, stems), *check_files(row, root),
                     *check_tests(section, row, tests)):
            misses.append(f"docs/MAPPING.md:{line}: {miss}")
    for key, least in LEAST_ROWS.items():
        if counts.get(key, 0) < least:
            raise Unreadable(f'"{key}" has {counts.get(key, 0)} rows, '
                             f"fewer than {least}")
    for header, item in seed_names(root):
        if not re.search(rf"\b{item}\b", text):
            misses.append(f"{header}: seed item not in the mapping: {item}")
    return misses, sum(counts.values()), len(used)


def main():
    words = [word for word in sys.argv[1:] if word != "--list"]
    root = pathlib.Path(words[0] if words else
                        pathlib.Path(__file__).resolve().parent.parent)
    try:
        if "--list" in sys.argv[1:]:
            print("\n".join(sorted(read_tests(root))))
            return 0
        misses, rows, tests = check(root)
    except (OSError, Unreadable) as error:
        print(f"check_mapping: {error}")
        return 2
    for miss in misses:
        print(miss)
    print(f"mapping: {rows} rows, {tests} tests named, {len(misses)} missing")
    return 1 if misses else 0


if __name__ == "__main__":
    sys.exit(main())
