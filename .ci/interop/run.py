#!/usr/bin/env python3
"""Tests our echo server and our clients against what others wrote, over both drivers, ws and wss, with and without
compression: npm's `ws` and Python's `websockets`, nginx as a reverse proxy in front of our server, an axum application,
and proxies of both kinds (between.py).

The peers (peer.js, peer.py, and our echo_check) send matrix.json and check the echoes, pongs and Close frames; here we
start both ends, check how our programs end, and read on the wire (ws only) what was compressed. A word after the options
restricts the combinations to those with this word: `run.py ... client sync wss python 'off by us'`.
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
from urllib.parse import unquote, urlsplit

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import between
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
# Our client as a peer of our server: its driver.
CHECKS = {"echo_check": "tokio", "echo_check sync": "sync"}
# name: what starts it
PROXIES = {
    "tinyproxy": lambda run: between.tinyproxy(run.log("tinyproxy")),
    "tinyproxy password": lambda run: between.tinyproxy(run.log("tinyproxy"), password=True),
    "squid TLS password": lambda run: between.squid(*run.identity(), run.log("squid")),
    "microsocks": lambda run: between.microsocks(run.log("microsocks")),
    "microsocks password": lambda run: between.microsocks(run.log("microsocks"), password=True),
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

    tests = {"server": test_server, "client": test_client, "nginx": test_nginx, "axum": test_axum, "proxy": test_proxy}
    ran = failed = scenarios = 0
    for words in combinations():
        if not set(options.words) <= set(words):
            continue
        began = time.monotonic()
        combination = Combination(*words, options, logs)
        try:
            tests[combination.side](combination)
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


def combinations():
    """Words: what of ours is tested or what is between, our driver, the scheme, the other end, compression."""
    drivers, schemes = ["tokio", "sync"], ["ws", "wss"]
    yield from itertools.product(["server", "client"], drivers, schemes, ["node", "python"], COMPRESSION)
    yield from itertools.product(["nginx"], drivers, ["wss"], ["node", "python", *CHECKS], ["deflate", "off by us"])
    yield from itertools.product(["axum"], drivers, ["ws"], ["axum_app"], ["deflate", "off by us"])
    yield from itertools.product(["proxy"], drivers, schemes, PROXIES, ["deflate"])


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
        return "{:<6} {:<5} {:<3} with {:<20} {:<14}".format(*self.words)

    def our_program(self, name, *arguments, log=""):
        return Program([self.example(name), *arguments, *self.our_flags], self.log(name + log))

    def example(self, name):
        return self._options.programs / "examples" / name

    def check(self, url, *arguments, driver):
        """Our client that checks who echoes; the report is that of a peer."""
        flags = ["--driver", driver, "--compressed", str(self.compressed).lower()]
        flags += [flag for flag in self.our_flags if flag == "--no-deflate"]
        plan = ["--plan", HERE / "matrix.json"]
        return Program([self.example("echo_check"), "--url", url, *plan, *flags, *arguments], self.log("echo_check"))

    def peer(self, role, *arguments):
        argv = {"node": ["node", HERE / "peer.js"], "python": [self._options.python, HERE / "peer.py"]}[self._peer]
        env = {**os.environ, "NODE_PATH": str(self._options.node_modules.resolve())}
        arguments = [role, *arguments, "--compression", self.peer_compression]
        return Program([*argv, *arguments], self.log("peer"), env=env)

    def certificate(self, name):
        return self._options.work / "certificates" / name

    def identity(self):
        """The certificate of a server on this machine, and its key."""
        return self.certificate("leaf.pem"), self.certificate("leaf.key")

    def trust(self):
        return ["--ca", self.certificate("ca.pem")]

    def log(self, name):
        return self._logs / ("-".join([*self.words, name]).replace(" ", "-").replace("/", "-") + ".log")


def test_server(run):
    tls = run.scheme == "wss"
    certificate = ["--tls-cert", run.certificate("leaf.pem"), "--tls-key", run.certificate("leaf.key")] if tls else []
    with run.our_program("echo_server", "--listen", "127.0.0.1:0", *certificate) as server:
        url = server.listening()
        with Tap(port_of(url)) as tap:
            seen = url if tls else f"ws://127.0.0.1:{tap.port}"
            trust = ["--ca", run.certificate("ca.pem")] if tls else []
            clean_end(run, run.peer("client", "--url", seen, *trust))
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


def test_nginx(run):
    """Our server behind nginx, which ends TLS."""
    with run.our_program("echo_server", "--listen", "127.0.0.1:0") as server:
        with between.nginx(port_of(server.listening()), *run.identity(), run.log("nginx")) as port:
            url = f"wss://localhost:{port}"
            if run.words[3] in CHECKS:
                clean_end(run, run.check(url, *run.trust(), driver=CHECKS[run.words[3]]))
            else:
                clean_end(run, run.peer("client", "--url", url, *run.trust()))
        server.check_alive()


def test_axum(run):
    """Our client against an axum application."""
    with Program([run.example("axum_app"), "--listen", "127.0.0.1:0"], run.log("axum_app")) as server:
        url = server.listening().replace("http:", "ws:") + "/ws"
        clean_end(run, run.check(url, "--one-path", driver=run.driver))
        server.check_alive()


def test_proxy(run):
    """Our client, through a proxy, to our server."""
    certificate = itertools.chain(*zip(["--tls-cert", "--tls-key"], run.identity())) if run.scheme == "wss" else []
    with run.our_program("echo_server", "--listen", "127.0.0.1:0", *certificate) as server, PROXIES[run.words[3]](run) as proxy:
        # The name is the proxy's to resolve.
        url = server.listening().replace("127.0.0.1", "localhost")
        clean_end(run, run.check(url, *run.trust(), "--proxy", proxy, driver=run.driver))
        nobody = f"{run.scheme}://localhost:{free_port()}/"
        said = [end_badly(run, "nobody listening", nobody, [*run.trust(), "--proxy", proxy])]
        if password := urlsplit(proxy).password:
            wrong = proxy.replace(password, "guessed")
            said += [
                end_badly(run, "a wrong password", url + "/", [*run.trust(), "--proxy", wrong]),
                end_badly(run, "no password", url + "/", [*run.trust(), "--proxy", proxy.replace(f"{between.USER}:{password}@", "")]),
            ]
            for secret in [password, unquote(password), "guessed"]:
                if any(secret in line for line in said):
                    run.faults.append(f"{secret} is in what echo_client said: {said}")
        server.check_alive()


def clean_end(run, started):
    """The peer shall find no fault in any scenario."""
    with started as peer:
        for scenario in CLEAN:
            read_report(run, peer, scenario)
        if peer.wait(PATIENCE) != 0:
            run.faults.append(f"the peer ended with status {peer.process.returncode}, see {peer.errors}")


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
        return " ".join(said)


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
