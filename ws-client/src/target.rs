//! WebSocket URLs ([RFC 6455 §3]).
//!
//! [RFC 6455 §3]: https://www.rfc-editor.org/rfc/rfc6455#section-3

use crate::UrlError;
use std::net::Ipv6Addr;
use ws_proto::http::Uri;

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
    pub(crate) fn parse(url: &str) -> Result<Self, UrlError> {
        // What is beyond ASCII has to be encoded: in the host by IDNA, elsewhere by percent signs. Which was meant, nobody can know here.
        if !url.is_ascii() {
            return Err(UrlError::NotAscii);
        }
        // Looked for in the text, because `Uri` drops it without a word.
        if url.contains('#') {
            return Err(UrlError::Fragment);
        }
        let uri: Uri = url.parse().map_err(|_| UrlError::Malformed)?;
        let secure = match uri.scheme_str() {
            Some(scheme) if scheme.eq_ignore_ascii_case("ws") => false,
            Some(scheme) if scheme.eq_ignore_ascii_case("wss") => true,
            _ => return Err(UrlError::Scheme),
        };
        let authority = uri.authority().ok_or(UrlError::Malformed)?;
        if authority.as_str().contains('@') {
            return Err(UrlError::Userinfo);
        }
        let host = authority.host();
        let port = match authority.as_str().strip_prefix(host).ok_or(UrlError::Malformed)? {
            "" | ":" => {
                if secure {
                    443
                } else {
                    80
                }
            }
            _ => authority.port_u16().filter(|&port| port != 0).ok_or(UrlError::Port)?,
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
        Ok(Self { secure, host: host.to_owned(), port, uri })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(url: &str) -> (bool, String, u16, String) {
        let target = Target::parse(url).unwrap_or_else(|error| panic!("{url}: {error}"));
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
        assert_eq!(Target::parse("ws://example.com?x=1").unwrap().uri.query(), Some("x=1"));
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
            assert_eq!(Target::parse(url), Err(expected), "{url}");
        }
    }
}
