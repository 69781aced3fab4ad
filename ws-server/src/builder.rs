//! The settings of a server.

#[cfg(feature = "tls")]
use crate::Tls;
use crate::listener::{Shared, listen};
use crate::{Config, Error, Server};
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::{TcpListener, ToSocketAddrs};

/// The settings of a server, before it listens; see [`Server::builder`].
#[must_use]
pub struct ServerBuilder {
    config: Arc<Config>,
    #[cfg(feature = "tls")]
    tls: Option<Tls>,
    on_error: Box<OnError>,
}

pub(crate) type OnError = dyn Fn(&Error, Option<SocketAddr>) + Send + Sync;

impl ServerBuilder {
    pub(crate) fn new() -> Self {
        Self {
            config: Arc::new(Config::default()),
            #[cfg(feature = "tls")]
            tls: None,
            on_error: Box::new(|_, _| {}),
        }
    }

    /// Limits, timers and compression of all connections. Default: [`Config::default`].
    pub fn config(mut self, config: impl Into<Arc<Config>>) -> Self {
        self.config = config.into();
        self
    }

    /// Speaks TLS, with this certificate; connections without TLS are then refused. Default: no TLS.
    #[cfg(feature = "tls")]
    pub fn tls(mut self, tls: impl Into<Tls>) -> Self {
        self.tls = Some(tls.into());
        self
    }

    /// Is called with whatever goes wrong in [`Server::serve`] and [`Server::accept`], and the address of the connection where it is of
    /// one: for your log. It should return soon, for a task of the server waits, and must not panic. Default: nothing is told.
    pub fn on_error(mut self, on_error: impl Fn(&Error, Option<SocketAddr>) + Send + Sync + 'static) -> Self {
        self.on_error = Box::new(on_error);
        self
    }

    /// Listens on the first of these addresses that can be had; port 0 is a free one. The queue of connections that were not accepted yet
    /// holds 1,024, or what the system allows. `SO_REUSEADDR` is set, but on Windows, where it means another thing.
    ///
    /// # Errors
    /// That of the last address: it is in use, or not of this machine, or not allowed; or the name was not found.
    pub async fn bind(self, addr: impl ToSocketAddrs) -> io::Result<Server> {
        let mut last = None;
        for addr in tokio::net::lookup_host(addr).await? {
            match listen(addr) {
                Ok(listener) => return Ok(self.listener(listener)),
                Err(error) => last = Some(error),
            }
        }
        Err(last
            .unwrap_or_else(|| io::Error::new(io::ErrorKind::NotFound, "there is no address to listen on")))
    }

    /// Serves on a listener that is there already, such as one that was inherited from a supervisor.
    #[must_use]
    pub fn listener(self, listener: TcpListener) -> Server {
        let Self { config, on_error, .. } = self;
        let shared = Shared {
            config,
            #[cfg(feature = "tls")]
            tls: self.tls,
            on_error,
            registry: Arc::default(),
        };
        Server::new(listener, shared)
    }
}

impl fmt::Debug for ServerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerBuilder").field("config", &self.config).finish_non_exhaustive()
    }
}
