# SPDX-License-Identifier: MPL-2.0
"""Runs Frama-C's WP on one unit, and reads what it says.

A unit is one file of src/ with the inline functions of the headers that belong
to it. proof/model_UNIT.h, if there is one, adds to the words of its contracts.
"""
import csv
import functools
import os
import re
import shutil
import subprocess
import threading
from pathlib import Path

from contracts import Failure

FLAGS = """-c11 -machdep gcc_x86_64 -warn-unsigned-overflow
    -warn-unsigned-downcast -warn-signed-downcast -wp -wp-rte -wp-model Typed
    -rte-no-pointer-call -wp-no-ground""".split()
PREPROCESS = ("-I{0} -I{0}/include -I{0}/arch/x86_64 -I{0}/arch/vtd "
              "-I{0}/src "
              "-DFH_CONFIG_FILE='\"proof/config.h\"' -include proof/model.h")

# Both ask CVC4 and Z3 (pair says how). The first leaves out what hardly any
# goal needs of WP's library, which makes the rest quicker; the second gets it
# all. Z3 by itself, and with goals written down for it, is the last resort.
LEAN, ALL = "Lean", "Lean,Whole,Z3"

# What Why3 has to know of them.
CONFIGURATION = """[main]
magic = 14
memlimit = 1000
[partial_prover]
name = "Z3"
path = "/usr/bin/z3"
version = "4.8.12"
"""
PROVER = """[prover]
name = "{name}"
version = "{version}"
alternative = ""
command = "{here}/pair %t %f"
driver = "{driver}"
editor = ""
in_place = false
interactive = false
"""

ONE_AT_A_TIME = threading.Lock()

# Seconds that a prover gets at first.
IMPATIENT = 8

# Frama-C allows itself little memory, and collects garbage for a quarter of
# its time; it overrules OCAMLRUNPARAM, but not a module that it loads.
GARBAGE = """let () = Gc.set { (Gc.get ()) with
  Gc.minor_heap_size = 8_388_608; space_overhead = 1000 }
"""

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
        # (goal, whether the cache remembered it)
        self.answers = re.findall(r"^\[wp\] \[(?:Lean|Whole|Z3) [^]]*\] "
                                  r"Goal (\S+) : Valid.*?(\(cached\))?$",
                                  output, re.M)
        self.replayed = sum(bool(cached) for _, cached in self.answers)
        self.simplified = self.proved - len(self.answers)
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
        known = {goal for goal, _ in self.answers}
        found = [answer for answer in later.answers if answer[0] not in known]
        self.replayed += sum(bool(cached) for _, cached in found)
        self.answers += found
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


@functools.cache
def make_setup(logs):
    """Tells Why3 of the provers, makes the module; where both stand."""
    here, made = Path(__file__).parent, Path(logs) / "setup"
    made.mkdir(parents=True, exist_ok=True)
    version = "+".join(
        re.search(r"version (\S+)", subprocess.check_output(
            [prover, "--version"], text=True))[1] for prover in ("cvc4", "z3"))
    (made / "why3.conf").write_text(CONFIGURATION + "".join(
        PROVER.format(name=name, version=version, here=here, driver=driver)
        for name, driver in (("Lean", here / "lean.drv"), ("Whole", "cvc4_17"))))
    (made / "garbage.ml").write_text(GARBAGE)
    subprocess.check_call(["ocamlopt", "-shared", "-o", "garbage.cmxs",
                           "garbage.ml"], cwd=made)
    return made


def setup_in(logs):
    """The setup, made by whoever comes first."""
    with ONE_AT_A_TIME:
        return make_setup(Path(logs).resolve())


def start(tree, logs, name, words):
    """Runs Frama-C; what it says, which a log keeps."""
    log = Path(logs) / f"{name}.log"
    setup = setup_in(logs)
    done = subprocess.run([*words[:1], "-load-module",
                           str(setup / "garbage.cmxs"), *words[1:]], cwd=tree,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True,
                          # Frama-C believes $PWD.
                          env={**os.environ, "PWD": str(tree),
                               "WHY3CONFIG": str(setup / "why3.conf")})
    log.write_text(done.stdout)
    if done.returncode != 0:
        raise Failure(f"frama-c failed, see {log}:\n{done.stdout[-1500:]}")
    return done.stdout


def run(tree, logs, unit, functions, cache, provers, *options):
    """Has functions of a unit of a tree proved."""
    table = Path(logs) / f"{unit}.csv"
    table.unlink(missing_ok=True)
    output = start(tree, logs, unit, [
        *words_of(tree, unit, functions, cache, provers, *options),
        "-then", "-report-csv", str(table)])
    if not table.exists():
        raise Failure(f"{unit}: frama-c made no report")
    return Outcome(output, read_table(table), functions)


def prove(tree, logs, unit, functions, cache, timeout, *options, fresh=False,
          jobs=1):
    """Replays what the cache remembers, and proves the rest.

    At first impatiently, and without what is hardly ever needed.
    """
    # Replaying waits for a clock, not for a CPU: many at a time.
    replays = [(LEAN, "offline", 32, timeout), (ALL, "offline", 32, timeout)]
    proofs = [(LEAN, "update", jobs, IMPATIENT), (ALL, "update", 2, timeout)]
    outcome = None
    for provers, mode, at_once, patience in [*([] if fresh else replays), *proofs]:
        again = outcome and outcome.open_in(functions) or functions
        found = run(tree, logs, unit, again, cache, provers, *options,
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
