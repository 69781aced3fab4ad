#!/usr/bin/env python3
"""summarize.py INDEX.json [CASES]: counts the verdicts of a run of the Autobahn suite by section, and judges them.

INDEX.json is what wstest writes beside its reports; CASES a file with the ids of the cases that were asked for, one
a line. Exit status 1 when one of them was not reported or has a verdict other than OK. INFORMATIONAL is the verdict
that the suite always gives to three of its cases, and is right for these only.
"""
import collections
import json
import sys

ALWAYS_INFORMATIONAL = {"7.1.6", "7.13.1", "7.13.2"}


def judge(index, wanted=None):
    """(lines to print, faults) for the agents of `index`; `wanted` are the ids of the cases that must be there."""
    lines, faults = [], []
    if not index:
        faults.append("no report: the suite met no agent")
    for agent, cases in sorted(index.items()):
        if wanted is not None:
            faults += [f"{agent} {case}: was not asked for" for case in sorted(cases.keys() - wanted, key=numbers)]
            faults += [f"{agent} {case}: not reported" for case in sorted(wanted - cases.keys(), key=numbers)]
        for case in sorted(cases, key=numbers):
            behavior, close = cases[case]["behavior"], cases[case]["behaviorClose"]
            right = {"OK", "INFORMATIONAL"} if case in ALWAYS_INFORMATIONAL else {"OK"}
            if not {behavior, close} <= right:
                code = cases[case]["remoteCloseCode"]
                faults.append(f"{agent} {case}: behavior {behavior}, close {close} (with code {code})")
        lines += table(agent, cases)
    return lines, faults


def table(agent, cases):
    seconds = sum(case["duration"] for case in cases.values()) / 1000
    yield f"{agent}: {len(cases)} cases, {seconds:.1f} s in them"
    sections = collections.defaultdict(list)
    for case in sorted(cases, key=numbers):
        sections[case.split(".")[0]].append(cases[case])
    for section, members in [*sections.items(), ("all", list(cases.values()))]:
        behavior, close = (count(case[what] for case in members) for what in ("behavior", "behaviorClose"))
        yield f"  {section:>3}  behavior {behavior:<36} close {close}"


def count(verdicts):
    return ", ".join(f"{number} {verdict}" for verdict, number in collections.Counter(verdicts).most_common())


def numbers(case):
    return [int(number) for number in case.split(".")]


def main(index, cases=None):
    wanted = set(open(cases).read().split()) if cases else None
    lines, faults = judge(json.load(open(index)), wanted)
    print("\n".join([*lines, *("FAULT " + fault for fault in faults)]))
    return 1 if faults else 0


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
