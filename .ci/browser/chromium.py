"""What the scripts of this folder have in common: each starts a server and a headless Chromium, which tells step by step what it sees."""
import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "interop")]
from programs import CheckFailed, Program

PATIENCE = 240  # seconds for what the browser does; the machine may be busy


def arguments(description):
    """Those that every script takes."""
    options = argparse.ArgumentParser(description=description)
    options.add_argument("--programs", type=Path, required=True, help="directory of the servers")
    options.add_argument("--node-modules", type=Path, required=True, help="where playwright-core is")
    options.add_argument("--chromium", type=Path, default=Path("/usr/bin/chromium"))
    options.add_argument("--work", type=Path, required=True, help="where logs and pictures go")
    return options


class Browser(Program):
    """A script of this folder, under Node.js, with a Chromium whose profile lives as long."""

    def __init__(self, script, log, options, url, *more):
        self._profile = tempfile.TemporaryDirectory(prefix="chromium-")
        argv = ["node", HERE / script, "--chromium", options.chromium, "--profile", self._profile.name, "--url", url, *more]
        super().__init__(argv, log, env={**os.environ, "NODE_PATH": str(options.node_modules.resolve())})

    def step(self, name):
        """What it tells of its next step."""
        told = json.loads(self.line(PATIENCE))
        if told["step"] != name:
            raise CheckFailed(f"the browser tells of {told['step']!r}, not of {name!r}")
        return told

    def end(self):
        """Waits until it is done."""
        if status := self.wait(PATIENCE):
            raise CheckFailed(f"the browser ended with status {status}, see {self.errors}")

    def stop(self):
        super().stop()
        self._profile.cleanup()


class Faults(list):
    """What did not hold, a sentence each."""

    def expect(self, holds, what):
        if not holds:
            self.append(what)


def run(checks):
    """Runs each of them, a function of `Faults` by its name, and tells; how many faults there were."""
    faults = 0
    for name, check in checks.items():
        began, found = time.monotonic(), Faults()
        try:
            check(found)
        except CheckFailed as failure:
            found.append(str(failure))
        faults += len(found)
        print(f"{name}: {len(found)} faults, {time.monotonic() - began:.1f} s", flush=True)
        for fault in found:
            print(f"    FAULT {fault}", flush=True)
    return faults
