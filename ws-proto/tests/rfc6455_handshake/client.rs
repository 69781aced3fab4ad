//! RFC 6455 §4.1: the request that a client writes, and the response that it takes.

mod s4_1_the_request_of_a_client {
    use crate::*;

    fn misuse(request: Request<()>) -> ApiMisuse {
        ClientHandshake::new(request, config(), start()).unwrap_err()
    }

    #[test]
    fn the_first_lines_name_resource_and_host() {
        for (uri, start) in [
            ("ws://example.com", "GET / HTTP/1.1\r\nHost: example.com\r\n"),
            ("ws://example.com:80?a=/b", "GET /?a=/b HTTP/1.1\r\nHost: example.com\r\n"),
            ("wss://[::1]:8443/a%20b?c", "GET /a%20b?c HTTP/1.1\r\nHost: [::1]:8443\r\n"),
            ("https://example.com:443/%C3%A9", "GET /%C3%A9 HTTP/1.1\r\nHost: example.com\r\n"),
        ] {
            let wire = written(client(get(uri)).transmit());
            assert!(wire.starts_with(start), "{wire}");
        }
    }

    #[test]
    fn a_host_of_the_callers_takes_the_place_of_ours() {
        let mut request = get("ws://127.0.0.1:9001/");
        request.headers_mut().insert("host", HeaderValue::from_static("example.com"));
        let wire = written(client(request.clone()).transmit());
        assert!(wire.starts_with("GET / HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\n"), "{wire}");
        assert_eq!(wire.to_ascii_lowercase().matches("host:").count(), 1);
        request.headers_mut().append("host", HeaderValue::from_static("example.org"));
        assert_eq!(misuse(request), ApiMisuse::ReservedHeader);
    }

    #[test]
    fn headers_of_the_callers_keep_their_order() {
        let mut request = get("ws://example.com/");
        for name in ["host", "x-1", "sec-websocket-protocol", "x-2", "x-3", "x-4"] {
            request.headers_mut().append(HeaderName::from_static(name), HeaderValue::from_static("a"));
        }
        let wire = written(client(request).transmit());
        assert!(wire.ends_with("\r\nX-1: a\r\nX-2: a\r\nX-3: a\r\nX-4: a\r\n\r\n"), "{wire}");
    }

    #[test]
    fn headers_of_the_handshake_cannot_be_set_by_the_caller() {
        for name in [
            "upgrade",
            "connection",
            "content-length",
            "transfer-encoding",
            "sec-websocket-key",
            "sec-websocket-version",
            "sec-websocket-accept",
            "sec-websocket-extensions",
        ] {
            let mut request = get("ws://example.com/");
            request.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static("0"));
            assert_eq!(misuse(request), ApiMisuse::ReservedHeader, "{name}");
        }
    }

    #[test]
    fn a_request_that_cannot_open_a_websocket_is_misuse() {
        for uri in ["/chat", "example.com:80", "ftp://example.com/", "ws://me:secret@example.com/"] {
            assert_eq!(misuse(get(uri)), ApiMisuse::UnusableUri, "{uri}");
        }
        assert_eq!(misuse(Request::post("ws://example.com/").body(()).unwrap()), ApiMisuse::NotAGetRequest);
        let http2 = Request::get("ws://example.com/").version(Version::HTTP_2).body(()).unwrap();
        assert_eq!(misuse(http2), ApiMisuse::NotAGetRequest);
        for offer in ["", "a b", "chat, chat", "caf\u{e9}"] {
            let mut request = get("ws://example.com/");
            request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_str(offer).unwrap());
            assert_eq!(misuse(request), ApiMisuse::ReservedHeader, "{offer:?}");
        }
    }

    #[test]
    fn the_key_is_new_for_each_connection() {
        let config = ConfigBuilder::new(Entropy::from_fn({
            let calls = std::sync::atomic::AtomicU8::new(0);
            move |buf| buf.fill(calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
        }));
        let config = std::sync::Arc::new(config.build().unwrap());
        let mut wires = std::collections::BTreeSet::new();
        for _ in 0..100 {
            let mut client = ClientHandshake::new(get("ws://example.com/"), config.clone(), start()).unwrap();
            wires.insert(written(client.transmit()));
        }
        assert_eq!(wires.len(), 100);
    }
}

mod s4_1_the_response_at_a_client {
    use crate::*;

    #[test]
    fn names_and_tokens_have_no_case_and_whitespace_does_not_count() {
        let wire = response_with(&[
            "UPGRADE:\tWebSocket ",
            "connection:keep-alive,  UPGRADE",
            "sec-websocket-protocol:  superchat\t",
        ]);
        assert_eq!(answer(&wire).unwrap().subprotocol().unwrap(), "superchat");
        assert!(answer(&response_with(&["Sec-WebSocket-Protocol:"])).unwrap().subprotocol().is_none());
    }

    fn refused(client: &mut ClientHandshake, input: &mut &[u8], now: Instant) -> Option<Response<Bytes>> {
        match client.poll_event(input, now)? {
            ClientHandshakeEvent::Failed(HandshakeError::Refused(response)) => Some(*response),
            event => panic!("{event:?}"),
        }
    }

    #[test]
    fn another_status_is_a_refusal_with_its_body() {
        for status in [200, 301, 400, 401, 403, 426, 500, 503] {
            let wire = format!("HTTP/1.1 {status} x\r\nLocation: /b\r\nContent-Length: 4\r\n\r\nbody, more");
            let mut client = client(get("ws://example.com/"));
            let mut input = wire.as_bytes();
            let response = refused(&mut client, &mut input, start()).unwrap();
            assert_eq!(response.status(), status);
            assert_eq!(response.headers()["location"], "/b");
            assert_eq!(response.body(), "body");
            assert_eq!((input, client.transport()), (&b", more"[..], Transport::Close));
            assert!(client.poll_event(&mut input, start()).is_none());
        }
    }

    #[test]
    fn the_body_of_a_refusal_ends_with_the_stream_or_a_second_later() {
        let now = start();
        let wire = b"HTTP/1.0 403 Forbidden\r\n\r\nbod";
        for ended in [true, false] {
            let mut client = client(get("ws://example.com/"));
            assert!(refused(&mut client, &mut &wire[..], now).is_none());
            assert_eq!(client.transport(), Transport::KeepOpen);
            assert!(refused(&mut client, &mut &b"y"[..], now).is_none());
            let deadline = now + Duration::from_secs(1);
            assert_eq!(client.poll_timeout(), Some(deadline));
            if ended {
                client.handle_eof(now);
            } else {
                client.handle_timeout(deadline);
            }
            let response = refused(&mut client, &mut &b""[..], deadline).unwrap();
            assert_eq!(response.body(), "body");
            assert_eq!(client.transport(), Transport::Close);
        }
    }

    #[test]
    fn a_refusal_within_the_last_second_keeps_to_the_deadline_of_the_handshake() {
        let mut client = client(get("ws://example.com/"));
        let deadline = client.poll_timeout().unwrap();
        let late = deadline - Duration::from_millis(300);
        assert!(refused(&mut client, &mut &b"HTTP/1.1 403 \r\n\r\n"[..], late).is_none());
        assert_eq!(client.poll_timeout(), Some(deadline));
    }

    #[test]
    fn interim_responses_are_passed_over() {
        let wire = [
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n",
            RESPONSE.as_bytes(),
        ]
        .concat();
        assert!(answer(&wire).is_ok());
        let endless = "HTTP/1.1 100 Continue\r\n\r\n".repeat(1000);
        assert!(matches!(answer(endless.as_bytes()), Err(HandshakeError::HeadTooLarge { limit: 16384 })));
    }

    #[test]
    fn each_rule_has_its_error() {
        let error = |changes: &[&str]| answer(&response_with(changes)).unwrap_err();
        for upgrade in [
            "Upgrade:",
            "Upgrade: h2c",
            "Upgrade: websockets",
            "Upgrade: websocket, h2c",
            "Upgrade: caf\u{e9}",
        ] {
            assert!(matches!(error(&[upgrade]), HandshakeError::ResponseWithoutUpgrade), "{upgrade}");
        }
        for connection in ["Connection:", "Connection: close", "Connection: not-upgrade"] {
            assert!(
                matches!(error(&[connection]), HandshakeError::ResponseWithoutConnectionUpgrade),
                "{connection}"
            );
        }
        assert!(matches!(error(&["Sec-WebSocket-Accept:"]), HandshakeError::MissingAccept));
        for accept in [
            "",
            "s3pPLMBiTxaQ9kYGzzhZRbK+xOo",
            "S3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
            "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=, a",
            "\u{e9}",
        ] {
            assert!(
                matches!(error(&[&format!("Sec-WebSocket-Accept: {accept} ")]), HandshakeError::WrongAccept),
                "{accept}"
            );
        }
        let accept = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
        assert!(matches!(error(&[accept, accept]), HandshakeError::RepeatedAccept));
        for chosen in ["mqtt", "Chat", "chat, superchat", "chat,", "\"chat\"", "caf\u{e9}"] {
            let line = format!("Sec-WebSocket-Protocol: {chosen}");
            assert!(matches!(error(&[&line]), HandshakeError::SubprotocolNotOffered), "{chosen}");
        }
        let protocol = "Sec-WebSocket-Protocol: chat";
        assert!(matches!(error(&[protocol, protocol]), HandshakeError::RepeatedSubprotocolChoice));
        assert!(matches!(error(&["Sec-WebSocket-Extensions: foo"]), HandshakeError::ExtensionNotOffered));
        assert!(matches!(error(&["Sec-WebSocket-Extensions: \u{e9}"]), HandshakeError::MalformedExtensions));
        let http_1_0 = RESPONSE.replace("HTTP/1.1", "HTTP/1.0");
        assert!(matches!(answer(http_1_0.as_bytes()), Err(HandshakeError::UnsupportedHttpVersion)));
        assert!(matches!(answer(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"), Err(HandshakeError::MalformedStatusLine)));
        assert!(matches!(answer(b"\x15\x03\x01"), Err(HandshakeError::ControlCharacter)));
        assert!(matches!(answer(b"HTTP/1.1 101\n\n"), Err(HandshakeError::BareLineFeed)));
        assert!(matches!(error(&["A: b\r\n c"]), HandshakeError::ObsoleteLineFolding));
    }

    #[test]
    fn a_subprotocol_that_nobody_asked_for_fails() {
        let mut client = client(get("ws://example.com/"));
        let event = client.poll_event(&mut RESPONSE.as_bytes(), start());
        assert!(matches!(event, Some(ClientHandshakeEvent::Failed(HandshakeError::SubprotocolNotOffered))));
    }

    #[test]
    fn a_head_without_end_is_cut_off() {
        let wire = format!("HTTP/1.1 101 {}", "x".repeat(20_000));
        assert!(matches!(answer(wire.as_bytes()), Err(HandshakeError::HeadTooLarge { limit: 16384 })));
        let wire = format!("HTTP/1.1 101\r\n{}\r\n", "a: b\r\n".repeat(101));
        assert!(matches!(answer(wire.as_bytes()), Err(HandshakeError::TooManyHeaders { limit: 100 })));
    }
}
