#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Runs test programs and scripts, and counts what they report.

Each argument is NAME=COMMAND; NAME is shown before each failure. A program
reports in TAP (cmocka does with CMOCKA_MESSAGE_OUTPUT=TAP): a line "ok ..." or
"not ok ..." a test. One that ends in failure without saying which test failed,
or that reports nothing, counts as one failure. The last line is
"N passed, N failed"; the exit status is 0 if none failed. A skipped test has
failed.
"""
import argparse
import os
import re
import shlex
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed

RESULT = re.compile(r"^(not ok|ok)\b[ \d-]*(.*)$")


def run(name, command, limit):
    """Runs one program; returns (passed, failed names, its output)."""
    environment = dict(os.environ, CMOCKA_MESSAGE_OUTPUT="TAP")
    try:
        done = subprocess.run(shlex.split(command), env=environment,
                              stdin=subprocess.DEVNULL, timeout=limit,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        text, status = done.stdout.decode(errors="replace"), done.returncode
    except subprocess.TimeoutExpired as late:
        text = (late.stdout or b"").decode(errors="replace")
        text += f"\nno end after {limit} s\n"
        status = -1
    except OSError as error:
        text, status = f"{error}\n", -1
    passed, failed = 0, []
    for line in text.splitlines():
        result = RESULT.match(line)
        if result and result.group(1) == "ok" and "# SKIP" not in line:
            passed += 1
        elif result:
            failed.append(result.group(2).strip() or "a test without a name")
    if status != 0 and not failed:
        failed.append(f"ended with status {status}")
    if status == 0 and passed == 0 and not failed:
        failed.append("reported no test")
    return passed, failed, text


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--limit", type=float, default=900,
                        help="seconds that one program may take")
    parser.add_argument("--jobs", type=int, default=2,
                        help="programs that run at the same time")
    parser.add_argument("programs", nargs="+", metavar="NAME=COMMAND")
    options = parser.parse_args()

    def timed(program):
        name, command = program.split("=", 1)
        begun = time.monotonic()
        return (name, *run(name, command, options.limit),
                time.monotonic() - begun)

    passed_total, failed_total = 0, []
    with ThreadPoolExecutor(options.jobs) as pool:
        under_way = [pool.submit(timed, program)
                     for program in options.programs]
        for ended in as_completed(under_way):
            name, passed, failed, text, seconds = ended.result()
            passed_total += passed
            failed_total += [f"{name}: {test}" for test in failed]
            print(f"{'FAIL' if failed else 'pass'}  {name:<44} {passed:>4} "
                  f"passed {seconds:7.1f} s", flush=True)
            if failed:
                print("\n".join("      | " + line
                                for line in text.splitlines()[-60:]),
                      flush=True)
    for test in failed_total:
        print(f"failed: {test}")
    print(f"{passed_total} passed, {len(failed_total)} failed")
    return 1 if failed_total else 0


if __name__ == "__main__":
    sys.exit(main())
