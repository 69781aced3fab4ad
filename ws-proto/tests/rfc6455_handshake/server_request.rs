//! RFC 6455 §4.2.1: the requests that a server takes, and the status that refuses the others.

mod s4_2_1_the_request_at_a_server {
    use crate::*;

    #[test]
    fn lists_may_go_over_several_lines_in_any_case() {
        accepted(&request_with(&["upgrade: h2c", "UPGRADE: WebSocket"]));
        accepted(&request_with(&["connection: keep-alive", "Connection: foo ,upgrade"]));
        accepted(&request_with(&["Sec-WebSocket-Version:\t13 ", "Host: [::1]:9001", "Content-Length: 0"]));
        let upgrade = accepted(&request_with(&["Sec-WebSocket-Protocol: b", "sec-websocket-protocol: a, c"]));
        assert_eq!(upgrade.subprotocols(), ["b", "a", "c"]);
    }

    #[test]
    fn an_absolute_target_is_as_good_as_a_path() {
        let wire = REQUEST.replace("GET /chat ", "GET http://server.example.com/chat?a ");
        assert_eq!(accepted(wire.as_bytes()).request().uri().path_and_query().unwrap(), "/chat?a");
        for target in [
            "ftp://example.com/",
            "http://me@example.com/",
            "example.com:80",
            "*",
            "chat",
            "/#a",
            "http://",
            "/\u{fffd}\"\\<",
        ] {
            let wire = REQUEST.replace("/chat", target);
            match serve(wire.as_bytes()).0 {
                Err(HandshakeError::MalformedRequestTarget) => {}
                other => panic!("{target}: {other:?}"),
            }
        }
    }

    #[test]
    fn an_unreadable_request_line_is_400() {
        for line in [
            "GET /chat",
            "GET",
            "GET  /chat HTTP/1.1",
            "GET /chat HTTP/1.1 ",
            "GET /chat HTTP/1.x",
            "GET /a b HTTP/1.1",
            "G\u{e9}T /chat HTTP/1.1",
        ] {
            assert_eq!(refused(REQUEST.replace("GET /chat HTTP/1.1", line).as_bytes()), 400, "{line}");
        }
        assert_eq!(
            refused(b"\r\n\r\nGET /chat HTTP/1.1\r\n"),
            400,
            "one empty line may come before, not two"
        );
        accepted(format!("\r\n{REQUEST}").as_bytes());
    }

    #[test]
    fn bytes_that_are_no_http_are_400_at_once() {
        for wire in [
            &b"\x16\x03\x01\x02\x00"[..],
            b"GET / HTTP/1.1\n",
            b"GET / HTTP/1.1\rX",
            b"GET /\0",
            b"\r\nGET\x7f",
            b"GET / HTTP/1.1\r\nA:\0",
        ] {
            assert_eq!(refused(wire), 400, "{wire:?}");
        }
        for line in ["A: b\r\n c", "A : b", "A", ": b", "A\u{e9}: b", "A: \rb", "A: \nb"] {
            assert_eq!(refused(&request_with(&[line])), 400, "{line:?}");
        }
    }

    #[test]
    fn another_version_of_http_is_505() {
        for version in ["HTTP/1.0", "HTTP/0.9", "HTTP/2.0", "HTTP/3.0", "HTTP/0.1", "HTTP/9.9"] {
            assert_eq!(refused(REQUEST.replace("HTTP/1.1", version).as_bytes()), 505, "{version}");
        }
        assert_eq!(refused(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505);
        // RFC 9110 §2.5: a later minor version is a 1.1 to whoever knows no more.
        accepted(REQUEST.replace("HTTP/1.1", "HTTP/1.2").as_bytes());
    }

    #[test]
    fn another_method_is_405_with_allow() {
        for method in ["POST", "PUT", "OPTIONS", "CONNECT", "get", "X"] {
            let wire = REQUEST.replace("GET", method);
            assert_eq!(refused(wire.as_bytes()), 405, "{method}");
            assert!(serve(wire.as_bytes()).1.contains("\r\nAllow: GET\r\n"));
        }
        let (_, response) = serve(REQUEST.replace("GET", "HEAD").as_bytes());
        assert!(response.starts_with("HTTP/1.1 405 "));
        assert!(response.ends_with("\r\n\r\n"), "RFC 9110 §9.3.2: no body answers HEAD");
    }

    #[test]
    fn a_body_is_400() {
        for line in [
            "Content-Length: 5",
            "Content-Length: 00",
            "Content-Length: x",
            "Content-Length: 0, 0",
            "Transfer-Encoding: chunked",
            "Transfer-Encoding: identity",
        ] {
            assert_eq!(refused(&request_with(&[line])), 400, "{line}");
        }
        assert_eq!(refused(&request_with(&["Content-Length: 0", "Content-Length: 5"])), 400);
    }

    #[test]
    fn a_host_is_needed_once() {
        for host in [
            "Host:",
            "Host: ",
            "Host: a b",
            "Host: me@example.com",
            "Host: caf\u{e9}",
            "Host: example.com/a",
            "Host: :80",
        ] {
            assert_eq!(refused(&request_with(&[host])), 400, "{host:?}");
        }
        assert_eq!(refused(&request_with(&["Host: a", "Host: a"])), 400);
    }

    #[test]
    fn who_does_not_ask_for_websocket_is_told_to_with_426() {
        for changes in [
            &["Upgrade:"][..],
            &["Upgrade: h2c"],
            &["Upgrade: websockets"],
            &["Upgrade:", "Connection:"],
            &["Upgrade: caf\u{e9}"],
        ] {
            assert_eq!(refused(&request_with(changes)), 426, "{changes:?}");
            let (_, response) = serve(&request_with(changes));
            assert!(
                response.contains("\r\nUpgrade: websocket\r\nConnection: Upgrade, close\r\n"),
                "{response}"
            );
        }
    }

    #[test]
    fn who_asks_by_half_gets_400() {
        for connection in
            ["Connection:", "Connection: keep-alive", "Connection: upgraded", "Connection: \u{e9}"]
        {
            assert_eq!(refused(&request_with(&[connection])), 400, "{connection}");
        }
    }

    #[test]
    fn another_websocket_version_is_426_with_ours() {
        for version in [
            "Sec-WebSocket-Version:",
            "Sec-WebSocket-Version: ",
            "Sec-WebSocket-Version: 8",
            "Sec-WebSocket-Version: 013",
            "Sec-WebSocket-Version: 13, 8",
            "Sec-WebSocket-Version: \u{e9}",
        ] {
            assert_eq!(refused(&request_with(&[version])), 426, "{version}");
            let (_, response) = serve(&request_with(&[version]));
            assert!(response.contains("\r\nSec-WebSocket-Version: 13\r\n"), "{response}");
            assert!(response.contains("\r\nUpgrade: websocket\r\n"), "{response}");
        }
        let twice = &["Sec-WebSocket-Version: 13", "Sec-WebSocket-Version: 13"];
        assert_eq!(refused(&request_with(twice)), 400);
    }

    #[test]
    fn a_key_is_needed_once_and_well_formed() {
        for key in [
            "",
            " ",
            "AAAA",
            "dGhlIHNhbXBsZSBub25jZQ",
            "dGhlIHNhbXBsZSBub25jZTE=",
            "dGhlIHNhbXBsZSBub25!ZQ==",
            "\u{e9}",
        ] {
            assert_eq!(refused(&request_with(&[&format!("Sec-WebSocket-Key: {key}")])), 400, "{key}");
        }
        assert_eq!(refused(&request_with(&["Sec-WebSocket-Key:"])), 400);
        let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
        assert_eq!(refused(&request_with(&[key, key])), 400);
    }

    #[test]
    fn malformed_offers_are_400() {
        for offer in [
            "Protocol: ",
            "Protocol: a b",
            "Protocol: a, a",
            "Protocol: caf\u{e9}",
            "Extensions: ",
            "Extensions: a;",
            "Extensions: a; b=\"",
            "Extensions: \u{e9}",
        ] {
            assert_eq!(refused(&request_with(&[&format!("Sec-WebSocket-{offer}")])), 400, "{offer}");
        }
        accepted(&request_with(&["Sec-WebSocket-Extensions: foo; bar=\"baz\", x-webkit-deflate-frame"]));
    }

    #[test]
    fn bytes_beyond_ascii_are_welcome_where_they_mean_nothing() {
        let upgrade =
            accepted(&[b"\r\n", &request_with(&["Cookie: caf\u{e9}", "User-Agent: \u{1f600}"])[..]].concat());
        assert_eq!(upgrade.request().headers()["cookie"].as_bytes(), "caf\u{e9}".as_bytes());
        for name in [
            "Host",
            "Upgrade",
            "Connection",
            "Sec-WebSocket-Key",
            "Sec-WebSocket-Version",
            "Sec-WebSocket-Protocol",
            "Sec-WebSocket-Extensions",
            "Content-Length",
            "Transfer-Encoding",
        ] {
            let mut wire = request_with(&[&format!("{name}: ??")]);
            let at = wire.windows(2).position(|pair| pair == b"??").unwrap();
            wire[at..at + 2].copy_from_slice(b"\xff\x80");
            assert!(refused(&wire) >= 400, "{name}");
        }
    }
}

mod limits {
    use crate::*;

    /// A request of exactly so many bytes.
    fn request_of(len: usize) -> Vec<u8> {
        let padding = len - request_with(&["X-Padding: "]).len();
        request_with(&[&format!("X-Padding: {}", "x".repeat(padding))])
    }

    #[test]
    fn a_head_of_16_kib_is_served_and_a_byte_more_is_431() {
        accepted(&request_of(16_384));
        assert_eq!(refused(&request_of(16_385)), 431);
        let mut endless = request_with(&["X: y"]);
        endless.truncate(endless.len() - 2);
        endless.extend(std::iter::repeat_n(b'x', 20_000));
        assert_eq!(refused(&endless), 431);
    }

    #[test]
    fn a_request_line_that_fills_the_head_is_414() {
        assert_eq!(refused(format!("GET /{}", "x".repeat(20_000)).as_bytes()), 414);
        let wire = REQUEST.replace("/chat", &format!("/{}", "x".repeat(15_000)));
        accepted(wire.as_bytes());
    }

    #[test]
    fn a_hundred_headers_are_served_and_one_more_is_431() {
        let lines = |n: usize| (7..n).map(|i| format!("X-{i}: y")).collect::<Vec<_>>();
        let wire = |n| request_with(&lines(n).iter().map(String::as_str).collect::<Vec<_>>());
        accepted(&wire(100));
        assert_eq!(refused(&wire(101)), 431);
        // Truncating instead would lose the lines behind the limit, among them the ones that matter.
        let early = format!(
            "GET /chat HTTP/1.1\r\n{}{}",
            "A: b\r\n".repeat(129),
            REQUEST.split_once("\r\n").unwrap().1
        );
        assert_eq!(refused(early.as_bytes()), 431);
    }

    #[test]
    fn a_megabyte_that_comes_byte_by_byte_is_looked_at_once() {
        // Anything worse than linear would not come to an end here.
        let config = settings().max_head_bytes(2 << 20).max_headers(1 << 20).build().unwrap();
        let mut server = ServerHandshake::new(config, start());
        let wire = request_with(
            &[&"a: b\r\n".repeat(5_000), &format!("X: {}", "x".repeat(1 << 20))].map(|line| line.trim_end()),
        );
        let mut events = Vec::new();
        for byte in &wire {
            let mut input = std::slice::from_ref(byte);
            events.extend(server.poll_event(&mut input, start()));
            assert!(input.is_empty());
        }
        assert!(matches!(events[..], [ServerHandshakeEvent::Request(_)]));
    }

    #[test]
    fn limits_beyond_what_the_types_can_hold_do_not_panic() {
        let config = || settings().max_head_bytes(16 << 20).max_headers(1 << 20).build().unwrap();
        let status = |wire: &[u8]| {
            let mut server = ServerHandshake::new(config(), start());
            match server.poll_event(&mut &wire[..], start()).unwrap() {
                ServerHandshakeEvent::Failed(error) => error.status().unwrap().as_u16(),
                event => panic!("{event:?}"),
            }
        };
        assert_eq!(status(REQUEST.replace("/chat", &format!("/{}", "x".repeat(70_000))).as_bytes()), 414);
        let names: String = (0..50_000).map(|i| format!("\r\nx-{i}: y")).collect();
        assert_eq!(status(&request_with(&[names.trim_start()])), 431);
        assert_eq!(status(&request_with(&[&format!("{}: y", "x".repeat(70_000))])), 400);
    }
}
