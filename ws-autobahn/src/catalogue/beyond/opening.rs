//! Sections 100 and 101: the opening handshake, and what it agrees on about compression.

use super::{echo, probing, rule};
use crate::case::{Audience, Case, CaseId};
use crate::deflate::Params;
use crate::opening::{Probe, Want};

pub(super) fn cases() -> Vec<Case> {
    let groups = [
        refused_requests(),
        unusual_requests(),
        refused_answers(),
        own_requests(),
        offers_to_decline(),
        offers_to_follow(),
    ];
    groups.into_iter().flatten().collect()
}

fn own_requests() -> Vec<Case> {
    let case = echo(CaseId::three(100, 4, 1)).text(
        "Looks at the client's own request, then sends a text message.",
        "A request with GET over HTTP/1.1, one Host, Upgrade, Connection, version 13 and one key of 16 bytes, which came in no earlier \
         request; then the message comes back.",
    );
    vec![rule(probing(case, Audience::Clients, Probe::new(Want::GoodRequest)), "RFC 6455 §4.1")]
}

fn refused_requests() -> Vec<Case> {
    let probe = || Probe::new(Want::Refused);
    let probes: [(Probe, &str, &'static str); 12] = [
        (
            probe().first_line("POST {resource} HTTP/1.1"),
            "a request with the method POST",
            "RFC 6455 §4.1, 2",
        ),
        (probe().first_line("GET {resource} HTTP/1.0"), "a request of HTTP/1.0", "RFC 6455 §4.1, 2"),
        (probe().without(&["host"]), "a request without Host", "RFC 6455 §4.2.1, 2"),
        (probe().without(&["upgrade"]), "a request without Upgrade", "RFC 6455 §4.2.1, 3"),
        (
            probe().without(&["upgrade"]).with("Upgrade: h2c"),
            "a request for an upgrade to something else",
            "RFC 6455 §4.2.1, 3",
        ),
        (
            probe().without(&["connection"]).with("Connection: keep-alive"),
            "a request without Connection: Upgrade",
            "RFC 6455 §4.2.1, 4",
        ),
        (probe().without(&["sec-websocket-key"]), "a request without a key", "RFC 6455 §4.2.1, 5"),
        (
            probe().without(&["sec-websocket-key"]).with("Sec-WebSocket-Key: c2hvcnQ="),
            "a request whose key is too short",
            "RFC 6455 §4.2.1, 5",
        ),
        (
            probe().with("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="),
            "a request with two keys",
            "RFC 6455 §11.3.1",
        ),
        (probe().without(&["sec-websocket-version"]), "a request without a version", "RFC 6455 §4.2.1, 6"),
        (
            probe().without(&["sec-websocket-version"]).with("Sec-WebSocket-Version: 7"),
            "a request for version 7",
            "RFC 6455 §4.2.2, 4",
        ),
        (probe().with("Bad Header: 1"), "a request with a header that is none", "RFC 9112 §5.1"),
    ];
    (1..)
        .zip(probes)
        .map(|(number, (probe, what, reference))| {
            let case = Case::steps(CaseId::three(100, 1, number), []);
            let case = case
                .text(format!("Sends {what}."), "The server answers with an error, or ends the connection.");
            rule(probing(case, Audience::Servers, probe), reference)
        })
        .collect()
}

fn unusual_requests() -> Vec<Case> {
    let probe = || Probe::new(Want::Accepted);
    let many =
        (0..40).fold(probe(), |probe, number| probe.with(format!("X-Header-{number}: value {number}")));
    let probes: [(Probe, &str, &'static str); 6] = [
        (probe().chop(1), "a request byte by byte", "RFC 6455 §4.2.1"),
        (
            probe().without(&["upgrade"]).with("uPgRaDe: WEBSOCKET"),
            "a request whose Upgrade is in other letters",
            "RFC 6455 §4.2.1, 3",
        ),
        (
            probe().without(&["connection"]).with("Connection: keep-alive, UPGRADE"),
            "a request that lists keep-alive before the upgrade",
            "RFC 6455 §4.2.1, 4",
        ),
        (
            probe().with("Sec-WebSocket-Protocol: x-nobody-speaks-this"),
            "a request for a subprotocol that no one knows",
            "RFC 6455 §4.2.2, 5",
        ),
        (
            probe().with("Sec-WebSocket-Extensions: x-unknown; a=1; b=\"2\""),
            "a request for an extension that no one knows",
            "RFC 6455 §9.1",
        ),
        (many, "a request with forty more headers", "RFC 6455 §4.1, 12"),
    ];
    (1..)
        .zip(probes)
        .map(|(number, (probe, what, reference))| {
            let case = echo(CaseId::three(100, 2, number));
            let case = case.text(
                format!("Sends {what}, then a text message."),
                "The server accepts, and the message comes back.",
            );
            rule(probing(case, Audience::Servers, probe), reference)
        })
        .collect()
}

fn refused_answers() -> Vec<Case> {
    let probe = || Probe::new(Want::Refused);
    let probes: [(Probe, &str, &'static str); 9] = [
        (probe().first_line("HTTP/1.1 200 OK"), "the status 200", "RFC 6455 §4.1, client 1"),
        (probe().without(&["upgrade"]), "no Upgrade", "RFC 6455 §4.1, client 2"),
        (
            probe().without(&["upgrade"]).with("Upgrade: h2c"),
            "an upgrade to something else",
            "RFC 6455 §4.1, client 2",
        ),
        (probe().without(&["connection"]), "no Connection", "RFC 6455 §4.1, client 3"),
        (probe().without(&["sec-websocket-accept"]), "no Sec-WebSocket-Accept", "RFC 6455 §4.1, client 4"),
        (
            probe()
                .without(&["sec-websocket-accept"])
                .with("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
            "the answer to another key",
            "RFC 6455 §4.1, client 4",
        ),
        (
            probe().with("Sec-WebSocket-Extensions: x-nobody-asked"),
            "an extension that was not offered",
            "RFC 6455 §4.1, client 5",
        ),
        (
            probe().with("Sec-WebSocket-Protocol: x-nobody-asked"),
            "a subprotocol that was not offered",
            "RFC 6455 §4.1, client 6",
        ),
        (
            probe().with("Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=16"),
            "a window of 16 bits for compression",
            "RFC 7692 §7.1.2.1",
        ),
    ];
    (1..)
        .zip(probes)
        .map(|(number, (probe, what, reference))| {
            let case = Case::steps(CaseId::three(100, 3, number), []);
            let case = case.text(
                format!("Answers a client's request with {what}."),
                "The client ends the connection without a frame.",
            );
            rule(probing(case, Audience::Clients, probe), reference)
        })
        .collect()
}

fn offers_to_decline() -> Vec<Case> {
    let offers = [
        ("permessage-deflate; server_max_window_bits=7", "a window that is too small"),
        ("permessage-deflate; server_max_window_bits=16", "a window that is too large"),
        ("permessage-deflate; server_max_window_bits=010", "a window with a zero before its number"),
        ("permessage-deflate; server_max_window_bits", "a window of the server without a number"),
        ("permessage-deflate; server_no_context_takeover=1", "a value where there is none"),
        ("permessage-deflate; server_no_context_takeover; server_no_context_takeover", "a parameter twice"),
        ("permessage-deflate; x_unknown", "a parameter that no one knows"),
    ];
    (1..)
        .zip(offers)
        .map(|(number, (offer, what))| {
            let probe = Probe::new(Want::WithoutDeflate).with(format!("Sec-WebSocket-Extensions: {offer}"));
            let case = echo(CaseId::three(101, 1, number)).text(
                format!("Offers compression with {what}, then sends a text message."),
                "The server accepts the connection without compression, and the message comes back.",
            );
            rule(probing(case, Audience::Servers, probe), "RFC 7692 §7.1")
        })
        .collect()
}

fn offers_to_follow() -> Vec<Case> {
    type Allowed = fn(&Params) -> bool;
    let offers: [(&str, Allowed, &str); 5] = [
        (
            "permessage-deflate; server_max_window_bits=10",
            |params| params.server_window_bits <= 10,
            "a window of 10 bits of the server",
        ),
        (
            "permessage-deflate; server_no_context_takeover",
            |params| params.server_no_context_takeover,
            "a new context for each message of the server",
        ),
        (
            "permessage-deflate",
            |params| params.client_window_bits == 15,
            "nothing, so the window of the client may not be limited",
        ),
        (
            "permessage-deflate; client_max_window_bits=11; server_max_window_bits=12",
            |params| params.server_window_bits <= 12,
            "windows of both, with numbers",
        ),
        (
            "permessage-deflate; server_max_window_bits=7, permessage-deflate; server_max_window_bits=9",
            |params| params.server_window_bits <= 9,
            "something impossible, and then a window of 9 bits of the server",
        ),
    ];
    (1..)
        .zip(offers)
        .map(|(number, (offer, allowed, what))| {
            let probe = Probe::new(Want::Deflate(allowed)).with(format!("Sec-WebSocket-Extensions: {offer}"));
            let case = echo(CaseId::three(101, 2, number)).text(
                format!("Offers compression that asks for {what}, then sends a text message."),
                "The server declines, or keeps to what was asked, and the message comes back.",
            );
            rule(probing(case, Audience::Servers, probe), "RFC 7692 §7.1.1, §7.1.2")
        })
        .collect()
}
