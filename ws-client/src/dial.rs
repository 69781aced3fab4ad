//! From a target to a byte stream that leads there: name, TCP or what takes its place, proxy, TLS.

use crate::builder::ClientBuilder;
use crate::deadline::Deadline;
use crate::happy_eyeballs::{interleave, race};
use crate::observe;
use crate::proxy::{self, Kind, Proxy};
use crate::stream::Stream;
use crate::target::Target;
use crate::tcp::TcpOptions;
use crate::turns::{Turn, Turns};
use crate::{Destination, Error, Stage};
use std::io;
use std::net::{IpAddr, SocketAddr};

/// What opens streams, within one deadline.
#[derive(Clone, Copy)]
pub(crate) struct Dialer<'a> {
    pub(crate) settings: &'a ClientBuilder,
    pub(crate) turns: &'a Turns,
    pub(crate) deadline: Deadline,
}

impl<'a> Dialer<'a> {
    /// Opens a stream on which the target speaks HTTP. The turn is to be kept until the opening handshake has ended.
    /// `identity`: may the target see who we are by a client certificate?
    pub(crate) async fn dial(
        &self,
        target: &Target,
        identity: bool,
    ) -> Result<(Stream, Option<Turn>), Error> {
        #[cfg(feature = "tls")]
        let tls = if target.secure { Some(self.tls_config(identity).await?) } else { None };
        #[cfg(not(feature = "tls"))]
        if target.secure {
            let _nobody_asks = identity;
            return Err(Error::NoTls);
        }
        let (stream, turn) = match self.settings.proxy_to(target)? {
            Some(proxy) => self.through(proxy, target).await?,
            None => self.directly(&target.destination()).await?,
        };
        #[cfg(feature = "tls")]
        if let Some(config) = tls {
            let handshake = crate::tls::connect(config, &target.host, stream);
            let timeout = self.settings.tls_timeout;
            let tls = self.deadline.within(timeout, Stage::Tls, handshake).await?.map_err(Error::Tls)?;
            observe::tls_is_open();
            return Ok((Stream::of_tls(tls), turn));
        }
        Ok((stream, turn))
    }

    async fn directly(&self, to: &Destination) -> Result<(Stream, Option<Turn>), Error> {
        #[cfg(unix)]
        if let Some(path) = &self.settings.unix_socket {
            let turn = self.turn(&path.to_string_lossy()).await?;
            let unix = self.connecting(tokio::net::UnixStream::connect(path)).await?;
            return Ok((Stream::of_unix(unix), turn));
        }
        // §4.1: where the addresses of a host are not known, each name counts as a host of its own.
        let turn = if self.settings.connector.is_some() { self.turn(&to.host).await? } else { None };
        let (stream, of_address) = self.open(to, true).await?;
        Ok((stream, of_address.or(turn)))
    }

    /// Opens a stream by the connector or by TCP, and that after the turn of the address where there are turns.
    async fn open(&self, to: &Destination, turns: bool) -> Result<(Stream, Option<Turn>), Error> {
        if let Some(connector) = &self.settings.connector {
            return Ok((self.connecting(connector.connect(to.clone())).await?, None));
        }
        let addresses = self.resolve(to).await?;
        observe::resolved(&addresses);
        let attempt = async |address: SocketAddr| {
            let turn = if turns { self.turn(&address.ip().to_string()).await? } else { None };
            let tcp = self.connecting(self.settings.tcp.connect(address)).await?;
            observe::connected(address);
            Ok((Stream::of_tcp(tcp), turn))
        };
        let none = || Error::Dns(io::Error::new(io::ErrorKind::NotFound, "the name has no address"));
        race(addresses, attempt).await.ok_or_else(none)?
    }

    async fn connecting<T>(&self, work: impl Future<Output = io::Result<T>>) -> Result<T, Error> {
        self.deadline.within(self.settings.tcp_timeout, Stage::Connect, work).await?.map_err(Error::Connect)
    }

    /// Waits for the turn of a place, where the settings say so.
    async fn turn(&self, place: &str) -> Result<Option<Turn>, Error> {
        if !self.settings.one_attempt_at_a_time {
            return Ok(None);
        }
        self.deadline.hold(Stage::Connect, self.turns.take(place.to_ascii_lowercase())).await.map(Some)
    }

    /// The addresses to try, in this order.
    async fn resolve(&self, to: &Destination) -> Result<Vec<SocketAddr>, Error> {
        let addresses = if let Ok(address) = to.host.parse::<IpAddr>() {
            vec![SocketAddr::new(address, to.port)]
        } else {
            let resolving = self.ask(to);
            let timeout = self.settings.dns_timeout;
            self.deadline.within(timeout, Stage::Dns, resolving).await?.map_err(Error::Dns)?
        };
        let usable: Vec<_> =
            addresses.iter().copied().filter(|it| self.settings.tcp.can_reach(it.ip())).collect();
        if usable.is_empty() && !addresses.is_empty() {
            return Err(Error::Connect(TcpOptions::unreachable()));
        }
        Ok(interleave(usable))
    }

    async fn ask(&self, to: &Destination) -> io::Result<Vec<SocketAddr>> {
        if let Some(resolver) = &self.settings.resolver {
            let addresses = resolver.resolve(to.host.clone()).await?;
            return Ok(addresses.into_iter().map(|address| SocketAddr::new(address, to.port)).collect());
        }
        Ok(tokio::net::lookup_host((to.host.as_str(), to.port)).await?.collect())
    }

    async fn through(&self, proxy: &Proxy, target: &Target) -> Result<(Stream, Option<Turn>), Error> {
        #[cfg(feature = "tls")]
        let tls = if proxy.kind() == Kind::Https { Some(self.tls_config(false).await?) } else { None };
        #[cfg(not(feature = "tls"))]
        if proxy.kind() == Kind::Https {
            return Err(Error::NoTls);
        }
        // §4.1: where the addresses of a host are not known, each name counts as a host of its own.
        let turn = self.turn(&target.host).await?;
        let to_proxy = Destination { host: proxy.host().to_owned(), port: proxy.port() };
        // The rule is about the host: many may be behind one proxy. To wait for a second turn here could be to wait for ourselves.
        let (stream, _) = self.open(&to_proxy, false).await.map_err(proxy::to_the_proxy)?;
        let tunnelling = async {
            let mut stream = stream;
            #[cfg(feature = "tls")]
            if let Some(config) = tls {
                let tls = crate::tls::connect(config, proxy.host(), stream)
                    .await
                    .map_err(proxy::ProxyError::Tls)?;
                stream = Stream::of_proxy_tls(tls);
            }
            let to = target.destination();
            match proxy.kind() {
                Kind::Http | Kind::Https => proxy::connect::tunnel(&mut stream, proxy, &to).await?,
                Kind::Socks5 => proxy::socks5::tunnel(&mut stream, proxy, &to).await?,
            }
            Ok::<_, Error>(stream)
        };
        let timeout = self.settings.proxy_timeout;
        let stream = self.deadline.within(timeout, Stage::Proxy, tunnelling).await??;
        observe::tunnel_is_open(proxy);
        Ok((stream, turn))
    }

    #[cfg(feature = "tls")]
    async fn tls_config(&self, identity: bool) -> Result<std::sync::Arc<rustls::ClientConfig>, Error> {
        self.deadline.hold(Stage::Tls, self.settings.tls.config(identity)).await?
    }
}
