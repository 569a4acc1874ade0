#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Proves the contracts in the sources with Frama-C's WP.

Each unit is one file of src/ with the inline functions of the headers that
belong to it. A goal that proof/cache remembers is replayed; others are proved
now and remembered. Logs stand in build/proof.

A unit passes if every goal of every function under contract is proved, Frama-C
calls each property of these functions valid, and no warning says that a result
is weaker than it looks. Besides, proof/TRUSTED.md has to list exactly what is
taken on trust, and to name proofs and tests that exist; --text looks at that
alone and needs no prover.
"""
import argparse
import collections
import multiprocessing.pool
import os
import re
import shutil
import sys
import time

import properties
import wp
from contracts import ROOT, Failure, Work, never_return

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
    "list": ["include/framehold/list.h", "proof/model_list.h"],
    "early": ["proof/model_early.h"],
    "alloc": [],
    "allocator": ["proof/model_allocator.h"],
    "claim": [],
    "block": ["src/bits.h", "src/block.h", "proof/model_alloc.h"],
    "io": ["include/framehold/io.h", "proof/model_bytes.h"],
    "chain": ["src/zones.h"],
    "buddy": ["src/runs.h"],
    "parts": ["src/parts.h", "src/whole.h"],
    "open": [],
    "refill": [],
    "words": [],
    "take": [],
    "take_run": [],
    "zones": [],
    "search": [],
    "piece": ["src/piece.h"],
    "cells": ["src/cells.h", "proof/model_layout.h"],
    "zonetables": [],
    "layout": ["src/layout.h"],
    "cover": [],
    "home": [],
    "cursor": ["include/framehold/prop.h", "include/framehold/cursor.h",
               "src/span.h", "src/cursor.h"],
    "node": ["arch/fh_pte.h", "arch/x86_64/fh_x86_64.h", "arch/vtd/fh_vtd.h",
             "src/entry.h", "src/node.h", "proof/model_tables.h"],
    "mapping": [],
    "split": [],
    "pagetable": ["include/framehold/pagetable.h"],
    "flush": ["src/flush.h"],
    "magazine": ["src/magazine.h"],
    "magazine_cpus": [],
    "request": ["src/request.h"],
    "supply": ["proof/model_supply.h", "src/turn.h"],
    "batch": [],
    "give_range": [],
    "give": ["src/give.h"],
    "sort": [],
    "region": ["src/regionsort.h"],
    "regionsort": [],
}

# What takes longest begins first, so that nothing is waited for at the end.
SLOW = ("segment", "region", "list", "buddy", "claim", "io", "block", "chain",
        "magazine", "cursor", "parts", "open", "take", "supply", "batch",
        "give", "refill", "words", "zones", "allocator", "request", "cells",
        "layout", "zonetables")


class Report:
    """Prints a line a check; counts what failed."""

    def __init__(self, tap):
        self.tap, self.failed = tap, 0

    def check(self, text, complaints):
        self.failed += bool(complaints)
        if self.tap:
            text = f"{'not ok' if complaints else 'ok'} - {text}"
        print(text, flush=True)
        for line in complaints:
            print(f"{'# ' if self.tap else '    '}{line}", flush=True)


def numbers(functions, outcome):
    return (f"{functions:4} functions, {outcome['total']:5} goals: "
            f"{outcome['simplified']:5} by simplification, "
            f"{outcome['replayed']:4} replayed, {outcome['now']:4} now")


def prove(work, options, report):
    """Proves units, some at a time; the sums."""
    cache, flags = CACHE, []
    if options.separations:
        cache, flags = LOGS / "separations", ["-wp-check-memory-model"]
    if options.fresh:
        cache = LOGS / "fresh"
        shutil.rmtree(cache, ignore_errors=True)

    def one(unit):
        started = time.monotonic()
        outcome = wp.prove(ROOT, LOGS, unit, work[unit], cache,
                           options.timeout, *flags, fresh=options.fresh,
                           jobs=1 if options.jobs > 1 < len(work) else 2)
        return unit, outcome, time.monotonic() - started

    sums = collections.Counter()
    slow_first = sorted(work, key=lambda unit: unit not in SLOW)
    with multiprocessing.pool.ThreadPool(options.jobs) as pool:
        for unit, outcome, seconds in pool.imap_unordered(one, slow_first):
            counts = {"total": outcome.total, "replayed": outcome.replayed,
                      "now": outcome.now, "proved": outcome.proved,
                      "simplified": outcome.proved - outcome.replayed
                      - outcome.now}
            sums.update(counts)
            report.check(f"{unit:10} {numbers(len(work[unit]), counts)}, "
                         f"{seconds:.0f} s", outcome.complaints())
    wp.forget_failures(cache)
    return sums


def remember(everything):
    """What was proved from nothing; if that was everything, nothing else."""
    if everything:
        shutil.rmtree(CACHE, ignore_errors=True)
    shutil.copytree(LOGS / "fresh/cache", CACHE / "cache", dirs_exist_ok=True)


def explanations():
    """{(file, text of a line): how many points there no input reaches}."""
    lines = (ROOT / "proof/unreachable.txt").read_text().splitlines()
    found = (re.fullmatch(r"(\S+), (\d+): (.*) -- .*", line) for line in lines
             if line and not line.startswith("#"))
    return {(entry[1], entry[3]): int(entry[2]) for entry in found}


def out_of_reach(found, stops):
    """How many points of each line are; calls that stop are meant to be."""
    counts = collections.Counter()
    for goal, path, line in found.doomed:
        if goal.split("_wp_smoke_dead_call")[0] not in stops:
            text = (ROOT / path).read_text().splitlines()[line - 1]
            counts[path, text.strip()] += 1
    return counts


def smoke(work, units, options, report):
    """Vacuity: nothing that a proof assumes may be contradictory."""
    explained, used = explanations(), set()
    stops = never_return(work.sources)
    for unit, functions in units.items():
        started = time.monotonic()
        found = wp.smoke(ROOT, LOGS, unit, functions, LOGS / "smoke")
        counts = out_of_reach(found, stops)
        used |= counts.keys()
        wrong = [f"{path}: {text}: {count} points there are out of reach, "
                 f"{explained.get((path, text), 0)} explained"
                 for (path, text), count in counts.items()
                 if count != explained.get((path, text), 0)]
        report.check(f"{unit:10} {len(functions):4} functions, "
                     f"{found.looked_at:5} points looked at, "
                     f"{sum(counts.values())} out of reach, "
                     f"{time.monotonic() - started:.0f} s",
                     wrong if found.looked_at else ["nothing looked at"])
    if not (options.units or options.only) and explained.keys() - used:
        report.check("explanations", [f"{path}: {text}: can be reached" for
                     path, text in sorted(explained.keys() - used)])


def prune(work):
    """Drops from the cache what no goal of any unit asks for."""
    kept = set()
    for unit, functions in work.items():
        session = LOGS / "prune"
        shutil.rmtree(session, ignore_errors=True)
        shutil.copytree(CACHE, session)
        if not wp.run(ROOT, LOGS, unit, functions, session, wp.ALL,
                      "-wp-cache", "cleanup", "-wp-par", 32).complete:
            raise Failure(f"{unit} has goals without a proof: nothing pruned")
        kept |= {path.name for path in session.glob("cache/*.json")}
    entries = list(CACHE.glob("cache/*.json"))
    for path in entries:
        if path.name not in kept:
            path.unlink()
    print(f"{len(entries)} entries, {len(entries) - len(kept)} dropped")


def arguments():
    parser = argparse.ArgumentParser(
        prog="./fh prove", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("units", nargs="*", metavar="UNIT",
                        help=f"one of {', '.join(UNITS)}; all if none")
    parser.add_argument("--fresh", action="store_true",
                        help="prove all from nothing, and remember that")
    parser.add_argument("--smoke", action="store_true",
                        help="instead of proving, look for contracts that "
                        "hold only because they contradict themselves")
    parser.add_argument("--separations", action="store_true",
                        help="also prove, where functions are called, which "
                        "arguments do not overlap: WP takes that on trust; "
                        "remembered in build/proof only")
    parser.add_argument("--prune", action="store_true",
                        help="drop from the cache what no goal asks for")
    parser.add_argument("--text", action="store_true",
                        help="only compare TRUSTED.md with the sources")
    parser.add_argument("--list", action="store_true",
                        help="name the units and how many functions each has")
    parser.add_argument("--tap", action="store_true",
                        help="report in TAP, for a program to read")
    parser.add_argument("--timeout", type=int, default=60, metavar="SECONDS",
                        help="for one goal (60)")
    parser.add_argument("--jobs", type=int, default=2 * (os.cpu_count() or 1),
                        metavar="N", help="units at a time (two a processor: "
                        "Frama-C waits for provers half of its time)")
    parser.add_argument("--only", default="", metavar="FUNCTION,...",
                        help="of these functions only")
    options = parser.parse_args()
    for unit in options.units:
        if unit not in UNITS:
            parser.error(f"no such unit: {unit}")
    return options


def chosen(work, options):
    wanted = options.only.split(",") if options.only else work.proved
    found = {unit: [name for name in work.functions[unit] if name in wanted]
             for unit in options.units or UNITS}
    return {unit: names for unit, names in found.items() if names}


def main():
    options = arguments()
    LOGS.mkdir(parents=True, exist_ok=True)
    report, work = Report(options.tap), Work(UNITS)
    units = chosen(work, options)
    if options.list:
        for unit, functions in units.items():
            print(f"proof of {unit}: {len(functions)} functions")
        return 0
    if options.prune:
        prune(units if not options.units else chosen(
            work, argparse.Namespace(only="", units=[])))
        return 0
    CACHE.mkdir(exist_ok=True)
    started = time.monotonic()
    if options.smoke:
        smoke(work, units, options, report)
    elif not options.text:
        sums = prove(units, options, report)
        if options.fresh and not (report.failed or options.separations):
            remember(units == work.functions)
        print(f"{'# ' if options.tap else ''}{'all':10} "
              f"{numbers(sum(map(len, units.values())), sums)}, "
              f"{time.monotonic() - started:.0f} s")
    if not options.smoke:
        report.check(f"{len(work.trust)} items taken on trust",
                     work.complaints())
        for text, complaints in properties.check(work):
            report.check(text, complaints)
    return 1 if report.failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as failure:
        sys.exit(f"not ok - {failure}")
