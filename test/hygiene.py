#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Checks of the sources as text and as objects, reported in TAP.

Each function below is one check: it returns a list of complaints, none if all
is well. Run from anywhere; --list names the checks.
"""
import os
import re
import runpy
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WARNINGS = ("-Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow "
            "-Wundef -Wcast-qual -Wcast-align -Werror").split()

TABLES = ("-Iarch/x86_64", "-Iarch/vtd")


def files(*patterns):
    found = [path for pattern in patterns for path in ROOT.glob(pattern)]
    if not found:
        raise RuntimeError(f"nothing matches {patterns}")
    return sorted(found)


def sources():
    lines = (ROOT / "sources.txt").read_text().splitlines()
    return [line.split("#")[0].strip() for line in lines
            if line.split("#")[0].strip()]


def command(*words, **options):
    done = subprocess.run([str(word) for word in words], cwd=ROOT,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, **options)
    return done.returncode, done.stdout


def complaints_of(*words):
    status, output = command(*words)
    return [] if status == 0 else [f"{' '.join(map(str, words))}:", output]


def compile_each(compiler, language, standard, extra):
    complaints = []
    for header in files("include/framehold/*.h"):
        text = (f"#include <framehold/{header.name}>\n"
                "extern int fh_header_stands_alone;\n"
                "int fh_header_stands_alone;\n")
        status, output = command(compiler, f"-std={standard}", *WARNINGS,
                                 *extra, "-fsyntax-only", "-Iinclude", "-x",
                                 language, "-", input=text)
        if status != 0:
            complaints += [f"{compiler} {header.name}:", output]
    return complaints


def headers_stand_alone_as_c11():
    return [line for compiler in ("gcc", "clang") for checked in "01"
            for line in compile_each(compiler, "c", "c11",
                                     [f"-DFH_CHECKED={checked}"])]


def headers_stand_alone_as_cpp17():
    return [line for compiler in ("g++", "clang++") for checked in "01"
            for line in compile_each(compiler, "c++", "c++17",
                                     # In C++ -Wshadow objects to a function named as a struct.
                     ["-Wno-shadow", f"-DFH_CHECKED={checked}"])]


def one_file_build_holds_all_sources():
    text = (ROOT / "src/framehold.c").read_text()
    included = [f"src/{name}" for name in
                re.findall(r'^#include "([^"]+)"', text, re.M)]
    if included != sources():
        return [f"src/framehold.c includes {included}",
                f"sources.txt holds {sources()}"]
    return []


def one_file_build_compiles():
    return [line for compiler in ("gcc", "clang") for checked in "01"
            for line in complaints_of(
                compiler, "-std=c11", "-O2", "-ffreestanding", *WARNINGS,
                f"-DFH_CHECKED={checked}", "-Iinclude", *TABLES, "-c",
                "src/framehold.c", "-o", os.devnull)]


def undefined_symbols(checked):
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "framehold.o"
        status, output = command("gcc", "-std=c11", "-O2", "-ffreestanding",
                                 "-fno-stack-protector", "-fno-pic",
                                 f"-DFH_CHECKED={checked}", "-Iinclude",
                                 *TABLES, "-c", "src/framehold.c", "-o", target)
        if status != 0:
            raise RuntimeError(output)
        return command("nm", "-u", target)[1].split()[1::2]


def every_table_format_serves_the_library():
    return [line for path in files("arch/*/fh_arch.h")
            for compiler in ("gcc", "clang")
            for line in complaints_of(
                compiler, "-std=c11", "-O2", "-ffreestanding", *WARNINGS,
                "-DFH_CHECKED=1", "-Iinclude", f"-I{path.parent}",
                "-Iarch/vtd", "-Isrc", "-include", "codec.h", "-c",
                "src/framehold.c", "-o", os.devnull)]


def library_compiles_for_other_machines():
    return [line for name in ("riscv64", "aarch64")
            for line in complaints_of(
                "clang", f"--target={name}-unknown-elf", "-std=c11", "-O2",
                "-ffreestanding", *WARNINGS, "-DFH_CHECKED=1", "-Iinclude",
                f"-Iarch/{name}", "-Iarch/vtd", "-Isrc", "-include", "codec.h",
                "-c", "src/framehold.c", "-o", os.devnull)]


def library_needs_only_hooks_and_memory_functions():
    allowed = re.compile(r"fh_host_\w+|memcpy|memset|memmove|memcmp")
    return [f"FH_CHECKED={checked}: {name}" for checked in "01"
            for name in undefined_symbols(checked)
            if not allowed.fullmatch(name)]


def indirect_branches(compiler, source):
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "object.o"
        status, output = command(compiler, "-std=c11", "-O2", "-ffreestanding",
                                 "-DFH_CHECKED=0", "-Iinclude", *TABLES, "-c",
                                 source, "-o", target)
        if status != 0:
            raise RuntimeError(output)
        code = command("objdump", "-d", "--no-show-raw-insn", target)[1]
        return [line.strip() for line in code.splitlines()
                if re.search(r"\b(?:notrack )?(?:call|jmp)q?\s+\*", line)]


def tables_change_without_indirect_branches():
    # A source that has such a branch shows that they are seen.
    if not indirect_branches("gcc", "src/slot.c"):
        return ["no indirect branch seen where on_drop is called"]
    return [f"{compiler} src/{name}.c: {line}" for compiler in ("gcc", "clang")
            for name in ("cursor", "mapping", "unmap", "protect", "gather")
            for line in indirect_branches(compiler, f"src/{name}.c")]


def ledger_costs_nothing_when_compiled_out():
    with tempfile.TemporaryDirectory() as folder:
        complaints = []
        for name in ("frame", "segment", "unique", "list", "alloc"):
            target = Path(folder) / f"{name}.o"
            command("gcc", "-std=c11", "-O2", "-ffreestanding",
                    "-DFH_CHECKED=0", "-Iinclude", *TABLES, "-c",
                    f"src/{name}.c", "-o", target)
            complaints += [f"src/{name}.c refers to {symbol}" for symbol in
                           command("nm", "-u", target)[1].split()
                           if symbol.startswith(("fh_ledger", "fh_here"))]
        return complaints


def c_files():
    return files("src/*.[ch]", "include/framehold/*.h", "arch/**/*.h",
                 "port/**/*.[ch]", "test/*.[ch]", "examples/*/*.[ch]", "bench/*.[ch]",
                 "fuzz/*.[ch]", "kernel/*.[ch]", "kernel/user/*.[ch]")


def sources_are_formatted():
    return complaints_of("clang-format-14", "--dry-run", "-Werror", *c_files())


def every_file_names_its_licence():
    skip = re.compile(r"^(data/|proof/cache/|LICENSE|fuzz/corpus/|\.gitignore$)|\.md$")
    listed = command("git", "ls-files")[1].splitlines()
    if not listed:
        listed = [str(path.relative_to(ROOT)) for path in c_files()]
    return [f"{name}: no SPDX line" for name in listed
            if not skip.search(name) and (ROOT / name).is_file() and
            "SPDX-License-Identifier: MPL-2.0" not in
            (ROOT / name).read_text(errors="replace")[:400]]


def core_has_no_conditional_compilation():
    guard = re.compile(r"#ifndef FRAMEHOLD_\w+_H")
    complaints = []
    for path in files("src/*.[ch]", "arch/**/*.h"):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if re.match(r"\s*#\s*(if|ifdef|ifndef|elif|else)\b", line) and \
                    not guard.fullmatch(line):
                complaints.append(f"{path.name}:{number}: {line}")
            if re.search(r"__(x86_64|aarch64|riscv|loongarch)", line):
                complaints.append(f"{path.name}:{number}: {line}")
    return complaints


def prover_switch_stands_in_one_header():
    return [f"{path.relative_to(ROOT)}" for path in
            files("src/*.[ch]", "include/framehold/*.h")
            if re.search(r"#if.*__FRAMAC__", path.read_text()) and
            path.name not in ("atomic.h", "trusted.h")]


def core_uses_nothing_that_cannot_be_proved():
    banned = re.compile(r"\b(goto|volatile|union|setjmp|alloca)\b")
    prose = re.compile(r'/\*.*?\*/|"[^"\n]*"', re.S)
    return [f"{path.name}: {word}" for path in files("src/*.[ch]", "arch/**/*.h")
            for word in banned.findall(prose.sub("", path.read_text()))]


def files_and_functions_are_short():
    complaints = []
    for path in files("src/*.[ch]", "include/framehold/*.h", "arch/**/*.h",
                      "port/**/*.[ch]", "kernel/*.[ch]", "kernel/user/*.[ch]"):
        lines = path.read_text().splitlines()
        if len(lines) > 800:
            complaints.append(f"{path.name}: {len(lines)} lines")
        begin = None
        for number, line in enumerate(lines):
            if line == "{":
                begin = number
            elif line == "}" and begin is not None:
                length = lines_of_code(lines[begin:number])
                if length > 60:
                    complaints.append(f"{path.name}:{begin}: {length} lines")
                begin = None
    return complaints


def lines_of_code(lines):
    """All lines but those of annotations for the prover."""
    count, annotation = 0, False
    for line in lines:
        annotation = annotation or line.lstrip().startswith("/*@")
        count += not annotation
        annotation = annotation and "*/" not in line
    return count


def seeded_bugs_have_their_places():
    complaints = []
    for path in ("test/mutations.py", "test/kernel_bugs.py",
                 "proof/mutations.py"):
        for bug in runpy.run_path(str(ROOT / path))["MUTATIONS"]:
            found = (ROOT / bug["file"]).read_text().count(bug["old"])
            if found != 1:
                complaints.append(f"{path}: {bug['name']}: its text occurs "
                                  f"{found} times in {bug['file']}")
    races = runpy.run_path(str(ROOT / "tools/races.py"))
    complaints += [f"tools/interleave/weakening.txt: no such access: {name}"
                   for name in races["unknown_explanations"]()]
    for file, title, old, _ in races["mutants"]():
        found = (ROOT / file).read_text().count(old)
        if found != 1:
            complaints.append(f"tools/interleave/mutants.txt: {title}: its "
                              f"text occurs {found} times in {file}")
    return complaints


def mapping_is_true():
    return complaints_of("python3", "tools/check_mapping.py")


def what_is_trusted_is_listed():
    return complaints_of("python3", "proof/prove.py", "--text")


def contract_rules_are_the_contracts():
    return complaints_of("python3", "proof/translate.py", "--check")


def numbers_of_evidence_are_true():
    return complaints_of("python3", "tools/evidence.py", "--check")


def readme_example_runs():
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "example.c"
        complaints = complaints_of("python3", "tools/extract_example.py",
                                   program)
        for compiler in ("gcc", "clang"):
            if complaints:
                break
            target = Path(folder) / compiler
            complaints += complaints_of(
                compiler, "-std=c11", "-Wall", "-Wextra", "-Werror",
                "-Iinclude", *TABLES, "-Iport/hosted", program,
                "src/framehold.c", *files("port/hosted/*.c"), "-pthread",
                "-o", target)
            complaints += complaints or complaints_of(target)
        return complaints


def kernels_can_build_it():
    return complaints_of("sh", "test/consumers.sh")


CHECKS = [
    headers_stand_alone_as_c11,
    headers_stand_alone_as_cpp17,
    one_file_build_holds_all_sources,
    one_file_build_compiles,
    every_table_format_serves_the_library,
    library_compiles_for_other_machines,
    library_needs_only_hooks_and_memory_functions,
    tables_change_without_indirect_branches,
    ledger_costs_nothing_when_compiled_out,
    sources_are_formatted,
    every_file_names_its_licence,
    core_has_no_conditional_compilation,
    prover_switch_stands_in_one_header,
    core_uses_nothing_that_cannot_be_proved,
    files_and_functions_are_short,
    seeded_bugs_have_their_places,
    mapping_is_true,
    what_is_trusted_is_listed,
    contract_rules_are_the_contracts,
    numbers_of_evidence_are_true,
    readme_example_runs,
    kernels_can_build_it,
]


def main():
    if sys.argv[1:] == ["--list"]:
        print("\n".join(check.__name__ for check in CHECKS))
        return 0
    chosen = [check for check in CHECKS
              if len(sys.argv) == 1 or check.__name__ in sys.argv[1:]]
    if not chosen or shutil.which("git") is None:
        print("not ok - no such check, or no git")
        return 1
    failed = 0
    for check in chosen:
        try:
            complaints = check()
        except (RuntimeError, OSError) as error:
            complaints = [str(error)]
        print(f"{'not ok' if complaints else 'ok'} - {check.__name__}")
        print("\n".join(f"# {line}" for text in complaints
                        for line in text.splitlines()))
        failed += bool(complaints)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
