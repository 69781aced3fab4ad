#!/usr/bin/env python3
"""Takes each defence away, one at a time, and demands that the test which is named beside it fails then.

A defence is a file NAME.patch: first `# test: CRATE TARGET TEST` (TARGET is `--lib` or `--test NAME`), then a diff. Its line numbers are not
looked at: the lines of a hunk with ` ` or `-` must stand somewhere in the file, in a row and only once, however they are indented.

`run.py [NAME...]` works in a copy of the sources below .work/defences; first all named tests must pass there as they are.
"""
import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
HERE = Path(__file__).resolve().parent
WORK = ROOT / ".work" / "defences"
COPY = WORK / "tree"


class Defence:
    def __init__(self, path):
        self.name = path.stem
        first, *lines = path.read_text().splitlines()
        named = re.fullmatch(r"# test: (\S+) (--lib|--test \S+) (\S+)", first)
        if not named:
            raise SystemExit(f"{path.name}: its first line does not name a test")
        self.crate, self.target, self.test = named.groups()
        self.hunks = []
        file = None
        for line in lines:
            if line.startswith("+++ "):
                file = line[4:].removeprefix("b/")
            elif line.startswith("@@"):
                self.hunks.append((file, []))
            elif line[:1] in (" ", "-", "+") and not line.startswith("--- ") and self.hunks:
                self.hunks[-1][1].append(line)
        if not self.hunks:
            raise SystemExit(f"{path.name}: has no hunk")

    def apply(self):
        """Changes the files; returns what they were."""
        before = {}
        for file, lines in self.hunks:
            path = COPY / file
            text = path.read_text()
            before.setdefault(path, text)
            old = [line[1:].strip() for line in lines if line[0] != "+"]
            new = [line[1:] for line in lines if line[0] != "-"]
            have = text.splitlines()
            places = [
                at for at in range(len(have) - len(old) + 1) if [line.strip() for line in have[at : at + len(old)]] == old
            ]
            if len(places) != 1:
                for changed, original in before.items():
                    changed.write_text(original)
                raise LookupError(f"{self.name}: its lines stand {len(places)} times in {file}, not once; mend the patch")
            have[places[0] : places[0] + len(old)] = new
            path.write_text("\n".join(have) + "\n")
        return before


def copy_sources():
    """What git knows of, changed or not; files that are the same keep their time, so that cargo builds only what changed."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
    ).stdout.decode()
    wanted = {name for name in listed.split("\0") if name and (ROOT / name).is_file()}
    for name in wanted:
        target, content = COPY / name, (ROOT / name).read_bytes()
        if not target.is_file() or target.read_bytes() != content:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
    for path in COPY.rglob("*"):
        if path.is_file() and str(path.relative_to(COPY)) not in wanted:
            path.unlink()


def cargo_test(crate, target, tests):
    command = ["cargo", "test", "--quiet", "--locked", "--target-dir", str(WORK / "target"), "-p", crate, *target.split()]
    run = subprocess.run(
        [*command, "--", "--exact", *tests], cwd=COPY, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    ran = re.findall(r"^running (\d+) tests?$", run.stdout, flags=re.MULTILINE)
    return run.returncode, sum(map(int, ran)), run.stdout


def main():
    names = sys.argv[1:]
    defences = [Defence(path) for path in sorted(HERE.glob("*.patch")) if not names or path.stem in names]
    if not defences or len(names) > len(defences):
        raise SystemExit("no such defence")
    copy_sources()
    targets = {}
    for defence in defences:
        targets.setdefault((defence.crate, defence.target), set()).add(defence.test)
    for (crate, target), tests in sorted(targets.items()):
        status, ran, output = cargo_test(crate, target, sorted(tests))
        if status != 0 or ran != len(tests):
            print(output)
            raise SystemExit(f"{crate} {target}: of {len(tests)} tests {ran} ran, and not all passed, with every defence in place")
    faults = 0
    for defence in defences:
        began = time.monotonic()
        try:
            before = defence.apply()
        except LookupError as error:
            print(error)
            faults += 1
            continue
        try:
            status, ran, output = cargo_test(defence.crate, defence.target, [defence.test])
        finally:
            for path, text in before.items():
                path.write_text(text)
        took = f"{time.monotonic() - began:.0f} s"
        if ran != 1:
            print(f"{defence.name}: FAULT, it does not compile, or there is no test {defence.test}\n{output[-3000:]}")
            faults += 1
        elif status == 0:
            print(f"{defence.name}: FAULT, {defence.test} passes without it ({took})")
            faults += 1
        else:
            print(f"{defence.name}: {defence.test} fails without it ({took})", flush=True)
    print(f"{len(defences)} defences, {faults} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
