#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Proves the contracts in the sources with Frama-C's WP.

    proof/prove.py [--fresh] [--timeout SECONDS] [UNIT...]

Each unit is one file of src/ with the inline functions of the headers that
belong to it. A goal that proof/cache remembers is replayed; others are proved
now and remembered. --fresh forgets the cache first. Logs stand in build/proof.

A run passes if every goal of every function under contract is proved, Frama-C
calls each of these functions' properties valid, no warning says that
a result is weaker than it looks, and proof/TRUSTED.md names exactly what was
taken on trust.
"""
import argparse
import collections
import csv
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOGS = ROOT / "build/proof"
CACHE = ROOT / "proof/cache"

# Each file with the headers whose inline functions are proved with it.
UNITS = {
    "inline": ["include/framehold/addr.h", "include/framehold/atomic.h"],
    "slot": ["src/slot.h"],
    "frame": ["include/framehold/ledger.h", "include/framehold/frame.h",
              "proof/model.h"],
    "unique": ["include/framehold/unique.h"],
    "segment": ["include/framehold/segment.h"],
}

FLAGS = """-c11 -machdep gcc_x86_64 -warn-unsigned-overflow
    -warn-unsigned-downcast -warn-signed-downcast -wp -wp-rte -wp-model Typed
    -rte-no-pointer-call -wp-prover cvc4,z3""".split()
PREPROCESS = (f"-I{ROOT} -I{ROOT}/include -I{ROOT}/src "
              "-DFH_CONFIG_FILE='\"proof/config.h\"' "
              "-include proof/model.h")
WEAKER = re.compile(r"Missing|Cast with|Uncomparable|Unsupported|Degenerated|"
                    r"No .calls|Stronger|neither code nor|Ignored|Skipped")
VALID = ("Valid", "Considered valid")

COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)
CONTRACT = re.compile(r"/\*@(?!\s*(?:predicate|logic|axiom|ghost|loop|assert|"
                      r"lemma|calls))(?:(?!\*/).)*?\*/\s*(?=[A-Za-z])", re.S)
NAME = re.compile(r"(\w+)\s*\(")


class Failure(Exception):
    pass


def without_attributes(text):
    return re.sub(r"\bFH_[A-Z_]+\b|__attribute__\(\(.*?\)\)", "", text)


def functions_under_contract(paths):
    """The names of all functions that have a contract in one of the files."""
    names = set()
    for path in paths:
        text = path.read_text()
        for found in CONTRACT.finditer(text):
            head = COMMENT.sub("", text[found.end():found.end() + 400])
            names.add(NAME.search(without_attributes(head))[1])
        names |= ghost_functions(path)
    return names


def ghost_functions(path):
    return set(re.findall(r"ghost\s*/@(?:(?!@/).)*?@/\s*\w+ (\w+)\(",
                          path.read_text(), re.S))


def functions_defined(path):
    """The names of all functions whose body stands in the file."""
    text = COMMENT.sub("", path.read_text())
    text = without_attributes(re.sub(r"^#.*?(?<!\\)$", "", text, flags=re.M | re.S))
    return set(re.findall(r"^ ?\w[\w\s*]*?\b(\w+)\([^;{}]*\)\s*\{", text, re.M))


def trusted():
    """What TRUSTED.md lists, by name."""
    rows = re.findall(r"^\| *(\d+) *\| *`(\w+)`", (
        ROOT / "proof/TRUSTED.md").read_text(), re.M)
    if [int(number) for number, _ in rows] != list(range(1, len(rows) + 1)):
        raise Failure("TRUSTED.md: numbers are not 1, 2, 3, ...")
    return [name for _, name in rows]


def work_of(unit, contracts, trust):
    files = [ROOT / f"src/{unit}.c"] + [ROOT / h for h in UNITS[unit]]
    defined = set().union(*map(functions_defined, files),
                          *map(ghost_functions, files))
    return sorted(defined & contracts - set(trust))


def frama_c(unit, functions, *options):
    log, table = LOGS / f"{unit}.log", LOGS / f"{unit}.csv"
    table.unlink(missing_ok=True)
    words = ["frama-c", f"-cpp-extra-args={PREPROCESS}", *FLAGS,
             "-wp-session", str(CACHE), "-wp-fct", ",".join(functions),
             *options, f"src/{unit}.c", "-then", "-report-csv", str(table)]
    done = subprocess.run(words, cwd=ROOT, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True,
                          env={**os.environ, "PWD": str(ROOT)})
    log.write_text(done.stdout)
    if done.returncode != 0 or not table.exists():
        raise Failure(f"{unit}: frama-c failed, see {log}:\n"
                      + done.stdout[-1500:])
    return done.stdout


def goals(output):
    found = re.findall(r"Proved goals:\s+(\d+) / (\d+)", output)
    return tuple(map(int, found[-1])) if found else (0, 0)


def counted(output, what):
    return sum(map(int, re.findall(rf"{what}:\s*(\d+)", output)))


def complaints(unit, output, functions):
    lines = [line.strip() for line in output.splitlines()
             if "arning" in line and WEAKER.search(line)]
    lines += [f"not proved: {goal}" for goal in
              re.findall(r"\[(?:Failed|Timeout|Unknown)\] Goal (\S+)", output)]
    with open(LOGS / f"{unit}.csv") as table:
        for row in csv.DictReader(table, delimiter="\t"):
            # What a function asks for is proved where it is called.
            if (row["function"] in functions
                    and row["property kind"] != "precondition"
                    and row["status"] not in VALID):
                lines.append(f"{row['status']}: {row['function']}: "
                             f"{row['property kind']}: {row['property']}")
    return list(dict.fromkeys(lines))


def prove(unit, functions, options):
    started = time.monotonic()
    proved = total = replayed = 0
    # Replaying waits for a clock, not for a CPU: many at a time.
    output = "" if options.fresh else frama_c(
        unit, functions, "-wp-cache", "offline", "-wp-par", "32",
        "-wp-timeout", str(options.timeout))
    proved, total = goals(output)
    if options.fresh or proved < total:
        output = frama_c(unit, functions, "-wp-cache", "update", "-wp-par",
                         "2", "-wp-timeout", str(options.timeout))
        proved, total = goals(output)
    replayed = counted(output, "found")
    now = proved - replayed
    wrong = complaints(unit, output, functions)
    print(f"{unit:10} {len(functions):4} functions {proved:5} of {total:5} "
          f"goals, {replayed:5} replayed "
          f"{time.monotonic() - started:7.1f} s", flush=True)
    for line in wrong:
        print(f"    {line}")
    return not wrong and proved == total and total > 0, (
        len(functions), proved, total, replayed)


def check_trust(sources, contracts, proved, trust):
    """Every contract without a proof is in TRUSTED.md, and so is the rest."""
    text = "".join(path.read_text() for path in
                   sorted((ROOT / "proof").glob("*.h")))
    stand_ins = set(re.findall(r"#define (__builtin_\w+)", text))
    facts = set(re.findall(r"\b(?:axiom|admit|admits) (\w+)", text))
    assumed = (contracts - proved) | stand_ins | facts
    lines = [f"TRUSTED.md does not list {name}" for name in
             sorted(assumed - set(trust))]
    written = sum(path.read_text().count("exits \\false;") for path in sources)
    if written != len(contracts):
        lines.append(f"{written} contracts, but {len(contracts)} functions")
    lines += [f"TRUSTED.md lists {name}, which is not trusted" for name in
              sorted(set(trust) - assumed)]
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--fresh", action="store_true")
    parser.add_argument("units", nargs="*", metavar="UNIT")
    parser.add_argument("--timeout", type=int, default=30, metavar="SECONDS")
    parser.add_argument("--only", default="", metavar="FUNCTION,...")
    options = parser.parse_args()
    if options.fresh:
        shutil.rmtree(CACHE, ignore_errors=True)
    CACHE.mkdir(exist_ok=True)
    LOGS.mkdir(parents=True, exist_ok=True)

    sources = [*ROOT.glob("include/framehold/*.h"), *ROOT.glob("src/*.[ch]"),
               *ROOT.glob("proof/*.h")]
    contracts = functions_under_contract(sources)
    trust = trusted()
    work = {unit: work_of(unit, contracts, trust) for unit in UNITS}
    wrong = check_trust(sources, contracts, set().union(*work.values()),
                        trust)
    started = time.monotonic()
    sums, passed = collections.Counter(), not wrong
    for unit in options.units or UNITS:
        if options.only:
            work[unit] = [name for name in work[unit]
                          if name in options.only.split(",")]
        good, numbers = prove(unit, work[unit], options)
        passed &= good
        for name, number in zip(("functions", "proved", "total", "replayed"),
                                numbers):
            sums[name] += number
    print(f"{'all':10} {sums['functions']:4} functions {sums['proved']:5} of "
          f"{sums['total']:5} goals, {sums['replayed']:5} replayed "
          f"{time.monotonic() - started:7.1f} s; {len(trust)} things trusted")
    for line in wrong:
        print(line)
    return 0 if passed else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as failure:
        sys.exit(str(failure))
