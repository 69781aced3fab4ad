#!/usr/bin/env python3
"""Runs the original Autobahn suite against our server and our client, each over both drivers, and judges the reports.

Which cases run is the entry of cases.json that --cases names (or patterns such as '7.*,9.1.*'). Reports, logs and the
list of cases of each run are below --work, and those of an earlier run are deleted first.
"""
import argparse
import concurrent.futures
import json
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from programs import CheckFailed, Program, end_children_on_signals, free_port, wait_for_port
from servers import UPGRADES, echo_server
from summarize import judge

# Two at a time, so that a server and a client share the machine and no two runs are in the same section for long.
RUNS = ["server-tokio", "client-sync", "server-sync", "client-tokio"]


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--wstest", type=Path, required=True, help="the executable that install-wstest.sh printed")
    options.add_argument("--programs", type=Path, required=True, help="directory of ws-autobahn and examples/echo_server")
    options.add_argument("--work", type=Path, required=True, help="where reports go")
    options.add_argument("--cases", default="sample", help="'sample', 'full' or patterns with commas between")
    options.add_argument("--jobs", type=int, default=2, help="how many runs at a time; the suite has timers of 1 s")
    options.add_argument("run", nargs="*", help=f"default: {' '.join(RUNS)}; there are also {' '.join(UPGRADES)}")
    options = options.parse_args()
    end_children_on_signals()
    catalogue = read_catalogue(options.wstest)
    runs = options.run or RUNS
    shutil.rmtree(options.work, ignore_errors=True)
    faults = 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        jobs = []
        for name in runs:
            cases = choose(catalogue, options.cases, [*RUNS, *UPGRADES].index(name))
            jobs.append((name, cases, pool.submit(one_run, name, cases, options)))
        for name, cases, job in jobs:
            try:
                seconds, lines, found = job.result()
                print("\n".join(lines))
                print(f"{name}: {len(cases)} cases asked for, {len(found)} faults, {seconds:.0f} s", flush=True)
            except CheckFailed as failure:
                found = [f"{name}: {failure}"]
            faults += len(found)
            for fault in found:
                print(f"FAULT {fault}", flush=True)
    print(f"autobahn: {len(runs)} runs, {faults} faults; reports below {options.work}")
    return 1 if faults else 0


def read_catalogue(wstest):
    """The ids of all cases, in the suite's order."""
    script = "from autobahntestsuite.case import Cases\nfor case in Cases: print(case.__name__[4:].replace('_', '.'))"
    return subprocess.check_output([wstest.with_name("py27"), "-c", script], text=True).split()


def choose(catalogue, choice, turn):
    """The cases of one run. Of every ten in turn each run takes another, so that together they see more."""
    entry = json.loads((HERE / "cases.json").read_text()).get(choice) or {"all": choice.split(",")}
    sampled = matching(catalogue, entry.get("every-tenth", []))
    chosen = {*matching(catalogue, entry["all"]), *sampled[turn::10]}
    if not chosen:
        sys.exit(f"no case is meant by {choice!r}")
    return [case for case in catalogue if case in chosen]


def matching(catalogue, patterns):
    rules = [re.compile(re.escape(pattern).replace(r"\*", ".*")) for pattern in patterns]
    return [case for case in catalogue if any(rule.fullmatch(case) for rule in rules)]


def one_run(name, cases, options):
    """(seconds, lines to print, faults)"""
    role, driver = name.split("-")
    work = options.work / name
    work.mkdir(parents=True)
    (work / "cases.txt").write_text("\n".join(cases) + "\n")
    # The cases of sections 12 and 13 move 1,000 messages each.
    limit = 300 + 12 * sum(case.startswith(("12.", "13.")) for case in cases)
    began = time.monotonic()
    {"server": test_server, "client": test_client}[role](driver, work, cases, limit, options)
    index = work / "reports" / "index.json"
    if not index.exists():
        raise CheckFailed(f"no reports were written, see {work}")
    index = json.loads(index.read_text())
    return time.monotonic() - began, *judge(index, set(cases))


def test_server(driver, work, cases, limit, options):
    with echo_server(driver, work, options) as url:
        spec = {"servers": [{"agent": f"ws-server-{driver}", "url": url}]}
        with wstest("fuzzingclient", spec, work, cases, options) as suite:
            suite.wait(limit)


def test_client(driver, work, cases, limit, options):
    url = f"ws://127.0.0.1:{free_port()}"
    program = options.programs / "ws-autobahn"
    with wstest("fuzzingserver", {"url": url}, work, cases, options) as suite:
        wait_for_port(int(url.rsplit(":", 1)[1]), suite)
        argv = [program, "testee-client", "--url", url, "--agent", f"ws-client-{driver}", "--driver", driver]
        with Program(argv, work / "testee-client.log", output_too=True) as client:
            status = client.wait(limit)
    if status != 0:
        raise CheckFailed(f"testee-client ended with status {status}, see {work}")


def wstest(mode, spec, work, cases, options):
    spec |= {"outdir": str(work / "reports"), "cases": cases, "exclude-cases": [], "exclude-agent-cases": {}}
    path = work / f"{mode}.json"
    path.write_text(json.dumps(spec, indent=1))
    # -u 0: no web server beside the suite's own port.
    return Program([options.wstest, "-m", mode, "-s", path, "-u", "0"], work / "wstest.log", output_too=True)


if __name__ == "__main__":
    sys.exit(main())
