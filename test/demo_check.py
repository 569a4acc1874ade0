#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Checks of the demo from outside, reported in TAP: see demo_check.sh.

Each function below is one check: it raises AssertionError if the demo does not
do as it should. What a map holds is computed here anew, page by page range.
"""
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as tree
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MAPS = ROOT / "data/maps"
DEMO = Path(sys.argv[1]).resolve()
WORK = Path(tempfile.mkdtemp())

# One page of memory only; must be refused.
REFUSED = ["chromebook500c.e820"]
# Sources of device trees are no memory maps.
OTHERS = {".dts"}
# Read here as well, by a reader of this file's own.
E820 = ["microvm_24g.e820", "nuc_setupdata.e820"]


def demo(*options, seconds="0.3", picture=WORK / "memory.html"):
    if picture.exists():
        picture.unlink()
    words = [DEMO, "--seconds", seconds, "--picture", picture, *options]
    return subprocess.run([str(word) for word in words], cwd=ROOT,
                          stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=300)


def works(*options, **more):
    done = demo(*options, **more)
    assert done.returncode == 0, (options, done.returncode, done.stderr)
    assert done.stdout.endswith("\nNothing leaked.\n"), done.stdout[-500:]
    assert done.stdout.count("no broken rule") == 3, done.stdout[-2000:]
    assert "DIFFERENT" not in done.stdout
    assert "\r" not in done.stderr, "a bar without a terminal"
    assert done.stderr.count("working:") in range(1, 5), done.stderr
    return done


def number(text):
    return int(text.replace(",", ""))


def row(output, name):
    """The first figure of the line that begins with the name."""
    found = re.search(rf"^ +{re.escape(name)} +([\d,]+)", output, re.M)
    assert found, f"no line {name}"
    return number(found.group(1))


def demo_runs_every_map_that_works():
    maps = [path for path in sorted(MAPS.iterdir())
            if path.name not in REFUSED and path.suffix not in OTHERS]
    assert len(maps) >= 3
    for path in maps:
        output = works("--map", path).stdout
        for operation in ("fh_frame_alloc", "fh_frame_from_unused",
                          "fh_unique_repurpose", "fh_segment_split",
                          "fh_list_cursor_take",
                          "fh_segment_alloc (2 MiB, aligned)",
                          "fh_frame_put (another CPU's)"):
            assert row(output, operation) > 0, (path, operation)
        assert row(output, "pages with the demo's type") > 0, path


# Plugging memory in, draining and retiring are rare: long enough for them.
MANY = ("--operations", "100000", "--cpus", "3")


def demo_takes_every_way_through_the_allocator():
    output = works(*MANY).stdout
    ways = output.split("the allocator's ways")[1].split("all operations")[0]
    rows = re.findall(r"^  ((?:fh_|\().*?)  +([\d,]+) ", ways, re.M)
    assert len(rows) == 15, rows
    for name, done in rows:
        assert number(done) > 0, name
    assert "plugged in half-way: 128 MiB" in output


def demo_uses_memory_up_and_gets_it_back():
    for options in (("--ram", "96M"), ("--ram", "700M"), ("--ram", "30G"),
                    ("--map", MAPS / "epyc_4node_1t.srat")):
        output = works(*options).stdout
        part = output.split("All CPUs take all there is")[1]
        figures = [re.search(rf"^  {name} +([\d,]+) +(?:([\d,]+) +"
                             rf"([\d,]+) +)?([\d,]*)$", part, re.M).groups()
                   for name in ("random lengths", "2 MiB, then what is left",
                                "free before", "back again, all memory")]
        free = figures[2][0]
        assert number(free) > 10000
        for pages, left, segments, _ in figures[:2]:
            assert pages == free and left == "0" and number(segments) > 0
        # Every block that counts as free is one that was had.
        assert figures[1][3] == figures[2][3] and number(figures[1][3]) > 10
        whole = "below 0x" not in part
        assert whole == (options[1] in ("96M", "700M")), options
        if whole:
            assert figures[3][0] == free and figures[3][3] == figures[2][3]


def zone_tables(output):
    """For each time of the three: the zones, their sums, the last line."""
    tables = []
    for text in output.split("\n  zone  first byte")[1:]:
        lines = text.split("\n")[1:]
        zones = []
        while not lines[0].startswith("  all zones"):
            words = lines.pop(0).split()
            zones.append((int(words[1], 16), *map(number, words[2:7])))
        total = tuple(map(number, lines[0].split()[2:6]))
        possible = re.search(r"fragmentation: ([\d,]+) of ([\d,]+)", lines[1])
        tables.append((zones, total, tuple(map(number, possible.groups()))))
    assert len(tables) == 3
    return tables


def nodes_of(path):
    """Nodes by first page, as the text of an affinity table says."""
    lines = [line.split() for line in path.read_text().splitlines()
             if line and not line.startswith("#")]
    return [(int(start, 16), int(last, 16) + 1, int(node))
            for node, start, last in lines]


def demo_shows_zones_and_fragmentation():
    table = MAPS / "epyc_4node_1t.srat"
    for options in (("--map", MAPS / "nuc_setupdata.e820"),
                    ("--map", MAPS / "virt_2node.dtb"), ("--map", table),
                    ("--ram", "1T", "--numa", table)):
        picture = WORK / "zones.html"
        output = works(*options, picture=picture).stdout
        tables = zone_tables(output)
        for zones, (pages, free, blocks, longest), possible in tables:
            assert pages == sum(zone[2] for zone in zones)
            assert free == sum(zone[3] for zone in zones) <= pages
            assert blocks == sum(zone[4] for zone in zones)
            assert longest == max(zone[5] for zone in zones)
            assert possible == (blocks, sum(z[3] // 512 for z in zones))
        plugged = re.search(r"with ([\d,]+) pages plugged in", output)
        assert (tables[1][1][0] - tables[0][1][0]
                == number(plugged.group(1)) > 0)
        nodes = {zone[1] for zone in tables[0][0]}
        if "data/maps/virt_2node.dtb" in str(options):
            assert nodes == {0, 1}, nodes
        if table in options:
            assert nodes == {0, 1, 2, 3}
            for first, node, *_ in tables[1][0]:
                assert (any(low <= first < high and node == of
                            for low, high, of in nodes_of(table))
                        or first >= 1 << 40), (first, node)
        assert zones_drawn(picture) == [zone[:5] for zone in tables[1][0]]


def zones_drawn(picture):
    """The rows of the picture's table of zones, but for their last figure."""
    html = "{http://www.w3.org/1999/xhtml}"
    root = tree.parse(picture).getroot()
    (drawn,) = [element for element in root.iter(html + "table")
                if element.get("class") == "zones"]
    rows = [["".join(cell.itertext()) for cell in line.iter(html + "td")]
            for line in drawn.iter(html + "tr")]
    return [(int(words[1], 16), *map(number, words[2:6]))
            for words in rows if words and words[1]]


def usable_pages(path):
    """Usable pages: clipped inward, without those any other entry touches."""
    usable, other = set(), []
    for line in path.read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        start, last, kind = (int(word, 16) for word in line.split())
        if kind == 1:
            usable.add((-(-start // 4096), (last + 1) // 4096))
        else:
            other.append((start // 4096, last // 4096 + 1))
    for low, high in usable:
        assert all(high <= a or b <= low for a, b in other), "too simple here"
    return sum(max(0, high - low) for low, high in usable)


def demo_counts_pages_as_the_map_says():
    for name in E820:
        output = works("--map", MAPS / name).stdout
        total = re.search(r"all together +usable +([\d,]+)", output)
        expected = usable_pages(MAPS / name)
        assert number(total.group(1)) == expected, (name, expected)
        # All but page 0 is handed out, or is metadata.
        assert row(output, "free") + row(output, "metadata") + 1 == expected


def pages_drawn(picture):
    """Sums over the cells of the grid, by owner."""
    svg = "{http://www.w3.org/2000/svg}"
    root = tree.parse(picture).getroot()
    grid = [element for element in root.iter(svg + "svg")
            if element.get("class") == "memory"]
    assert len(grid) == 1
    drawn, ranges = {}, []
    for cell in grid[0].iter(svg + "g"):
        title = cell.find(svg + "title").text
        place, owners = title.split(": ")
        low, high = (int(word, 16) for word in place.split(" – "))
        ranges.append((low, high + 1))
        counts = dict(words.rsplit(" ", 1) for words in owners.split(", "))
        assert len(cell.findall(svg + "rect")) == len(counts)
        assert sum(map(int, counts.values())) * 4096 == high + 1 - low
        for owner, pages in counts.items():
            drawn[owner] = drawn.get(owner, 0) + int(pages)
    assert ranges == sorted(ranges)
    assert all(a[1] <= b[0] for a, b in zip(ranges, ranges[1:]))
    drawn.pop("no metadata", None)
    return drawn


# Its upper piece begins and ends inside sections, and inside rows.
TWO_PIECES = b"""0000000000000000 000000000009ffff 1
0000000058010000 00000009fffeffff 1
"""


def demo_draws_every_page_once():
    pieces = WORK / "two_pieces"
    pieces.write_bytes(TWO_PIECES)
    for path in (MAPS / "nuc_setupdata.e820", MAPS / "microvm_24g.iomem",
                 pieces):
        picture = WORK / "a" / "b" / "picture.html"
        output = works("--map", path, picture=picture).stdout
        assert f"picture: {picture}" in output
        table = output.split("\n  owner ")[1].split("\n\n")[0]
        owners = re.findall(r"^  (\w[\w ]*?) +([\d,]+) ", table, re.M)
        assert len(owners) >= 8, table
        expected = {owner: number(pages) for owner, pages in owners}
        assert pages_drawn(picture) == expected, (path, expected)
        text = picture.read_text()
        assert "http://" not in re.sub(r'xmlns="[^"]*"', "", text)
        assert "https://" not in text and "<script" not in text


BAD_MAPS = {
    "empty": b"",
    "comment": b"# nothing else\n\n",
    "garbage": bytes(range(256)) * 8,
    "prose": b"The quick brown fox\njumps over the lazy dog\n",
    "wrong_line": b"0000000000000000 00000000000fffff 1\nnonsense\n",
    "no_usable_memory": b"0000000000000000 00000000ffffffff 2\n",
    "nothing_left": b"0000000000000000 0000000000003fff 1\n",
    "hidden_addresses": b"00000000-00000000 : System RAM\n"
                        b"  00000000-00000000 : Kernel code\n",
}
# What the sentence has to name, beside the file.
BAD_WORDS = {
    "empty": "no entry",
    "wrong_line": "line 2",
    "no_usable_memory": "no usable memory",
    "hidden_addresses": "root",
}


def refuses(*options, status=1):
    picture = WORK / "refused.html"
    done = demo(*options, picture=picture)
    lines = done.stderr.splitlines()
    assert done.returncode == status, (options, done.returncode, done.stderr)
    assert len(lines) == 1 and lines[0].startswith("fh-demo: "), done.stderr
    assert 20 < len(lines[0]) < 200, lines[0]
    assert not picture.exists()
    return lines[0]


def demo_refuses_maps_that_cannot_work():
    for name in REFUSED:
        assert "no usable page but page 0" in refuses("--map", MAPS / name)
    for name, contents in BAD_MAPS.items():
        path = WORK / name
        path.write_bytes(contents)
        sentence = refuses("--map", path)
        assert str(path) in sentence, sentence
        assert BAD_WORDS.get(name, "") in sentence, sentence
    assert "No such file" in refuses("--map", WORK / "missing")
    assert "directory" in refuses("--map", WORK)
    assert "No such file" in refuses("--numa", WORK / "missing")
    assert "line 1" in refuses("--numa", MAPS / "microvm_24g.e820")
    empty = WORK / "empty.srat"
    empty.write_bytes(b"# no node\n")
    assert "no memory of any node" in refuses("--map", empty)


def demo_refuses_options_that_make_no_sense():
    for options in (("--cpus", "0"), ("--cpus", "65"), ("--cpus", "2x"),
                    ("--cpus", ""), ("--ram", "12Q"), ("--ram", "0"),
                    ("--ram", "99999999T"), ("--operations", "-1"),
                    ("--seed", "x"), ("stray",)):
        refuses(*options, status=2)
    for options in (("--seconds", "0"), ("--seconds", "nan"),
                    ("--seconds", "-3"), ("--seconds", "1e9")):
        assert demo(*options).returncode == 2, options
    assert demo("--what").returncode == 2
    assert "--seed" in demo("--help").stdout


def sequence(*options):
    """What was done and refused, without what depends on the clock."""
    output = works("--cpus", "1", *options).stdout
    rows = re.findall(r"^  ((?:fh_|note_|\().*?)  +([\d,]+) +(?:[\d,]+ +)?",
                      output, re.M)
    assert len(rows) > 30
    digest = re.search(r"digest of the sequence +(\w{16})", output)
    return digest.group(1), rows


def demo_repeats_itself_on_one_cpu():
    options = ("--operations", "60000", "--seed")
    first = sequence(*options, "7")
    assert sequence(*options, "7") == first
    assert sequence(*options, "8")[0] != first[0]


def demo_ends_where_its_picture_cannot_be_written():
    done = demo("--seconds", "0.1", picture=Path("/dev/null/memory.html"))
    assert done.returncode == 1
    assert "cannot write /dev/null/memory.html" in done.stderr


def demo_works_on_machines_of_any_size():
    for size in ("128K", "700K", "5M", "4G", "40G"):
        output = works("--ram", size, "--cpus", "3").stdout
        assert row(output, "free") > 0
        too_small = "too few for programs in address spaces" in output
        assert too_small == (size not in ("4G", "40G")), output
        assert too_small or "address spaces made and given up" in output


CHECKS = [
    demo_runs_every_map_that_works,
    demo_takes_every_way_through_the_allocator,
    demo_uses_memory_up_and_gets_it_back,
    demo_shows_zones_and_fragmentation,
    demo_counts_pages_as_the_map_says,
    demo_draws_every_page_once,
    demo_refuses_maps_that_cannot_work,
    demo_refuses_options_that_make_no_sense,
    demo_repeats_itself_on_one_cpu,
    demo_ends_where_its_picture_cannot_be_written,
    demo_works_on_machines_of_any_size,
]


def main():
    listed = re.findall(r"^# checks: (\w+)$",
                        Path(__file__).with_suffix(".sh").read_text(), re.M)
    assert listed == [check.__name__ for check in CHECKS], listed
    failed = 0
    for check in CHECKS:
        complaint = None
        try:
            check()
        except (AssertionError, OSError, subprocess.TimeoutExpired,
                tree.ParseError) as error:
            complaint = repr(error)
        print(f"{'not ok' if complaint else 'ok'} - {check.__name__}",
              flush=True)
        if complaint:
            failed += 1
            print("# " + complaint.replace("\\n", "\n# "))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
