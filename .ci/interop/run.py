#!/usr/bin/env python3
"""Tests our echo server and our echo client against WebSocket peers that others wrote: npm's `ws` and Python's
`websockets`, over both drivers, ws and wss, with and without compression.

The peers (peer.js, peer.py) send matrix.json and check the echoes, pongs and Close frames; here we start both ends,
check how our programs end, and read on the wire (ws only) what was compressed. A word after the options restricts the
combinations to those with this word: `run.py ... client sync wss python 'off by us'`.
"""
import argparse
import itertools
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from programs import CheckFailed, Program, end_children_on_signals, free_port
from tap import Tap

MATRIX = json.loads((HERE / "matrix.json").read_text())
CLEAN = ["/matrix"] + [f"/close/{close['code'] or 'none'}" for close in MATRIX["closes"]]
PATIENCE = 90  # seconds for a scenario; the peers give up earlier, and say why

# name: (flags of ours, --compression of the peer, is it negotiated)
COMPRESSION = {
    "deflate": ([], "on", True),
    "narrow deflate": ([], "narrow", True),
    "off by us": (["--no-deflate"], "on", False),
    "off by peer": ([], "off", False),
}
# Messages above this size (our default threshold) must leave us compressed.
THRESHOLD_BYTES = 128


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--programs", type=Path, required=True, help="directory with examples/echo_server and echo_client")
    options.add_argument("--python", type=Path, required=True, help="a Python that has `websockets`")
    options.add_argument("--node-modules", type=Path, required=True, help="a directory that has `ws`")
    options.add_argument("--work", type=Path, required=True, help="where certificates and logs go")
    options.add_argument("words", nargs="*")
    options = options.parse_args()
    end_children_on_signals()
    logs = options.work / "logs"
    shutil.rmtree(logs, ignore_errors=True)
    logs.mkdir(parents=True)
    make_certificates(options.work)

    ours = {"server": test_server, "client": test_client}
    ran = failed = scenarios = 0
    for words in itertools.product(ours, ["tokio", "sync"], ["ws", "wss"], ["node", "python"], COMPRESSION):
        if not set(options.words) <= set(words):
            continue
        began = time.monotonic()
        combination = Combination(*words, options, logs)
        try:
            ours[combination.side](combination)
        except CheckFailed as failure:
            combination.faults.append(str(failure))
        ran += 1
        failed += bool(combination.faults)
        scenarios += combination.scenarios
        verdict = "FAILED" if combination.faults else "ok"
        print(f"{combination}: {verdict}, {combination.scenarios} scenarios, {time.monotonic() - began:.1f} s", flush=True)
        for fault in combination.faults:
            print(f"    FAULT {fault}", flush=True)
    print(f"interop: {ran} combinations with {scenarios} scenarios, {failed} combinations failed; logs in {logs}")
    return 1 if failed or not ran else 0


class Combination:
    """One of our programs with one peer, in one setting; and what was found."""

    def __init__(self, side, driver, scheme, peer, compression, options, logs):
        self.words = [side, driver, scheme, peer, compression]
        self.side, self.driver, self.scheme = side, driver, scheme
        self.our_flags, self.peer_compression, self.compressed = COMPRESSION[compression]
        self.our_flags = [*self.our_flags, "--driver", driver]
        self.faults, self.scenarios = [], 0
        self._peer, self._options, self._logs = peer, options, logs

    def __str__(self):
        return "our {} {:<5} {:<3} with {:<6} {:<14}".format(*self.words)

    def our_program(self, name, *arguments, log=""):
        return Program([self._options.programs / "examples" / name, *arguments, *self.our_flags], self._log(name + log))

    def peer(self, role, *arguments):
        argv = {"node": ["node", HERE / "peer.js"], "python": [self._options.python, HERE / "peer.py"]}[self._peer]
        env = {**os.environ, "NODE_PATH": str(self._options.node_modules.resolve())}
        arguments = [role, *arguments, "--compression", self.peer_compression]
        return Program([*argv, *arguments], self._log("peer"), env=env)

    def certificate(self, name):
        return self._options.work / "certificates" / name

    def _log(self, name):
        return self._logs / ("-".join([*self.words, name]).replace(" ", "-").replace("/", "-") + ".log")


def test_server(run):
    tls = run.scheme == "wss"
    certificate = ["--tls-cert", run.certificate("leaf.pem"), "--tls-key", run.certificate("leaf.key")] if tls else []
    with run.our_program("echo_server", "--listen", "127.0.0.1:0", *certificate) as server:
        url = server.listening()
        with Tap(port_of(url)) as tap:
            seen = url if tls else f"ws://127.0.0.1:{tap.port}"
            trust = ["--ca", run.certificate("ca.pem")] if tls else []
            with run.peer("client", "--url", seen, *trust) as peer:
                for scenario in CLEAN:
                    read_report(run, peer, scenario)
                if peer.wait(PATIENCE) != 0:
                    run.faults.append(f"the peer ended with status {peer.process.returncode}, see {peer.errors}")
            if not tls:
                if len(tap.connections) != len(CLEAN):
                    run.faults.append(f"{len(tap.connections)} connections were made, not {len(CLEAN)}")
                check_wire(run, tap.connections[0])
        server.check_alive()


def test_client(run):
    tls = run.scheme == "wss"
    certificate = ["--cert", run.certificate("leaf.pem"), "--key", run.certificate("leaf.key")] if tls else []
    trust = ["--ca", run.certificate("ca.pem")] if tls else []
    with run.peer("server", *certificate) as peer:
        # By name where there is a certificate: then the name is checked too.
        base = peer.listening().replace("wss://127.0.0.1", "wss://localhost")
        for scenario in CLEAN:
            if scenario == "/matrix" and not tls:
                with Tap(port_of(base)) as tap:
                    end_well(run, peer, f"ws://127.0.0.1:{tap.port}", scenario, trust)
                    check_wire(run, tap.connections[0])
            else:
                end_well(run, peer, base, scenario, trust)
        end_badly(run, "TCP dropped without a Close frame", base + "/drop", trust)
        read_report(run, peer, "/drop", counts=False)
        end_badly(run, "the upgrade refused with 403", base + "/refused", trust)
        if tls:
            end_badly(run, "a certificate of an unknown authority", base + "/matrix", [])
        end_badly(run, "nobody listening", f"{run.scheme}://127.0.0.1:{free_port()}/", trust)
        peer.check_alive()


def end_well(run, peer, base, scenario, trust):
    """Our client shall echo through the scenario, and exit with 0 after the clean close."""
    with run.our_program("echo_client", "--url", base + scenario, *trust, log=scenario) as client:
        read_report(run, peer, scenario)
        status = client.wait(PATIENCE)
        if status != 0:
            run.faults.append(f"{scenario}: echo_client ended with status {status}, see {client.errors}")


def end_badly(run, why, url, trust):
    """Our client shall say in one sentence on stderr what happened, and exit with another status than 0."""
    run.scenarios += 1
    with run.our_program("echo_client", "--url", url, *trust, log="-" + why.replace(" ", "-")) as client:
        status = client.wait(PATIENCE)
        said = client.errors.read_text(errors="replace").splitlines()
        if status == 0:
            run.faults.append(f"{why}: echo_client ended with status 0")
        if len(said) != 1 or not said[0].strip():
            run.faults.append(f"{why}: echo_client said {len(said)} lines instead of one sentence, see {client.errors}")
        if any("panicked" in line for line in said):
            run.faults.append(f"{why}: echo_client panicked, see {client.errors}")


def read_report(run, peer, scenario, counts=True):
    report = json.loads(peer.line(PATIENCE))
    run.scenarios += counts
    if report["scenario"] != scenario:
        raise CheckFailed(f"the peer reports on {report['scenario']} where {scenario} was due")
    if report["fault"]:
        run.faults.append(f"{scenario}: {report['fault']}")


def check_wire(run, connection):
    """What went over the wire in the scenario /matrix."""
    if not connection.ended(10):
        run.faults.append("the TCP connection of /matrix did not end")
    client, server = connection.from_client(), connection.from_server()
    ours, theirs = (client, server) if run.side == "client" else (server, client)
    if not all(frame.masked for frame in client.frames):
        run.faults.append("on the wire: a frame from the client is not masked")
    if any(frame.masked for frame in server.frames):
        run.faults.append("on the wire: a frame from the server is masked")
    if ("permessage-deflate" in server.extensions()) != run.compressed:
        run.faults.append(f"on the wire: extensions in the response: '{server.extensions()}'")
    expected = expected_messages()
    if len(ours.messages()) != len(expected):
        run.faults.append(f"on the wire: {len(ours.messages())} messages from us, not {len(expected)}")
    for number, ((rsv1, length), (kind, size)) in enumerate(zip(ours.messages(), expected)):
        what = f"on the wire: message {number} from us ({kind}, {size} bytes)"
        if rsv1 and not run.compressed:
            run.faults.append(f"{what} has RSV1, though compression is off")
        if run.compressed and size > THRESHOLD_BYTES and kind != "noise":
            if not rsv1:
                run.faults.append(f"{what} is not compressed")
            elif length >= size:
                run.faults.append(f"{what} is not smaller: {length} bytes")
        if not rsv1 and length != size:
            run.faults.append(f"{what} took {length} bytes")
    if run.compressed and not any(rsv1 for rsv1, _ in theirs.messages()):
        run.faults.append("on the wire: no message from the peer is compressed, so ours did not have to inflate")


def expected_messages():
    burst = MATRIX["burst"]
    return [(m["kind"], m["bytes"]) for m in MATRIX["messages"]] + [(burst["kind"], burst["bytes"])] * burst["count"]


def make_certificates(work):
    """An authority and a certificate for localhost and 127.0.0.1, made for this run."""
    directory = work / "certificates"
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "ca.ext").write_text("basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n")
    (directory / "leaf.ext").write_text(
        "basicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\nsubjectAltName=DNS:localhost,IP:127.0.0.1\n"
    )
    for name, signer in [("ca", ["-signkey", "ca.key"]), ("leaf", ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"])]:
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", f"{name}.key"]
        openssl(directory, "req", "-new", *key, "-out", f"{name}.csr", "-subj", f"/CN=interop {name}")
        signed = ["-in", f"{name}.csr", "-out", f"{name}.pem", "-days", "30", "-extfile", f"{name}.ext"]
        openssl(directory, "x509", "-req", *signed, *signer)


def openssl(directory, *arguments):
    done = subprocess.run(["openssl", *arguments], cwd=directory, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"openssl {arguments[0]}: {done.stderr}")


def port_of(url):
    return int(url.rsplit(":", 1)[1])


if __name__ == "__main__":
    sys.exit(main())
