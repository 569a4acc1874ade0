#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Counts what stands behind the code, and writes the numbers where they are
told: between the marks in README.md and docs/EVIDENCE.md.

    tools/evidence.py           write them
    tools/evidence.py --check   compare; exit status 1 if they differ

All is read off the sources; nothing is run.
"""
import re
import runpy
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "proof")]

import check_mapping  # noqa: E402
import properties  # noqa: E402
import prove  # noqa: E402
import races  # noqa: E402
from contracts import Work, bodies, ghost_functions  # noqa: E402

BEGIN, END = "<!-- {}: tools/evidence.py -->\n", "<!-- end -->\n"


def about(count, step=50):
    """Of what grows with every change, so that this does not."""
    return f"more than {(count - 1) // step * step}"


def mutations(path):
    return runpy.run_path(str(ROOT / path))["MUTATIONS"]


def survivors(entries):
    return sum("survives" in entry for entry in entries)


def proofs(work):
    bugs = mutations("proof/mutations.py")
    of_seeds = properties.totals(properties.read()[0])
    return (f"{len(work.proved)} functions in {len(prove.UNITS)} units do what "
            "their contracts say, for all inputs, without a run-time error. "
            f"{len(bugs)} bugs seeded in them, {survivors(bugs)} of which left no "
            "goal open, explained. Properties "
            "that the source system calls "
            f"verified: {of_seeds}")


def enumeration():
    lines = races.expectations()
    drivers = [line for line in lines if not races.is_own_test(line[0])]
    runs = sum(int(found) for _, _, found in drivers if found.isdigit())
    return (f"{len({name for name, _, _ in drivers})} drivers over the "
            f"compiled library, {len(drivers)} programs, {runs:,} executions "
            "under RC11, by two compilers at two levels. "
            f"{len(races.order_sites(ROOT))} acquires and releases made "
            "weaker, one at a time: "
            f"{len(races.explanations())} nobody needs, explained. "
            f"{len(lines) - len(drivers)} tests of the checker itself")


def tests():
    bugs = mutations("test/mutations.py")
    fuzzers = len(list((ROOT / "fuzz").glob("*_fuzz.c")))
    return (f"{about(len(check_mapping.read_tests(ROOT)))} tests, in six "
            f"configurations; {fuzzers} fuzzers. "
            f"{about(len(bugs)).capitalize()} bugs seeded, {survivors(bugs)} not noticed, "
            "explained")


def trust(work):
    return (f"{len(work.trust)} functions and builtins whose contracts the "
            "proofs believe; no axioms, no admitted facts. Of what the "
            f"source system trusts: {properties.totals(properties.read()[1])}")


def by_file(work):
    """How many functions of each file are proved, or believed."""
    text = ("| File | Functions | Proved | Believed | No contract |\n"
            "|---|---|---|---|---|\n")
    without = []
    for path in work.sources:
        found = set(bodies(path)) | ghost_functions(path)
        proved, trusted = found & work.proved, found & set(work.trust)
        name = f"`{path.relative_to(ROOT)}`"
        if found and not proved:
            without.append(f"{name} ({len(found)})")
        if proved:
            rest = ", ".join(f"`{left}`" for left in
                             sorted(found - proved - trusted))
            text += (f"| {name} | {len(found)} | {len(proved)} | "
                     f"{len(trusted) or ''} | {rest} |\n")
    return text + "\nNothing is proved in " + ", ".join(without) + ".\n"


def numbers(work):
    rows = [("Proved", proofs(work)), ("Enumerated", enumeration()),
            ("Tested", tests()), ("Trusted", trust(work))]
    return "| | |\n|---|---|\n" + "".join(f"| {name} | {text} |\n"
                                          for name, text in rows)


def told(text, what, made):
    begin = BEGIN.format(what)
    pattern = re.escape(begin) + ".*?" + re.escape(END)
    if len(re.findall(pattern, text, re.S)) != 1:
        sys.exit(f"no marks for {what}")
    return re.sub(pattern, lambda _: begin + "\n" + made + "\n" + END, text,
                  flags=re.S)


def main():
    work, stale = Work(prove.UNITS), False
    made = {"numbers": numbers(work), "files": by_file(work)}
    for name, parts in (("README.md", ["numbers"]),
                        ("docs/EVIDENCE.md", ["numbers", "files"])):
        path = ROOT / name
        text = right = path.read_text()
        for part in parts:
            right = told(right, part, made[part])
        if right != text and "--check" in sys.argv[1:]:
            print(f"{name}: numbers are not those of the sources; "
                  "tools/evidence.py writes them")
            stale = True
        elif right != text:
            path.write_text(right)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
