# SPDX-License-Identifier: MPL-2.0
"""Checks the tables of TRUSTED.md about the source system, as text.

Each row has an outcome, and names what it rests on between backquotes: a row
that is proved names a function that is proved, one that is enumerated a driver
of the interleaving checker, one that is tested a test. Every other name must
be one of these, or stand in the sources. The blocks of the source system have
to be there with as many rows as they have bullets.
"""
import collections
import re
import sys

from contracts import ROOT, Failure

sys.path.insert(0, str(ROOT / "tools"))
import check_mapping  # noqa: E402

OUTCOMES = ("proved", "enumerated", "tested", "not applicable", "not yet")
PROPERTIES, TRUST = "Verified properties", "What the seeds trust"

# Bullets of each block; 25 of them are called Verified Properties.
BLOCKS = {
    "000": {"from_unused": 6, "meta": 3, "from_in_use": 8,
            "reference_count": 4, "borrow": 5, "into_raw": 8, "from_raw": 9,
            "slot": 3, "inc_frame_ref_count": 6},
    "001": {"get_slot": 3, "get_from_unused": 8, "get_from_in_use_loop": 4,
            "get_from_in_use": 8, "inc_ref_count": 4, "frame_paddr": 4,
            "as_meta_ptr": 5, "drop_last_in_place": 7},
    "002": {"inv": 14, "model": 7, "clean_inv": 2, "ledger": 12},
    "003": {"level": 3, "nr_children": 3},
    "004": {"from_unused": 7, "from_raw": 7, "split": 7, "slice": 2,
            "into_raw": 5, "next": 6},
}
LEAST_TRUSTED = 30


def known_names(work):
    words, stems = check_mapping.read_code(ROOT)
    model = "".join(path.read_text() for path in work.sources
                    if path.parent.name == "proof")
    words |= set(re.findall(r"(?:predicate|logic \w+) (\w+)", model))
    words |= set(re.findall(r"\b(?:g_\w+)", model)) | work.contracts
    for path in work.sources:
        words |= set(re.findall(r"behavior (\w+)", path.read_text()))
    return words


def rows_of(text, section):
    return [(line, row) for name, line, row in check_mapping.read_tables(text)
            if name.startswith(section)]


def check_row(row, work, tests, drivers, words):
    names = check_mapping.quoted(row["By"])
    basis = {"proved": work.proved, "enumerated": drivers, "tested": tests}
    if row["Outcome"] not in OUTCOMES:
        yield f"no such outcome: {row['Outcome']}"
    needed = basis.get(row["Outcome"])
    if needed is not None and not needed & set(names):
        yield f"names nothing that is {row['Outcome']}"
    for name in names:
        if name not in tests | work.proved | words:
            yield f"no such proof, test or name: {name}"


def check_blocks(rows):
    found = collections.Counter()
    for line, row in rows:
        found[row["Seed"], row["Item"].strip("`")] += 1
    wanted = {(seed, item): count for seed, blocks in BLOCKS.items()
              for item, count in blocks.items()}
    return [f"{seed} {item}: {found[seed, item]} rows for "
            f"{wanted.get((seed, item), 0)} bullets"
            for seed, item in sorted(wanted.keys() | found.keys())
            if found[seed, item] != wanted.get((seed, item), 0)]


def totals(rows):
    counts = collections.Counter(row["Outcome"] for _, row in rows)
    return ", ".join(f"{counts[outcome]} {outcome}" for outcome in OUTCOMES)


def read():
    """The rows of both tables."""
    text = (ROOT / "proof/TRUSTED.md").read_text()
    try:
        return rows_of(text, PROPERTIES), rows_of(text, TRUST)
    except check_mapping.Unreadable as error:
        raise Failure(f"TRUSTED.md: {error}") from error


def check(work):
    """(text, complaints) of each table."""
    properties, trust = read()
    tests = check_mapping.read_tests(ROOT)
    drivers = {path.stem for path in
               (ROOT / "tools/interleave/drivers").glob("*.c")}
    words = known_names(work)

    def complaints(rows):
        return [f"TRUSTED.md:{line}: {complaint}" for line, row in rows
                for complaint in check_row(row, work, tests, drivers, words)]

    yield (f"{len(properties)} properties of the seeds: {totals(properties)}",
           check_blocks(properties) + complaints(properties))
    few = [] if len(trust) >= LEAST_TRUSTED else ["too few rows"]
    yield (f"{len(trust)} items that the seeds trust: {totals(trust)}",
           few + complaints(trust))
