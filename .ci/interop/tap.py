"""A tap in a TCP connection: it passes everything on, keeps a copy, and reads the frames out of it afterwards."""
import dataclasses
import socket
import threading


class Tap:
    """Listens on a port of its own and leads each connection on to `target`."""

    def __init__(self, target):
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.connections = []
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # shutdown() wakes the thread that waits in accept().
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                # Nobody is there now; there may be somebody later.
                client.close()
                continue
            self.connections.append(Tapped(client, server))


class Tapped:
    """One connection, as it went over the wire."""

    def __init__(self, client, server):
        self._from_client, self._from_server = bytearray(), bytearray()
        self._pumps = [
            threading.Thread(target=pump, args=way, daemon=True)
            for way in [(client, server, self._from_client), (server, client, self._from_server)]
        ]
        for thread in self._pumps:
            thread.start()

    def ended(self, seconds):
        """Waits for the end of both directions."""
        for thread in self._pumps:
            thread.join(seconds)
        return not any(thread.is_alive() for thread in self._pumps)

    def from_client(self):
        return Direction(bytes(self._from_client))

    def from_server(self):
        return Direction(bytes(self._from_server))


def pump(source, sink, copy):
    try:
        while piece := source.recv(65536):
            copy += piece
            sink.sendall(piece)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        # An end is gone; the other one shall see it too.
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


class Direction:
    """The HTTP head and the frames that one end has sent."""

    def __init__(self, data):
        head, _, rest = data.partition(b"\r\n\r\n")
        self.head = head.decode("latin-1")
        self.frames = list(frames(rest))

    def extensions(self):
        """The values of Sec-WebSocket-Extensions, '' when there is no such header."""
        lines = [line.partition(":") for line in self.head.split("\r\n")[1:]]
        return ", ".join(value.strip() for name, _, value in lines if name.lower() == "sec-websocket-extensions")

    def messages(self):
        """Text and binary messages: (RSV1 of the first frame, payload bytes of all frames)."""
        found = []
        for frame in self.frames:
            if frame.opcode in (1, 2):
                found.append((frame.rsv1, frame.length))
            elif frame.opcode == 0 and found:
                found[-1] = (found[-1][0], found[-1][1] + frame.length)
        return found


@dataclasses.dataclass
class Frame:
    fin: bool
    rsv1: bool
    opcode: int
    masked: bool
    length: int


def frames(data):
    """RFC 6455 §5.2; a frame whose payload is cut off at the end counts as well."""
    at = 0
    while len(data) - at >= 2:
        first, second = data[at], data[at + 1]
        length, at = second & 0x7F, at + 2
        if length >= 126:
            size = 2 if length == 126 else 8
            length, at = int.from_bytes(data[at : at + size], "big"), at + size
        masked = bool(second & 0x80)
        yield Frame(bool(first & 0x80), bool(first & 0x40), first & 0x0F, masked, length)
        at += length + 4 * masked
