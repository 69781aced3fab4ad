//! From a host's name to its addresses.

use std::io;
use std::net::IpAddr;
use std::pin::Pin;

/// Whoever resolves names, in place of the operating system (see [`ClientBuilder::resolver`]). Addresses that stand in a URL are never
/// asked for.
///
/// A closure will do; one that captures something clones it for each future (`move |name| { let own = own.clone(); async move { .. } }`).
///
/// ```
/// use std::net::Ipv4Addr;
/// use ws_client::Client;
///
/// let client = Client::builder()
///     .resolver(async |_name: String| Ok(vec![Ipv4Addr::LOCALHOST.into()]))
///     .build();
/// ```
///
/// [`ClientBuilder::resolver`]: crate::ClientBuilder::resolver
pub trait Resolve: Send + Sync + 'static {
    /// The addresses of `name`, the preferred first. They are tried with the families taking turns (RFC 8305 §4).
    ///
    /// Dropping the future ends the asking.
    fn resolve(&self, name: String) -> impl Future<Output = io::Result<Vec<IpAddr>>> + Send;
}

impl<F, Resolving> Resolve for F
where
    F: Fn(String) -> Resolving + Send + Sync + 'static,
    Resolving: Future<Output = io::Result<Vec<IpAddr>>> + Send,
{
    fn resolve(&self, name: String) -> impl Future<Output = io::Result<Vec<IpAddr>>> + Send {
        self(name)
    }
}

/// The same behind a pointer.
pub(crate) trait AnyResolve: Send + Sync {
    fn resolve(&self, name: String) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + '_>>;
}

impl<R: Resolve> AnyResolve for R {
    fn resolve(&self, name: String) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + '_>> {
        Box::pin(Resolve::resolve(self, name))
    }
}
