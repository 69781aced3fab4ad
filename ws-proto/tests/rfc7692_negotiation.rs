//! The negotiation of permessage-deflate, RFC 7692 §5 and §7.1, through the opening handshake: headers in, headers
//! and parameters out.
#![cfg(feature = "deflate")]

use std::time::Instant;
use ws_proto::bytes::Buf;
use ws_proto::deflate::{DeflateConfig, DeflateParams, WindowBits};
use ws_proto::handshake::{Acceptance, ClientHandshake, ClientHandshakeEvent, HandshakeError, Upgrade};
use ws_proto::http::Request;
use ws_proto::{Config, ConfigBuilder, Entropy};

fn bits(window_bits: u8) -> WindowBits {
    WindowBits::new(window_bits).unwrap()
}

/// Asks for nothing: context takeover, and the largest windows.
fn plain() -> DeflateConfig {
    DeflateConfig {
        server_no_context_takeover: Some(false),
        client_no_context_takeover: Some(false),
        ..DeflateConfig::default()
    }
}

fn config(deflate: Option<DeflateConfig>) -> Config {
    let entropy = Entropy::from_fn(|buf| buf.copy_from_slice(&b"the sample nonce"[..buf.len()]));
    ConfigBuilder::new(entropy).deflate(deflate).build().unwrap()
}

/// What a server answers to these header lines, and what it holds to from then on.
fn accept(deflate: Option<DeflateConfig>, offers: &[&str]) -> (Option<String>, Option<DeflateParams>) {
    let mut request = Request::get("/")
        .header("host", "example.com")
        .header("upgrade", "websocket")
        .header("connection", "upgrade")
        .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
        .header("sec-websocket-version", "13");
    for offer in offers {
        request = request.header("sec-websocket-extensions", *offer);
    }
    let upgrade = Upgrade::from_request(&request.body(()).unwrap(), &config(deflate)).unwrap();
    let (response, negotiated) = upgrade.accept(Acceptance::default()).unwrap();
    let answer =
        response.headers().get("sec-websocket-extensions").map(|value| value.to_str().unwrap().to_owned());
    assert_eq!(answer.is_some(), negotiated.deflate().is_some());
    (answer, negotiated.deflate().copied())
}

fn answered(deflate: DeflateConfig, offer: &str) -> Option<String> {
    accept(Some(deflate), &[offer]).0
}

#[expect(clippy::disallowed_methods, reason = "a time to count from; nothing here waits")]
fn start() -> Instant {
    Instant::now()
}

fn client(deflate: Option<DeflateConfig>) -> ClientHandshake {
    ClientHandshake::new(Request::get("ws://example.com/").body(()).unwrap(), config(deflate), start())
        .unwrap()
}

/// The header line that a client offers with.
fn offered(deflate: Option<DeflateConfig>) -> Option<String> {
    let mut client = client(deflate);
    let transmit = client.transmit();
    let wire = String::from_utf8(transmit.copy_to_bytes(transmit.remaining()).to_vec()).unwrap();
    wire.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Extensions: ")).map(str::to_owned)
}

/// What a client makes of a response with these header lines.
fn confirmed(
    deflate: Option<DeflateConfig>,
    responses: &[&[u8]],
) -> Result<Option<DeflateParams>, HandshakeError> {
    let mut wire =
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n".to_vec();
    wire.extend_from_slice(b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n");
    for response in responses {
        wire.extend_from_slice(&[b"Sec-WebSocket-Extensions: ", *response, b"\r\n"].concat());
    }
    wire.extend_from_slice(b"\r\n");
    let mut client = client(deflate);
    match client.poll_event(&mut &wire[..], start()).unwrap() {
        ClientHandshakeEvent::Response(_) => Ok(client.finish().unwrap().deflate().copied()),
        ClientHandshakeEvent::Failed(error) => Err(error),
        _ => unreachable!(),
    }
}

fn fault(deflate: DeflateConfig, response: &str) -> HandshakeError {
    confirmed(Some(deflate), &[response.as_bytes()]).expect_err(response)
}

mod s5_1_offers_and_responses {
    use super::*;

    #[test]
    fn server_uses_the_first_offer_that_it_can() {
        let offer =
            "permessage-deflate; server_max_window_bits=10; client_no_context_takeover, permessage-deflate";
        let expected = "permessage-deflate; client_no_context_takeover; server_max_window_bits=10";
        assert_eq!(answered(plain(), offer).unwrap(), expected);
        let lines = [
            "foo",
            "permessage-deflate; bar",
            "permessage-deflate; server_max_window_bits=8",
            "permessage-deflate; client_no_context_takeover",
        ];
        assert_eq!(
            accept(Some(plain()), &lines).0.unwrap(),
            "permessage-deflate; client_no_context_takeover"
        );
    }

    #[test]
    fn server_says_nothing_where_nothing_fits_or_it_is_off() {
        assert_eq!(accept(Some(plain()), &[]), (None, None));
        assert_eq!(
            accept(Some(plain()), &["x-webkit-deflate-frame, permessage-deflate2, permessage-bzip2; a=1"]),
            (None, None)
        );
        assert_eq!(accept(None, &["permessage-deflate"]), (None, None));
    }

    #[test]
    fn client_goes_on_without_where_the_response_is_silent() {
        assert_eq!(confirmed(Some(plain()), &[]).unwrap(), None);
        assert_eq!(confirmed(None, &[]).unwrap(), None);
        assert_eq!(offered(None), None);
    }

    #[test]
    fn client_fails_on_an_extension_that_it_did_not_offer() {
        for response in ["foo", "permessage-deflate, foo", "Permessage-Deflate", "x-webkit-deflate-frame"] {
            assert!(matches!(fault(plain(), response), HandshakeError::ExtensionNotOffered), "{response}");
        }
        let unwanted = confirmed(None, &[b"permessage-deflate"]);
        assert!(matches!(unwanted, Err(HandshakeError::ExtensionNotOffered)));
    }

    #[test]
    fn client_fails_on_permessage_deflate_twice() {
        assert!(matches!(
            fault(plain(), "permessage-deflate, permessage-deflate"),
            HandshakeError::RepeatedExtension
        ));
        let lines = confirmed(
            Some(plain()),
            &[b"permessage-deflate", b"permessage-deflate; client_no_context_takeover"],
        );
        assert!(matches!(lines, Err(HandshakeError::RepeatedExtension)));
    }

    #[test]
    fn client_fails_on_a_malformed_response_whatever_its_bytes() {
        for response in [
            &b""[..],
            b",",
            b"permessage-deflate;",
            b"permessage-deflate; client_max_window_bits=\"",
            b"\xff",
            b"caf\xc3\xa9",
        ] {
            let outcome = confirmed(Some(plain()), &[response]);
            assert!(matches!(outcome, Err(HandshakeError::MalformedExtensions)), "{response:?}");
        }
    }
}

mod s7_1_parameters {
    use super::*;

    /// Parameters that no end may send: values out of range or where none belong, repetitions, unknown names.
    fn invalid() -> impl Iterator<Item = String> {
        let values = [
            "0",
            "7",
            "16",
            "08",
            "015",
            "-8",
            "+8",
            "1e1",
            "256",
            "4294967304",
            "18446744073709551624",
            "a",
        ];
        let names = ["server_max_window_bits", "client_max_window_bits"];
        let out_of_range = names.into_iter().flat_map(move |name| {
            values
                .into_iter()
                .flat_map(move |value| [format!("{name}={value}"), format!("{name}=\"{value}\"")])
        });
        let others = "server_max_window_bits / server_no_context_takeover=true / client_no_context_takeover=\"1\" / \
            server_no_context_takeover; server_no_context_takeover / client_no_context_takeover; client_no_context_takeover / \
            server_max_window_bits=10; server_max_window_bits=10 / client_max_window_bits=10; client_max_window_bits=11 / \
            client_max_window_bits; client_max_window_bits / client_max_window_bits; client_max_window_bits=10 / \
            constructor / toString=1 / mem_level=9 / SERVER_NO_CONTEXT_TAKEOVER";
        out_of_range.chain(others.split(" / ").map(str::to_owned))
    }

    #[test]
    fn server_declines_invalid_offers() {
        for params in invalid() {
            assert_eq!(answered(plain(), &format!("permessage-deflate; {params}")), None, "{params}");
            let fallback = format!("permessage-deflate; {params}, permessage-deflate");
            assert_eq!(answered(plain(), &fallback).unwrap(), "permessage-deflate", "{params}");
        }
    }

    #[test]
    fn client_fails_on_invalid_responses() {
        for params in invalid() {
            let error = fault(plain(), &format!("permessage-deflate; {params}"));
            assert!(matches!(error, HandshakeError::InvalidDeflateParameter), "{params}: {error}");
        }
        let error = fault(plain(), "permessage-deflate; client_max_window_bits");
        assert!(
            matches!(error, HandshakeError::InvalidDeflateParameter),
            "§7.1.2.2: a response gives a value"
        );
    }

    #[test]
    fn quoted_values_are_the_same_as_tokens() {
        let offer = "permessage-deflate; server_max_window_bits=\"10\"; client_max_window_bits=\"\\9\"";
        let expected = "permessage-deflate; server_max_window_bits=10; client_max_window_bits=9";
        assert_eq!(answered(plain(), offer).unwrap(), expected);
        let params = confirmed(Some(plain()), &[b"permessage-deflate; server_max_window_bits=\"1\\0\""])
            .unwrap()
            .unwrap();
        assert_eq!(params.server_max_window_bits, bits(10));
    }

    #[test]
    fn by_default_a_server_gives_up_context_takeover_on_both_sides_and_a_client_leaves_it_to_the_server() {
        let (answer, params) =
            accept(Some(DeflateConfig::default()), &["permessage-deflate; client_max_window_bits"]);
        assert_eq!(
            answer.unwrap(),
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
        );
        let expected = DeflateParams {
            server_no_context_takeover: true,
            client_no_context_takeover: true,
            ..DeflateParams::default()
        };
        assert_eq!(params.unwrap(), expected);
        assert_eq!(
            offered(Some(DeflateConfig::default())).unwrap(),
            "permessage-deflate; client_max_window_bits"
        );
    }
}

mod s7_1_1_context_takeover {
    use super::*;

    #[test]
    fn server_accepts_what_is_asked_and_hinted() {
        for offer in [
            "permessage-deflate; server_no_context_takeover",
            "permessage-deflate; client_no_context_takeover",
        ] {
            assert_eq!(answered(plain(), offer).unwrap(), offer);
        }
    }

    #[test]
    fn client_fails_where_its_demand_is_not_met() {
        let demanding = DeflateConfig { server_no_context_takeover: Some(true), ..plain() };
        assert!(matches!(
            fault(demanding.clone(), "permessage-deflate"),
            HandshakeError::DeflateParameterNotOffered
        ));
        let params = confirmed(Some(demanding), &[b"permessage-deflate; server_no_context_takeover"])
            .unwrap()
            .unwrap();
        assert!(params.server_no_context_takeover);
    }

    #[test]
    fn client_takes_what_a_server_adds_and_keeps_its_own_hint() {
        let added = b"permessage-deflate; server_no_context_takeover; client_no_context_takeover";
        let params = confirmed(Some(plain()), &[added]).unwrap().unwrap();
        assert!(params.server_no_context_takeover && params.client_no_context_takeover);
        let hinting = DeflateConfig { client_no_context_takeover: Some(true), ..plain() };
        assert!(
            confirmed(Some(hinting), &[b"permessage-deflate"]).unwrap().unwrap().client_no_context_takeover
        );
    }
}

mod s7_1_2_window_bits {
    use super::*;

    #[test]
    fn server_sends_with_the_smaller_window_and_never_with_8() {
        let small = DeflateConfig { server_max_window_bits: bits(11), ..plain() };
        for (offer, expected) in [
            ("", Some(11)),
            ("; server_max_window_bits=15", Some(11)),
            ("; server_max_window_bits=9", Some(9)),
            ("; server_max_window_bits=8", None),
        ] {
            let (answer, params) = accept(Some(small.clone()), &[&format!("permessage-deflate{offer}")]);
            assert_eq!(
                answer,
                expected.map(|bits| format!("permessage-deflate; server_max_window_bits={bits}"))
            );
            assert_eq!(params.map(|params| params.server_max_window_bits), expected.map(bits));
        }
    }

    #[test]
    fn server_limits_only_a_client_that_said_it_can_be_limited() {
        let small = DeflateConfig { client_max_window_bits: bits(10), ..plain() };
        assert_eq!(answered(small.clone(), "permessage-deflate").unwrap(), "permessage-deflate");
        let (answer, params) = accept(Some(small), &["permessage-deflate; client_max_window_bits"]);
        assert_eq!(answer.unwrap(), "permessage-deflate; client_max_window_bits=10");
        assert_eq!(params.unwrap().client_max_window_bits, bits(10));
    }

    #[test]
    fn client_offers_windows_below_the_largest() {
        assert_eq!(offered(Some(plain())).unwrap(), "permessage-deflate; client_max_window_bits");
        let small =
            DeflateConfig { server_max_window_bits: bits(12), client_max_window_bits: bits(9), ..plain() };
        assert_eq!(
            offered(Some(small)).unwrap(),
            "permessage-deflate; server_max_window_bits=12; client_max_window_bits=9"
        );
    }

    #[test]
    fn client_fails_on_a_window_larger_than_offered() {
        let small =
            DeflateConfig { server_max_window_bits: bits(10), client_max_window_bits: bits(10), ..plain() };
        for response in
            ["", "; server_max_window_bits=11", "; server_max_window_bits=10; client_max_window_bits=11"]
        {
            let error = fault(small.clone(), &format!("permessage-deflate{response}"));
            assert!(matches!(error, HandshakeError::DeflateParameterNotOffered), "{response}: {error}");
        }
        let params =
            confirmed(Some(small), &[b"permessage-deflate; server_max_window_bits=8"]).unwrap().unwrap();
        assert_eq!((params.server_max_window_bits, params.client_max_window_bits), (bits(8), bits(10)));
    }

    #[test]
    fn client_agrees_to_a_window_of_8() {
        let params =
            confirmed(Some(plain()), &[b"permessage-deflate; client_max_window_bits=8"]).unwrap().unwrap();
        assert_eq!(params.client_max_window_bits, WindowBits::MIN);
    }
}
