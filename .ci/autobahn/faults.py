#!/usr/bin/env python3
"""Runs the original suite and ours on endpoints that have one fault each, and compares every verdict.

The endpoints are those of the example `faulty` of ws-autobahn, which the tests of that crate run over pipes. What differs is
repeated with nothing beside it: where the verdict that comes most often is then the same, or the original itself gives more than one
and ours none that the original does not give, it was a race; every other difference is a fault of ours. Every fault has to be found, by a case of
the original, or else by one beyond it. Reports, logs and table.md are below --work, and those of an earlier run are deleted first.
"""
import argparse
import collections
import concurrent.futures
import contextlib
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from programs import CheckFailed, Program, end_children_on_signals, free_port, wait_for_port

ROLES = ["server", "client"]
SUITES = ["original", "native"]
GOOD = {"OK", "INFORMATIONAL", "UNIMPLEMENTED"}
BEYOND = ["100.*", "101.*", "102.*", "103.*", "104.*"]
LIMIT = 3600


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--wstest", type=Path, required=True, help="the executable that install-wstest.sh printed")
    options.add_argument("--programs", type=Path, required=True, help="directory of ws-autobahn and examples/faulty")
    options.add_argument("--work", type=Path, required=True, help="where reports go")
    options.add_argument("--jobs", type=int, default=4, help="how many endpoints are tested at a time; most of it is waiting")
    options.add_argument("--repeat", type=int, default=5, help="how often what differs is run once more")
    options.add_argument("--cases", help="patterns with commas between, instead of those that the faults name about frames")
    options.add_argument("--role", choices=ROLES, action="append", help="default: both")
    options.add_argument("fault", nargs="*", help="default: all")
    options = options.parse_args()
    end_children_on_signals()
    shutil.rmtree(options.work, ignore_errors=True)
    faults = json.loads(subprocess.check_output([options.programs / "examples" / "faulty", "--list"], text=True))
    faults = [fault for fault in faults if not options.fault or fault["name"] in options.fault]
    rows, wrong, compared, races = [], [], 0, 0
    for role in options.role or ROLES:
        chosen = [fault for fault in faults if role in fault["roles"]]
        outcome = first_run(role, chosen, options)
        # Alone, so that no other run takes the time that a timer of the suite allows.
        for fault, (verdicts, different) in zip(chosen, outcome):
            compared += len(verdicts)
            repeated = repeat(role, fault, different, options) if different else []
            beyond = [] if found(verdicts) else beyond_cases(role, fault, options)
            races += sum(race for race, _ in repeated)
            for race, line in repeated:
                print(f"{'race' if race else 'FAULT'} {role} {fault['name']} {line}", flush=True)
                wrong += [] if race else [f"{role} {fault['name']} {line}"]
            is_fault = not fault["name"].startswith("none")
            if is_fault != bool(found(verdicts) or beyond):
                wrong.append(f"{role} {fault['name']}: {found(verdicts) or beyond or 'no case finds it'}")
            rows.append((role, fault, verdicts, found(verdicts), beyond, repeated))
            print(f"{role} {fault['name']}: {len(verdicts)} cases compared, {len(different)} repeated, "
                  f"{len(found(verdicts))} find it, beyond {beyond}", flush=True)
    (options.work / "table.md").write_text(table(rows))
    for line in wrong:
        print(f"FAULT {line}")
    print(f"faults: {len(rows)} endpoints, {compared} verdicts compared, {races} races, {len(wrong)} faults; {options.work}/table.md")
    return 1 if wrong else 0


def first_run(role, faults, options):
    """For each fault: the original's verdicts, and the cases in which ours differ."""
    batches = []
    for area in sorted({fault["area"] for fault in faults}):
        same = [fault for fault in faults if fault["area"] == area]
        batches += [batch for start in range(options.jobs) if (batch := same[start :: options.jobs])]
    outcome = {}

    def one_batch(number, batch):
        work = options.work / role / f"batch-{number}"
        entries = [(fault["name"], fault) for fault in batch]
        cases = options.cases.split(",") if options.cases and batch[0]["area"] == "frames" else batch[0]["cases"]
        for suite in SUITES:
            began = time.monotonic()
            run(suite, role, entries, cases, work / suite, options)
            print(f"{role}: {suite} on {len(batch)} endpoints, {time.monotonic() - began:.0f} s", flush=True)
        index = json.loads((work / "original" / "index.json").read_text())
        different = compare(work, options)
        for fault in batch:
            outcome[fault["name"]] = index.get(fault["name"], {}), different.get(fault["name"], [])

    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        list(pool.map(one_batch, range(len(batches)), batches))
    return [outcome[fault["name"]] for fault in faults]


def compare(work, options):
    """The cases in which two runs differ, by agent."""
    argv = [options.programs / "ws-autobahn", "compare", *(work / suite / "index.json" for suite in SUITES)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60)
    if done.returncode not in (0, 1):
        raise CheckFailed(f"the runs in {work} cannot be compared: {done.stderr.strip()}")
    native = json.loads((work / "native" / "index.json").read_text())
    different, agent = {}, None
    for line in done.stdout.splitlines():
        if line.startswith("  "):
            # Ours gives up an endpoint that never switches protocols, after some cases that all failed; the original goes on.
            verdicts = {verdict["behavior"] for verdict in native.get(agent, {}).values()}
            if not (line.endswith("not run") and verdicts == {"FAILED"}):
                different[agent].append(line.split()[0])
        else:
            agent = line.split()[0]
            different[agent] = []
    return different


def repeat(role, fault, cases, options):
    """For each case: is it a race of the original too, and a line about it."""
    work = options.work / role / fault["name"] / "again"
    agents = [f"{fault['name']}~{number}" for number in range(options.repeat)]
    indices = {}
    for suite in SUITES:
        run(suite, role, [(agent, fault) for agent in agents], cases, work / suite, options)
        indices[suite] = json.loads((work / suite / "index.json").read_text())
    lines = []
    for case in cases:
        counts = {}
        for suite, index in indices.items():
            verdicts = (index.get(agent, {}).get(case, {}) for agent in agents)
            counts[suite] = collections.Counter(f"{v.get('behavior')} / {v.get('behaviorClose')}" for v in verdicts)
        original, native = (counts[suite] for suite in SUITES)
        race = original.most_common(1)[0][0] == native.most_common(1)[0][0] or len(original) > 1 and native.keys() <= original.keys()
        words = (f"{suite} {', '.join(f'{n} x {v}' for v, n in count.items())}" for suite, count in counts.items())
        lines.append((race, f"{case}, repeated: {'; '.join(words)}"))
    return lines


def beyond_cases(role, fault, options):
    """The cases beyond the original that find it."""
    work = options.work / role / fault["name"] / "beyond"
    run("native", role, [(fault["name"], fault)], BEYOND, work, options, ["--beyond", *(["--jobs", "1"] if role == "server" else [])])
    return found(json.loads((work / "index.json").read_text()).get(fault["name"], {}))


def found(verdicts):
    bad = [case for case, v in verdicts.items() if not {v["behavior"], v["behaviorClose"]} <= GOOD]
    return sorted(bad, key=lambda case: [int(number) for number in case.split(".")])


def run(suite, role, entries, cases, out, options, more=()):
    """Runs a suite on endpoints: names for the report, and what is wrong with them."""
    out.mkdir(parents=True)
    spec = {"outdir": str(out), "cases": cases, "exclude-cases": [], "exclude-agent-cases": {}}
    faulty = [options.programs / "examples" / "faulty", "--fault"]
    with contextlib.ExitStack() as stack:
        if role == "server":
            servers = {}
            for _, fault in entries:
                if fault["name"] not in servers:
                    argv = [*faulty, fault["name"], "--listen", "127.0.0.1:0"]
                    servers[fault["name"]] = stack.enter_context(Program(argv, out / f"{fault['name']}.log"))
            urls = {name: server.listening(60) for name, server in servers.items()}
            spec["servers"] = [{"agent": agent, "url": urls[fault["name"]]} for agent, fault in entries]
            stack.enter_context(start(suite, "client", spec, out, options, more)).wait(LIMIT)
            for server in servers.values():
                server.check_alive()
            return
        for attempt in range(5):
            port = free_port()
            spec["url"] = f"ws://127.0.0.1:{port}"
            try:
                # Another run may have taken the port meanwhile.
                wait_for_port(port, stack.enter_context(start(suite, "server", spec, out, options, more)), 60)
                break
            except CheckFailed:
                if attempt == 4:
                    raise
        for agent, fault in entries:
            argv = [*faulty, fault["name"], "--connect", spec["url"], "--agent", agent]
            with Program(argv, out / f"{agent}.log", output_too=True) as client:
                if client.wait(LIMIT) != 0:
                    raise CheckFailed(f"the client {agent} ended with an error, see {out}")


def start(suite, kind, spec, out, options, more):
    path = out / "spec.json"
    path.write_text(json.dumps(spec, indent=1))
    if suite == "original":
        # -u 0: no web server beside the suite's own port.
        argv = [options.wstest, "-m", f"fuzzing{kind}", "-s", path, "-u", "0"]
    else:
        argv = [options.programs / "ws-autobahn", f"fuzzing-{kind}", "--spec", path, "--format", "json", "--fail-on", "never", *more]
    return Program(argv, out / "suite.log", output_too=True)


def table(rows):
    """A line for each fault: which cases find it in a server and in a client, and how many verdicts both suites gave alike."""
    lines = ["| fault | found in a server by | found in a client by | same verdicts |", "|---|---|---|---|"]
    by_fault = collections.defaultdict(dict)
    for role, fault, verdicts, bad, beyond, repeated in rows:
        cases = shortened(bad or beyond) or "none, as it should be"
        by_fault[f"`{fault['name']}`: {fault['what']}"][role] = cases, len(verdicts), sum(not race for race, _ in repeated)
    for fault, roles in by_fault.items():
        cells = [roles.get(role, ("",))[0] for role in ROLES]
        compared, different = (sum(cell[index] for cell in roles.values()) for index in (1, 2))
        lines.append(f"| {fault} | {cells[0]} | {cells[1]} | {compared - different} of {compared} |")
    return "\n".join(lines) + "\n"


def shortened(cases):
    """The first few, and how many there are."""
    return ", ".join(cases) if len(cases) <= 6 else f"{', '.join(cases[:4])} and {len(cases) - 4} more"


if __name__ == "__main__":
    try:
        sys.exit(main())
    except CheckFailed as failure:
        sys.exit(f"faults: {failure}")
