#!/usr/bin/env python3
"""Servers under load: one that is told to stop (`drain`), one that gets new certificates (`reload`), one that is asked for its metrics (`metrics`),
and one without descriptors (`descriptors`).

drain: the example `graceful_shutdown` has 2,000 connections that exchange numbered messages without a pause when it gets SIGTERM. Every
client must see 1012 and the end of the stream behind it, the replies must have come in order and without a gap, the clients must have
got as many as the server counted, and the process must end inside its time of grace.

reload: the example `tls_reload` gets a new certificate five times while 200 connections exchange messages. None may end or stand still, and a
handshake behind each reload must see the new certificate.

metrics: the example `metrics` is asked for `/health` and `/metrics` while 200 connections exchange messages; in the end it must have counted as many
messages, bytes, handshakes and closes as the clients.

descriptors: the example `graceful_shutdown` may open no more file descriptors than 50 connections take, has them, and is asked for 100 more. It
must neither end nor spin: its CPU time and its wake-ups are printed beside the span; a tenth of it is a fault, and so are 50 a second. The 50 go
on; when 10 of them close, 10 of those that wait are let in, and behind the others' end a new one is.
"""
import argparse
import asyncio
import os
import resource
import shutil
import signal
import ssl
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from client import Client, connect_all
from programs import CheckFailed, Program, end_children_on_signals

GOING_AWAY, SERVICE_RESTART, NORMAL = 1001, 1012, 1000
PATIENCE = 120  # seconds for what has no time of its own
RELOADS = 5
SPAN = 5  # seconds, in which a server without descriptors is looked at
WAKE_UPS = 50  # a second; it looks again after 10 ms, twice as late each time, and at the latest after a second


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--programs", type=Path, required=True, help="directory of examples/graceful_shutdown, tls_reload and metrics")
    options.add_argument("--work", type=Path, required=True, help="where logs and certificates go")
    options.add_argument("--connections", type=int, help="default: 2000 for drain, 50 for descriptors, 200 for the others")
    options.add_argument("--grace", type=int, default=10, help="seconds (drain)")
    options.add_argument("check", nargs="*", choices=[*CHECKS, []], help="default: all")
    options = options.parse_args()
    end_children_on_signals()
    shutil.rmtree(options.work, ignore_errors=True)
    options.work.mkdir(parents=True)
    # Both ends of all connections; the server inherits it.
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    faults = 0
    for name in options.check or CHECKS:
        try:
            found = asyncio.run(CHECKS[name](options))
        except (CheckFailed, OSError, TimeoutError, asyncio.IncompleteReadError) as failure:
            found = [f"{failure!r}"]
        faults += len(found)
        for fault in found[:20]:
            print(f"FAULT {name}: {fault}")
        print(f"{name}: {len(found)} faults", flush=True)
    return 1 if faults else 0


async def drain(options):
    count = options.connections or 2000
    with program("graceful_shutdown", options, "--grace", options.grace) as server:
        clients = await connect_all(count, port_of(server), 4)
        running = asyncio.gather(*(client.run() for client in clients))
        # Everybody is in the middle of it.
        await until(lambda: all(client.acknowledged >= 10 for client in clients))
        server.process.send_signal(signal.SIGTERM)
        told = time.monotonic()
        status = await asyncio.to_thread(server.wait, options.grace + PATIENCE)
        took = time.monotonic() - told
        await asyncio.wait_for(running, PATIENCE)
        lines = [server.line(1) for _ in range(4)]
    open_then, (ended, cut), (clean, unsent), answered = [numbers(line) for line in lines]
    sent, acknowledged = (sum(getattr(client, what) for client in clients) for what in ("sent", "acknowledged"))
    faults = [f"connection {number}: {client.fault}" for number, client in enumerate(clients) if client.fault]
    codes = {code: sum(client.closed_with == code for client in clients) for code in {client.closed_with for client in clients}}
    if not codes.keys() <= {GOING_AWAY, SERVICE_RESTART}:
        faults.append(f"close codes were {codes}")
    if answered != [acknowledged]:
        faults.append(f"the server answered {answered} messages, and {acknowledged} replies came")
    if open_then != [count] or ended != count or cut or clean != count or unsent:
        faults.append(f"the server reports {lines}")
    if status != 0 or took > options.grace:
        faults.append(f"the process ended with status {status} after {took:.1f} s, and the time of grace is {options.grace} s")
    print(
        f"drain: {count} connections, {sent} messages sent, {acknowledged} replies came and {answered[0]} were given, the other "
        f"{sent - acknowledged} were under way behind the server's Close frame; close codes {codes}; {clean} closed cleanly; ended {took:.1f} s after SIGTERM"
    )
    return faults


async def reload(options):
    count = options.connections or 200
    make_certificate(options.work, 0)
    faults = []
    paths = ["--certificate", options.work / "server.pem", "--key", options.work / "server.key"]
    with program("tls_reload", options, *paths) as server:
        port = port_of(server)
        clients = await connect_all(count, port, 1, client_tls())
        running = asyncio.gather(*(client.run() for client in clients))
        seen = {clients[0].certificate()}
        for number in range(1, RELOADS + 1):
            expected = make_certificate(options.work, number)
            server.process.send_signal(signal.SIGHUP)
            line = await asyncio.to_thread(server.line, PATIENCE)
            # It looks at its files every 10 s too, and tells the same.
            if "get the new certificate" not in line:
                faults.append(f"reload {number}: {line!r}")
            newcomer = await Client.connect(port, 1, client_tls())
            seen.add(newcomer.certificate())
            if newcomer.certificate() != expected:
                faults.append(f"reload {number}: a new handshake saw another certificate")
            before = [client.acknowledged for client in clients]
            clients.append(newcomer)
            running = asyncio.gather(running, newcomer.run())
            await until(lambda: all(client.acknowledged > was + 10 for client, was in zip(clients, before)))
        for client in clients:
            client.stop()
        await asyncio.wait_for(running, PATIENCE)
        server.check_alive()
    faults += faults_of(clients)
    print(
        f"reload: {len(clients)} connections, {RELOADS} reloads, {len(seen)} certificates seen, "
        f"{sum(client.acknowledged for client in clients)} replies, all closed with 1000: {not faults}"
    )
    return faults


async def metrics(options):
    count = options.connections or 200
    with program("metrics", options) as server:
        port = port_of(server)
        clients = await connect_all(count, port, 4)
        running = asyncio.gather(*(client.run() for client in clients))
        healthy = [await asyncio.to_thread(get, port, "/health")]
        await until(lambda: all(client.acknowledged >= 50 for client in clients))
        busy = values(await asyncio.to_thread(get, port, "/metrics"))
        for client in clients:
            client.stop()
        await asyncio.wait_for(running, PATIENCE)
        healthy.append(await asyncio.to_thread(get, port, "/health"))
        quiet = values(await asyncio.to_thread(get, port, "/metrics"))
        server.check_alive()
    faults = [f"connection {number}: {client.fault}" for number, client in enumerate(clients) if client.fault]
    if healthy != ["ok\n"] * 2:
        faults.append(f"/health answered {healthy}")
    messages, sizes = (sum(of(client) for client in clients) for of in (lambda it: it.sent, lambda it: sum(len(str(n)) for n in range(it.sent))))
    expected = {
        'ws_server_messages_total{direction="received"}': messages,
        'ws_server_messages_total{direction="sent"}': sum(client.acknowledged for client in clients),
        'ws_server_bytes_total{direction="received"}': sizes,
        'ws_server_handshakes_total{result="accepted"}': count,
        'ws_server_closes_total{by="client",code="1000"}': count,
    }
    faults += [f"{name} is {quiet.get(name)}, not {value}" for name, value in expected.items() if quiet.get(name) != value]
    if not 50 * count <= busy.get('ws_server_messages_total{direction="sent"}', 0) <= messages:
        faults.append(f"under load the messages were {busy}")
    print(f"metrics: {count} connections, {messages} messages, {len(quiet)} values; those of messages, bytes, handshakes and closes as counted by the clients")
    return faults


def faults_of(clients):
    """Those that clients have met, who all were to end by a normal closing handshake."""
    faults = [f"connection {number}: {client.fault}" for number, client in enumerate(clients) if client.fault]
    return faults + [f"a connection was closed with {client.closed_with}" for client in clients if client.closed_with != NORMAL]


def let_in(answer):
    """Has its connection been opened? One that has failed is done, too."""
    return answer.done() and not answer.cancelled() and answer.exception() is None


def get(port, path):
    """The body of a page."""
    # By no proxy that the environment may name.
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(f"http://127.0.0.1:{port}{path}", timeout=PATIENCE) as response:
        return response.read().decode()


def values(page):
    """Each value of a page for Prometheus by its name and labels."""
    lines = [line.rsplit(" ", 1) for line in page.splitlines() if line and not line.startswith("#")]
    return {name: float(value) for name, value in lines}


async def descriptors(options):
    count = options.connections or 50
    with program("graceful_shutdown", options) as server:
        port, pid = port_of(server), server.process.pid
        limit = len(os.listdir(f"/proc/{pid}/fd")) + count
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (limit, limit))
        held = await connect_all(count, port, 1)
        waiting = [await Client.ask(port, 1) for _ in range(2 * count)]
        answers = [asyncio.create_task(client.opened()) for client in waiting]
        # Nobody says anything meanwhile.
        before, woken = cpu_seconds(pid), wake_ups(pid)
        await asyncio.sleep(SPAN)
        cpu, woken = cpu_seconds(pid) - before, wake_ups(pid) - woken
        faults = ["a connection beyond the limit was let in"] if any(map(let_in, answers)) else []
        if cpu > SPAN / 10 or woken > SPAN * WAKE_UPS:
            faults.append(f"the server took {cpu:.2f} s of CPU and woke {woken} times in {SPAN} s in which nothing can be done")
        running = asyncio.gather(*(client.run() for client in held))
        await until(lambda: all(client.acknowledged >= 10 for client in held))

        room = count // 5
        for client in held[:room]:
            client.stop()
        await until(lambda: sum(map(let_in, answers)) >= room)
        entered = [client for client, answer in zip(waiting, answers) if let_in(answer)]
        for answer in answers:
            answer.cancel()
        for client in waiting:
            client.leave()
        newcomer = await asyncio.wait_for(Client.connect(port, 1), PATIENCE)
        running = asyncio.gather(running, newcomer.run())
        held_on = held[room:]
        were = [client.acknowledged for client in held_on]
        await until(lambda: newcomer.acknowledged >= 10 and all(client.acknowledged > was for client, was in zip(held_on, were)))
        for client in (*held_on, newcomer):
            client.stop()
        await asyncio.wait_for(running, PATIENCE)
        server.check_alive()
    everyone = (*held, newcomer)
    faults += faults_of(everyone)
    print(
        f"descriptors: {limit} of them and {count} connections, {len(waiting)} more waited; in {SPAN} s of that the server took {cpu:.2f} s of CPU "
        f"and woke {woken} times; {room} closed and {len(entered)} were let in, then a newcomer; {sum(client.acknowledged for client in held)} replies"
    )
    return faults


def cpu_seconds(pid):
    """What the process has taken, as user and in the system."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def wake_ups(pid):
    """How often its threads went to sleep of their own accord."""
    statuses = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/status")]
    return sum(int(line.split()[1]) for status in statuses for line in status.splitlines() if line.startswith("voluntary"))


CHECKS = {"drain": drain, "reload": reload, "metrics": metrics, "descriptors": descriptors}


def program(name, options, *arguments):
    argv = [options.programs / "examples" / name, "--listen", "127.0.0.1:0", *arguments]
    return Program(argv, options.work / f"{name}.log")


def port_of(server):
    return int(server.listening().rsplit(":", 1)[1])


async def until(holds):
    deadline = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > deadline:
            raise CheckFailed("the connections stand still")
        await asyncio.sleep(0.05)


def numbers(line):
    """All numbers of a line."""
    return [int(word) for word in line.split() if word.isdigit()]


def make_certificate(work, number):
    """Replaces server.pem and server.key; the certificate as DER."""
    new = work / f"new-{number}"
    argv = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    argv += ["-subj", f"/CN=localhost {number}", "-addext", "subjectAltName=DNS:localhost"]
    subprocess.run([*argv, "-keyout", f"{new}.key", "-out", f"{new}.pem"], check=True, capture_output=True)
    der = ssl.PEM_cert_to_DER_cert(Path(f"{new}.pem").read_text())
    for ending in ("key", "pem"):
        os.replace(f"{new}.{ending}", work / f"server.{ending}")
    return der


def client_tls():
    """Compares certificates itself."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


if __name__ == "__main__":
    sys.exit(main())
