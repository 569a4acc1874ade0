# SPDX-License-Identifier: MPL-2.0
"""Runs Frama-C's WP on one unit, and reads what it says.

A unit is one file of src/ with the inline functions of the headers that belong
to it. proof/model_UNIT.h, if there is one, adds to the words of its contracts.
"""
import csv
import os
import re
import shutil
import subprocess
from pathlib import Path

from contracts import Failure

FLAGS = """-c11 -machdep gcc_x86_64 -warn-unsigned-overflow
    -warn-unsigned-downcast -warn-signed-downcast -wp -wp-rte -wp-model Typed
    -rte-no-pointer-call -wp-no-ground""".split()
PREPROCESS = ("-I{0} -I{0}/include -I{0}/arch/x86_64 -I{0}/arch/vtd "
              "-I{0}/src "
              "-DFH_CONFIG_FILE='\"proof/config.h\"' -include proof/model.h")
PROVERS = "cvc4,z3"

# Seconds that a prover gets at first.
IMPATIENT = 5

# Large steps between collections: a quarter of Frama-C's time otherwise.
GARBAGE = "s=16M,o=400"

# Units with models of others beside model.h; the rest may have one by their
# own name.
OWN_WORDS = {"alloc": ["alloc"], "allocator": ["early", "alloc", "allocator"],
             "claim": ["alloc"], "block": ["alloc"],
             "chain": ["alloc"], "buddy": ["alloc"], "parts": ["alloc"],
             "open": ["alloc"], "refill": ["alloc"],
             "words": ["alloc"],
             "take": ["alloc"], "take_run": ["alloc"],
             "zones": ["alloc"], "search": ["alloc"],
             "piece": ["early", "alloc"],
             "cells": ["early", "alloc", "supply", "layout"],
             "zonetables": ["early", "alloc", "supply", "layout"],
             "layout": ["early", "alloc", "supply", "layout"],
             "cover": ["early", "alloc"],
             "io": ["bytes"],
             "home": ["early", "alloc"], "supply": ["alloc", "supply"],
             "batch": ["alloc", "supply"],
             "give_range": ["alloc", "supply"],
             "give": ["alloc", "supply"], "sort": ["alloc", "supply"],
             "magazine": ["early", "alloc"],
             "magazine_cpus": ["early", "alloc"],
             "request": ["early", "alloc", "allocator"], "node": ["tables"],
             "cursor": ["tables"], "mapping": ["tables"],
             "split": ["tables"], "pagetable": ["tables"]}

# What says that a result is weaker than it looks.
WEAKER = re.compile(r"Missing|Cast with|Uncomparable|Unsupported|Degenerated|"
                    r"No .calls|Stronger|Ignored|Skipped")
VALID = ("Valid", "Considered valid")


class Outcome:
    """What one run of the prover says about some functions of a unit."""

    def __init__(self, output, table, functions):
        found = re.findall(r"Proved goals:\s+(\d+) / (\d+)", output)
        self.proved, self.total = map(int, found[-1]) if found else (0, 0)
        # One line a goal: the sums at the end count some goals twice.
        by_prover = re.findall(r"^\[wp\] \[(?:CVC4|Z3) [^]]*\] Goal .*: Valid"
                               r"(.*)$", output, re.M)
        self.replayed = sum("(cached)" in end for end in by_prover)
        self.simplified = self.proved - len(by_prover)
        self.open = re.findall(
            r"\[(?:Failed|Timeout|Unknown|Stronger)\] Goal (\S+)", output)
        self.weaker = [line.strip() for line in output.splitlines()
                       if "arning" in line and WEAKER.search(line)]
        self.invalid = [row for row in table if row[0] in functions]

    @property
    def complete(self):
        return 0 < self.total == self.proved

    @property
    def now(self):
        return self.proved - self.simplified - self.replayed

    def open_in(self, functions):
        """Those of the functions that a goal without proof may be of."""
        return [name for name in functions if any(
            goal.startswith(f"typed_{name}_") for goal in self.open)]

    def renew(self, functions, later):
        """Takes over what a later run says of some of the functions."""
        self.proved = self.total - (later.total - later.proved)
        self.open = later.open
        self.weaker += later.weaker
        self.invalid = later.invalid + [row for row in self.invalid
                                        if row[0] not in functions]

    def complaints(self):
        lines = self.weaker + [f"not proved: {goal}" for goal in self.open]
        lines += [f"{status}: {name}: {kind}: {text}" for
                  name, status, kind, text in self.invalid]
        if not self.total:
            lines.append("no goals")
        return list(dict.fromkeys(lines))


def read_table(path):
    """(function, status, kind, text) of each property that is not valid.

    What a function asks for is proved where it is called.
    """
    with open(path) as table:
        return [(row["function"], row["status"], row["property kind"],
                 row["property"])
                for row in csv.DictReader(table, delimiter="\t")
                if row["status"] not in VALID
                and row["property kind"] != "precondition"]


def preprocess(tree, unit):
    own = [f"proof/model_{name}.h" for name in OWN_WORDS.get(unit, [unit])]
    return " ".join([PREPROCESS.format(tree), *(
        f"-include {path}" for path in own if (Path(tree) / path).exists())])


def words_of(tree, unit, functions, cache, provers, *options):
    return ["frama-c", f"-cpp-extra-args={preprocess(tree, unit)}", *FLAGS,
            "-wp-prover", provers, "-wp-session", str(cache),
            "-wp-fct", ",".join(functions), *map(str, options),
            f"src/{unit}.c"]


def start(tree, logs, name, words):
    """Runs Frama-C; what it says, which a log keeps."""
    log = Path(logs) / f"{name}.log"
    done = subprocess.run(words, cwd=tree, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True,
                          # Frama-C believes $PWD.
                          env={**os.environ, "PWD": str(tree),
                               "OCAMLRUNPARAM": GARBAGE})
    log.write_text(done.stdout)
    if done.returncode != 0:
        raise Failure(f"frama-c failed, see {log}:\n{done.stdout[-1500:]}")
    return done.stdout


def run(tree, logs, unit, functions, cache, *options):
    """Has functions of a unit of a tree proved."""
    table = Path(logs) / f"{unit}.csv"
    table.unlink(missing_ok=True)
    output = start(tree, logs, unit, [
        *words_of(tree, unit, functions, cache, PROVERS, *options),
        "-then", "-report-csv", str(table)])
    if not table.exists():
        raise Failure(f"{unit}: frama-c made no report")
    return Outcome(output, read_table(table), functions)


def prove(tree, logs, unit, functions, cache, timeout, *options, fresh=False,
          jobs=1):
    """Replays what the cache remembers, and proves the rest.

    At first impatiently: a goal that only the second prover can do would wait
    until the first one's time is over.
    """
    attempts = [("update", jobs, IMPATIENT), ("update", jobs, timeout)]
    if not fresh:
        # Replaying waits for a clock, not for a CPU: many at a time.
        attempts.insert(0, ("offline", 32, timeout))
    outcome = None
    for mode, at_once, patience in attempts:
        again = outcome and outcome.open_in(functions) or functions
        found = run(tree, logs, unit, again, cache, *options,
                    "-wp-cache", mode, "-wp-par", at_once,
                    "-wp-timeout", patience)
        if outcome:
            outcome.renew(again, found)
        else:
            outcome = found
        if outcome.complete:
            break
    return outcome


def forget_failures(cache):
    """A prover that was late, or did not know, is asked again."""
    for entry in Path(cache).glob("cache/*.json"):
        if '"valid"' not in entry.read_text():
            entry.unlink()


class Smoke:
    """What a search for contradictions found: unreachable statements and
    calls that do not return, contracts and loops that nothing can fulfil."""

    def __init__(self, output):
        self.looked_at = len(re.findall(r"\[\w+\][^\n]* Smoke-test ", output))
        # (goal, file, line)
        self.doomed = [(goal, path, int(line)) for goal, path, line in
                       re.findall(r"\[Failed\][^\n]* Smoke-test (?:typed_)?(\w+)"
                                  r".*?\[wp\] (\S+):(\d+): Warning: Failed "
                                  r"smoke-test", output, re.S)]
        if len(self.doomed) != len(re.findall(r"\[Failed\]", output)):
            raise Failure("cannot read which smoke tests failed")


def smoke(tree, logs, unit, functions, cache):
    """Tries to prove a contradiction from everything that a proof assumes.

    A test passes if the prover gives up: a second each.
    """
    shutil.rmtree(cache, ignore_errors=True)
    everything_else = ",".join(
        f"-@{kind}" for kind in """requires assigns ensures exits assert
        invariant variant complete_behaviors disjoint_behaviors check lemma
        """.split())
    output = start(tree, logs, f"{unit}.smoke", words_of(
        tree, unit, functions, cache, "z3", "-wp-smoke-tests",
        "-wp-smoke-timeout", 1, "-wp-timeout", 1, "-wp-par", 2,
        f"-wp-prop={everything_else}"))
    return Smoke(output)
