"""A WebSocket client on asyncio that exchanges numbered messages, and knows for each whether its reply came."""
import asyncio
import base64
import os

OPENING = (
    "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10


class Client:
    """Keeps `window` messages under way; the reply to message n is the text n."""

    def __init__(self, reader, writer, window):
        self._reader, self._writer, self._window = reader, writer, window
        self.sent = self.acknowledged = 0
        self.closed_with = None  # the code of the server's Close frame
        self.fault = None
        self.is_stopping = False

    @classmethod
    async def connect(cls, port, window, tls=None):
        client = await cls.ask(port, window, tls)
        await client.opened()
        return client

    @classmethod
    async def ask(cls, port, window, tls=None):
        """One that has sent its opening handshake."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=tls, server_hostname="localhost" if tls else None)
        writer.write(OPENING.format(key=base64.b64encode(os.urandom(16)).decode()).encode())
        return cls(reader, writer, window)

    async def opened(self):
        """Waits for the answer to it."""
        head = await self._reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 101 "):
            raise ConnectionError(head.split(b"\r\n")[0].decode())

    def certificate(self):
        """The server's, DER."""
        return self._writer.get_extra_info("ssl_object").getpeercert(binary_form=True)

    async def run(self):
        """Exchanges messages until the server closes, or `stop` was called."""
        try:
            for _ in range(self._window):
                self._send_next()
            while True:
                opcode, payload = await self._frame()
                if opcode == TEXT:
                    self._acknowledge(payload)
                elif opcode == PING:
                    self._write(PONG, payload)
                elif opcode == CLOSE:
                    self.closed_with = int.from_bytes(payload[:2], "big")
                    if not self.is_stopping:
                        self._write(CLOSE, payload[:2])
                    break
            # The server ends the stream first (RFC 6455 §7.1.1).
            if rest := await self._reader.read(1):
                self.fault = f"{rest!r} came behind the Close frame"
        except (OSError, asyncio.IncompleteReadError) as error:
            self.fault = f"after {self.acknowledged} replies: {error!r}"
        finally:
            self._writer.close()

    def stop(self):
        """Begins to close."""
        self.is_stopping = True
        self._write(CLOSE, (1000).to_bytes(2, "big"))

    def leave(self):
        """Ends the stream without a word."""
        self._writer.close()

    def _acknowledge(self, payload):
        if payload.decode() != str(self.acknowledged):
            raise ConnectionError(f"the reply to {self.acknowledged} is {payload!r}")
        self.acknowledged += 1
        if not self.is_stopping:
            self._send_next()

    def _send_next(self):
        self._write(TEXT, str(self.sent).encode())
        self.sent += 1

    def _write(self, opcode, payload):
        key = os.urandom(4)
        masked = bytes(byte ^ key[index % 4] for index, byte in enumerate(payload))
        self._writer.write(bytes([0x80 | opcode, 0x80 | len(payload)]) + key + masked)

    async def _frame(self):
        first, length = await self._reader.readexactly(2)
        if length == 126:
            length = int.from_bytes(await self._reader.readexactly(2), "big")
        return first & 0x0F, await self._reader.readexactly(length)


async def connect_all(count, port, window, tls=None, at_once=100):
    """So many clients."""
    turns = asyncio.Semaphore(at_once)

    async def one():
        async with turns:
            return await Client.connect(port, window, tls)

    return await asyncio.gather(*(one() for _ in range(count)))
