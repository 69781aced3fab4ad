"""Our echo servers, as a suite tests them: over both drivers, and behind the HTTP servers that our sockets upgrade from."""
import contextlib

from programs import Program

# Only where they are named.
UPGRADES = ["server-hyper", "server-axum"]


@contextlib.contextmanager
def echo_server(driver, work, options):
    """Its URL; checks at the end that it still runs."""
    name, arguments, path = "echo_server", ["--driver", driver], ""
    if f"server-{driver}" in UPGRADES:
        name, arguments, path = f"{driver}_app", [], "/ws"
    program = options.programs / "examples" / name
    with Program([program, "--listen", "127.0.0.1:0", *arguments], work / f"{name}.log") as server:
        yield server.listening().replace("http://", "ws://") + path
        server.check_alive()
