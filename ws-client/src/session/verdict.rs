//! What is final, and what passes.

use super::why::Why;
use crate::{Error, ProxyError, SocksReply};
use std::time::{Duration, SystemTime};
use ws_proto::CloseCode;
use ws_proto::handshake::HandshakeError;
use ws_proto::http::{HeaderMap, StatusCode, header};

/// What to do about a connection that is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Connecting again does not help: the session ends.
    Fatal,
    /// Connect again, after the [backoff](super::Backoff).
    Retry,
    /// Connect again, but not before `least`; then spread over `spread`, or over the backoff where that is longer, so that not all clients
    /// of a server come at once.
    RetryAfter {
        /// How long to wait at least.
        least: Duration,
        /// Over how long to spread the attempts behind that.
        spread: Duration,
    },
}

impl Verdict {
    /// `now` is what the date of a `Retry-After` is compared with.
    pub(super) fn of(why: &Why, now: SystemTime) -> Self {
        match why {
            Why::Headers(_) => Self::Retry,
            Why::Connect(error) => of_error(error, now),
            Why::Closed(_) | Why::Lost(_) => why.close_code().map_or(Self::Retry, of_code),
        }
    }
}

fn of_error(error: &Error, now: SystemTime) -> Verdict {
    match error {
        Error::Refused(refusal) => of_status(refusal.status, &refusal.headers, now),
        Error::Url(_)
        | Error::Misuse(_)
        | Error::Credentials
        | Error::NoTls
        | Error::TlsConfig(_)
        | Error::Redirect(_) => Verdict::Fatal,
        Error::Dns(_) | Error::Connect(_) | Error::Io(_) | Error::Timeout(_) => Verdict::Retry,
        Error::Tls(_) if error.is_certificate() => Verdict::Fatal,
        Error::Tls(_) => Verdict::Retry,
        Error::Proxy(_) if error.is_certificate() => Verdict::Fatal,
        Error::Proxy(error) => of_proxy(error),
        Error::Handshake(HandshakeError::EndOfStream | HandshakeError::Timeout) => Verdict::Retry,
        Error::Handshake(_) => Verdict::Fatal,
    }
}

fn of_proxy(error: &ProxyError) -> Verdict {
    match error {
        ProxyError::Dns(_)
        | ProxyError::Connect(_)
        | ProxyError::Tls(_)
        | ProxyError::Io(_)
        | ProxyError::EndOfStream => Verdict::Retry,
        ProxyError::Refused(status) if status.is_server_error() || is_passing(*status) => Verdict::Retry,
        ProxyError::Socks(
            SocksReply::GeneralFailure
            | SocksReply::NetworkUnreachable
            | SocksReply::HostUnreachable
            | SocksReply::ConnectionRefused
            | SocksReply::TtlExpired,
        ) => Verdict::Retry,
        ProxyError::Url
        | ProxyError::Variable(_)
        | ProxyError::Refused(_)
        | ProxyError::Malformed
        | ProxyError::HeadTooLarge { .. }
        | ProxyError::TooLong
        | ProxyError::NoAuthMethod
        | ProxyError::BadCredentials
        | ProxyError::Socks(_) => Verdict::Fatal,
    }
}

/// Request Timeout, Too Early, Too Many Requests.
fn is_passing(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 425 | 429)
}

fn of_status(status: StatusCode, headers: &HeaderMap, now: SystemTime) -> Verdict {
    if !status.is_server_error() && !is_passing(status) {
        return Verdict::Fatal;
    }
    if !matches!(status.as_u16(), 429 | 503) {
        return Verdict::Retry;
    }
    match retry_after(headers, now) {
        Some(least) => Verdict::RetryAfter { least, spread: least.min(LONGEST_SPREAD) },
        None => Verdict::Retry,
    }
}

/// RFC 9110 §10.2.3: seconds, or a date. What is neither says nothing.
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let value = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = if value.bytes().all(|byte| byte.is_ascii_digit()) {
        // More than the type holds is more than the limit too.
        Duration::from_secs(if value.is_empty() { return None } else { value.parse().unwrap_or(u64::MAX) })
    } else {
        // A date that has passed waits for nothing.
        httpdate::parse_http_date(value).ok()?.duration_since(now).unwrap_or_default()
    };
    Some(wait.min(LONGEST_RETRY_AFTER))
}

fn of_code(code: CloseCode) -> Verdict {
    match code {
        // Restarts and overload concern all clients at once; the registry of codes asks for a delay of 5 to 30 seconds.
        CloseCode::SERVICE_RESTART | CloseCode::TRY_AGAIN_LATER => {
            Verdict::RetryAfter { least: Duration::from_secs(5), spread: Duration::from_secs(25) }
        }
        CloseCode::NORMAL
        | CloseCode::PROTOCOL_ERROR
        | CloseCode::UNSUPPORTED_DATA
        | CloseCode::INVALID_PAYLOAD
        | CloseCode::POLICY_VIOLATION
        | CloseCode::MESSAGE_TOO_BIG
        | CloseCode::MANDATORY_EXTENSION => Verdict::Fatal,
        // Unauthorized and Forbidden, as the registry of §11.7 has them.
        code if matches!(code.get(), 3000 | 3003) => Verdict::Fatal,
        _ => Verdict::Retry,
    }
}

/// A server that names a later time, by mistake or not, does not stop a session for longer.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(3600);
const LONGEST_SPREAD: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{RedirectError, Refusal, Stage, UrlError};
    use std::io;
    use ws_proto::http::Response;
    use ws_proto::{
        ApiMisuse, CloseFrame, CloseInfo, Failure, Initiator, LimitError, ProtocolError, Timer, bytes::Bytes,
    };
    use ws_tokio::Error as SocketError;

    /// 1994-11-06 08:49:37, the date of RFC 9110 §5.6.7.
    fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777)
    }

    fn refused(status: u16, retry_after: Option<&str>) -> Verdict {
        let mut response = Response::builder().status(status);
        if let Some(value) = retry_after {
            response = response.header("retry-after", value);
        }
        let refusal = Refusal::from(response.body(Bytes::new()).unwrap());
        Verdict::of(&Why::Connect(Error::Refused(Box::new(refusal))), now())
    }

    fn closed(code: u16) -> Verdict {
        let code = CloseCode::new(code).unwrap_or(CloseCode::NO_STATUS);
        let frame = || CloseFrame { code, reason: Default::default() };
        let info = CloseInfo { initiator: Initiator::Peer, sent: frame(), received: frame() };
        Verdict::of(&Why::Closed(info), now())
    }

    const RESTART: Verdict =
        Verdict::RetryAfter { least: Duration::from_secs(5), spread: Duration::from_secs(25) };

    #[test]
    fn statuses_of_the_client_are_fatal_but_for_three_and_those_of_the_server_pass() {
        for status in 200..600 {
            let expected = match status {
                408 | 425 | 429 | 500..=599 => Verdict::Retry,
                _ => Verdict::Fatal,
            };
            assert_eq!(refused(status, None), expected, "{status}");
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let wait = |least, spread| {
            let secs = Duration::from_secs;
            Verdict::RetryAfter { least: secs(least), spread: secs(spread) }
        };
        for status in [429, 503] {
            for (value, expected) in [
                ("120", wait(120, 30)),
                (" 7 ", wait(7, 7)),
                ("0", wait(0, 0)),
                ("99999999999999999999999", wait(3600, 30)),
                ("Sun, 06 Nov 1994 08:50:37 GMT", wait(60, 30)),
                ("Sunday, 06-Nov-94 08:49:57 GMT", wait(20, 20)),
                ("Sun Nov  6 08:49:42 1994", wait(5, 5)),
                ("Sun, 06 Nov 1994 08:49:36 GMT", wait(0, 0)),
                ("Sun, 07 Nov 2094 08:49:37 GMT", wait(3600, 30)),
                ("soon", Verdict::Retry),
                ("-1", Verdict::Retry),
                ("", Verdict::Retry),
            ] {
                assert_eq!(refused(status, Some(value)), expected, "{status} {value:?}");
            }
        }
        assert_eq!(refused(500, Some("120")), Verdict::Retry);
        assert_eq!(refused(404, Some("120")), Verdict::Fatal);
    }

    #[test]
    fn each_close_code_has_its_verdict() {
        for code in [1000, 1002, 1003, 1007, 1008, 1009, 1010, 3000, 3003] {
            assert_eq!(closed(code), Verdict::Fatal, "{code}");
        }
        for code in [1001, 1005, 1011, 1014, 3001, 3008, 4000, 4999] {
            assert_eq!(closed(code), Verdict::Retry, "{code}");
        }
        for code in [1012, 1013] {
            assert_eq!(closed(code), RESTART, "{code}");
        }
    }

    #[test]
    fn each_end_of_a_connection_without_a_close_has_its_verdict() {
        let of = |error| Verdict::of(&Why::Lost(error), now());
        let failed = |failure: Failure| of(SocketError::Failed(failure));
        assert_eq!(failed(Failure::EndOfStream), Verdict::Retry);
        assert_eq!(failed(Failure::Timeout(Timer::Pong)), Verdict::Retry);
        assert_eq!(failed(Failure::Timeout(Timer::Close)), Verdict::Retry);
        assert_eq!(failed(ProtocolError::InvalidUtf8.into()), Verdict::Fatal);
        assert_eq!(failed(ProtocolError::MaskedServerFrame.into()), Verdict::Fatal);
        assert_eq!(failed(LimitError::MessageTooBig { limit: 1, actual: 2 }.into()), Verdict::Fatal);
        assert_eq!(failed(LimitError::TooManyFragments { limit: 1, actual: 2 }.into()), Verdict::Fatal);
        assert_eq!(of(SocketError::Io(io::ErrorKind::ConnectionReset.into())), Verdict::Retry);
    }

    #[test]
    fn each_way_not_to_connect_has_its_verdict() {
        let of = |error| Verdict::of(&Why::Connect(error), now());
        let io = || io::Error::from(io::ErrorKind::ConnectionRefused);
        for fatal in [
            Error::Url(UrlError::Scheme),
            Error::Misuse(ApiMisuse::ReservedHeader),
            Error::Credentials,
            Error::NoTls,
            Error::TlsConfig(io()),
            Error::Redirect(RedirectError::Downgrade),
            Error::Handshake(HandshakeError::WrongAccept),
            Error::Handshake(HandshakeError::MalformedStatusLine),
            Error::Proxy(ProxyError::Url),
            Error::Proxy(ProxyError::Variable("HTTP_PROXY")),
            Error::Proxy(ProxyError::Refused(StatusCode::PROXY_AUTHENTICATION_REQUIRED)),
            Error::Proxy(ProxyError::Refused(StatusCode::FORBIDDEN)),
            Error::Proxy(ProxyError::Malformed),
            Error::Proxy(ProxyError::HeadTooLarge { limit: 1 }),
            Error::Proxy(ProxyError::TooLong),
            Error::Proxy(ProxyError::NoAuthMethod),
            Error::Proxy(ProxyError::BadCredentials),
            Error::Proxy(ProxyError::Socks(SocksReply::NotAllowed)),
            Error::Proxy(ProxyError::Socks(SocksReply::CommandNotSupported)),
            Error::Proxy(ProxyError::Socks(SocksReply::AddressTypeNotSupported)),
            Error::Proxy(ProxyError::Socks(SocksReply::Unassigned(9))),
        ] {
            let shown = format!("{fatal:?}");
            assert_eq!(of(fatal), Verdict::Fatal, "{shown}");
        }
        for passing in [
            Error::Dns(io()),
            Error::Connect(io()),
            Error::Io(io()),
            Error::Tls(io()),
            Error::Handshake(HandshakeError::EndOfStream),
            Error::Handshake(HandshakeError::Timeout),
            Error::Proxy(ProxyError::Dns(io())),
            Error::Proxy(ProxyError::Connect(io())),
            Error::Proxy(ProxyError::Tls(io())),
            Error::Proxy(ProxyError::Io(io())),
            Error::Proxy(ProxyError::EndOfStream),
            Error::Proxy(ProxyError::Refused(StatusCode::BAD_GATEWAY)),
            Error::Proxy(ProxyError::Refused(StatusCode::TOO_MANY_REQUESTS)),
            Error::Proxy(ProxyError::Socks(SocksReply::GeneralFailure)),
            Error::Proxy(ProxyError::Socks(SocksReply::NetworkUnreachable)),
            Error::Proxy(ProxyError::Socks(SocksReply::HostUnreachable)),
            Error::Proxy(ProxyError::Socks(SocksReply::ConnectionRefused)),
            Error::Proxy(ProxyError::Socks(SocksReply::TtlExpired)),
        ] {
            let shown = format!("{passing:?}");
            assert_eq!(of(passing), Verdict::Retry, "{shown}");
        }
        let stages =
            [Stage::Dns, Stage::Connect, Stage::Proxy, Stage::Tls, Stage::Handshake, Stage::Redirect];
        assert!(stages.into_iter().all(|stage| of(Error::Timeout(stage)) == Verdict::Retry));
        assert_eq!(Verdict::of(&Why::Headers("no token".into()), now()), Verdict::Retry);
    }

    #[cfg(feature = "tls")]
    #[test]
    fn a_certificate_that_is_not_accepted_is_fatal() {
        let error =
            || io::Error::other(rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer));
        let of = |error| Verdict::of(&Why::Connect(error), now());
        assert_eq!(of(Error::Tls(error())), Verdict::Fatal);
        assert_eq!(of(Error::Proxy(ProxyError::Tls(error()))), Verdict::Fatal);
    }
}
