//! What proxies say of the client: the header `Forwarded` ([RFC 7239]), and those that were usual before it.
//!
//! [RFC 7239]: https://www.rfc-editor.org/rfc/rfc7239

use crate::limits::Limits;
use std::net::{IpAddr, SocketAddr};
use ws_proto::http::HeaderMap;
use ws_proto::http::header::{AsHeaderName, FORWARDED};

/// What the proxies that are trusted say.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Forwarded {
    /// The client, as far as the word of those that are trusted goes.
    pub(crate) client: Option<IpAddr>,
    /// Did the client connect with TLS?
    pub(crate) secure: Option<bool>,
}

impl Forwarded {
    /// Looks at the headers from the last proxy, which is the next to us, back to the first one that is not trusted: that is the client,
    /// and whatever stands before it may be of its own invention. `Forwarded` counts before `X-Forwarded-For` and `X-Forwarded-Proto`.
    pub(crate) fn of(headers: &HeaderMap, limits: &Limits) -> Self {
        let forwarded = lines(headers, FORWARDED);
        let mut hops: Vec<(Option<IpAddr>, Option<bool>)> = if forwarded.is_empty() {
            let protocols = lines(headers, "x-forwarded-proto");
            let secure = protocols.rsplit(',').next().and_then(secure);
            let clients = lines(headers, "x-forwarded-for");
            let hop = |text: &str| (address(text.trim()), secure);
            if clients.is_empty() { vec![(None, secure)] } else { clients.split(',').map(hop).collect() }
        } else {
            let hop = |hop: Result<rfc7239::Forwarded<'_>, rfc7239::RfcError>| match hop {
                Ok(hop) => {
                    let client = hop.forwarded_for.and_then(|node| node.ip().copied());
                    (client, hop.protocol.and_then(secure))
                }
                Err(_) => (None, None),
            };
            rfc7239::parse(&forwarded).map(hop).collect()
        };
        let mut found = Self::default();
        while let Some((client, secure)) = hops.pop() {
            found.secure = secure.or(found.secure);
            // What cannot be read, or hides its name, is trusted no further.
            let Some(client) = client else { break };
            found.client = Some(client);
            if !limits.trusts(client) {
                break;
            }
        }
        found
    }
}

/// All lines of a header as one list; nothing where one is not visible ASCII.
fn lines(headers: &HeaderMap, name: impl AsHeaderName) -> String {
    let lines: Result<Vec<_>, _> = headers.get_all(name).iter().map(|line| line.to_str()).collect();
    lines.map(|lines| lines.join(",")).unwrap_or_default()
}

fn secure(protocol: &str) -> Option<bool> {
    let protocol = protocol.trim().trim_matches('"');
    if protocol.eq_ignore_ascii_case("https") || protocol.eq_ignore_ascii_case("wss") {
        Some(true)
    } else if protocol.eq_ignore_ascii_case("http") || protocol.eq_ignore_ascii_case("ws") {
        Some(false)
    } else {
        None
    }
}

/// An address, with a port or without.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    bare.parse().ok().or_else(|| text.parse().ok().map(|addr: SocketAddr| addr.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ws_proto::Entropy;
    use ws_proto::http::{HeaderName, HeaderValue};

    #[track_caller]
    fn forwarded(headers: &[(&'static str, &str)]) -> (Option<String>, Option<bool>) {
        let mut limits = Limits::new(Entropy::os());
        limits.trusted_proxies = vec!["10.0.0.0/8".parse().unwrap(), "2001:db8::/32".parse().unwrap()];
        let headers = headers.iter().map(|(name, value)| {
            (HeaderName::from_static(name), HeaderValue::from_bytes(value.as_bytes()).unwrap())
        });
        let Forwarded { client, secure } = Forwarded::of(&headers.collect(), &limits);
        (client.map(|client| client.to_string()), secure)
    }

    #[test]
    fn the_client_is_the_last_that_is_not_trusted() {
        let client = |headers| forwarded(headers).0.unwrap();
        assert_eq!(client(&[("x-forwarded-for", "6.6.6.6, 192.0.2.1, 10.0.0.1")]), "192.0.2.1");
        assert_eq!(
            client(&[("x-forwarded-for", "6.6.6.6"), ("x-forwarded-for", "192.0.2.1:4711")]),
            "192.0.2.1"
        );
        assert_eq!(client(&[("x-forwarded-for", "[2606:4700::1]:99")]), "2606:4700::1");
        assert_eq!(client(&[("x-forwarded-for", "10.0.0.2, 10.0.0.1")]), "10.0.0.2");
        assert_eq!(
            client(&[("forwarded", "for=6.6.6.6, for=\"[2606:4700::1]:99\";proto=https, for=10.1.1.1")]),
            "2606:4700::1"
        );
        assert_eq!(client(&[("forwarded", "for=192.0.2.1"), ("x-forwarded-for", "6.6.6.6")]), "192.0.2.1");
    }

    #[test]
    fn what_cannot_be_read_is_trusted_no_further() {
        assert_eq!(forwarded(&[("x-forwarded-for", "192.0.2.1, nonsense")]), (None, None));
        assert_eq!(forwarded(&[("forwarded", "for=192.0.2.1, for=_hidden")]), (None, None));
        assert_eq!(forwarded(&[("forwarded", "for=192.0.2.1, ;;=, for=10.0.0.1")]).0.unwrap(), "10.0.0.1");
        assert_eq!(forwarded(&[("forwarded", "for=192.0.2.1\u{e9}")]), (None, None));
        assert_eq!(forwarded(&[]), (None, None));
    }

    #[test]
    fn the_scheme_is_that_of_the_clients_connection() {
        assert_eq!(forwarded(&[("x-forwarded-proto", "https")]), (None, Some(true)));
        assert_eq!(forwarded(&[("x-forwarded-proto", "https, http")]), (None, Some(false)));
        let hops = [("forwarded", "for=192.0.2.1;proto=https, for=10.0.0.1;proto=http")];
        assert_eq!(forwarded(&hops).1, Some(true));
    }
}
