#!/usr/bin/env python3
"""A headless Chromium talks to `axum_app` and to `page`, a plain ws-server.

For each of them: the server's own page connects, compression is negotiated as the browser's protocol (CDP) tells and used as the
bytes on the wire show, a page of a foreign origin is refused with 403, and on SIGTERM of the server the page sees 1001. The foreign
page is that of the other server. Logs are below --work, and those of an earlier run are deleted first.
"""
import shutil
import signal
import sys
import time
from functools import partial

from chromium import Browser, arguments, run
from programs import Program, end_children_on_signals
from tap import Tap

SERVERS = ["axum_app", "page"]
GRACE = 5  # seconds, that of the servers


def main():
    options = arguments(__doc__).parse_args()
    end_children_on_signals()
    shutil.rmtree(options.work / "logs", ignore_errors=True)
    (options.work / "logs").mkdir(parents=True)
    faults = run({name: partial(check, name, SERVERS[index - 1], options) for index, name in enumerate(SERVERS)})
    print(f"browser: {len(SERVERS)} servers, {faults} faults; logs in {options.work / 'logs'}")
    return 1 if faults else 0


def check(name, other, options, faults):
    expect = faults.expect
    with (
        server(name, options) as ours,
        server(other, options) as foreign,
        Tap(int(ours.listening().rsplit(":", 1)[1])) as tap,
        browser(name, f"http://127.0.0.1:{tap.port}/", foreign.listening() + "/", options) as chromium,
    ):
        version = chromium.step("started")["version"]
        own = chromium.step("own page")
        extensions = own["agreed"]
        expect(own["status"] == 101, f"the own page got status {own['status']}")
        expect("permessage-deflate" in own["offered"], "the browser offered no compression")
        expect(extensions.startswith("permessage-deflate"), f"no compression was agreed on: {extensions!r}")
        expect("permessage-deflate" in own["shown"], f"the page shows {own['shown']!r}")
        expect(own["echoed"] and not own["errors"], f"the message did not come back: {own}")
        connection = next(tapped for tapped in tap.connections if "Upgrade: websocket" in tapped.from_client().head)
        wire = connection.from_client().messages()[:1] + connection.from_server().messages()[:1]
        length = own["received"][0]
        expect(
            len(wire) == 2 and all(rsv1 and size < length / 10 for rsv1, size in wire),
            f"{length} characters went over the wire as (RSV1, bytes) {wire}",
        )
        refused = chromium.step("foreign page")
        expect(not refused["opened"], "a page of a foreign origin was let in")
        expect(
            len(refused["errors"]) == 1 and refused["errors"][0].endswith("response code: 403"),
            f"a page of a foreign origin got {refused['errors']}",
        )
        chromium.step("ready for SIGTERM")
        ours.process.send_signal(signal.SIGTERM)
        told = time.monotonic()
        drained = chromium.step("drained")
        expect(drained["ended"]["code"] == 1001 and drained["ended"]["wasClean"], f"a socket ended with {drained['ended']}")
        expect((drained["shown"] or "").startswith("closed with 1001"), f"the page shows {drained['shown']!r}")
        expect(ours.wait(GRACE + 5) == 0, f"the server ended with status {ours.process.returncode}")
        took = time.monotonic() - told
        report = ours.line(1)
        expect("2 " in report and report.endswith(" 0 were cut"), f"the server reports {report!r}")
        chromium.end()
        print(
            f"{name}: Chromium {version}, {extensions}; {length} characters as {wire[0][1]} bytes there and {wire[1][1]} back; "
            f"foreign origin: {refused['errors']}; {drained['ended']}, the server ended {took:.1f} s after SIGTERM"
        )


def server(name, options):
    return Program([options.programs / "examples" / name, "--listen", "127.0.0.1:0"], options.work / "logs" / f"{name}.log")


def browser(name, url, foreign, options):
    return Browser("servers.js", options.work / "logs" / f"chromium-{name}.log", options, url, "--foreign", foreign)


if __name__ == "__main__":
    sys.exit(main())
