# SPDX-License-Identifier: MPL-2.0
"""What stands in the sources, read as text: contracts, bodies, trust.

No prover is needed for any of this.
"""
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# The table formats that proofs are about: proof/wp.py includes these.
FORMATS = ["arch/fh_pte.h", "arch/x86_64/fh_arch.h",
           "arch/x86_64/fh_x86_64.h", "arch/vtd/fh_vtd.h"]

COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)
CONTRACT = re.compile(r"/\*@(?!\s*(?:predicate|logic|axiom|ghost|loop|assert|"
                      r"lemma|calls))(?:(?!\*/).)*\*/\s*(?=[A-Za-z])", re.S)
NAME = re.compile(r"(\w+)\s*\(")
CALL = re.compile(r"(?<![\w.>])([a-z_]\w*)\s*\(")
NO_CALL = {"if", "for", "while", "switch", "return", "sizeof", "_Alignof",
           "_Static_assert"}


class Failure(Exception):
    """What is to be read is not as expected."""


def sources():
    return [*sorted(ROOT.glob("include/framehold/*.h")),
            *sorted(ROOT.glob("src/*.[ch]")),
            *(ROOT / name for name in FORMATS),
            *sorted(ROOT.glob("proof/*.h"))]


def blank(pattern, text, flags=0):
    return re.sub(pattern, lambda found: " " * len(found[0]), text,
                  flags=flags)


def without_attributes(text):
    return blank(r"\bFH_[A-Z_]+\b|__attribute__\(\(.*?\)\)", text)


def without_directives(text):
    return blank(r"^#.*?(?<!\\)$", text, re.M | re.S)


def ghost_functions(path):
    return set(re.findall(r"ghost\s*/@(?:(?!@/).)*?@/\s*\w+ (\w+)\(",
                          path.read_text(), re.S))


def under_contract(paths):
    """The names of all functions that have a contract in one of the files."""
    names = set()
    for path in paths:
        text = path.read_text()
        for found in CONTRACT.finditer(text):
            head = COMMENT.sub("", text[found.end():found.end() + 400])
            names.add(NAME.search(without_attributes(head))[1])
        names |= ghost_functions(path)
    return names


def bodies(path):
    """{name: text} of all functions whose body stands in the file."""
    text = without_directives(COMMENT.sub("", path.read_text()))
    heads = re.finditer(r"^ *\w[\w\s*]*?\b(\w+)\([^;{}]*\)\s*\{",
                        without_attributes(text), re.M)
    return {head[1]: text[head.end():text.find("\n}", head.end())]
            for head in heads}


def as_proved(body):
    """The body without what the unchecked configuration leaves out."""
    return re.sub(r"\bif \(FH_CHECKED\)[^;{]*;|\bFH_CHECKED\s*\?[^:;]*:", "",
                  body)


def never_return(paths):
    """The names of functions whose contract says so."""
    names = set()
    for path in paths:
        text = path.read_text()
        for found in CONTRACT.finditer(text):
            if re.search(r"ensures \\false;", found[0]):
                head = COMMENT.sub("", text[found.end():found.end() + 400])
                names.add(NAME.search(without_attributes(head))[1])
    return names


def facts_assumed(text):
    """Axioms, lemmas (nobody proves them here) and admitted clauses."""
    for annotation in re.findall(r"/\*@.*?\*/", text, re.S):
        plain = re.sub(r"//[^\n]*", "", annotation)
        for kind, name in re.findall(
                r"\b(axiom|lemma|admit)\b\s*(\w*)", plain):
            yield name or kind


def other_names(paths):
    """{name: what it stands for} of the names that a format has in fh_arch.h."""
    return dict(found for path in paths for found in
                re.findall(r"^#define (fh_\w+)\s+(fh_\w+)$", path.read_text(),
                           re.M))


def macros(paths):
    return {name for path in paths for name in
            re.findall(r"^#define (\w+)\(", path.read_text(), re.M)}


def trusted():
    """What the first table of TRUSTED.md lists, by name."""
    text = (ROOT / "proof/TRUSTED.md").read_text().split("\n## ")[0]
    rows = re.findall(r"^\| *(\d+) *\| *`(\w+)`", text, re.M)
    if [int(number) for number, _ in rows] != list(range(1, len(rows) + 1)):
        raise Failure("TRUSTED.md: numbers are not 1, 2, 3, ...")
    return [name for _, name in rows]


class Work:
    """What each unit has to prove, and what is taken on trust."""

    def __init__(self, units):
        self.sources = sources()
        self.contracts = under_contract(self.sources)
        self.trust = trusted()
        self.bodies = {}
        self.functions = {unit: self.of_unit(unit, headers)
                          for unit, headers in units.items()}
        self.proved = set().union(*self.functions.values())

    def of_unit(self, unit, headers):
        files = [ROOT / f"src/{unit}.c"] + [ROOT / name for name in headers]
        found = {}
        for path in files:
            found.update(bodies(path))
            found.update(dict.fromkeys(ghost_functions(path), ""))
        chosen = found.keys() & self.contracts - set(self.trust)
        self.bodies.update({name: found[name] for name in chosen})
        return sorted(chosen)

    def complaints(self):
        """Where TRUSTED.md and the sources differ."""
        text = "".join(path.read_text() for path in self.sources
                       if path.parent.name == "proof")
        stand_ins = set(re.findall(r"#define (__builtin_\w+)", text))
        facts = {name for path in self.sources
                 for name in facts_assumed(path.read_text())}
        assumed = (self.contracts - self.proved) | stand_ins | facts
        lines = [f"TRUSTED.md does not list {name}" for name in
                 sorted(assumed - set(self.trust))]
        lines += [f"TRUSTED.md lists {name}, which is not trusted" for name
                  in sorted(set(self.trust) - assumed)]
        return lines + self.unread() + self.calls_without_contract()

    def unread(self):
        """Every contract says that the function returns."""
        written = sum(path.read_text().count("exits \\false;")
                      for path in self.sources)
        return [] if written == len(self.contracts) else [
            f"{written} contracts, but {len(self.contracts)} functions"]

    def calls_without_contract(self):
        """The prover would make up what such a function does."""
        known = self.contracts | set(self.trust) | macros(self.sources)
        known |= {name for name, meant in other_names(self.sources).items()
                  if meant in known}
        return [f"{name} calls {called}, which has no contract"
                for name, body in sorted(self.bodies.items())
                for called in sorted(set(CALL.findall(as_proved(body))))
                if called not in known | NO_CALL]
