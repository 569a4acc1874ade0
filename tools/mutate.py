#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Seeds bugs in a copy of the core, one at a time, and shows each one caught.

The bugs stand in test/mutations.py: a file, a piece of its text that occurs
exactly once, and what takes its place; which tests should notice, in which
build. A bug that those let pass is tried on every test there is. One that
none of them notices has survived: it needs an explanation in its entry, or
the exit status is 1.

A line a mutation: what killed it, or that it survived. Builds:

    checked     gcc, with the ledger
    unchecked   gcc, without
    tsan        clang's thread sanitizer, without the ledger's lock
"""
import argparse
import multiprocessing.pool
import os
import pty
import re
import runpy
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COPIED = ("src", "include", "arch", "port", "test", "sources.txt")
BUILDS = {
    "checked": ["gcc", "-O1", "-DFH_CHECKED=1"],
    "unchecked": ["gcc", "-O1", "-DFH_CHECKED=0"],
    "tsan": ["clang", "-O1", "-g", "-DFH_CHECKED=0", "-fsanitize=thread"],
}
INCLUDES = ["-Iinclude", "-Iarch/x86_64", "-Iarch/vtd", "-Iarch",
            "-Iport/hosted", "-Isrc", "-Itest"]
LIBRARIES = ["-lcmocka", "-lpthread"]
WORKERS = 2

# With the sanitizer only what runs on several CPUs has something to show.
RACES = re.compile(r"race|storm")


class Failure(Exception):
    """The mutation cannot be tried, or the tree is not fit for it."""


class Mutation:
    def __init__(self, name, file, old, new, tests, build="checked", tries=1,
                 survives=None):
        self.name, self.file, self.old, self.new = name, file, old, new
        self.tries, self.survives = tries, survives
        # test, or test@build
        self.named = [(word.partition("@")[2] or build,
                       word.partition("@")[0]) for word in tests.split()]
        for build, _ in self.named:
            if build not in BUILDS:
                raise Failure(f"{name}: no build {build}")

    def apply(self, text):
        found = text.count(self.old)
        if found != 1:
            raise Failure(f"its text occurs {found} times in {self.file}")
        return text.replace(self.old, self.new)


def command(words, folder):
    done = subprocess.run([str(word) for word in words], cwd=folder,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True)
    if done.returncode != 0:
        raise Failure(f"{' '.join(map(str, words))}\n{done.stdout}")


def library_sources(tree):
    lines = (tree / "sources.txt").read_text().splitlines()
    named = [line.split("#")[0].strip() for line in lines]
    ports = sorted((tree / "port/hosted").glob("*.c")) + [
        tree / "port/fdt_boot.c"]
    helpers = sorted(path for path in (tree / "test").glob("*.c")
                     if not path.name.endswith("_test.c"))
    return [Path(name) for name in named if name] + [
        path.relative_to(tree) for path in ports + helpers]


def test_sources(tree):
    return {path.stem: path.relative_to(tree)
            for path in sorted((tree / "test").glob("**/*_test.c"))}


class Build:
    """Objects of the unchanged tree, and how those of a mutant differ."""

    def __init__(self, name, tree, scratch):
        self.compile_words = BUILDS[name] + ["-std=gnu11", "-w"] + INCLUDES
        self.link_words = BUILDS[name]
        self.tree, self.objects = tree, scratch / name
        self.mutant = scratch / f"{name}.mutant"
        self.tests = test_sources(tree)
        self.objects.mkdir()
        self.mutant.mkdir()

    def object_name(self, source):
        return str(source).replace("/", "_") + ".o"

    def compile(self, source, folder):
        target = folder / self.object_name(source)
        command(self.compile_words + ["-MMD", "-c", source, "-o", target],
                self.tree)
        return target

    def needed(self, test):
        """Without the sources that a test has within itself."""
        text = (self.tree / self.tests[test]).read_text()
        within = [Path("src") / name for name in
                  re.findall(r'^#include "(\w+\.c)"', text, re.M)]
        return [source for source in library_sources(self.tree)
                if source not in within] + [self.tests[test]]

    def make(self, sources, folder):
        with multiprocessing.pool.ThreadPool(WORKERS) as pool:
            pool.map(lambda source: self.compile(source, folder), sources)

    def depends(self, source, changed):
        listing = (self.objects / self.object_name(source)).with_suffix(".d")
        return changed in map(os.path.normpath, re.split(r"[\s\\]+",
                                                         listing.read_text()))

    def prepare(self, test):
        """Makes the unchanged test; what fails in it, or None."""
        if test not in self.tests:
            return f"there is no {test}"
        try:
            self.make([source for source in self.needed(test) if not
                       (self.objects / self.object_name(source)).exists()],
                      self.objects)
            return run_test(test, self.link(test, {}))
        except Failure as failure:
            return str(failure)

    def libraries(self, test):
        text = (self.tree / self.tests[test]).read_text()
        return LIBRARIES + (["-lfdt"] if '"fdt_' in text else [])

    def link(self, test, replaced):
        program = self.objects / f"{test}.program"
        objects = [replaced.get(source,
                                self.objects / self.object_name(source))
                   for source in self.needed(test)]
        command(self.link_words + objects + self.libraries(test) +
                ["-o", program], self.tree)
        return program

    def begin_mutant(self):
        shutil.rmtree(self.mutant, ignore_errors=True)
        self.mutant.mkdir()

    def link_mutant(self, test, changed):
        """The test with every object that the changed file is part of."""
        affected = [source for source in self.needed(test)
                    if self.depends(source, changed)]
        fresh = [source for source in affected
                 if not (self.mutant / self.object_name(source)).exists()]
        self.make(fresh, self.mutant)
        return self.link(test, {source:
                                self.mutant / self.object_name(source)
                                for source in affected})


def read_all(descriptor, deadline):
    """What a terminal shows until its other end is closed, or it is late."""
    import select
    text = b""
    while True:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([descriptor], [], [], left)[0]:
            return text, True
        try:
            piece = os.read(descriptor, 65536)
        except OSError:
            return text, False
        if not piece:
            return text, False
        text += piece


def run_test(test, program, limit=120):
    """Runs a test program; what failed in it, or None."""
    environment = dict(os.environ, TSAN_OPTIONS="halt_on_error=1",
                       ASAN_OPTIONS="detect_leaks=0")
    environment.pop("FH_SEED", None)
    # On a terminal the names of tests come out before a crash.
    ours, theirs = pty.openpty()
    process = subprocess.Popen([program], env=environment, stdout=theirs,
                               stderr=theirs, stdin=subprocess.DEVNULL,
                               start_new_session=True)
    os.close(theirs)
    output, late = read_all(ours, time.monotonic() + limit)
    os.close(ours)
    if late:
        os.killpg(process.pid, signal.SIGKILL)
    status = process.wait()
    if status == 0 and not late:
        return None
    return describe(test, output.decode(errors="replace"), status, late)


def describe(test, text, status, late):
    failed = re.search(r"\[  FAILED  \] (\w+)", text)
    running = re.findall(r"\[ RUN      \] (\w+)", text)
    name = failed.group(1) if failed else running[-1] if running else "start"
    if late:
        return f"{test}: {name} does not end"
    if "WARNING: ThreadSanitizer" in text:
        return f"{test}: {name} (data race)"
    if status < 0:
        return f"{test}: {name} (signal {-status})"
    return f"{test}: {name}"


class Workshop:
    """A copy of the tree, its builds, and the mutations tried in it."""

    def __init__(self, scratch):
        self.tree = scratch / "tree"
        self.scratch = scratch
        self.tree.mkdir()
        for name in COPIED:
            source = ROOT / name
            copy = shutil.copytree if source.is_dir() else shutil.copy
            copy(source, self.tree / name)
        self.builds = {}
        self.fit = {}

    def build(self, name):
        if name not in self.builds:
            self.builds[name] = Build(name, self.tree, self.scratch)
        return self.builds[name]

    def trials(self, mutation):
        """What to run, the likeliest first."""
        named = mutation.named * mutation.tries
        if mutation.survives:
            return named
        tests = test_sources(self.tree)
        every = [(name, test) for name in ("checked", "unchecked")
                 for test in tests]
        every += [("tsan", test) for test in tests if RACES.search(test)]
        return named + [trial for trial in every if trial not in named]

    def try_mutation(self, mutation):
        """What killed it, or None."""
        if mutation.file.endswith(".c") and \
                Path(mutation.file) not in library_sources(self.tree):
            raise Failure(f"{mutation.file} is not built")
        mutation.apply((self.tree / mutation.file).read_text())
        for build in self.builds.values():
            build.begin_mutant()
        for trial in self.trials(mutation):
            if not self.is_fit(mutation, *trial):
                continue
            killer = run_test(trial[1], self.link_mutant(mutation, *trial))
            if killer is not None:
                return f"{killer}, {trial[0]}"
        return None

    def is_fit(self, mutation, name, test):
        """Whether a test can tell: it passes without any mutation."""
        if (name, test) not in self.fit:
            complaint = self.build(name).prepare(test)
            self.fit[name, test] = complaint is None
            if complaint is not None:
                print(f"# left out, {name}: {complaint}", flush=True)
        if not self.fit[name, test] and (name, test) in mutation.named:
            raise Failure(f"{test} does not pass without it, {name}")
        return self.fit[name, test]

    def link_mutant(self, mutation, name, test):
        path = self.tree / mutation.file
        original = path.read_text()
        path.write_text(mutation.apply(original))
        try:
            return self.build(name).link_mutant(test, mutation.file)
        finally:
            path.write_text(original)


def read_mutations(path=ROOT / "test/mutations.py", make=Mutation):
    data = runpy.run_path(str(path))
    mutations = [make(**entry) for entry in data["MUTATIONS"]]
    names = [mutation.name for mutation in mutations]
    for name in names:
        if names.count(name) > 1:
            raise Failure(f"two mutations are called {name}")
    return mutations


def judge(mutation, workshop):
    """(whether all is well, one line)."""
    try:
        killer = workshop.try_mutation(mutation)
    except Failure as failure:
        return False, f"error: {failure}"
    if killer is not None:
        note = ", though it is said to survive" if mutation.survives else ""
        return True, f"killed by {killer}{note}"
    if mutation.survives:
        return True, f"survived: {mutation.survives}"
    return False, "SURVIVED, and nobody says why"


def run_all(mutations, tap, make_workshop):
    wrong = 0
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="framehold-mutate-") as scratch:
        workshop = make_workshop(Path(scratch))
        for number, mutation in enumerate(mutations, 1):
            well, line = judge(mutation, workshop)
            wrong += not well
            if tap:
                print(f"{'ok' if well else 'not ok'} {number} - "
                      f"{mutation.name}: {line}", flush=True)
            else:
                print(f"{number:>3}/{len(mutations)} "
                      f"{time.monotonic() - begun:6.0f} s  "
                      f"{mutation.name:<36} {line}", flush=True)
    if not tap:
        print(f"{len(mutations)} mutations, {wrong} of them wrong")
    return 1 if wrong else 0


def main(description=__doc__, read=read_mutations, make_workshop=Workshop):
    parser = argparse.ArgumentParser(
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", action="store_true",
                        help="name the mutations and end")
    parser.add_argument("--only", action="append", metavar="NAME",
                        help="try this one; may be repeated")
    parser.add_argument("--tap", action="store_true",
                        help="report in TAP, for a program to read")
    options = parser.parse_args()
    try:
        mutations = read()
    except Failure as failure:
        sys.exit(str(failure))
    if options.only:
        unknown = set(options.only) - {m.name for m in mutations}
        if unknown:
            sys.exit(f"no such mutation: {', '.join(sorted(unknown))}")
        mutations = [m for m in mutations if m.name in options.only]
    if options.list:
        for mutation in mutations:
            print(f"{mutation.name:<36} {mutation.file}")
        return 0
    return run_all(mutations, options.tap, make_workshop)


if __name__ == "__main__":
    sys.exit(main())
