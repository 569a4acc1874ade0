#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Runs the interleaving checker: every execution that the memory model allows.

Without options: the checker's own tests and the drivers over the library, each
compiled by gcc and clang, unoptimised and optimised, and compared with the
numbers in tools/interleave/expected.txt.

With --weaken: each acquire and release of the library, one at a time, made
relaxed. Some driver must find that, or tools/interleave/weakening.txt must say
why the order may be weaker. After that the other mistakes of
tools/interleave/mutants.txt.
"""
import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CHECKER = ROOT / "tools/interleave"
PARTS = ("graph", "model", "races", "trace", "explore", "tsan")
FOUND = {"check": "check failed", "race": "data race", "deadlock": "deadlock"}
LIMIT = 600

# Sections of 64 pages, nodes of 4 entries: (header, line, line instead).
SMALL = (("slot.h", "#define FH_SECTION_FRAMES UINT64_C(32768)",
          "#define FH_SECTION_FRAMES UINT64_C(64)"),
         ("prop.h", "#define FH_NODE_BITS    9", "#define FH_NODE_BITS    2"))


def run(*words, **options):
    return subprocess.run([str(word) for word in words], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          **options)


def must(*words):
    done = run(*words)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, words))}\n{done.stdout}")


def expectations():
    """(program, variant, expected) of each line."""
    lines = (CHECKER / "expected.txt").read_text().splitlines()
    return [tuple(line.split()) for line in lines
            if line and not line.startswith("#")]


def is_own_test(program):
    return program == "litmus" or program.startswith("random_")


def compile_checker(folder):
    for part in PARTS:
        must("gcc", "-std=gnu11", "-O2", "-g", "-Wall", "-Wextra",
             "-U_FORTIFY_SOURCE", "-c", CHECKER / f"{part}.c", "-o",
             folder / f"{part}.o")
    return [folder / f"{part}.o" for part in PARTS]


def compile_watched(compiler, level, tree, source, target, *defines):
    """An object whose every access of memory calls the checker."""
    extra = ["-Wno-tsan"] if compiler == "gcc" else []
    must(compiler, "-std=gnu11", f"-O{level}", "-g", "-fno-builtin",
         "-fsanitize=thread", *extra, "-DFH_CHECKED=0", "-DFH_MAX_CPUS=3",
         *defines, f"-I{tree}/include", f"-I{tree}/arch/riscv64",
         f"-I{tree}/arch/vtd", f"-I{tree}/src", f"-I{CHECKER}",
         f"-I{CHECKER}/drivers", "-c", source, "-o", target)
    must("objcopy", *(word for name in ("memset", "memcpy", "memmove")
                      for word in ("--redefine-sym", f"{name}=checked_{name}")),
         target)
    return target


def copy_library(tree):
    """The sources, but with what a thread zeroes made small: see SMALL."""
    for part in ("src", "include", "arch"):
        shutil.copytree(ROOT / part, tree / part)
    for name, usual, small in SMALL:
        header = tree / "include/framehold" / name
        text = header.read_text()
        if text.count(usual) != 1:
            sys.exit(f"{header}: no line {usual}")
        header.write_text(text.replace(usual, small))


class Programs:
    """The library, the machine and the programs of one configuration."""

    def __init__(self, folder, compiler, level, checker, tree):
        self.folder, self.compiler, self.level = folder, compiler, level
        self.checker, self.tree = checker, tree
        folder.mkdir(parents=True, exist_ok=True)
        self.objects = [
            compile_watched(compiler, level, tree, tree / "src/framehold.c",
                            folder / "library.o"),
            compile_watched(compiler, level, tree,
                            CHECKER / "drivers/machine.c",
                            folder / "machine.o"),
            compile_watched(compiler, level, tree,
                            ROOT / "port/host_none.c",
                            folder / "host_none.o")]

    def build(self, program, variant):
        own = is_own_test(program)
        source = CHECKER / ("corpus" if own else "drivers") / f"{program}.c"
        name = f"{program}_{variant}"
        names = ("LITMUS",) if own else ("THREADS", "CASE")
        defines = [f"-D{name}={variant}" for name in names if variant != "-"]
        watched = compile_watched(self.compiler, self.level, self.tree, source,
                                  self.folder / f"{name}.o", *defines)
        must("gcc", "-no-pie", watched, *([] if own else self.objects),
             *self.checker, "-o", self.folder / name)
        return self.folder / name


def outcome(binary):
    """The number of executions, or the kind of error, and the output."""
    try:
        done = run(binary, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        return "no end", ""
    if done.returncode == 0:
        return done.stdout.split()[0], done.stdout
    for kind, text in FOUND.items():
        if text in done.stdout:
            return kind, done.stdout
    return "failure", done.stdout


def check_all(folder, quick):
    """Compares all programs in all configurations; returns TAP lines."""
    checker = compile_checker(folder)
    tree = folder / "tree"
    copy_library(tree)
    configurations = [("gcc", 2)] if quick else [
        (compiler, level) for compiler in ("gcc", "clang") for level in (0, 2)]
    failed = 0

    def check(programs, program, variant, expected):
        found, output = outcome(programs.build(program, variant))
        return found == expected, program, variant, expected, found, output

    for compiler, level in configurations:
        programs = Programs(folder / f"{compiler}{level}", compiler, level,
                            checker, tree)
        with ThreadPoolExecutor(2) as pool:
            results = list(pool.map(lambda line: check(programs, *line),
                                    expectations()))
        for good, program, variant, expected, found, output in results:
            print(f"{'ok' if good else 'not ok'} - {program} {variant} by "
                  f"{compiler} -O{level}: {found}", flush=True)
            if not good:
                failed += 1
                print(f"# expected {expected}")
                print("".join(f"# {line}\n" for line in output.splitlines()))
    return failed


USE = re.compile(r"\b(fh_(?:state|word|byte|list_id)_\w+?)_(acquire|release)\(")


# What an access becomes: (ending of its name, what is said of it).
RELAXED = (("_weakened", ""),)
EITHER_HALF = (("_released", ", acquire"), ("_acquired", ", release"))


def order_sites(tree):
    """
    Each order of an access in the library: (file, line, name, what instead).
    One that acquires and releases loses one of the two at a time.
    """
    sites = []
    paths = sorted(tree.glob("src/*.[ch]")) + sorted(
        tree.glob("include/framehold/*.h"))
    for path in paths:
        if path.name in ("atomic.h", "inline.c"):
            continue
        lines = path.read_text().splitlines()
        for number, line in enumerate(lines):
            if not line.lstrip().startswith("* "):
                for use in USE.finditer(line):
                    name = f"{use.group(1)}_{use.group(2)}"
                    both = name.endswith("_acquire_release")
                    sites += [(path.relative_to(tree), number, name, form)
                              for form in (EITHER_HALF if both else RELAXED)]
    return sites


def function_around(lines, number):
    for i in range(number, -1, -1):
        begin = re.match(r"(?:[\w\s\*]*\b)?(\w+)\(.*", lines[i])
        if begin and not lines[i].startswith(("\t", " ", "/", "#")):
            return begin.group(1)
    return "?"


def add_relaxed_forms(tree):
    """In a copy: for each ordered access a relaxed one beside it."""
    path = tree / "include/framehold/atomic.h"
    text = path.read_text()
    forms = []
    for body in re.findall(r"FH_INLINE [^{;]+\{.*?\n\}\n", text, re.S):
        name = re.search(r"\b(fh_\w+_(?:acquire|release))\(", body)
        if name and name.group(1).endswith("_acquire_release"):
            for ending, order in (("_released", "RELEASE"),
                                  ("_acquired", "ACQUIRE")):
                half = body.replace(name.group(1), name.group(1) + ending)
                half = half.replace("__ATOMIC_ACQ_REL", f"__ATOMIC_{order}")
                forms.append(half.replace("FH_INLINE", "static inline"))
        elif name:
            weak = body.replace(name.group(1), name.group(1) + "_weakened")
            weak = re.sub(r"__ATOMIC_(ACQUIRE|RELEASE)", "__ATOMIC_RELAXED",
                          weak).replace("FH_CAS(", "FH_CAS_RELAXED(").replace(
                              "FH_CAS_RELEASE(", "FH_CAS_RELAXED(")
            forms.append(weak.replace("FH_INLINE", "static inline"))
    path.write_text(text.replace("#undef FH_LOAD\n",
                                 "\n".join(forms) + "\n#undef FH_LOAD\n"))


def explanations():
    lines = (CHECKER / "weakening.txt").read_text().splitlines()
    return {line.split(":")[0]: line.split(":", 1)[1].strip()
            for line in lines if line and not line.startswith("#")}


def name_of_site(lines, site):
    path, line, access, (_, order) = site
    return f"{path.name} {function_around(lines, line)} {access}{order}"


def unknown_explanations():
    """Those of accesses that the library does not have."""
    known = {name_of_site((ROOT / site[0]).read_text().splitlines(
        keepends=True), site) for site in order_sites(ROOT)}
    return [name for name in explanations() if name not in known]


def mutants():
    """(file, title, lines to replace, lines instead) of each."""
    found = []
    text = (CHECKER / "mutants.txt").read_text()
    for block in text.split("\n\n"):
        lines = [line for line in block.splitlines()
                 if not line.startswith("#")]
        if lines:
            path, title = lines[0].split(": ", 1)
            found.append((path, title,
                          "".join(f"{line[1:]}\n" for line in lines[1:]
                                  if line.startswith("-")),
                          "".join(f"{line[1:]}\n" for line in lines[1:]
                                  if line.startswith("+"))))
    return found


def find_catcher(folder, checker, tree, drivers):
    """Which driver finds what is wrong with the tree, or None."""
    programs = Programs(folder, "gcc", 1, checker, tree)
    for program, variant in drivers:
        found = outcome(programs.build(program, variant))[0]
        if found in FOUND:
            return f"{program} {variant} ({found})"
    return None


def weaken_one(folder, checker, drivers, site):
    """(name of the site, who noticed)."""
    path, line, access, (ending, _) = site
    tree = folder / "tree"
    copy_library(tree)
    add_relaxed_forms(tree)
    lines = (tree / path).read_text().splitlines(keepends=True)
    name = name_of_site(lines, site)
    lines[line] = lines[line].replace(access + "(", access + ending + "(")
    (tree / path).write_text("".join(lines))
    catcher = find_catcher(folder / "objects", checker, tree, drivers)
    shutil.rmtree(folder)
    return name, catcher


def mutate_one(folder, checker, drivers, mutant):
    path, title, old, new = mutant
    tree = folder / "tree"
    copy_library(tree)
    text = (tree / path).read_text()
    if text.count(old) != 1:
        sys.exit(f"mutants.txt, {title}: not found once in {path}")
    (tree / path).write_text(text.replace(old, new))
    catcher = find_catcher(folder / "objects", checker, tree, drivers)
    shutil.rmtree(folder)
    return f"{path}: {title}", catcher


def weaken_all(folder):
    checker = compile_checker(folder)
    explained, failed, used = explanations(), 0, set()
    drivers = [line[:2] for line in expectations()
               if not is_own_test(line[0])]
    jobs = [(weaken_one, site) for site in order_sites(ROOT)]
    jobs += [(mutate_one, mutant) for mutant in mutants()]

    def run_job(numbered):
        number, (job, what) = numbered
        return job(folder / f"job{number}", checker, drivers, what)

    with ThreadPoolExecutor(2) as pool:
        for name, catcher in pool.map(run_job, enumerate(jobs)):
            if catcher:
                print(f"ok - {name}: caught by {catcher}", flush=True)
            elif name in explained:
                used.add(name)
                print(f"ok - {name}: may be so, {explained[name]}", flush=True)
            else:
                failed += 1
                print(f"not ok - {name}: nobody noticed", flush=True)
    for name in sorted(set(explained) - used):
        failed += 1
        print(f"not ok - weakening.txt explains {name}, which is caught or "
              "not there")
    return failed


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true",
                        help="one compiler, optimised")
    parser.add_argument("--weaken", action="store_true",
                        help="make mistakes in the library instead")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        failed = weaken_all(Path(folder)) if options.weaken else \
            check_all(Path(folder), options.quick)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
