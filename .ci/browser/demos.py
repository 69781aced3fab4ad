#!/usr/bin/env python3
"""A headless Chromium uses the demos, each in two tabs.

For each of them: what is done in one tab appears in the other, both ways; the server is killed and started again, and both tabs come back
and go on; compression is negotiated as the browser's protocol (CDP) tells and used as the bytes on the wire show; the page logs no error.
What is done on the pages is in the table of `demos.js`. Pictures at desktop and phone width, light and dark, and logs are below --work.
"""
import shutil
import sys
from functools import partial

from chromium import Browser, arguments, run
from programs import CheckFailed, Program, end_children_on_signals, free_port
from tap import Tap

# Which, with what the program is told beside where to listen, and how many messages of the server's are compressed at least. `crowd`: a
# second run of the same program, for a picture and its numbers.
DEMOS = {
    "chat": {"compressed": 2},
    "cursors": {"compressed": 1, "crowd": ["--simulate", "200"]},
}


def main():
    options = arguments(__doc__)
    options.add_argument("demos", nargs="*", help=f"which; all by default: {' '.join(DEMOS)}")
    options = options.parse_args()
    end_children_on_signals()
    for folder in ("demo-logs", "pictures"):
        shutil.rmtree(options.work / folder, ignore_errors=True)
        (options.work / folder).mkdir(parents=True)
    demos = options.demos or DEMOS
    faults = run({name: partial(check, name, DEMOS[name], options) for name in demos})
    print(f"demos: {len(demos)} pages, {faults} faults; pictures in {options.work / 'pictures'}")
    return 1 if faults else 0


def check(name, demo, options, faults):
    expect = faults.expect
    port = free_port()
    server = start(name, port, [], options, "first")
    with Tap(port) as tap, browser(name, f"http://127.0.0.1:{tap.port}/", options) as chromium:
        try:
            both = chromium.step("both ways")
            expect("permessage-deflate" in both["offered"], "the browser offered no compression")
            expect(both["agreed"].startswith("permessage-deflate"), f"no compression was agreed on: {both['agreed']!r}")
            server.process.kill()
            server.stop()
            chromium.step("lost")
            server = start(name, port, [], options, "second")
            chromium.step("back")
            end = chromium.step("done")
            expect(not end["errors"], f"the pages logged {end['errors']}")
            chromium.end()
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
            crowd = chromium.step("crowd")
            print(f"{name} {' '.join(demo['crowd'])}: {crowd['shown']}")
            expect(not crowd["errors"], f"the page logged {crowd['errors']}")


def start(name, port, more, options, run):
    log = options.work / "demo-logs" / f"{name}-{run}.log"
    server = Program([options.programs / name, "--listen", f"127.0.0.1:{port}", *more], log)
    expected = f"http://127.0.0.1:{port}"
    if server.listening() != expected:
        raise CheckFailed(f"{name}: does not listen on {expected}")
    return server


def browser(name, url, options, *more):
    log = options.work / "demo-logs" / f"chromium-{name}{''.join(more)}.log"
    return Browser("demos.js", log, options, url, "--demo", name, "--pictures", options.work / "pictures", *more)


if __name__ == "__main__":
    sys.exit(main())
