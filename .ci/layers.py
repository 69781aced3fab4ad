#!/usr/bin/env python3
"""Checks who imports whom: the crates by `cargo metadata`, the modules inside ws-proto by their `use crate::` lines.

Exit status 1, and a line for each arrow that points the wrong way. A crate or module that has no row here is a fault
too: give it one, with the reason in the commit.
"""
import graphlib
import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# crate: (from the workspace, from the workspace behind a feature, from outside, nowhere in the tree below it).
# None: whatever it likes. Tests may use what they need.
SOCKETS = {"tokio", "mio", "socket2", "polling", "rustls", "async-io"}
ROOT_STORES = {"webpki-roots", "rustls-native-certs", "rustls-platform-verifier"}
CRATES = {
    "ws-proto": (
        set(),
        set(),
        {"bytes", "http", "httparse", "sha1", "base64", "flate2", "simdutf8", "getrandom"},
        SOCKETS,
    ),
    "ws-sync": ({"ws-proto"}, set(), {"bytes", "http", "rustls"}, {"tokio", "mio", "polling"}),
    "ws-tokio": (
        {"ws-proto"},
        set(),
        {"bytes", "http", "tokio", "futures-core", "futures-sink", "tracing"},
        {"rustls", "tokio-rustls", "tokio/net", "tokio/full"},
    ),
    "ws-client": (
        {"ws-proto", "ws-tokio"},
        {"ws-sync"},
        {"bytes", "http", "tokio", "tokio-rustls", "rustls", "tracing"} | ROOT_STORES
        | {"base64", "httparse", "httpdate", "ipnet", "iri-string", "percent-encoding", "socket2"},
        {"ws-server"},
    ),
    "ws-server": (
        {"ws-proto", "ws-tokio"},
        {"ws-sync"},
        {"bytes", "http", "tokio", "tokio-rustls", "rustls", "tracing", "metrics", "serde", "serde_json", "hyper", "axum"}
        | {"getrandom", "humantime", "hyper-util", "ipnet", "listenfd", "matchit", "proxy-header", "rfc7239", "serde_path_to_error", "toml"},
        {"ws-client"} | ROOT_STORES,
    ),
    "ws-autobahn": ({"ws-proto", "ws-tokio", "ws-sync", "ws-client"}, set(), None, {"ws-server"}),
    "ws-testkit": ({"ws-proto"}, set(), {"bytes", "http", "proptest", "arbitrary", "tokio", "tracing", "tracing-subscriber"}, set()),
    "ws-examples": ({"ws-proto", "ws-sync", "ws-tokio", "ws-client", "ws-server"}, set(), None, {"ws-testkit"}),
    "ws-benches": ({"ws-proto", "ws-sync", "ws-tokio", "ws-client", "ws-server"}, set(), None, {"ws-testkit"}),
}

# Inside ws-proto: a module may import from its own row and from rows below it, and no row goes round in a circle.
LAYERS = [
    {"owned"},
    {"connection"},
    {"pool"},
    {"handshake", "message", "deflate", "extension", "negotiated"},
    {"frame", "transmit"},
    {"opcode", "close_code", "role", "text", "utf8", "error", "config", "entropy", "input"},
]
# Plain values without behaviour of their own, which any row may name.
VALUES = {"deflate::DeflateConfig", "deflate::DeflateParams", "frame::MaskingKey", "handshake::Subprotocol"}


def crate_faults(metadata):
    members = {p["id"]: p for p in metadata["packages"] if p["id"] in metadata["workspace_members"]}
    names = {p["name"] for p in members.values()}
    below = {node["id"]: node["deps"] for node in metadata["resolve"]["nodes"]}
    name_of = {p["id"]: p["name"] for p in metadata["packages"]}
    for package in sorted(members.values(), key=lambda p: p["name"]):
        crate = package["name"]
        if crate not in CRATES:
            yield f"{crate}: has no row in .ci/layers.py"
            continue
        inside, behind_feature, outside, never = CRATES[crate]
        requested = set()
        for dependency in package["dependencies"]:
            name, kind = dependency["name"], dependency["kind"]
            if kind == "dev":
                continue
            requested |= {f"{name}/{feature}" for feature in dependency["features"]}
            if name not in names:
                if outside is not None and name not in outside:
                    yield f"{crate} -> {name}: not among what it may take from outside"
            elif name in behind_feature:
                if not dependency["optional"]:
                    yield f"{crate} -> {name}: only behind a feature"
            elif name not in inside:
                yield f"{crate} -> {name}: not among what it may import from the workspace"
        for name in sorted(never & (requested | tree(package["id"], below, name_of))):
            yield f"{crate} -> {name}: never, not even through another crate"


def tree(package, below, name_of):
    """Names of everything that is compiled in for the users of `package`, with every feature on."""
    seen, todo = set(), [package]
    while todo:
        for dependency in below[todo.pop()]:
            used = any(kind["kind"] is None for kind in dependency["dep_kinds"])
            if used and dependency["pkg"] not in seen:
                seen.add(dependency["pkg"])
                todo.append(dependency["pkg"])
    return {name_of[package] for package in seen}


def module_faults(source):
    level = {module: number for number, row in enumerate(LAYERS) for module in row}
    exported = root_names((source / "lib.rs").read_text())
    arrows = {}
    for path in sorted(source.rglob("*.rs")):
        parts = path.relative_to(source).with_suffix("").parts
        module = parts[0]
        if module == "lib" or parts[-1] == "tests":
            continue
        where = path.relative_to(ROOT)
        if module not in level:
            yield f"{where}: module {module} has no row in .ci/layers.py"
            continue
        for name in sorted(crate_paths(code(path.read_text()))):
            name = exported.get(name.split("::")[0], name)
            target = name.split("::")[0]
            if target not in level:
                yield f"{where}: crate::{name} is neither in a module with a row nor named in lib.rs"
            elif target != module and name not in VALUES:
                arrows.setdefault((module, target), f"{where} (crate::{name})")
    rows = [{module: set() for module in row} for row in LAYERS]
    for (module, target), where in sorted(arrows.items()):
        if level[target] < level[module]:
            yield f"ws-proto: {module} -> {target} points up, in {where}"
        elif level[target] == level[module]:
            rows[level[module]][module].add(target)
    for row in rows:
        try:
            graphlib.TopologicalSorter(row).prepare()
        except graphlib.CycleError as error:
            circle = list(reversed(error.args[1]))
            places = ", ".join(arrows[arrow] for arrow in zip(circle, circle[1:]))
            yield f"ws-proto: {' -> '.join(circle)} go round in a circle, in {places}"


def code(text):
    """The lines that are compiled for users: no comments, nothing from the tests at the end on."""
    text = re.split(r"^#\[cfg\(test\)\]\s*mod \w+ \{", text, maxsplit=1, flags=re.MULTILINE)[0]
    return re.sub(r"//.*", "", text)


def crate_paths(text):
    """Every path that starts with `crate::`, without this start: the first two segments, braces resolved."""
    found = set()
    for start in re.finditer(r"\bcrate::", text):
        tokens = re.findall(r"\w+|::|\S", text[start.end() : start.end() + 2000])
        found |= {"::".join(path[:2]) for path in use_tree(tokens)}
    return found


def use_tree(tokens):
    """`a::B, c::{D, E}` up to where it ends -> [a, B], [c, D], [c, E]; takes the tokens off the front of the list."""
    if tokens[0] == "{":
        paths = []
        while tokens[0] in "{,":
            tokens.pop(0)
            if tokens[0] != "}":
                paths += use_tree(tokens)
        tokens.pop(0)
        return paths
    first = tokens.pop(0)
    if tokens[0] == "as":
        del tokens[:2]
    if tokens[0] != "::" or not re.match(r"\w|[{*]", tokens[1]):
        return [[first]]
    tokens.pop(0)
    return [[first, *rest] for rest in use_tree(tokens)]


def root_names(lib):
    """What lib.rs re-exports: name -> path inside the crate."""
    names = {}
    for tree in re.findall(r"\bpub use ([^;]+);", code(lib)):
        for path in use_tree([*re.findall(r"\w+|::|\S", tree), ";"]):
            if len(path) > 1:
                names[path[-1]] = "::".join(path[:2])
    return names


def main():
    metadata = subprocess.run(
        ["cargo", "metadata", "--format-version=1", "--all-features", "--locked"],
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
    )
    faults = [*crate_faults(json.loads(metadata.stdout)), *module_faults(ROOT / "ws-proto" / "src")]
    print("\n".join(faults) if faults else "every arrow between crates, and inside ws-proto, points down")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
