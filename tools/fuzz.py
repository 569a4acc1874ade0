#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Builds the fuzzers of fuzz/ and runs them.

Without options each runs every input of its corpus once: what was ever found
stays found. With --seconds N each goes on for N seconds with new inputs; what
it finds is left in the current folder, as crash-*. Reports in TAP.
"""
import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FLAGS = ("-g -O1 -std=c11 -DFH_CHECKED=1 "
         "-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all").split()


def sources():
    lines = (ROOT / "sources.txt").read_text().splitlines()
    return [line.split("#")[0].strip() for line in lines
            if line.split("#")[0].strip()]


def helpers():
    """What the fuzzers share with the tests: the model and its operations."""
    return [str(path.relative_to(ROOT)) for pattern in
            ("port/hosted/*.c", "test/model.c", "test/contract.c",
             "test/operations*.c", "test/space_model.c")
            for path in sorted(ROOT.glob(pattern))]


def run(*words):
    environment = dict(os.environ, ASAN_OPTIONS="detect_leaks=0")
    return subprocess.run([str(word) for word in words], cwd=ROOT, text=True,
                          env=environment, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, errors="replace")


def build_library(folder):
    """The library and the helpers as one archive, built once."""
    objects = []
    for source in sources() + helpers():
        target = folder / (source.replace("/", "_") + ".o")
        done = run("clang", *FLAGS, "-Iinclude", "-Iarch/x86_64", "-Iarch/vtd",
                   "-Isrc", "-Iport/hosted", "-Itest", "-c", source, "-o",
                   target)
        if done.returncode != 0:
            sys.exit(done.stdout)
        objects.append(target)
    archive = folder / "library.a"
    run("ar", "rcs", archive, *objects)
    return archive


def build(folder, harness, archive):
    target = folder / harness.stem
    done = run("clang", *FLAGS, "-Iinclude", "-Iarch/x86_64",
               "-Iarch/vtd", "-Iport/hosted", "-Itest", harness, archive,
               "-lfdt", "-pthread", "-o", target)
    if done.returncode != 0:
        sys.exit(done.stdout)
    return target


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seconds", type=int, default=0)
    parser.add_argument("fuzzers", nargs="*", metavar="NAME",
                        help="io, fdt, ...; all without one")
    options = parser.parse_args()
    failed = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        archive = build_library(folder)
        for harness in sorted(ROOT.glob("fuzz/*_fuzz.c")):
            short = harness.stem.removesuffix("_fuzz")
            if options.fuzzers and short not in options.fuzzers:
                continue
            corpus = ROOT / "fuzz/corpus" / short
            inputs = len(list(corpus.iterdir())) if corpus.is_dir() else 0
            limit = [f"-max_total_time={options.seconds}"] \
                if options.seconds else ["-runs=0"]
            fresh = folder / f"new_{short}"
            fresh.mkdir()
            done = run(build(folder, harness, archive), *limit, "-max_len=1024",
                       "-timeout=60", fresh, corpus)
            good = done.returncode == 0 and inputs > 0
            failed += not good
            print(f"{'ok' if good else 'not ok'} - fuzz {short}, "
                  f"{inputs} inputs", flush=True)
            if not good:
                print("".join(f"# {line}\n"
                              for line in done.stdout.splitlines()[-40:]))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
