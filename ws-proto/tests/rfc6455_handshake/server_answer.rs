//! RFC 6455 §4.2.2: how a server answers, also for a library that reads requests by itself.

mod s4_2_2_the_answer_of_a_server {
    use crate::*;

    fn waiting() -> ServerHandshake {
        let mut server = server();
        assert!(matches!(
            server.poll_event(&mut REQUEST.as_bytes(), start()),
            Some(ServerHandshakeEvent::Request(_))
        ));
        server
    }

    fn name(name: &'static str) -> HeaderName {
        HeaderName::from_static(name)
    }

    #[test]
    fn headers_of_the_application_come_last_and_in_order() {
        let mut server = waiting();
        let acceptance = Acceptance::default()
            .header(name("set-cookie"), HeaderValue::from_static("a=1"))
            .header(name("server"), HeaderValue::from_static("x"))
            .header(name("set-cookie"), HeaderValue::from_static("b=2"));
        server.accept(acceptance).unwrap();
        let response = written(server.transmit());
        assert!(
            response.ends_with("xOo=\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nServer: x\r\n\r\n"),
            "{response}"
        );
    }

    #[test]
    fn a_misused_acceptance_leaves_the_request_waiting() {
        let mut server = waiting();
        let mqtt = Acceptance::default().subprotocol(Subprotocol::new("mqtt").unwrap());
        assert_eq!(server.accept(mqtt), Err(ApiMisuse::SubprotocolNotOffered));
        for reserved in [
            "upgrade",
            "connection",
            "content-length",
            "transfer-encoding",
            "sec-websocket-accept",
            "sec-websocket-protocol",
            "sec-websocket-extensions",
        ] {
            let acceptance = Acceptance::default().header(name(reserved), HeaderValue::from_static("x"));
            assert_eq!(server.accept(acceptance), Err(ApiMisuse::ReservedHeader), "{reserved}");
        }
        assert!(server.transmit().is_empty());
        server.accept(Acceptance::default()).unwrap();
        assert_eq!(server.accept(Acceptance::default()), Err(ApiMisuse::HandshakeNotWaiting));
        assert_eq!(server.reject(Response::default(), start()), Err(ApiMisuse::HandshakeNotWaiting));
        assert!(crate::server().accept(Acceptance::default()).is_err());
    }

    #[test]
    fn a_plain_request_is_told_where_that_was_asked_for_and_has_any_answer() {
        for (method, body) in [("GET", "ok\n"), ("HEAD", "")] {
            let mut server = server().tell_plain_requests();
            let request = format!("{method} /health HTTP/1.1\r\nHost: a\r\n\r\n");
            let event = server.poll_event(&mut request.as_bytes(), start());
            let Some(ServerHandshakeEvent::PlainRequest(request)) = event else { panic!("{event:?}") };
            assert_eq!(request.uri().path(), "/health");
            assert_eq!(server.accept(Acceptance::default()), Err(ApiMisuse::HandshakeNotWaiting));
            server.reject(Response::new("ok\n".into()), start()).unwrap();
            let response = written(server.transmit());
            let head = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\n";
            assert_eq!(response.to_ascii_lowercase(), format!("{head}{body}").to_ascii_lowercase());
        }
    }

    #[test]
    fn what_is_no_good_plain_request_fails_as_ever() {
        for (head, status) in [
            ("POST / HTTP/1.1\r\nHost: a\r\n\r\n", 405),
            ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n", 400),
            ("HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n", 405),
            ("HEAD / HTTP/1.1\r\n\r\n", 405),
            ("GET / HTTP/1.1\r\n\r\n", 400),
            ("GET / HTTP/1.0\r\nHost: a\r\n\r\n", 505),
            ("HEAD / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n", 405),
            ("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n", 400),
        ] {
            let mut server = server().tell_plain_requests();
            let event = server.poll_event(&mut head.as_bytes(), start());
            let Some(ServerHandshakeEvent::Failed(error)) = event else { panic!("{head}: {event:?}") };
            assert_eq!(error.status().unwrap(), status, "{head}");
        }
    }

    #[test]
    fn a_rejection_has_any_status_headers_and_body() {
        let mut server = waiting();
        let response = Response::builder()
            .status(401)
            .header("www-authenticate", "Basic")
            .header("connection", "keep-alive")
            .header("content-length", "999")
            .body(Bytes::from_static(b"who are you?"));
        server.reject(response.unwrap(), start()).unwrap();
        assert_eq!(
            written(server.transmit()),
            "HTTP/1.1 401 Unauthorized\r\nWww-Authenticate: Basic\r\nConnection: close\r\nContent-Length: 12\r\n\r\nwho are you?"
        );
        assert_eq!(server.transport(), Transport::ShutdownWrite);
        let mut input = &b"what the client still sends"[..];
        assert!(server.poll_event(&mut input, start()).is_none());
        assert!(input.is_empty());
        server.handle_eof(start());
        assert_eq!(server.transport(), Transport::Close);
        assert!(server.finish().is_none());
    }

    #[test]
    fn a_rejection_of_a_client_that_ended_its_side_waits_for_nothing() {
        let mut server = waiting();
        server.handle_eof(start());
        let response = Response::builder().status(403).body(Bytes::new()).unwrap();
        server.reject(response, start()).unwrap();
        assert_eq!(server.transport(), Transport::KeepOpen);
        assert!(written(server.transmit()).starts_with("HTTP/1.1 403 Forbidden\r\n"));
        assert_eq!(server.transport(), Transport::Close);
    }

    #[test]
    fn a_rejection_without_a_body_says_nothing_of_its_length() {
        for (status, expected) in [(204, false), (304, false), (404, true)] {
            let mut server = waiting();
            server.reject(Response::builder().status(status).body(Bytes::new()).unwrap(), start()).unwrap();
            assert_eq!(written(server.transmit()).contains("Content-Length: 0"), expected, "{status}");
        }
    }

    #[test]
    fn a_rejection_with_101_or_a_coding_is_misuse() {
        let mut server = waiting();
        let switching = Response::builder().status(101).body(Bytes::new()).unwrap();
        assert_eq!(server.reject(switching, start()), Err(ApiMisuse::UnusableStatus));
        let chunked = Response::builder().header("transfer-encoding", "chunked").body(Bytes::new()).unwrap();
        assert_eq!(server.reject(chunked, start()), Err(ApiMisuse::ReservedHeader));
        server.reject(Response::builder().status(403).body(Bytes::new()).unwrap(), start()).unwrap();
    }
}

mod s4_2_requests_of_other_libraries {
    use crate::*;

    fn parsed() -> Request<&'static str> {
        let mut request = accepted(REQUEST.as_bytes()).into_request().map(|()| "a body of any type");
        request.extensions_mut().insert("something of the framework");
        request
    }

    #[test]
    fn a_request_is_judged_and_answered_without_any_state() {
        let upgrade = Upgrade::from_request(&parsed(), &config()).unwrap();
        let (response, negotiated) =
            upgrade.accept(Acceptance::default().subprotocol("superchat".parse().unwrap())).unwrap();
        assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);
        assert_eq!(response.headers()["sec-websocket-accept"], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        assert_eq!(response.headers()["sec-websocket-protocol"], "superchat");
        assert_eq!(negotiated.subprotocol().unwrap(), "superchat");
        assert_eq!(negotiated.role(), Role::Server);
    }

    #[test]
    fn a_refusal_has_a_response_to_send() {
        let mut request = parsed();
        request.headers_mut().remove("upgrade");
        let error = Upgrade::from_request(&request, &config()).unwrap_err();
        let response = error.response().unwrap();
        assert_eq!(response.status(), StatusCode::UPGRADE_REQUIRED);
        assert_eq!(response.headers()["upgrade"], "websocket");
        *request.version_mut() = Version::HTTP_2;
        let error = Upgrade::from_request(&request, &config()).unwrap_err();
        assert!(matches!(error, HandshakeError::UnsupportedHttpVersion));
    }
}
