#!/usr/bin/env python3
"""Checks the tables of docs/SECURITY.md against the tree, without building anything: a second.

Every row names at least one test, and each that it names exists. Every test with a mark is the one of a patch here, and the test of every patch
has its mark. The lines of every patch stand in the sources, once.

A test stands behind the place where it lives: `PLACE`: `name`, `name`; `PLACE`: … A place is a file or directory of the project, or below ws-proto/tests
or ws-proto/src, there also without `.rs`. A place without names holds tests.
"""
import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE))
import run

MARK = "▣"
HEADER = ["threat", "defence", "default", "test"]


def rows(text):
    """The cells of each row of the tables of threats."""
    inside = False
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []
        if cells == HEADER:
            inside = True
        elif not cells:
            inside = False
        elif inside and not set(line) <= set("|-"):
            yield cells


def files(place):
    """The files of a place; none where there is no such place."""
    for base in (ROOT, ROOT / "ws-proto" / "tests", ROOT / "ws-proto" / "src"):
        for path in (base / place, base / f"{place}.rs"):
            if path.is_dir() and base != ROOT / "ws-proto" / "src":
                return sorted(path.rglob("*.rs"))
            if path.is_file() and path.suffix == ".rs":
                return [path]
    return []


def check_row(cells, marked):
    """The faults of a row; adds the tests that it marks to `marked`."""
    if len(cells) != len(HEADER):
        yield f"has {len(cells)} cells"
        return
    count = 0
    for part in cells[-1].split(";"):
        place, colon, names = part.partition(":")
        place = re.match(r"\s*`([^`]+)`", place)
        if not place:
            continue  # words about tests that have no name
        found = files(place[1])
        texts = [path.read_text() for path in found]
        if not found:
            yield f"there is no {place[1]}"
        elif not colon and not any("#[test]" in text or "#[tokio::test" in text for text in texts):
            yield f"{place[1]} holds no test"
        else:
            count += not colon
        for name, mark in re.findall(rf"`([^`]+)`( {MARK})?", names):
            count += 1
            if not any(re.search(rf"\b(fn|mod) {re.escape(name)}\b", text) for text in texts):
                yield f"{place[1]} has no {name}"
            if mark:
                marked.add(name)
    if count == 0:
        yield "names no test"


def main():
    faults, marked, patched, count = [], set(), set(), 0
    for cells in rows((ROOT / "docs" / "SECURITY.md").read_text()):
        count += 1
        faults += [f"{cells[0]}: {fault}" for fault in check_row(cells, marked)]
    run.COPY = ROOT
    patches = sorted(HERE.glob("*.patch"))
    for path in patches:
        defence = run.Defence(path)
        name = defence.test.rsplit("::")[-1]
        patched.add(name)
        if name not in marked:
            faults.append(f"{path.name}: its test {name} has no {MARK} in docs/SECURITY.md")
        try:
            defence.changed()
        except LookupError as error:
            faults.append(str(error))
    faults += [f"{name} has a {MARK} and no patch" for name in sorted(marked - patched)]
    for fault in faults:
        print("FAULT", fault)
    print(f"{count} rows, {len(marked)} marked tests, {len(patches)} patches, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
