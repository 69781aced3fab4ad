"""The Python peer, on the package `websockets`: tests whoever echoes at the other end, as its client or its server.

    peer.py client --url URL [--ca FILE] [--compression on|narrow|off]
    peer.py server [--cert FILE --key FILE] [--compression on|narrow|off]

The client runs every scenario against URL. The server prints `listening on URL`, and the path of each connection
names its scenario. For each scenario one line of JSON is printed: {"scenario": "/matrix", "fault": null or a sentence}.
peer.js is the same on npm's `ws`; what both send is in matrix.json.
"""
import argparse
import asyncio
import http
import json
import random
import ssl
from pathlib import Path

from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
from websockets.extensions import permessage_deflate as deflate

MATRIX = json.loads(Path(__file__).with_name("matrix.json").read_text())
PATIENCE = 20  # seconds for anything that is waited for
WORDS = "frame mask opcode Grüße 世界 payload 😀 fin ".split(" ")


class Fault(Exception):
    """What the other end did wrong."""


async def matrix(ws):
    for number, message in enumerate(MATRIX["messages"]):
        sent = payload(message["kind"], message["bytes"], number)
        what = f"message {number} ({message})"
        if "fragments" in message:
            pong = await send_in_fragments(ws, sent, message)
            expect(await soon(ws.recv()), sent, what)
            await soon(pong)
        else:
            await soon(ws.send(sent))
            expect(await soon(ws.recv()), sent, what)
    burst = [payload(MATRIX["burst"]["kind"], MATRIX["burst"]["bytes"], n) for n in range(MATRIX["burst"]["count"])]
    for sent in burst:
        await soon(ws.send(sent))
    for number, sent in enumerate(burst):
        expect(await soon(ws.recv()), sent, f"message {number} of the burst")
    for size in MATRIX["pings"]:
        # Completes with the pong that carries the same payload.
        await soon(await ws.ping(b"p" * size))
    await close(ws, 1000, "done")


async def send_in_fragments(ws, message, plan):
    """Cut anywhere, also inside a character; a ping goes out between the first two fragments."""
    text = isinstance(message, str)
    data = message.encode() if text else message
    size = -(-len(data) // plan["fragments"])
    pongs = []

    async def fragments():
        for start in range(0, len(data), size):
            yield data[start : start + size]
            if start == 0:
                pongs.append(await ws.ping(b"between"))

    await soon(ws.send(fragments(), text=text))
    return pongs[0]


async def close(ws, code, reason):
    if code is None:
        # The package's own close() always sends a code.
        async with ws.send_context():
            ws.protocol.send_close()
    else:
        await soon(ws.close(code, reason))
    await soon(ws.wait_closed())
    received = ws.protocol.close_rcvd
    if received is None:
        raise Fault("the connection ended without a Close frame")
    # The code comes back (RFC 6455 §5.5.1); our reason is ours alone.
    if (received.code, received.reason) != (code or 1005, ""):
        raise Fault(f"close {code} {reason!r} was answered with {received.code} {received.reason!r}")


async def close_after_echo(ws, code, reason):
    await echo_once(ws)
    await close(ws, code, reason)


async def drop(ws):
    await echo_once(ws)
    ws.transport.abort()


async def echo_once(ws):
    await soon(ws.send("before"))
    expect(await soon(ws.recv()), "before", "the only message")


def expect(got, sent, what):
    if type(got) is not type(sent):
        raise Fault(f"{what}: sent {type(sent).__name__}, got back {type(got).__name__}")
    if got != sent:
        raise Fault(f"{what}: the {len(got)} bytes or characters that came back are not the {len(sent)} sent")


async def soon(awaitable):
    try:
        return await asyncio.wait_for(awaitable, PATIENCE)
    except TimeoutError:
        raise Fault(f"waited {PATIENCE} s in vain") from None


def payload(kind, size, seed):
    chance = random.Random(seed)
    if kind == "noise":
        return chance.randbytes(size)
    text = " ".join(chance.choices(WORDS, k=size // 4 + 1))
    if kind == "binary":
        return (text.encode() * 2)[:size]
    cut = text.encode()[:size].decode(errors="ignore")
    return cut + "." * (size - len(cut.encode()))


SCENARIOS = {"/matrix": matrix, "/drop": drop} | {
    f"/close/{close['code'] or 'none'}": lambda ws, close=close: close_after_echo(ws, **close) for close in MATRIX["closes"]
}


async def outcome(scenario, ws):
    try:
        await SCENARIOS[scenario](ws)
    except Fault as fault:
        return str(fault)
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def report(scenario, fault):
    print(json.dumps({"scenario": scenario, "fault": fault}), flush=True)


async def client(options):
    trust = ssl.create_default_context(cafile=options.ca) if options.ca else None
    extensions = compression(options.compression, deflate.ClientPerMessageDeflateFactory)
    for scenario in SCENARIOS:
        if scenario == "/drop":
            continue
        try:
            async with connect(options.url + scenario, ssl=trust, proxy=None, max_size=2**24, **extensions) as ws:
                fault = await outcome(scenario, ws)
        except Exception as error:
            fault = f"{type(error).__name__}: {error}"
        report(scenario, fault)


async def server(options):
    async def handler(ws):
        report(ws.request.path, await outcome(ws.request.path, ws))

    def refuse(ws, request):
        if request.path not in SCENARIOS:
            return ws.respond(http.HTTPStatus.FORBIDDEN, "no such scenario\n")

    certificate = None
    if options.cert:
        certificate = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.load_cert_chain(options.cert, options.key)
    extensions = compression(options.compression, deflate.ServerPerMessageDeflateFactory)
    async with serve(
        handler, "127.0.0.1", 0, ssl=certificate, process_request=refuse, max_size=2**24, **extensions
    ) as listener:
        scheme = "wss" if certificate else "ws"
        print(f"listening on {scheme}://127.0.0.1:{listener.sockets[0].getsockname()[1]}/", flush=True)
        await listener.serve_forever()


def compression(mode, factory):
    if mode == "narrow":
        narrow = factory(
            server_no_context_takeover=True,
            client_no_context_takeover=True,
            server_max_window_bits=10,
            client_max_window_bits=10,
        )
        return {"compression": None, "extensions": [narrow]}
    return {"compression": {"on": "deflate", "off": None}[mode]}


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("role", choices=["client", "server"])
    options.add_argument("--url")
    options.add_argument("--ca")
    options.add_argument("--cert")
    options.add_argument("--key")
    options.add_argument("--compression", default="on", choices=["on", "narrow", "off"])
    options = options.parse_args()
    asyncio.run({"client": client, "server": server}[options.role](options))


if __name__ == "__main__":
    main()
