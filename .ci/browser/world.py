#!/usr/bin/env python3
"""Two tabs of a headless Chromium in the demo `world`, with software WebGL.

What one tab's player does the other tab sees, and both end up with the same place; compression is negotiated as the browser's protocol (CDP)
tells, and used as the server counts; the server is killed and started again at the same address, and both tabs come back by themselves. Logs
are below --work.
"""
import shutil
import sys
from functools import partial

from chromium import Browser, arguments, run
from programs import Program, end_children_on_signals


def main():
    options = arguments(__doc__).parse_args()
    end_children_on_signals()
    logs = options.work / "world-logs"
    shutil.rmtree(logs, ignore_errors=True)
    logs.mkdir(parents=True)
    faults = run({"world": partial(check, options.programs / "world", logs, options)})
    print(f"world: {faults} faults; logs in {logs}")
    return 1 if faults else 0


def check(world, logs, options, faults):
    expect = faults.expect
    first = Program([world, "--listen", "127.0.0.1:0"], logs / "first.log")
    with first:
        url = first.listening()
        with Browser("world.js", logs / "chromium.log", options, url + "/") as chromium:
            version = chromium.step("started")["version"]
            played = chromium.step("played")
            expect(played["agreed"].startswith("permessage-deflate"), f"no compression was agreed on: {played['agreed']!r}")
            totals = played["totals"]
            expect(0 < totals["wire"] < totals["payload"], f"what was sent is not smaller on the wire: {totals}")
            expect(played["counts"]["failed"] == 0, f"snapshots that could not be taken: {played['counts']}")
            expect(played["counts"]["taken"] > 5 * played["counts"]["full"], f"hardly any deltas: {played['counts']}")
            expect(not played["errors"], f"the pages have errors: {played['errors']}")
            chromium.step("ready for the end")
            first.check_alive()
            first.process.kill()
            first.wait(10)
            chromium.step("ended")
            again = Program([world, "--listen", url.removeprefix("http://")], logs / "second.log")
            with again:
                again.listening()
                came_back = chromium.step("came back")["states"]
                again.check_alive()
            expect(all(state["counts"]["failed"] == 0 for state in came_back), f"after the restart: {came_back}")
            chromium.end()
    print(
        f"world: Chromium {version}, {played['agreed']}; one tab moved by {played['moved']:.1f} m and the other saw it; "
        f"{played['counts']['taken']} snapshots, {played['counts']['full']} of them full, {played['bytesASecond']:.0f} bytes a second, "
        f"all of it {totals['payload']} bytes, {totals['wire']} on the wire; connections after the restart: {[state['connections'] for state in came_back]}"
    )


if __name__ == "__main__":
    sys.exit(main())
