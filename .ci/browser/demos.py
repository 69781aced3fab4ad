#!/usr/bin/env python3
"""A headless Chromium uses the demos, each in two tabs.

For each of them: what is done in one tab appears in the other, both ways; the server is killed and started again, and both tabs come back
and go on; compression is negotiated as the browser's protocol (CDP) tells and used as the bytes on the wire show; the page logs no error.
What is done on the pages is in the table of `demos.js`. Pictures at desktop and phone width, light and dark, and logs are below --work.
"""
import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "interop")]
from programs import CheckFailed, Program, end_children_on_signals, free_port
from tap import Tap

# Which, with what the program is told beside where to listen, and how many messages of the server's are compressed at least. `crowd`: a
# second run of the same program, for a picture and its numbers.
DEMOS = {
    "chat": {"compressed": 2},
    "cursors": {"compressed": 1, "crowd": ["--simulate", "200"]},
}
PATIENCE = 180  # seconds for what the browser does; the machine may be busy


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--programs", type=Path, required=True, help="directory of the demos")
    options.add_argument("--node-modules", type=Path, required=True, help="where playwright-core is")
    options.add_argument("--chromium", type=Path, default=Path("/usr/bin/chromium"))
    options.add_argument("--work", type=Path, required=True, help="where logs and pictures go")
    options.add_argument("demos", nargs="*", help=f"which; all by default: {' '.join(DEMOS)}")
    options = options.parse_args()
    end_children_on_signals()
    for folder in ("demo-logs", "pictures"):
        shutil.rmtree(options.work / folder, ignore_errors=True)
        (options.work / folder).mkdir(parents=True)
    faults = 0
    demos = options.demos or list(DEMOS)
    for name in demos:
        began = time.monotonic()
        try:
            found = check(name, DEMOS[name], options)
        except CheckFailed as failure:
            found = [str(failure)]
        faults += len(found)
        print(f"{name}: {len(found)} faults, {time.monotonic() - began:.1f} s", flush=True)
        for fault in found:
            print(f"    FAULT {fault}", flush=True)
    print(f"demos: {len(demos)} pages, {faults} faults; pictures in {options.work / 'pictures'}")
    return 1 if faults else 0


def check(name, demo, options):
    """What did not hold."""
    faults = []

    def expect(holds, what):
        if not holds:
            faults.append(what)

    port = free_port()
    server = start(name, port, [], options, "first")
    with Tap(port) as tap, browser(name, f"http://127.0.0.1:{tap.port}/", options) as chromium:
        try:
            both = step(chromium, "both ways")
            expect("permessage-deflate" in both["offered"], "the browser offered no compression")
            expect(both["agreed"].startswith("permessage-deflate"), f"no compression was agreed on: {both['agreed']!r}")
            server.process.kill()
            server.stop()
            step(chromium, "lost")
            server = start(name, port, [], options, "second")
            step(chromium, "back")
            end = step(chromium, "done")
            expect(not end["errors"], f"the pages logged {end['errors']}")
            expect(chromium.wait(PATIENCE) == 0, f"the browser ended with status {chromium.process.returncode}")
            sockets = [tapped for tapped in tap.connections if "Upgrade: websocket" in tapped.from_client().head]
            compressed = sum(rsv1 for tapped in sockets for rsv1, _ in tapped.from_server().messages())
            expect(compressed >= demo["compressed"], f"only {compressed} messages were compressed")
            print(f"{name}: {both['agreed']}, {len(sockets)} connections, {compressed} compressed messages of the server's")
        finally:
            server.stop()
    if "crowd" in demo:
        port = free_port()
        with (
            start(name, port, demo["crowd"], options, "crowd"),
            browser(name, f"http://127.0.0.1:{port}/", options, "--crowd") as chromium,
        ):
            crowd = step(chromium, "crowd")
            print(f"{name} {' '.join(demo['crowd'])}: {crowd['shown']}")
            expect(not crowd["errors"], f"the page logged {crowd['errors']}")
    return faults


def start(name, port, more, options, run):
    log = options.work / "demo-logs" / f"{name}-{run}.log"
    server = Program([options.programs / name, "--listen", f"127.0.0.1:{port}", *more], log)
    expected = f"http://127.0.0.1:{port}"
    if server.listening() != expected:
        raise CheckFailed(f"{name}: does not listen on {expected}")
    return server


def browser(name, url, options, *more):
    profile = tempfile.mkdtemp(prefix="profile-", dir=options.work)
    argv = ["node", HERE / "demos.js", "--chromium", options.chromium, "--profile", profile, "--url", url, "--demo", name]
    argv += ["--pictures", options.work / "pictures", *more]
    env = {**os.environ, "NODE_PATH": str(options.node_modules.resolve())}
    return Program(argv, options.work / "demo-logs" / f"chromium-{name}{''.join(more)}.log", env=env)


def step(chromium, name):
    """What the browser tells of its next step."""
    told = json.loads(chromium.line(PATIENCE))
    if told["step"] != name:
        raise CheckFailed(f"the browser tells of {told['step']!r}, not of {name!r}")
    return told


if __name__ == "__main__":
    sys.exit(main())
