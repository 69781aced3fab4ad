//! The settings of a blocking client.

use super::Client;
#[cfg(feature = "tls")]
use crate::Roots;
use crate::{Config, Cookies, Proxy, Redirects, Subprotocol};
#[cfg(feature = "tls")]
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use ws_proto::http::{HeaderName, HeaderValue};

/// The settings of a blocking client, before it connects; see [`Client::builder`]. They are those of [`crate::ClientBuilder`], where each is
/// explained, with the same defaults.
#[must_use]
pub struct ClientBuilder(crate::ClientBuilder);

macro_rules! settings {
    ($($(#[$attr:meta])* $name:ident($($argument:ident: $type:ty),*);)*) => {
        /// What can be set.
        impl ClientBuilder {$(
            #[doc = concat!("As [`ClientBuilder::", stringify!($name), "`](crate::ClientBuilder::", stringify!($name), ").")]
            $(#[$attr])*
            pub fn $name(self, $($argument: $type),*) -> Self {
                Self(self.0.$name($($argument),*))
            }
        )*}
    };
}

settings! {
    header(name: HeaderName, value: HeaderValue);
    basic_auth(user: &str, password: &str);
    bearer_auth(token: &str);
    cookies(jar: impl Cookies);
    subprotocol(subprotocol: Subprotocol);
    redirects(redirects: Redirects);
    config(config: impl Into<Arc<Config>>);
    connect_timeout(timeout: Duration);
    dns_timeout(timeout: Duration);
    tcp_timeout(timeout: Duration);
    proxy_timeout(timeout: Duration);
    tls_timeout(timeout: Duration);
    one_attempt_at_a_time(serialise: bool);
    #[cfg(unix)]
    unix_socket(path: impl Into<std::path::PathBuf>);
    local_address(address: IpAddr);
    tcp_nodelay(nodelay: bool);
    tcp_keepalive(idle: Duration);
    tcp_send_buffer_bytes(bytes: u32);
    tcp_recv_buffer_bytes(bytes: u32);
    proxy(proxy: Proxy);
    proxy_from_env();
    no_proxy();
    #[cfg(feature = "tls")]
    roots(roots: Roots);
    #[cfg(feature = "tls")]
    add_roots(roots: impl IntoIterator<Item = CertificateDer<'static>>);
    #[cfg(feature = "tls")]
    client_certificate(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>);
    #[cfg(feature = "tls")]
    danger_accept_invalid_certificates(accept: bool);
    #[cfg(feature = "tls")]
    tls(config: impl Into<Arc<rustls::ClientConfig>>);
}

impl ClientBuilder {
    pub(super) fn new() -> Self {
        Self(crate::ClientBuilder::new())
    }

    /// The client. Nothing is read or checked before it connects.
    #[must_use]
    pub fn build(self) -> Client {
        Client::new(self.0)
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
