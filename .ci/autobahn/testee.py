"""The package `websockets` under a fuzzing suite, with its defaults but for the size of messages: an echo server, or a client.

    testee.py server                           prints `listening on URL`, and echoes
    testee.py client --url URL --agent NAME    runs all cases of the fuzzing server at URL, and has the reports written

testee.js is the same on npm's `ws`.
"""
import argparse
import asyncio
import contextlib
import logging

from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
from websockets.exceptions import WebSocketException

# Section 9 goes up to 16 MiB.
LIMITS = {"max_size": 2**24}


async def echo(ws):
    with contextlib.suppress(WebSocketException, OSError):
        async for message in ws:
            await ws.send(message)


async def client(options):
    def to(path):
        return connect(options.url + path, proxy=None, **LIMITS)

    async with to("/getCaseCount") as ws:
        count = int(await ws.recv())
    for case in range(1, count + 1):
        # Judged by the suite, also where the connection is never open.
        with contextlib.suppress(WebSocketException, OSError):
            async with to(f"/runCase?case={case}&agent={options.agent}") as ws:
                await echo(ws)
    async with to(f"/updateReports?agent={options.agent}") as ws:
        await ws.wait_closed()


async def server(_):
    async with serve(echo, "127.0.0.1", 0, **LIMITS) as listener:
        print(f"listening on ws://127.0.0.1:{listener.sockets[0].getsockname()[1]}/", flush=True)
        await listener.serve_forever()


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("role", choices=["client", "server"])
    options.add_argument("--url")
    options.add_argument("--agent")
    options = options.parse_args()
    # What a case does to its connection is no news.
    logging.getLogger("websockets").setLevel(logging.CRITICAL)
    asyncio.run({"client": client, "server": server}[options.role](options))


if __name__ == "__main__":
    main()
