#!/usr/bin/env python3
"""Runs the native suite and the original against the same endpoints, and compares them verdict by verdict.

What compares is `ws-autobahn compare`. Cases that differ are run again by both suites, --repeat times each, and what each
said is printed. Two kinds of difference pass: those that never come again, both suites saying the same every time (the
suites have timers of 1 s, and the machine may be busy); and those in races.json, with the reason, where the original itself
says now this, now that. Any other makes the exit status 1. Reports and logs are below --work.
"""
import argparse
import collections
import concurrent.futures
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from programs import CheckFailed, Program, end_children_on_signals, free_port, wait_for_port
from run import matching, read_catalogue, wstest
from summarize import count

RACES = json.loads((HERE / "races.json").read_text())


def endpoints(options):
    """By name: role and command line. A client's gets the suite's URL and its own name besides."""
    ours = options.programs / "examples" / "echo_server"
    testee = [options.programs / "ws-autobahn", "testee-client"]
    python = [options.python, HERE / "testee.py"]
    node = ["node", HERE / "testee.js"]
    peers = options.peers / "ws-peers"
    return {
        "ws-server-tokio": ("server", [ours, "--listen", "127.0.0.1:0", "--driver", "tokio"]),
        "ws-client-tokio": ("client", [*testee, "--driver", "tokio"]),
        "ws-server-sync": ("server", [ours, "--listen", "127.0.0.1:0", "--driver", "sync"]),
        "ws-client-sync": ("client", [*testee, "--driver", "sync"]),
        "tokio-tungstenite-server": ("server", [peers, "--server", "tokio-tungstenite"]),
        "tokio-tungstenite-client": ("client", [options.peers / "testee"]),
        "tokio-websockets-server": ("server", [peers, "--server", "tokio-websockets"]),
        "fastwebsockets-server": ("server", [peers, "--server", "fastwebsockets"]),
        "sockudo-ws-server": ("server", [peers, "--server", "sockudo-ws"]),
        "yawc-server": ("server", [peers, "--server", "yawc", "--deflate-level", "1"]),
        "npm-ws-server": ("server", [*node, "server"]),
        "npm-ws-client": ("client", [*node, "client"]),
        "python-websockets-server": ("server", [*python, "server"]),
        "python-websockets-client": ("client", [*python, "client"]),
    }


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--wstest", type=Path, required=True, help="the executable that install-wstest.sh printed")
    options.add_argument("--programs", type=Path, required=True, help="directory of ws-autobahn and examples/echo_server")
    options.add_argument("--peers", type=Path, required=True, help="directory of ws-peers and testee, from benches/peers")
    options.add_argument("--python", type=Path, required=True, help="an interpreter that has the package websockets")
    options.add_argument("--node-modules", type=Path, required=True, help="where npm has installed ws")
    options.add_argument("--work", type=Path, required=True, help="where reports go")
    options.add_argument("--cases", default="*", help="patterns with commas between (default: all 517)")
    options.add_argument("--repeat", type=int, default=3, help="how often cases that differ are run again by both")
    options.add_argument("--jobs", type=int, default=1, help="endpoints at a time; the suites have timers of 1 s")
    options.add_argument("--reuse-original", action="store_true", help="where an earlier run of the original is in --work")
    options.add_argument("endpoint", nargs="*", help="default: all")
    options = options.parse_args()
    end_children_on_signals()
    known = endpoints(options)
    chosen = options.endpoint or list(known)
    if unknown := [name for name in chosen if name not in known]:
        sys.exit(f"no endpoint {', '.join(unknown)}; there are: {' '.join(known)}")
    cases = matching(read_catalogue(options.wstest), options.cases.split(","))
    if not cases:
        sys.exit(f"no case is meant by {options.cases!r}")
    rows, bad = [], 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        jobs = {name: pool.submit(compared, name, *known[name], cases, options) for name in chosen}
        for name, job in jobs.items():
            try:
                row, lines, unexplained = job.result()
            except CheckFailed as failure:
                row, lines, unexplained = [name, "not run"], [f"FAULT {name}: {failure}"], 1
            rows.append(row)
            bad += unexplained
            print("\n".join(lines), flush=True)
    print("\n" + "\n".join(table(rows)))
    print(f"verdicts: {len(rows)} endpoints, {bad} differences unexplained; reports below {options.work}")
    return 1 if bad else 0


def compared(name, role, argv, cases, options):
    """(row of the table, lines to print, number of differences that nothing explains)"""
    work = options.work / name
    native, native_seconds = suite_run("native", role, argv, name, work / "native", cases, options)
    if options.reuse_original and (earlier := read_earlier(work / "original", cases)):
        original, original_seconds = earlier
    else:
        original, original_seconds = suite_run("original", role, argv, name, work / "original", cases, options)
    lines, differing = compare(native, original, options)
    behaviors = count(entry["behavior"] for entry in agent_of(original).values())
    closes = count(entry["behaviorClose"] for entry in agent_of(original).values())
    lines.append(f"  the original says: behavior {behaviors}; close {closes}")
    kinds = collections.Counter()
    again = repeat(name, role, argv, work / "repeated", differing, options) if differing and options.repeat else {}
    for case in differing:
        said = again.get(case, {})
        kind, text = "unexplained", "differs, and races.json does not have it"
        if reason := race(name, case):
            kind, text = "race", reason
        elif said and len({verdict for verdicts in said.values() for verdict in verdicts}) == 1:
            kind, text = "not again", "differed once; repeated, both suites always say the same"
        kinds[kind] += 1
        lines.append(f"{'FAULT' if kind == 'unexplained' else kind} {name} {case}: {text}")
        lines += [f"  {suite} again: {', '.join(verdicts)}" for suite, verdicts in said.items()]
    counts = [len(cases), len(differing), kinds["not again"], kinds["race"]]
    return [name, *counts, f"{native_seconds:.0f}", f"{original_seconds:.0f}"], lines, kinds["unexplained"]


def race(name, case):
    """Why the original's own verdict on this case varies with this endpoint, where it is known to."""
    return next((entry["reason"] for entry in RACES if entry["endpoint"] == name and case in entry["cases"]), None)


def compare(native, original, options):
    """(lines to print, ids of the cases in which they differ), by the native suite's own comparison."""
    argv = [options.programs / "ws-autobahn", "compare", native, original]
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    found = re.findall(r"^  (\d+(?:\.\d+)+) ", done.stdout, re.MULTILINE)
    if done.returncode not in (0, 1) or (done.returncode == 1) != bool(found):
        raise CheckFailed(f"compare ended with status {done.returncode}: {done.stderr.strip()}")
    return done.stdout.splitlines(), found


def repeat(name, role, argv, work, cases, options):
    """Runs the cases again with both suites: by case and suite, what was said each time."""
    said = {case: {"native": [], "original": []} for case in cases}
    for turn in range(options.repeat):
        for suite in ("native", "original"):
            index, _ = suite_run(suite, role, argv, name, work / f"{suite}-{turn}", cases, options)
            for case, entry in agent_of(index).items():
                said[case][suite].append(f"{entry['behavior']} / {entry['behaviorClose']}")
    return said


def suite_run(suite, role, argv, name, work, cases, options):
    """(path of index.json, seconds) of one suite against an endpoint that was started for it."""
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    # The cases of sections 12 and 13 move 1,000 messages each, and the machine may be busy.
    limit = 600 + 20 * sum(case.startswith(("12.", "13.")) for case in cases)
    began = time.monotonic()
    {"server": test_server, "client": test_client}[role](suite, argv, name, work, cases, limit, options)
    seconds = time.monotonic() - began
    index = work / "reports" / "index.json"
    if not index.exists():
        raise CheckFailed(f"the {suite} suite wrote no reports, see {work}")
    if missing := set(cases) - agent_of(index).keys():
        raise CheckFailed(f"the {suite} suite reports nothing on {', '.join(sorted(missing))}, see {work}")
    (work / "seconds").write_text(f"{seconds:.1f}\n")
    return index, seconds


def read_earlier(work, cases):
    index = work / "reports" / "index.json"
    if index.exists() and agent_of(index).keys() == set(cases):
        return index, float((work / "seconds").read_text())
    return None


def agent_of(index):
    """The cases of the only agent of a report."""
    (cases,) = json.loads(index.read_text()).values()
    return cases


def test_server(suite, argv, name, work, cases, limit, options):
    with Program(argv, work / "endpoint.log", env=environment(options)) as server:
        url = server.listening()
        if suite == "native":
            runner = native("fuzzing-client", ["--url", url, "--agent", name], work, cases, options)
        else:
            runner = wstest("fuzzingclient", {"servers": [{"agent": name, "url": url}]}, work, cases, options)
        with runner:
            if runner.wait(limit) != 0:
                raise CheckFailed(f"the {suite} suite failed, see {work}")


def test_client(suite, argv, name, work, cases, limit, options):
    port = free_port()
    if suite == "native":
        runner = native("fuzzing-server", ["--listen", f"127.0.0.1:{port}"], work, cases, options)
    else:
        runner = wstest("fuzzingserver", {"url": f"ws://127.0.0.1:{port}"}, work, cases, options)
    with runner:
        wait_for_port(port, runner)
        argv = [*argv, "--url", f"ws://127.0.0.1:{port}", "--agent", name]
        with Program(argv, work / "endpoint.log", output_too=True, env=environment(options)) as client:
            if client.wait(limit) != 0:
                raise CheckFailed(f"the client failed, see {work}")


def native(mode, words, work, cases, options):
    argv = [options.programs / "ws-autobahn", mode, *words, "--cases", ",".join(cases), "--out", work / "reports"]
    return Program([*argv, "--format", "json", "--fail-on", "never"], work / "native.log", output_too=True)


def environment(options):
    return {**os.environ, "NODE_PATH": str(options.node_modules.resolve())}


def table(rows):
    head = ["endpoint", "cases", "differences", "not again", "races", "native s", "original s"]
    widths = [24, *map(len, head[1:])]
    for row in [head, *rows]:
        yield "  ".join(f"{cell!s:<{width}}" for cell, width in zip(row, widths)).rstrip()


if __name__ == "__main__":
    sys.exit(main())
