#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Runs the interleaving checker: every execution that the memory model allows.

Without options: the checker's own tests and the drivers over the library, each
compiled by gcc and clang, unoptimised and optimised, and compared with the
numbers in tools/interleave/expected.txt.

With --weaken: each acquire and release of the library, one at a time, made
relaxed. Some driver must find that, or tools/interleave/weakening.txt must say
why the order may be weaker.
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
         *defines, f"-I{tree}/include", f"-I{tree}/src", f"-I{CHECKER}",
         f"-I{CHECKER}/drivers", "-c", source, "-o", target)
    must("objcopy", *(word for name in ("memset", "memcpy", "memmove")
                      for word in ("--redefine-sym", f"{name}=checked_{name}")),
         target)
    return target


def copy_library(tree):
    """The sources, but with sections so small that a thread can zero one."""
    for part in ("src", "include"):
        shutil.copytree(ROOT / part, tree / part)
    header = tree / "include/framehold/slot.h"
    usual = "#define FH_SECTION_FRAMES UINT64_C(32768)"
    text = header.read_text()
    if text.count(usual) != 1:
        sys.exit(f"{header}: no line {usual}")
    header.write_text(text.replace(usual,
                                   "#define FH_SECTION_FRAMES UINT64_C(64)"))


class Programs:
    """The library, the machine and the programs of one configuration."""

    def __init__(self, folder, compiler, level, checker, tree):
        self.folder, self.compiler, self.level = folder, compiler, level
        self.checker, self.tree = checker, tree
        folder.mkdir(parents=True, exist_ok=True)
        self.library = [
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
        must("gcc", "-no-pie", watched, *([] if own else self.library),
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


def order_sites(tree):
    """Each use of an ordered access in the library: (file, line, name)."""
    sites = []
    paths = sorted(tree.glob("src/*.[ch]")) + sorted(
        tree.glob("include/framehold/*.h"))
    for path in paths:
        if path.name in ("atomic.h", "inline.c"):
            continue
        lines = path.read_text().splitlines()
        for number, line in enumerate(lines):
            if not line.lstrip().startswith("*"):
                for use in USE.finditer(line):
                    sites.append((path.relative_to(tree), number,
                                  f"{use.group(1)}_{use.group(2)}"))
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
        if name:
            weak = body.replace(name.group(1), name.group(1) + "_weakened")
            weak = re.sub(r"__ATOMIC_(ACQUIRE|RELEASE)", "__ATOMIC_RELAXED",
                          weak).replace("FH_CAS(", "FH_CAS_RELAXED(")
            forms.append(weak.replace("FH_INLINE", "static inline"))
    path.write_text(text.replace("#undef FH_LOAD\n",
                                 "\n".join(forms) + "\n#undef FH_LOAD\n"))


def explanations():
    lines = (CHECKER / "weakening.txt").read_text().splitlines()
    return {line.split(":")[0]: line.split(":", 1)[1].strip()
            for line in lines if line and not line.startswith("#")}


def weaken_all(folder):
    checker = compile_checker(folder)
    explained, failed, used = explanations(), 0, set()
    drivers = [line for line in expectations() if not is_own_test(line[0])]
    for number, (path, line, access) in enumerate(order_sites(ROOT)):
        tree = folder / f"tree{number}"
        copy_library(tree)
        add_relaxed_forms(tree)
        lines = (tree / path).read_text().splitlines(keepends=True)
        site = f"{path.name} {function_around(lines, line)} {access}"
        lines[line] = lines[line].replace(access + "(", access + "_weakened(")
        (tree / path).write_text("".join(lines))
        programs = Programs(folder / f"objects{number}", "gcc", 1, checker,
                            tree)
        catcher = next(
            (f"{program} {variant} ({found})"
             for program, variant, expected in drivers
             for found in [outcome(programs.build(program, variant))[0]]
             if found in FOUND), None)
        if catcher:
            print(f"ok - {site}: caught by {catcher}", flush=True)
        elif site in explained:
            used.add(site)
            print(f"ok - {site}: may be weaker, {explained[site]}", flush=True)
        else:
            failed += 1
            print(f"not ok - {site}: nobody noticed", flush=True)
        shutil.rmtree(tree)
    for site in sorted(set(explained) - used):
        failed += 1
        print(f"not ok - weakening.txt explains {site}, which is caught or "
              "not there")
    return failed


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true",
                        help="one compiler, optimised")
    parser.add_argument("--weaken", action="store_true",
                        help="weaken each order instead")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        failed = weaken_all(Path(folder)) if options.weaken else \
            check_all(Path(folder), options.quick)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
