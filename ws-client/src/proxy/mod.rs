//! Ways through proxies: which to take, and how a proxy is named.

use crate::target::host_and_port;
use crate::{Error, Stage};
use std::fmt;
use std::sync::Arc;
use ws_proto::http::Uri;
use ws_proto::http::uri::Authority;

pub(crate) mod connect;
pub(crate) mod env;
mod error;
pub(crate) mod socks5;

pub use error::{ProxyError, SocksReply};

/// A proxy to connect through (see [`ClientBuilder::proxy`](crate::ClientBuilder::proxy)).
///
/// Names are resolved by the proxy, never here: it may see hosts that this machine does not, and nobody else is told. With `wss` the proxy
/// sees the host and the port, and nothing of what is sent: the certificate that counts is that of the host.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy(Arc<Inner>);

#[derive(Clone, PartialEq, Eq)]
struct Inner {
    kind: Kind,
    host: String,
    port: u16,
    credentials: Option<Credentials>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// HTTP CONNECT (RFC 9110 §9.3.6).
    Http,
    /// The same over TLS with the proxy.
    Https,
    /// RFC 1928.
    Socks5,
}

#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Credentials {
    pub(crate) user: String,
    pub(crate) password: String,
}

impl Proxy {
    /// Takes a URL: `http://host:port` for HTTP CONNECT, `https://host:port` for the same over TLS, `socks5://host:port` or
    /// `socks5h://host:port` for SOCKS5 (both leave names to the proxy). Without a scheme it is `http`; without a port 80, 443 or 1080.
    /// A user and a password before the host, percent-encoded, are told to the proxy. A path other than `/` is an error.
    ///
    /// # Errors
    /// [`ProxyError::Url`] where it is nothing of the kind.
    ///
    /// # Example
    /// ```
    /// use ws_client::{Client, Proxy};
    ///
    /// # fn main() -> Result<(), ws_client::ProxyError> {
    /// let proxy = Proxy::new("http://proxy.example.com:3128")?.basic_auth("me", "secret");
    /// let client = Client::builder().proxy(proxy).build();
    /// # Ok(()) }
    /// ```
    pub fn new(url: &str) -> Result<Self, ProxyError> {
        Self::parse(url).ok_or(ProxyError::Url)
    }

    fn parse(url: &str) -> Option<Self> {
        let uri: Uri = url.trim().parse().ok()?;
        let (kind, default_port) = match uri.scheme_str().map(str::to_ascii_lowercase).as_deref() {
            None | Some("http") => (Kind::Http, 80),
            Some("https") => (Kind::Https, 443),
            Some("socks5" | "socks5h") => (Kind::Socks5, 1080),
            Some(_) => return None,
        };
        if uri.path_and_query().is_some_and(|path| path != "/") {
            return None;
        }
        let authority = uri.authority()?;
        let (userinfo, authority) = match authority.as_str().rsplit_once('@') {
            Some((userinfo, rest)) => (Some(userinfo), rest.parse::<Authority>().ok()?),
            None => (None, authority.clone()),
        };
        let (host, port) = host_and_port(&authority).ok()?;
        let credentials = match userinfo {
            Some(userinfo) => Some(Credentials::parse(userinfo)?),
            None => None,
        };
        let (host, port) = (host.to_owned(), port.unwrap_or(default_port));
        Some(Self(Arc::new(Inner { kind, host, port, credentials })))
    }

    /// Tells the proxy this user and password, in place of those of the URL: as `Proxy-Authorization: Basic` (RFC 7617) or by RFC 1929.
    #[must_use]
    pub fn basic_auth(mut self, user: impl Into<String>, password: impl Into<String>) -> Self {
        let credentials = Credentials { user: user.into(), password: password.into() };
        Arc::make_mut(&mut self.0).credentials = Some(credentials);
        self
    }

    pub(crate) fn kind(&self) -> Kind {
        self.0.kind
    }

    /// A name, or an address without brackets.
    pub(crate) fn host(&self) -> &str {
        &self.0.host
    }

    pub(crate) fn port(&self) -> u16 {
        self.0.port
    }

    pub(crate) fn credentials(&self) -> Option<&Credentials> {
        self.0.credentials.as_ref()
    }
}

impl Credentials {
    fn parse(userinfo: &str) -> Option<Self> {
        let (user, password) = userinfo.split_once(':').unwrap_or((userinfo, ""));
        let decode = |part| Some(percent_encoding::percent_decode_str(part).decode_utf8().ok()?.into_owned());
        Some(Self { user: decode(user)?, password: decode(password)? })
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy")
            .field("kind", &self.0.kind)
            .field("host", &self.0.host)
            .field("port", &self.0.port)
            .field("credentials", &self.0.credentials.is_some())
            .finish()
    }
}

/// Which proxy a client takes.
#[derive(Clone, Debug, Default)]
pub(crate) enum Choice {
    #[default]
    None,
    Always(Proxy),
    Env(env::Variables),
}

/// What went wrong on the way to the proxy.
pub(crate) fn to_the_proxy(error: Error) -> Error {
    match error {
        Error::Dns(error) => ProxyError::Dns(error).into(),
        Error::Connect(error) => ProxyError::Connect(error).into(),
        Error::Timeout(_) => Error::Timeout(Stage::Proxy),
        error => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(url: &str) -> (Kind, String, u16, Option<(String, String)>) {
        let proxy = Proxy::new(url).unwrap_or_else(|error| panic!("{url}: {error}"));
        let credentials = proxy.credentials().map(|it| (it.user.clone(), it.password.clone()));
        (proxy.kind(), proxy.host().to_owned(), proxy.port(), credentials)
    }

    #[test]
    fn a_proxy_is_named_by_a_url() {
        for (url, kind, host, port) in [
            ("http://proxy.example:3128", Kind::Http, "proxy.example", 3128),
            ("proxy.example:3128", Kind::Http, "proxy.example", 3128),
            ("proxy.example", Kind::Http, "proxy.example", 80),
            ("HTTPS://proxy.example/", Kind::Https, "proxy.example", 443),
            ("socks5://[::1]", Kind::Socks5, "::1", 1080),
            ("socks5h://127.0.0.1:9050", Kind::Socks5, "127.0.0.1", 9050),
            (" http://proxy.example ", Kind::Http, "proxy.example", 80),
        ] {
            assert_eq!(parts(url), (kind, host.to_owned(), port, None), "{url}");
        }
        let (_, host, _, credentials) = parts("socks5://a%40b:c%3Ad@proxy.example");
        assert_eq!(host, "proxy.example");
        assert_eq!(credentials.unwrap(), ("a@b".to_owned(), "c:d".to_owned()));
        assert_eq!(parts("http://user@proxy.example").3.unwrap(), ("user".to_owned(), String::new()));
    }

    #[test]
    fn what_names_no_proxy_is_refused_without_repeating_it() {
        for url in [
            "",
            "socks4://s3cret@proxy.example",
            "ftp://s3cret@proxy.example",
            "http://",
            "http://user:s3cret@",
            "http://s3cret@proxy.example/path",
            "http://s3cret@proxy.example:99999",
            "http://s3c ret@proxy.example",
            "http://%ff:s3cret@proxy.example",
        ] {
            let error = Proxy::new(url).unwrap_err();
            let shown = format!("{error} {error:?}");
            assert!(matches!(error, ProxyError::Url) && !shown.contains("s3c"), "{url}: {shown}");
        }
    }

    #[test]
    fn credentials_are_not_shown() {
        let proxy = Proxy::new("http://user:s3cret@proxy.example").unwrap();
        assert!(!format!("{proxy:?}").contains("s3cret"));
        assert!(!format!("{:?}", proxy.basic_auth("other", "s3cret")).contains("s3cret"));
    }
}
