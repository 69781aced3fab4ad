//! Streams that somebody else opens.

use crate::stream::{Duplex, Stream};
use std::io;
use std::pin::Pin;
use tokio::io::{AsyncRead, AsyncWrite};

/// Whoever opens streams, in place of TCP (see [`ClientBuilder::connector`]): a tunnel, a simulated network, a socket that was prepared. TLS,
/// where the URL asks for it, and the opening handshake happen on top.
///
/// A closure will do; one that captures something clones it for each future (`move |to| { let own = own.clone(); async move { .. } }`).
///
/// ```
/// use tokio::net::TcpStream;
/// use ws_client::{Client, Destination};
///
/// let client = Client::builder()
///     .connector(async |to: Destination| TcpStream::connect(("relay.internal", to.port)).await)
///     .build();
/// ```
///
/// [`ClientBuilder::connector`]: crate::ClientBuilder::connector
pub trait Connect: Send + Sync + 'static {
    /// What it opens.
    type Io: AsyncRead + AsyncWrite + Send + Unpin + 'static;

    /// Opens a stream to the host of the URL, or to the proxy where there is one.
    ///
    /// Dropping the future gives up, and must leave nothing open.
    fn connect(&self, to: Destination) -> impl Future<Output = io::Result<Self::Io>> + Send;
}

/// Where a stream should lead to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Destination {
    /// A name, or an address without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl<F, Connecting, Io> Connect for F
where
    F: Fn(Destination) -> Connecting + Send + Sync + 'static,
    Connecting: Future<Output = io::Result<Io>> + Send,
    Io: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    type Io = Io;

    fn connect(&self, to: Destination) -> impl Future<Output = io::Result<Io>> + Send {
        self(to)
    }
}

/// The same behind a pointer.
pub(crate) trait AnyConnect: Send + Sync {
    fn connect(&self, to: Destination) -> Pin<Box<dyn Future<Output = io::Result<Stream>> + Send + '_>>;
}

impl<C: Connect> AnyConnect for C {
    fn connect(&self, to: Destination) -> Pin<Box<dyn Future<Output = io::Result<Stream>> + Send + '_>> {
        Box::pin(async move {
            let io: Box<dyn Duplex> = Box::new(Connect::connect(self, to).await?);
            Ok(Stream::other(io))
        })
    }
}
