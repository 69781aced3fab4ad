#!/usr/bin/env python3
"""Takes each defence away, one at a time, and demands that the test which is named beside it fails then.

A defence is a file NAME.patch: first `# test: CRATE TARGET TEST` (TARGET is `--lib` or `--test NAME`), then a diff. Its line numbers are not
looked at: the lines of a hunk with ` ` or `-` must stand somewhere in the file, in a row and only once, however they are indented.

`run.py [NAME...]` works in a copy of the sources below .work/defences; first all named tests must pass there as they are. `run.py --together`
takes all away at once and builds once: a quick look, which proves less, because one missing defence may hide another.
"""
import os
import re
import resource
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

    def changed(self):
        """The files that it changes: what they are, and what they become."""
        texts = {}
        for file, lines in self.hunks:
            path = COPY / file
            before, now = texts.get(path) or (path.read_text(),) * 2
            old = [line[1:].strip() for line in lines if line[0] != "+"]
            new = [line[1:] for line in lines if line[0] != "-"]
            have = now.splitlines()
            places = [
                at for at in range(len(have) - len(old) + 1) if [line.strip() for line in have[at : at + len(old)]] == old
            ]
            if len(places) != 1:
                raise LookupError(f"{self.name}: its lines stand {len(places)} times in {file}, not once; mend the patch")
            have[places[0] : places[0] + len(old)] = new
            texts[path] = before, "\n".join(have) + "\n"
        return texts

    def apply(self):
        """Changes the files; returns what they were."""
        texts = self.changed()
        for path, (_, now) in texts.items():
            path.write_text(now)
        return {path: before for path, (before, _) in texts.items()}


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
    """Exit status, the tests that passed and those that failed, and all that was printed."""
    command = ["cargo", "test", "--locked", "-p", crate, *target.split(), "--", "--exact", *tests]
    environment = {"CARGO_TARGET_DIR": str(WORK / "target"), **os.environ, "RUST_BACKTRACE": "0"}
    run = subprocess.Popen(
        command, cwd=COPY, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, preexec_fn=limit
    )
    try:
        output, _ = run.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        run.kill()
        output, _ = run.communicate()
        output += "it did not end in time"
    told = dict(re.findall(r"^test (\S+) \.\.\. (ok|FAILED)$", output, flags=re.MULTILINE))
    passed = {name for name, verdict in told.items() if verdict == "ok"}
    failed = {name for name, verdict in told.items() if verdict == "FAILED"}
    return run.returncode, passed, failed, output


def limit():
    """Without its defence a test may take all the memory there is."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


PATIENCE = 1800  # seconds, for the build as well
MEMORY = 16 << 30


def by_target(defences):
    targets = {}
    for defence in defences:
        targets.setdefault((defence.crate, defence.target), []).append(defence)
    return sorted(targets.items())


def one_by_one(defences):
    for defence in defences:
        began = time.monotonic()
        try:
            before = defence.apply()
        except LookupError as error:
            yield str(error)
            continue
        try:
            status, passed, failed, output = cargo_test(defence.crate, defence.target, [defence.test])
        finally:
            restore(before)
        took = f"{time.monotonic() - began:.0f} s"
        if defence.test in failed:
            print(f"{defence.name}: {defence.test} fails without it ({took})", flush=True)
        elif defence.test in passed:
            yield f"{defence.name}: {defence.test} passes without it ({took})"
        elif status != 0 and f"{defence.test}" in output and "running 1 test" in output:
            print(f"{defence.name}: {defence.test} does not end without it ({took})", flush=True)
        else:
            yield f"{defence.name}: it does not compile, or there is no such test\n{output[-3000:]}"


def together(defences):
    before = {}
    try:
        for defence in defences:
            try:
                before = {**defence.apply(), **before}
            except LookupError as error:
                yield str(error)
        for (crate, target), group in by_target(defences):
            _, passed, failed, output = cargo_test(crate, target, [defence.test for defence in group])
            for defence in group:
                if defence.test in failed:
                    print(f"{defence.name}: {defence.test} fails", flush=True)
                else:
                    yield f"{defence.name}: {defence.test} passes" if defence.test in passed else f"{defence.name}: no verdict\n{output[-3000:]}"
    finally:
        restore(before)


def restore(before):
    for path, text in before.items():
        path.write_text(text)


def main():
    names = sys.argv[1:]
    at_once = "--together" in names
    names = [name for name in names if name != "--together"]
    defences = [Defence(path) for path in sorted(HERE.glob("*.patch")) if not names or path.stem in names]
    if not defences or len(names) > len(defences):
        raise SystemExit("no such defence")
    copy_sources()
    for (crate, target), group in by_target(defences):
        tests = {defence.test for defence in group}
        _, passed, _, output = cargo_test(crate, target, sorted(tests))
        if passed != tests:
            print(output)
            raise SystemExit(f"{crate} {target}: with every defence in place these did not pass: {sorted(tests - passed)}")
    print(f"with every defence in place the tests of all {len(defences)} pass", flush=True)
    faults = 0
    for fault in together(defences) if at_once else one_by_one(defences):
        print("FAULT", fault, flush=True)
        faults += 1
    print(f"{len(defences)} defences, {faults} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
