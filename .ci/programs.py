"""Programs that a check starts, listens to and ends: what is under test, and the peers it is tested against."""
import contextlib
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

_running = set()
_ports, _ports_lock = set(), threading.Lock()


class Program:
    """A child process whose output is read line by line, and whose errors go to the file `errors`."""

    def __init__(self, argv, errors, output_too=False, env=None):
        """`output_too`: what it prints goes to that file as well."""
        self.argv = [str(word) for word in argv]
        self.errors = Path(errors)
        self._rest = b""
        with open(errors, "wb") as file:
            output = file if output_too else subprocess.PIPE
            try:
                self.process = subprocess.Popen(self.argv, stdin=subprocess.DEVNULL, stdout=output, stderr=file, env=env)
            except OSError as error:
                raise CheckFailed(f"{self.argv[0]} does not start: {error.strerror}") from None
        _running.add(self)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def line(self, seconds):
        """The next line of its output; `CheckFailed` when it ends, or none comes in time."""
        deadline = time.monotonic() + seconds
        pipe = self.process.stdout
        while b"\n" not in self._rest:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([pipe], [], [], left)[0]:
                raise CheckFailed(f"{self.name}: no line within {seconds} s")
            piece = pipe.read1(65536)
            if not piece:
                raise CheckFailed(f"{self.name}: ended without the line that was waited for")
            self._rest += piece
        line, self._rest = self._rest.split(b"\n", 1)
        return line.decode(errors="replace")

    def listening(self, seconds=20):
        """The URL of a server whose first line is `listening on URL`."""
        line = self.line(seconds)
        if not line.startswith("listening on "):
            raise CheckFailed(f"{self.name}: first line is {line!r}, not 'listening on URL'")
        return line.removeprefix("listening on ").strip().rstrip("/")

    def wait(self, seconds):
        """Its exit status."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise CheckFailed(f"{self.name}: still running after {seconds} s") from None

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()
        _running.discard(self)

    def check_alive(self):
        """`CheckFailed` when a server has ended, or one of its tasks or threads has, by a panic."""
        status = self.process.poll()
        if status is not None:
            raise CheckFailed(f"{self.name}: ended with status {status}, see {self.errors}")
        if "panicked at" in self.errors.read_text(errors="replace"):
            raise CheckFailed(f"{self.name}: panicked, see {self.errors}")

    @property
    def name(self):
        return self.argv[0].rsplit("/", 1)[-1]


class CheckFailed(Exception):
    """One sentence on what did not hold."""


def free_port():
    """A port that was free a moment ago, for a program that cannot choose one itself; each is given once."""
    while True:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
        # Of two programs that are started with one port, one fails, and the clients of both reach the other.
        with _ports_lock:
            if port not in _ports:
                _ports.add(port)
                return port


def wait_for_port(port, program, seconds=20):
    """Returns once `program` accepts connections on `port`."""
    deadline = time.monotonic() + seconds
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        if program.process.poll() is not None or time.monotonic() > deadline:
            raise CheckFailed(f"{program.name}: does not listen on port {port}")
        time.sleep(0.05)


def end_children_on_signals():
    """A check that is told to end ends what it has started, by its id."""

    def end(number, _frame):
        for program in list(_running):
            program.process.kill()
        sys.stdout.flush()
        signal.signal(number, signal.SIG_DFL)
        signal.raise_signal(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
