"""What Debian's packages put between a client and a server: nginx as a reverse proxy with TLS, tinyproxy and squid for
HTTP CONNECT, microsocks for SOCKS5. Each is started in a directory of its own and ends with its `with` block."""
import contextlib
import os
import subprocess
import tempfile
from pathlib import Path

from urllib.parse import quote

from programs import Program, free_port, wait_for_port

# What the proxies that ask for a password want to hear. A URL has to encode the second; tinyproxy's settings allow only
# letters, digits and some marks.
USER, PASSWORD, PLAIN_PASSWORD = "interop", "p@ss:w/%rd", "pass-w.rd"


@contextlib.contextmanager
def nginx(upstream, certificate, key, errors):
    """A reverse proxy with TLS in front of the port `upstream`: its port."""
    with _directory() as directory, _listening(
        lambda port: ["nginx", "-p", directory, "-e", "stderr", "-c", _write(directory / "nginx.conf", f"""
            daemon off;
            pid {directory}/pid;
            worker_processes 1;
            events {{ worker_connections 64; }}
            http {{
              access_log off;
              client_body_temp_path {directory}/body;
              proxy_temp_path {directory}/proxy;
              fastcgi_temp_path {directory}/fastcgi;
              uwsgi_temp_path {directory}/uwsgi;
              scgi_temp_path {directory}/scgi;
              server {{
                listen 127.0.0.1:{port} ssl;
                ssl_certificate {certificate.resolve()};
                ssl_certificate_key {key.resolve()};
                location / {{
                  proxy_pass http://127.0.0.1:{upstream};
                  proxy_http_version 1.1;
                  proxy_set_header Host $http_host;
                  proxy_set_header Upgrade $http_upgrade;
                  proxy_set_header Connection upgrade;
                }}
              }}
            }}""")],
        errors,
    ) as port:
        yield port


@contextlib.contextmanager
def tinyproxy(errors, password=False):
    """HTTP CONNECT, in plain text: its URL, with user and password where it asks for them."""
    asks = f"BasicAuth {USER} {PLAIN_PASSWORD}" if password else ""
    with _directory() as directory, _listening(
        lambda port: ["tinyproxy", "-d", "-c", _write(directory / "tinyproxy.conf", f"""
            Port {port}
            Listen 127.0.0.1
            Timeout 600
            MaxClients 64
            LogLevel Warning
            {asks}""")],
        errors,
    ) as port:
        yield f"http://{_userinfo(PLAIN_PASSWORD if password else None)}127.0.0.1:{port}"


@contextlib.contextmanager
def squid(certificate, key, errors):
    """HTTP CONNECT over TLS, with a password: its URL."""
    with _directory() as directory:
        hashed = subprocess.run(["openssl", "passwd", "-apr1", PASSWORD], capture_output=True, text=True, check=True)
        passwords = _write(directory / "passwords", f"{USER}:{hashed.stdout.strip()}")
        with _listening(
            lambda port: ["squid", "-N", "-d", "1", "-f", _write(directory / "squid.conf", f"""
                https_port 127.0.0.1:{port} tls-cert={certificate.resolve()} tls-key={key.resolve()}
                auth_param basic program /usr/lib/squid/basic_ncsa_auth {passwords}
                auth_param basic children 1 startup=1
                acl known proxy_auth REQUIRED
                http_access allow known
                http_access deny all
                cache deny all
                access_log none
                cache_log /dev/null
                pid_filename none
                pinger_enable off
                coredump_dir {directory}
                visible_hostname localhost
                shutdown_lifetime 0 seconds""")],
            errors,
        ) as port:
            yield f"https://{_userinfo(PASSWORD)}localhost:{port}"


@contextlib.contextmanager
def microsocks(errors, password=False):
    """SOCKS5: its URL, with user and password where it asks for them; the names are its to resolve."""
    asks = ["-u", USER, "-P", PASSWORD] if password else []
    with _listening(lambda port: ["microsocks", "-i", "127.0.0.1", "-p", port, *asks], errors) as port:
        yield f"socks5h://{_userinfo(PASSWORD if password else None)}127.0.0.1:{port}"


def _userinfo(password):
    return f"{USER}:{quote(password, safe='')}@" if password else ""


@contextlib.contextmanager
def _directory():
    """Below the system's directory for such: the user that squid changes to must be able to enter it."""
    with tempfile.TemporaryDirectory(prefix="interop-", ignore_cleanup_errors=True) as directory:
        os.chmod(directory, 0o755)
        yield Path(directory)


@contextlib.contextmanager
def _listening(argv, errors):
    """The port of a program that is told by `argv(port)` where to listen."""
    port = free_port()
    with Program(argv(port), errors, output_too=True) as program:
        wait_for_port(port, program)
        yield port
        program.check_alive()


def _write(path, text):
    path.write_text(text + "\n")
    return path
