//! Which pages may connect ([RFC 6455 §10.2]).
//!
//! [RFC 6455 §10.2]: https://www.rfc-editor.org/rfc/rfc6455#section-10.2

use crate::authority::{Authority, AuthorityError};
use std::fmt;
use std::sync::Arc;
use ws_proto::http::{HeaderValue, Request, header};

/// Which pages may connect, by the header `Origin` that browsers send ([RFC 6455 §10.2]).
///
/// A browser lets every page open a WebSocket to every server and sends the user's cookies along. So by default a server refuses with 403
/// whoever comes from another origin than its own. Programs other than browsers send no `Origin` and are not refused: this protects the
/// users of browsers, it is no authentication.
///
/// Origins are compared as RFC 6454 §5 wants it, scheme, host and port: without regard to the case of letters, with the port of the scheme
/// (80, 443) where there is none, and with one way of writing for each IPv6 address. `null`, which sandboxed pages and local files send,
/// equals nothing; so does a malformed origin, and a request with two of them.
///
/// ```
/// # fn example() -> Result<(), ws_server::OriginError> {
/// use ws_server::{Origins, Server};
///
/// let builder = Server::builder().origins(Origins::listed(["https://app.example.com", "http://localhost:3000"])?.or_same());
/// # Ok(())
/// # }
/// ```
///
/// [RFC 6455 §10.2]: https://www.rfc-editor.org/rfc/rfc6455#section-10.2
#[derive(Clone, Debug)]
#[must_use]
pub struct Origins(Rule);

#[derive(Clone)]
enum Rule {
    Any,
    Listed { origins: Arc<[Origin]>, or_same: bool },
    Decided(Arc<Decision>),
}

type Decision = dyn Fn(&Request<()>) -> bool + Send + Sync;

impl Origins {
    /// The server's own: the default. It is `http` or `https`, depending on whether the client's connection has TLS, and what the request
    /// names in `Host`.
    ///
    /// Behind a proxy that ends TLS the connection has none, and pages of `https` are refused: tell
    /// [`trusted_proxies`](crate::ServerBuilder::trusted_proxies) where the proxy is, or list the origins.
    pub fn same() -> Self {
        Self(Rule::Listed { origins: Arc::new([]), or_same: true })
    }

    /// Exactly these, each as browsers write it: `https://example.com`, `http://localhost:3000`, with a name beyond ASCII in its encoded
    /// form (`https://xn--bcher-kva.example`), and with nothing behind the host and the port.
    ///
    /// # Errors
    /// [`OriginError`] names the first that is none.
    pub fn listed<'a>(origins: impl IntoIterator<Item = &'a str>) -> Result<Self, OriginError> {
        let origins = origins
            .into_iter()
            .map(|origin| {
                Origin::parse(origin.as_bytes()).map_err(|fault| OriginError { origin: origin.into(), fault })
            })
            .collect::<Result<_, _>>()?;
        Ok(Self(Rule::Listed { origins, or_same: false }))
    }

    /// The server's own as well.
    pub fn or_same(mut self) -> Self {
        if let Rule::Listed { or_same, .. } = &mut self.0 {
            *or_same = true;
        }
        self
    }

    /// All. Safe only where nothing depends on who the user of a browser is: no cookies, no client certificates, no network that only
    /// some can reach.
    pub fn any() -> Self {
        Self(Rule::Any)
    }

    /// As you decide: the function sees every request, also those without an `Origin`, and says whether it may go on.
    pub fn decided(allows: impl Fn(&Request<()>) -> bool + Send + Sync + 'static) -> Self {
        Self(Rule::Decided(Arc::new(allows)))
    }

    /// May this request go on? `secure` says whether the client's connection has TLS.
    pub(crate) fn allow(&self, request: &Request<()>, secure: bool) -> bool {
        let (listed, or_same) = match &self.0 {
            Rule::Any => return true,
            Rule::Decided(allows) => return allows(request),
            Rule::Listed { origins, or_same } => (origins, *or_same),
        };
        let mut values = request.headers().get_all(header::ORIGIN).iter();
        let Some(value) = values.next() else { return true };
        if values.next().is_some() {
            return false;
        }
        let Ok(origin) = Origin::parse(value.as_bytes()) else { return false };
        listed.contains(&origin) || (or_same && Origin::of(request, secure) == Some(origin))
    }
}

impl Default for Origins {
    fn default() -> Self {
        Self::same()
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("Any"),
            Self::Listed { origins, or_same } => {
                f.debug_struct("Listed").field("origins", origins).field("or_same", or_same).finish()
            }
            Self::Decided(_) => f.write_str("Decided"),
        }
    }
}

/// An origin that is not opaque (RFC 6454 §4).
#[derive(Clone, Debug, PartialEq, Eq)]
struct Origin {
    /// In lower case.
    scheme: Box<str>,
    host: Box<str>,
    /// That of the scheme where none was written; none for schemes without one, such as those of browser extensions.
    port: Option<u16>,
}

impl Origin {
    fn parse(text: &[u8]) -> Result<Self, Fault> {
        let text = std::str::from_utf8(text).map_err(|_| Fault::NotAscii)?;
        if !text.is_ascii() {
            return Err(Fault::NotAscii);
        }
        if text == "null" {
            return Err(Fault::Opaque);
        }
        let (scheme, authority) = text.split_once("://").ok_or(Fault::NoScheme)?;
        let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
        if !is_scheme {
            return Err(Fault::NoScheme);
        }
        let Authority { host, port } = Authority::parse(authority.as_bytes()).map_err(Fault::Authority)?;
        let scheme = scheme.to_ascii_lowercase().into_boxed_str();
        let port = port.or_else(|| default_port(&scheme));
        Ok(Self { scheme, host, port })
    }

    /// The origin of a page that this server could have served at the address that the client asked for.
    fn of(request: &Request<()>, secure: bool) -> Option<Self> {
        let host = request.headers().get(header::HOST).map(HeaderValue::as_bytes)?;
        let Authority { host, port } = Authority::parse(host).ok()?;
        let scheme = if secure { "https" } else { "http" };
        Some(Self { scheme: scheme.into(), host, port: port.or_else(|| default_port(scheme)) })
    }
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

/// An origin in a list that is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginError {
    origin: Box<str>,
    fault: Fault,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    NotAscii,
    Opaque,
    NoScheme,
    Authority(AuthorityError),
}

impl fmt::Display for OriginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "origins: {:?} is no origin such as https://example.com: ", self.origin)?;
        match self.fault {
            Fault::NotAscii => f.write_str("write the name as browsers send it, in ASCII (xn--…)"),
            Fault::Opaque => {
                f.write_str("null stands for every page without an origin, use Origins::decided")
            }
            Fault::NoScheme => f.write_str("there is no scheme before ://"),
            Fault::Authority(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for OriginError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(host: &str, origins: &[&str]) -> Request<()> {
        let mut request = Request::get("/").header(header::HOST, host);
        for origin in origins {
            request = request.header(header::ORIGIN, HeaderValue::from_bytes(origin.as_bytes()).unwrap());
        }
        request.body(()).unwrap()
    }

    #[track_caller]
    fn same(host: &str, origin: &str, secure: bool) -> bool {
        Origins::same().allow(&request(host, &[origin]), secure)
    }

    #[test]
    fn the_same_origin_may_connect_however_it_is_written() {
        for (host, origin, secure) in [
            ("example.com", "http://example.com", false),
            ("Example.COM", "http://example.com:80", false),
            ("example.com:80", "HTTP://EXAMPLE.com", false),
            ("example.com", "https://example.com", true),
            ("example.com:443", "https://example.com", true),
            ("localhost:9001", "http://localhost:9001", false),
            ("[::1]:9001", "http://[0:0:0:0:0:0:0:1]:9001", false),
            ("xn--bcher-kva.example", "https://xn--bcher-kva.example", true),
        ] {
            assert!(same(host, origin, secure), "{host} {origin}");
        }
    }

    #[test]
    fn another_origin_is_refused_however_alike_it_looks() {
        for (host, origin, secure) in [
            ("example.com", "http://evil.com", false),
            ("example.com", "http://example.com.evil.com", false),
            ("example.com", "http://evilexample.com", false),
            ("example.com", "http://sub.example.com", false),
            ("example.com", "http://example.com.", false),
            ("example.com", "http://example.com:8080", false),
            ("example.com:8080", "http://example.com", false),
            ("example.com", "https://example.com", false),
            ("example.com", "http://example.com", true),
            ("example.com", "http://example.com@evil.com", false),
            ("example.com", "http://evil.com@example.com", false),
            ("example.com", "http://example.com/", false),
            ("example.com", "http://example.com/path", false),
            ("example.com", "http://example.com?", false),
            ("example.com", "http://example.com#", false),
            ("example.com", "http://example.com:", false),
            ("example.com", "http://example.com:080", false),
            ("example.com", "http:// example.com", false),
            ("example.com", "http:example.com", false),
            ("example.com", "//example.com", false),
            ("example.com", "null", false),
            ("null", "null", false),
            ("example.com", "", false),
            ("example.com", "*", false),
            ("bücher.example", "http://bücher.example", false),
            ("[::1]", "http://[::1", false),
            ("[::1]", "http://[::2]", false),
            ("[::1]", "http://::1", false),
            ("127.0.0.1", "http://localhost", false),
        ] {
            assert!(!same(host, origin, secure), "{host} {origin}");
        }
    }

    #[test]
    fn two_origins_are_refused_even_where_both_are_good() {
        assert!(
            !Origins::same().allow(&request("a.example", &["http://a.example", "http://a.example"]), false)
        );
    }

    #[test]
    fn who_sends_no_origin_is_no_browser_and_may_connect() {
        assert!(Origins::same().allow(&request("example.com", &[]), false));
        assert!(Origins::listed([]).unwrap().allow(&request("example.com", &[]), false));
        assert!(!Origins::decided(|_| false).allow(&request("example.com", &[]), false));
    }

    #[test]
    fn a_list_is_exact_and_has_the_servers_own_only_where_it_is_asked_for() {
        let listed = Origins::listed(["https://App.example.com", "chrome-extension://abcdef"]).unwrap();
        let allows = |rule: &Origins, origin| rule.allow(&request("example.com", &[origin]), false);
        assert!(allows(&listed, "https://app.example.com"));
        assert!(allows(&listed, "https://app.example.com:443"));
        assert!(allows(&listed, "chrome-extension://abcdef"));
        assert!(!allows(&listed, "http://app.example.com"));
        assert!(!allows(&listed, "chrome-extension://abcdef0"));
        assert!(!allows(&listed, "http://example.com"));
        assert!(allows(&listed.or_same(), "http://example.com"));
        assert!(allows(&Origins::any(), "null"));
    }

    #[test]
    fn what_is_no_origin_is_named_with_what_to_do() {
        let error = |origin| Origins::listed([origin]).unwrap_err().to_string();
        assert!(error("example.com").ends_with("there is no scheme before ://"), "{}", error("example.com"));
        assert!(error("https://bücher.example").contains("xn--"));
        assert!(error("null").contains("Origins::decided"));
        assert!(error("https://example.com/").starts_with("origins: \"https://example.com/\" is no origin"));
    }
}
