//! From a target to a byte stream that leads there, one step behind the other.

use super::park::wait;
use super::socket::{Socket, is_expired};
use super::stream::{Awaited, Stream};
use crate::builder::ClientBuilder;
use crate::happy_eyeballs::interleave;
use crate::proxy::{self, Kind, Proxy};
use crate::target::Target;
use crate::tcp::TcpOptions;
use crate::turns::{Turn, Turns};
use crate::{Destination, Error, Stage, observe};
use socket2::{Domain, Protocol, SockRef, TcpKeepalive, Type};
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

/// What opens streams, within one deadline.
#[derive(Clone, Copy)]
pub(super) struct Dialer<'a> {
    pub(super) settings: &'a ClientBuilder,
    pub(super) turns: &'a Turns,
    /// None where it is too far away for the clock.
    pub(super) deadline: Option<Instant>,
}

impl<'a> Dialer<'a> {
    /// Opens a stream on which the target speaks HTTP. The turn is to be kept until the opening handshake has ended.
    /// `identity`: may the target see who we are by a client certificate?
    pub(super) fn dial(&self, target: &Target, identity: bool) -> Result<(Stream, Option<Turn>), Error> {
        #[cfg(feature = "tls")]
        let tls = if target.secure { Some(self.tls_config(identity)?) } else { None };
        #[cfg(not(feature = "tls"))]
        if target.secure {
            let _nobody_asks = identity;
            return Err(Error::NoTls);
        }
        let (stream, turn) = match self.settings.proxy_to(target)? {
            Some(proxy) => self.through(proxy, target)?,
            None => self.directly(&target.destination())?,
        };
        #[cfg(feature = "tls")]
        if let Some(config) = tls {
            let end = self.end(self.settings.tls_timeout);
            let tls = within(end, Stage::Tls, stream, |stream| {
                Ok(Stream::of_tls(handshake(config, &target.host, stream).map_err(Error::Tls)?))
            })?;
            observe::tls_is_open();
            return Ok((tls, turn));
        }
        Ok((stream, turn))
    }

    fn directly(&self, to: &Destination) -> Result<(Stream, Option<Turn>), Error> {
        #[cfg(unix)]
        if let Some(path) = &self.settings.unix_socket {
            let turn = self.turn(&path.to_string_lossy())?;
            let unix = self.connect_unix(path).map_err(connect_error)?;
            return Ok((Stream::of_socket(Socket::of_unix(unix)), turn));
        }
        self.open(to, true)
    }

    /// Opens a stream by TCP, and that after the turn of the address where there are turns.
    fn open(&self, to: &Destination, turns: bool) -> Result<(Stream, Option<Turn>), Error> {
        let addresses = self.resolve(to)?;
        observe::resolved(&addresses);
        let mut last = Error::Dns(io::Error::new(io::ErrorKind::NotFound, "the name has no address"));
        let mut left = addresses.len();
        for address in addresses {
            let turn = if turns { self.turn(&address.ip().to_string())? } else { None };
            match connect_tcp(&self.settings.tcp, address, self.share(left)) {
                Ok(tcp) => {
                    observe::connected(address);
                    return Ok((Stream::of_socket(Socket::of_tcp(tcp.into())), turn));
                }
                Err(error) => last = connect_error(error),
            }
            left -= 1;
        }
        Err(last)
    }

    #[cfg(unix)]
    fn connect_unix(&self, path: &std::path::Path) -> io::Result<std::os::unix::net::UnixStream> {
        let socket = socket2::Socket::new(Domain::UNIX, Type::STREAM, None)?;
        socket.connect_timeout(&socket2::SockAddr::unix(path)?, self.share(1))?;
        Ok(std::os::fd::OwnedFd::from(socket).into())
    }

    /// How long to wait for one of so many addresses: each has the same share of the time that is left, so that one that does not answer
    /// leaves some to the others.
    fn share(&self, addresses: usize) -> Duration {
        let left = self.end(self.settings.tcp_timeout);
        let whole = self.deadline.map_or(Duration::MAX, |end| end.saturating_duration_since(Instant::now()));
        let share = whole / u32::try_from(addresses.max(1)).unwrap_or(u32::MAX);
        // Zero is no time that a socket could be given.
        let left = left.map_or(Duration::MAX, |end| end.saturating_duration_since(Instant::now()));
        left.min(share).clamp(Duration::from_millis(1), LONGEST_WAIT)
    }

    /// Waits for the turn of a place, where the settings say so.
    fn turn(&self, place: &str) -> Result<Option<Turn>, Error> {
        if !self.settings.one_attempt_at_a_time {
            return Ok(None);
        }
        let turn = wait(self.turns.take(place.to_ascii_lowercase()), self.deadline);
        turn.map(Some).ok_or(Error::Timeout(Stage::Connect))
    }

    /// The addresses to try, in this order.
    fn resolve(&self, to: &Destination) -> Result<Vec<SocketAddr>, Error> {
        let addresses = match to.host.parse::<IpAddr>() {
            Ok(address) => vec![SocketAddr::new(address, to.port)],
            Err(_) => self.ask(to)?,
        };
        let usable: Vec<_> =
            addresses.iter().copied().filter(|it| self.settings.tcp.can_reach(it.ip())).collect();
        if usable.is_empty() && !addresses.is_empty() {
            return Err(Error::Connect(TcpOptions::unreachable()));
        }
        Ok(interleave(usable))
    }

    /// Asks the operating system, in a thread: there is no other way to stop waiting for it.
    fn ask(&self, to: &Destination) -> Result<Vec<SocketAddr>, Error> {
        let (sender, receiver) = mpsc::sync_channel(1);
        let asked = (to.host.clone(), to.port);
        let asking = std::thread::Builder::new().name("resolve a name".to_owned()).spawn(move || {
            // Who has stopped waiting does not want to know.
            let _ = sender.send(asked.to_socket_addrs().map(Iterator::collect));
        });
        asking.map_err(Error::Dns)?;
        let timeout = self.end(self.settings.dns_timeout);
        let timeout = timeout.map_or(LONGEST_WAIT, |end| end.saturating_duration_since(Instant::now()));
        match receiver.recv_timeout(timeout) {
            Ok(addresses) => addresses.map_err(Error::Dns),
            Err(RecvTimeoutError::Timeout) => Err(Error::Timeout(Stage::Dns)),
            Err(RecvTimeoutError::Disconnected) => Err(Error::Dns(io::Error::other("the resolver panicked"))),
        }
    }

    fn through(&self, proxy: &Proxy, target: &Target) -> Result<(Stream, Option<Turn>), Error> {
        #[cfg(feature = "tls")]
        let tls = if proxy.kind() == Kind::Https { Some(self.tls_config(false)?) } else { None };
        #[cfg(not(feature = "tls"))]
        if proxy.kind() == Kind::Https {
            return Err(Error::NoTls);
        }
        // §4.1: where the addresses of a host are not known, each name counts as a host of its own.
        let turn = self.turn(&target.host)?;
        let to_proxy = Destination { host: proxy.host().to_owned(), port: proxy.port() };
        // The rule is about the host: many may be behind one proxy. To wait for a second turn here could be to wait for ourselves.
        let (stream, _) = self.open(&to_proxy, false).map_err(proxy::to_the_proxy)?;
        let end = self.end(self.settings.proxy_timeout);
        let stream = within(end, Stage::Proxy, stream, |mut stream| {
            #[cfg(feature = "tls")]
            if let Some(config) = tls {
                stream = Stream::of_proxy_tls(
                    handshake(config, proxy.host(), stream).map_err(proxy::ProxyError::Tls)?,
                );
            }
            let to = target.destination();
            let tunnelling = async {
                let mut stream = Awaited(&mut stream);
                match proxy.kind() {
                    Kind::Http | Kind::Https => proxy::connect::tunnel(&mut stream, proxy, &to).await,
                    Kind::Socks5 => Ok(proxy::socks5::tunnel(&mut stream, proxy, &to).await?),
                }
            };
            // The stream blocks up to its deadline, and nothing else is waited for.
            wait(tunnelling, None).unwrap_or(Err(Error::Timeout(Stage::Proxy)))?;
            Ok(stream)
        })?;
        observe::tunnel_is_open(proxy);
        Ok((stream, turn))
    }

    #[cfg(feature = "tls")]
    fn tls_config(&self, identity: bool) -> Result<std::sync::Arc<rustls::ClientConfig>, Error> {
        wait(self.settings.tls.config_here(identity), self.deadline).ok_or(Error::Timeout(Stage::Tls))?
    }

    /// The end of a stage whose `timeout` begins now, or of connecting as a whole.
    fn end(&self, timeout: Duration) -> Option<Instant> {
        self.deadline.into_iter().chain(Instant::now().checked_add(timeout)).min()
    }
}

/// Does something with the stream, up to the deadline.
pub(super) fn within<T>(
    deadline: Option<Instant>,
    stage: Stage,
    mut stream: Stream,
    work: impl FnOnce(Stream) -> Result<T, Error>,
) -> Result<T, Error> {
    stream.set_deadline(deadline).map_err(Error::Io)?;
    work(stream).map_err(|error| if is_expired(&error) { Error::Timeout(stage) } else { error })
}

fn connect_tcp(options: &TcpOptions, to: SocketAddr, timeout: Duration) -> io::Result<socket2::Socket> {
    let socket = socket2::Socket::new(Domain::for_address(to), Type::STREAM, Some(Protocol::TCP))?;
    if let Some(local) = options.local_address {
        socket.bind(&SocketAddr::new(local, 0).into())?;
    }
    if let Some(bytes) = options.send_buffer_bytes {
        socket.set_send_buffer_size(usize::try_from(bytes).unwrap_or(usize::MAX))?;
    }
    if let Some(bytes) = options.recv_buffer_bytes {
        socket.set_recv_buffer_size(usize::try_from(bytes).unwrap_or(usize::MAX))?;
    }
    if let Some(idle) = options.keepalive {
        SockRef::from(&socket).set_tcp_keepalive(&TcpKeepalive::new().with_time(idle))?;
    }
    // Where it cannot be set, the stream still works.
    let _ = socket.set_tcp_nodelay(options.nodelay);
    socket.connect_timeout(&to.into(), timeout)?;
    Ok(socket)
}

fn connect_error(error: io::Error) -> Error {
    // The system's own timeout has an error number.
    if error.kind() == io::ErrorKind::TimedOut && error.raw_os_error().is_none() {
        Error::Timeout(Stage::Connect)
    } else {
        Error::Connect(error)
    }
}

/// Makes the TLS handshake for `host`, a name or an address.
#[cfg(feature = "tls")]
fn handshake(
    config: std::sync::Arc<rustls::ClientConfig>,
    host: &str,
    mut stream: Stream,
) -> io::Result<rustls::StreamOwned<rustls::ClientConnection, Stream>> {
    let mut session =
        rustls::ClientConnection::new(config, crate::tls::name(host)?).map_err(io::Error::other)?;
    while session.is_handshaking() {
        session.complete_io(&mut stream)?;
    }
    Ok(rustls::StreamOwned::new(session, stream))
}

/// For who set no deadline at all.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 3600);
