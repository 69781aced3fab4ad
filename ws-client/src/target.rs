//! WebSocket URLs ([RFC 6455 §3]).
//!
//! [RFC 6455 §3]: https://www.rfc-editor.org/rfc/rfc6455#section-3

use crate::{Destination, UrlError};
use std::net::Ipv6Addr;
use ws_proto::http::Uri;
use ws_proto::http::uri::Authority;

/// A URL that was found to be one to connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// What to ask for.
    pub(crate) uri: Uri,
    /// Is it `wss`?
    pub(crate) secure: bool,
    /// A name, or an address without brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl Target {
    /// What is beyond ASCII or behind a `#` is gone from a [`Uri`]: who takes text looks for it there.
    pub(crate) fn new(uri: Uri) -> Result<Self, UrlError> {
        let secure = match uri.scheme_str() {
            Some(scheme) if scheme.eq_ignore_ascii_case("ws") => false,
            Some(scheme) if scheme.eq_ignore_ascii_case("wss") => true,
            _ => return Err(UrlError::Scheme),
        };
        let authority = uri.authority().ok_or(UrlError::Malformed)?;
        if authority.as_str().contains('@') {
            return Err(UrlError::Userinfo);
        }
        let (host, port) = host_and_port(authority)?;
        let port = port.unwrap_or(if secure { 443 } else { 80 });
        Ok(Self { secure, host: host.to_owned(), port, uri })
    }

    /// Same scheme, host and port (RFC 6454 §5)?
    pub(crate) fn same_origin(&self, other: &Self) -> bool {
        self.secure == other.secure && self.port == other.port && self.host.eq_ignore_ascii_case(&other.host)
    }

    pub(crate) fn destination(&self) -> Destination {
        Destination { host: self.host.clone(), port: self.port }
    }
}

/// The host without brackets, and the port where there is one. What stands before an `@` has to be cut off before.
pub(crate) fn host_and_port(authority: &Authority) -> Result<(&str, Option<u16>), UrlError> {
    let host = authority.host();
    let port = match authority.as_str().strip_prefix(host).ok_or(UrlError::Malformed)? {
        "" | ":" => None,
        _ => Some(authority.port_u16().filter(|&port| port != 0).ok_or(UrlError::Port)?),
    };
    let host = match host.strip_prefix('[') {
        Some(rest) => {
            let address = rest.strip_suffix(']').ok_or(UrlError::Malformed)?;
            address.parse::<Ipv6Addr>().map_err(|_| UrlError::Malformed)?;
            address
        }
        None => host,
    };
    if host.is_empty() {
        return Err(UrlError::Malformed);
    }
    Ok((host, port))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Error, IntoRequest};

    fn parse(url: &str) -> Result<Target, UrlError> {
        match url.into_request() {
            Ok(request) => Target::new(request.uri().clone()),
            Err(Error::Url(error)) => Err(error),
            Err(error) => panic!("{url}: {error}"),
        }
    }

    fn parts(url: &str) -> (bool, String, u16, String) {
        let target = parse(url).unwrap_or_else(|error| panic!("{url}: {error}"));
        let path = target.uri.path_and_query().map_or("", |path| path.as_str()).to_owned();
        (target.secure, target.host, target.port, path)
    }

    #[test]
    fn the_scheme_decides_on_tls_and_the_default_port() {
        assert_eq!(parts("ws://example.com/chat"), (false, "example.com".into(), 80, "/chat".into()));
        assert_eq!(parts("wss://example.com/chat"), (true, "example.com".into(), 443, "/chat".into()));
        assert_eq!(parts("WSS://example.com:8443/"), (true, "example.com".into(), 8443, "/".into()));
        assert_eq!(parts("ws://example.com:/"), (false, "example.com".into(), 80, "/".into()));
    }

    #[test]
    fn path_and_query_are_kept() {
        assert_eq!(parts("ws://example.com").3, "/");
        assert_eq!(parts("ws://example.com/a%20b/c?d=e&f=%C3%A9").3, "/a%20b/c?d=e&f=%C3%A9");
        assert_eq!(parse("ws://example.com?x=1").unwrap().uri.query(), Some("x=1"));
    }

    #[test]
    fn an_address_stands_without_its_brackets() {
        assert_eq!(parts("ws://[::1]:9001/").1, "::1");
        assert_eq!(parts("wss://[2001:db8::7]/").2, 443);
        assert_eq!(parts("ws://127.0.0.1:9001").1, "127.0.0.1");
    }

    #[test]
    fn what_is_not_a_websocket_url_is_refused_by_name() {
        for (url, expected) in [
            ("ws://example.com/#top", UrlError::Fragment),
            ("ws://example.com/chat#", UrlError::Fragment),
            ("http://example.com/", UrlError::Scheme),
            ("/chat", UrlError::Scheme),
            ("example.com", UrlError::Scheme),
            ("ws://user:secret@example.com/", UrlError::Userinfo),
            ("ws://user@example.com/", UrlError::Userinfo),
            ("ws://example.com:99999/", UrlError::Port),
            ("ws://example.com:0/", UrlError::Port),
            ("ws://example.com/é", UrlError::NotAscii),
            ("ws://bücher.example/", UrlError::NotAscii),
            ("ws://", UrlError::Malformed),
            ("ws:///chat", UrlError::Malformed),
            ("ws://:80/", UrlError::Malformed),
            ("ws://[::1/", UrlError::Malformed),
            ("ws://[example]/", UrlError::Malformed),
            ("ws://example.com/a b", UrlError::Malformed),
            ("ws://example.com/\r\nhost: other", UrlError::Malformed),
            ("", UrlError::Malformed),
        ] {
            assert_eq!(parse(url), Err(expected), "{url}");
        }
    }

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        let target = parse("wss://example.com/a").unwrap();
        for (url, same) in [
            ("wss://EXAMPLE.com:443/b?c", true),
            ("ws://example.com:443/", false),
            ("wss://example.com:8443/", false),
            ("wss://www.example.com/", false),
            ("wss://example.com.evil.example/", false),
        ] {
            assert_eq!(target.same_origin(&parse(url).unwrap()), same, "{url}");
        }
    }
}
