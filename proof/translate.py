#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Writes the rules of one slot, as the contracts state them, in C.

    proof/translate.py           writes test/contract_rules.h
    proof/translate.py --check   compares; exit status 1 if it is stale

Taken are predicates of proof/model.h that speak of numbers and of one slot;
what they call ghost state, a caller passes as numbers.
"""
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "test/contract_rules.h"
CHOSEN = ("is_shared", "slot_counts", "slot_type", "slot_is_zero")

HEAD = """/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The rules of one slot as the contracts state them, in C: made of
 * proof/model.h by proof/translate.py.
 */
#ifndef FRAMEHOLD_TEST_CONTRACT_RULES_H
#define FRAMEHOLD_TEST_CONTRACT_RULES_H

#include <framehold/slot.h>
"""
FOOT = "\n#endif /* FRAMEHOLD_TEST_CONTRACT_RULES_H */\n"


def closing(text, begin):
    """Where the parenthesis at begin is closed."""
    depth = 0
    for at in range(begin, len(text)):
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        if depth == 0:
            return at
    raise ValueError(f"not closed: {text[begin:]}")


def outside(text, operator):
    """Where the operator first stands outside of parentheses, or -1."""
    depth = 0
    for at, letter in enumerate(text):
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if depth == 0 and text.startswith(operator, at):
            return at
    return -1


def implications(text):
    """a ==> b as C, which has no such operator, at every depth."""
    at = outside(text, "==>")
    if at >= 0:
        return (f"(!({implications(text[:at].strip())}) || "
                f"({implications(text[at + 3:].strip())}))")
    done, rest = "", text
    while "(" in rest:
        begin = rest.index("(")
        end = closing(rest, begin)
        done += rest[:begin] + f"({implications(rest[begin + 1:end])})"
        rest = rest[end + 1:]
    return done + rest


def in_c(body):
    body = re.sub(r"//[^\n]*", "", body)
    body = " ".join(body.split())
    body = re.sub(r"([\w]+) <= (\w+) <= (\w+)", r"(\1 <= \2 && \2 <= \3)",
                  body)
    body = re.sub(r"\\valid_read\(([^()]*)\)", r"(\1 != NULL)", body)
    body = body.replace("\\null", "NULL")
    if "\\" in body:
        raise ValueError(f"not understood: {body}")
    return implications(body)


def lines_of(expression, width=72):
    lines, line = [], ""
    for word in expression.split():
        if line and len(line) + len(word) >= width:
            lines.append(line)
            line = ""
        line += (" " if line else "") + word
    return "\n\t       ".join([*lines, line])


def translate(model):
    text = HEAD
    for name in CHOSEN:
        found = re.search(rf"predicate {name}(?:\{{L\}})?\(([^)]*)\) =(.*?);",
                          model, re.S)
        parameters = ", ".join(
            re.sub(r"integer", "uint64_t", word.strip())
            for word in found[1].split(","))
        text += (f"\nstatic inline bool contract_{name}({parameters})\n"
                 f"{{\n\treturn {lines_of(in_c(found[2]))};\n}}\n")
    for name in CHOSEN:
        text = re.sub(rf"\b{name}\(", f"contract_{name}(", text)
    return text.replace("contract_contract_", "contract_") + FOOT


def main():
    made = translate((ROOT / "proof/model.h").read_text())
    if "--check" not in sys.argv[1:]:
        TARGET.write_text(made)
        return 0
    if re.sub(r"\s+", "", TARGET.read_text()) != re.sub(r"\s+", "", made):
        print(f"{TARGET.name} is stale: proof/translate.py makes it anew")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
