#!/usr/bin/env python3
"""Runs the native Autobahn suite against our server and our client, each over both drivers.

Over tokio all cases run, over std those of sections 1 to 10 and a tenth of 12 and 13 (all with --full); over both also the
cases that the original suite does not have. What is not OK has to stand in expected.toml. Reports and logs are below
--work, and those of an earlier run are deleted first.
"""
import argparse
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from programs import CheckFailed, Program, end_children_on_signals
from servers import UPGRADES, echo_server

# Each uses both ends' share of the machine, so they run one after the other.
RUNS = ["server-tokio", "client-tokio", "server-sync", "client-sync"]
# More than the slowest run takes on a busy machine.
SECONDS = 900


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--programs", type=Path, required=True, help="directory of ws-autobahn and examples/echo_server")
    options.add_argument("--work", type=Path, required=True, help="where reports go")
    options.add_argument("--full", action="store_true", help="all cases over std too")
    options.add_argument("--cases", help="only these patterns, as '7.*,9.1.*'")
    options.add_argument("run", nargs="*", help=f"default: {' '.join(RUNS)}; there are also {' '.join(UPGRADES)}")
    options = options.parse_args()
    end_children_on_signals()
    shutil.rmtree(options.work, ignore_errors=True)
    faults = 0
    for name in options.run or RUNS:
        work = options.work / name
        work.mkdir(parents=True)
        began = time.monotonic()
        try:
            one_run(name, work, options)
            cases = sum(len(agent) for agent in json.loads((work / "reports/index.json").read_text()).values())
            print(f"{name}: {cases} cases as expected, {time.monotonic() - began:.0f} s", flush=True)
        except CheckFailed as failure:
            faults += 1
            print(f"FAULT {name}: {failure}", flush=True)
    print(f"autobahn: {faults} faults; reports below {options.work}")
    return 1 if faults else 0


def one_run(name, work, options):
    role, driver = name.split("-")
    program, log = options.programs / "ws-autobahn", work / "suite.log"
    # 1 s is the suite's timer for a closing handshake: few cases at a time, so that none has to wait for a processor.
    suite = ["--out", work / "reports", "--expected", HERE / "expected.toml", "--beyond", "--quiet", *selection(name, options)]
    if role == "server":
        with echo_server(driver, work, options) as url:
            ours = ["--url", url, "--agent", f"ws-server-{driver}", "--jobs", 4]
            with Program([program, "fuzzing-client", *ours, *suite], log, output_too=True) as fuzzing:
                status = fuzzing.wait(SECONDS)
    else:
        ours = ["--listen", "127.0.0.1:0", "--idle-timeout", 60]
        with Program([program, "fuzzing-server", *ours, *suite], log) as fuzzing:
            client = ["testee-client", "--url", fuzzing.listening(), "--agent", f"ws-client-{driver}", "--driver", driver]
            with Program([program, *client, "--shutdown"], work / "testee-client.log", output_too=True) as testee:
                if testee.wait(SECONDS):
                    raise CheckFailed(f"{testee.name}: {testee.errors.read_text().strip()}")
            status = fuzzing.wait(60)
    if status:
        raise CheckFailed(f"status {status}\n{log.read_text().strip()}")


def selection(name, options):
    """The options that select the cases of a run; of the tenths each driver's server and client take another."""
    if options.cases:
        return ["--cases", options.cases]
    if options.full or name.endswith("tokio") or name in UPGRADES:
        return []
    listed = subprocess.check_output([options.programs / "ws-autobahn", "list", "--cases", "12.*,13.*"], text=True)
    compressed = [line.split()[0] for line in listed.splitlines()]
    left_out = set(compressed) - set(compressed[RUNS.index(name)::10])
    return ["--exclude", ",".join(sorted(left_out))]


if __name__ == "__main__":
    sys.exit(main())
