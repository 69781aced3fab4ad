#!/usr/bin/env python3
"""Two tabs of a headless Chromium in the demo `world`, with software WebGL.

What one tab's player does the other tab sees, and both end up with the same place; compression is negotiated as the browser's protocol (CDP)
tells, and used as the server counts; the server is killed and started again at the same address, and both tabs come back by themselves. Logs
are below --work.
"""
import argparse
import json
import os
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent))
from programs import CheckFailed, Program, end_children_on_signals

PATIENCE = 240  # seconds for what the browser does; the machine may be busy


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--program", type=Path, required=True, help="the demo")
    options.add_argument("--node-modules", type=Path, required=True, help="where playwright-core is")
    options.add_argument("--chromium", type=Path, default=Path("/usr/bin/chromium"))
    options.add_argument("--work", type=Path, required=True, help="where logs go")
    options = options.parse_args()
    end_children_on_signals()
    options.work.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    try:
        faults = check(options)
    except CheckFailed as failure:
        faults = [str(failure)]
    for fault in faults:
        print(f"    FAULT {fault}", flush=True)
    print(f"world: {len(faults)} faults, {time.monotonic() - began:.1f} s; logs in {options.work}")
    return 1 if faults else 0


def check(options):
    """What did not hold."""
    faults = []

    def expect(holds, what):
        if not holds:
            faults.append(what)

    first = Program([options.program, "--listen", "127.0.0.1:0"], options.work / "world-1.log")
    with first:
        url = first.listening()
        argv = ["node", HERE / "check.js", "--chromium", options.chromium, "--url", url + "/"]
        env = {**os.environ, "NODE_PATH": str(options.node_modules.resolve())}
        with Program(argv, options.work / "world-chromium.log", env=env) as chromium:
            version = step(chromium, "started")["version"]
            played = step(chromium, "played")
            expect(played["response"].startswith("permessage-deflate"), f"no compression was agreed on: {played['response']!r}")
            totals = played["totals"]
            expect(0 < totals["wire"] < totals["payload"], f"what was sent is not smaller on the wire: {totals}")
            expect(played["counts"]["failed"] == 0, f"snapshots that could not be taken: {played['counts']}")
            expect(played["counts"]["taken"] > 5 * played["counts"]["full"], f"hardly any deltas: {played['counts']}")
            expect(not played["errors"], f"the pages have errors: {played['errors']}")
            step(chromium, "ready for the end")
            first.check_alive()
            first.process.kill()
            first.wait(10)
            step(chromium, "ended")
            again = Program([options.program, "--listen", url.removeprefix("http://")], options.work / "world-2.log")
            with again:
                again.listening()
                came_back = step(chromium, "came back")["states"]
                again.check_alive()
            expect(all(state["counts"]["failed"] == 0 for state in came_back), f"after the restart: {came_back}")
            expect(chromium.wait(PATIENCE) == 0, f"the browser ended with status {chromium.process.returncode}")
    print(
        f"world: Chromium {version}, {played['response']}; one tab moved by {played['moved']:.1f} m and the other saw it; "
        f"{played['counts']['taken']} snapshots, {played['counts']['full']} of them full, {played['bytesASecond']:.0f} bytes a second, "
        f"all of it {totals['payload']} bytes, {totals['wire']} on the wire; connections after the restart: {[state['connections'] for state in came_back]}"
    )
    return faults


def step(chromium, name):
    """What the browser tells of its next step."""
    told = json.loads(chromium.line(PATIENCE))
    if told["step"] != name:
        raise CheckFailed(f"the browser tells of {told['step']!r}, not of {name!r}")
    return told


if __name__ == "__main__":
    sys.exit(main())
