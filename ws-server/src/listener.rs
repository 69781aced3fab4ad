//! What a server listens on.

use crate::StartError;
use crate::stream::{Io, PeerAddr};
use std::fmt;
use std::io;
use std::net::SocketAddr;
#[cfg(unix)]
use std::path::{Path, PathBuf};
use std::task::{Context, Poll, ready};
#[cfg(unix)]
use tokio::net::UnixListener;
use tokio::net::{TcpListener, TcpSocket, ToSocketAddrs};

/// What a server listens on: a TCP port or a Unix socket; [`ServerBuilder::listeners`](crate::ServerBuilder::listeners) takes any number.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use ws_server::{Listener, Server, Tls};
///
/// let tls = Tls::from_files("/etc/ssl/example.com.pem", "/etc/ssl/private/example.com.key")?;
/// let server = Server::builder().listeners([
///     Listener::tcp("[::]:443").await?.tls(tls),
///     Listener::tcp("127.0.0.1:9001").await?,
///     Listener::unix("/run/chat.sock")?,
/// ]);
/// # Ok(())
/// # }
/// ```
pub struct Listener {
    socket: Socket,
    #[cfg(feature = "tls")]
    pub(crate) tls: Option<crate::Tls>,
}

enum Socket {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix {
        /// The file that was made for it, which goes with it. Before it: who finds a file that nobody listens on makes one of its own in its
        /// place, and that one is not ours to remove.
        _file: Option<SocketFile>,
        listener: UnixListener,
    },
}

impl Listener {
    const fn new(socket: Socket) -> Self {
        Self {
            socket,
            #[cfg(feature = "tls")]
            tls: None,
        }
    }

    /// Listens on the first of these addresses that can be had; port 0 is a free one. The queue of connections that were not accepted yet
    /// holds 1,024, or what the system allows. `SO_REUSEADDR` is set, but on Windows, where it means another thing.
    ///
    /// # Errors
    /// [`StartError::Listen`] with that of the last address: it is in use, or not of this machine, or not allowed; or the name was not
    /// found.
    pub async fn tcp(addr: impl ToSocketAddrs + fmt::Debug) -> Result<Self, StartError> {
        let failed = |error| StartError::Listen { address: format!("{addr:?}").into(), error };
        let mut last = None;
        for addr in tokio::net::lookup_host(&addr).await.map_err(failed)? {
            match listen(addr, false) {
                Ok(listener) => return Ok(listener.into()),
                Err(error) => last = Some(StartError::Listen { address: addr.to_string().into(), error }),
            }
        }
        let none = || io::Error::new(io::ErrorKind::NotFound, "there is no address to listen on");
        Err(last.unwrap_or_else(|| failed(none())))
    }

    /// Listens on a Unix socket, and removes its file when it is dropped. A socket that another process left behind, which nobody listens
    /// on, is replaced. Who may connect is up to the permissions of the file and its folder. There is never TLS on it.
    ///
    /// # Errors
    /// [`StartError::Listen`]: somebody listens there, the file is none of a socket, or it cannot be made.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    #[cfg(unix)]
    pub fn unix(path: impl AsRef<Path>) -> Result<Self, StartError> {
        let path = path.as_ref();
        let failed = |error| StartError::Listen { address: path.display().to_string().into(), error };
        remove_abandoned(path).map_err(failed)?;
        let listener = UnixListener::bind(path).map_err(failed)?;
        let file = Some(SocketFile(path.into()));
        Ok(Self::new(Socket::Unix { listener, _file: file }))
    }

    /// The sockets that a supervisor such as systemd has opened and handed to this process (`LISTEN_FDS`), TCP and Unix ones, in its order;
    /// none where it was started without: a server on none of them is a [`StartError::NoListeners`].
    ///
    /// # Errors
    /// [`StartError::Listen`]: one of them is no listening socket.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    #[cfg(all(unix, feature = "listenfd"))]
    pub fn inherited() -> Result<Vec<Self>, StartError> {
        let mut sockets = listenfd::ListenFd::from_env();
        let inherited = (0..sockets.len()).map(|index| {
            let taken = match sockets.take_tcp_listener(index) {
                Ok(Some(tcp)) => adopt(tcp).map(Some),
                Ok(None) => Ok(None),
                // It is of another kind; then it is still there.
                Err(_) => sockets.take_unix_listener(index).and_then(|unix| unix.map(adopt_unix).transpose()),
            };
            taken.map_err(|error| StartError::Listen {
                address: format!("inherited socket {index}").into(),
                error,
            })
        });
        let inherited = inherited.collect::<Result<Vec<_>, _>>()?;
        Ok(inherited.into_iter().flatten().collect())
    }

    /// Speaks TLS on this listener; connections without are then refused. Default: what [`tls`](crate::ServerBuilder::tls) of the builder
    /// says, if anything. Nothing on a Unix socket.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn tls(mut self, tls: impl Into<crate::Tls>) -> Self {
        if let Socket::Tcp(_) = self.socket {
            self.tls = Some(tls.into());
        }
        self
    }

    /// The address that it listens on, with the port that was chosen where 0 was asked for; `None` for a Unix socket.
    #[must_use]
    pub fn local_addr(&self) -> Option<SocketAddr> {
        match &self.socket {
            // Fails for a socket that is none, which this is not.
            Socket::Tcp(listener) => listener.local_addr().ok(),
            #[cfg(unix)]
            Socket::Unix { .. } => None,
        }
    }

    pub(crate) fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(Io, PeerAddr)>> {
        match &self.socket {
            Socket::Tcp(listener) => {
                let (tcp, peer_addr) = ready!(listener.poll_accept(cx))?;
                // Small messages must not wait for the acknowledgement of others. Where it cannot be set, the stream still works.
                let _ = tcp.set_nodelay(true);
                Poll::Ready(Ok((Io::Tcp(tcp), Some(peer_addr))))
            }
            #[cfg(unix)]
            Socket::Unix { listener, .. } => {
                let (unix, _) = ready!(listener.poll_accept(cx))?;
                Poll::Ready(Ok((Io::Unix(unix), None)))
            }
        }
    }
}

/// One that is there already, such as one that was inherited from a supervisor (see the crate `listenfd`).
impl From<TcpListener> for Listener {
    fn from(listener: TcpListener) -> Self {
        Self::new(Socket::Tcp(listener))
    }
}

/// One that is there already. Its file stays when it is dropped.
#[cfg(unix)]
impl From<UnixListener> for Listener {
    fn from(listener: UnixListener) -> Self {
        Self::new(Socket::Unix { listener, _file: None })
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.socket {
            Socket::Tcp(listener) => listener.fmt(f),
            #[cfg(unix)]
            Socket::Unix { listener, .. } => listener.fmt(f),
        }
    }
}

/// The file of a Unix socket, removed when nobody listens any more.
#[cfg(unix)]
struct SocketFile(PathBuf);

#[cfg(unix)]
impl Drop for SocketFile {
    fn drop(&mut self) {
        // Whoever removed it before us has done the same.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Removes a socket that nobody listens on. Other files stay, and binding tells that they are there.
#[cfg(unix)]
fn remove_abandoned(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::FileTypeExt;
    let is_socket = std::fs::symlink_metadata(path).is_ok_and(|metadata| metadata.file_type().is_socket());
    if is_socket {
        match std::os::unix::net::UnixStream::connect(path) {
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => std::fs::remove_file(path)?,
            // Whoever listened has just stopped.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Ok(_) | Err(_) => return Err(io::ErrorKind::AddrInUse.into()),
        }
    }
    Ok(())
}

#[cfg(all(unix, feature = "listenfd"))]
fn adopt(listener: std::net::TcpListener) -> io::Result<Listener> {
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener).map(Listener::from)
}

#[cfg(all(unix, feature = "listenfd"))]
fn adopt_unix(listener: std::os::unix::net::UnixListener) -> io::Result<Listener> {
    listener.set_nonblocking(true)?;
    UnixListener::from_std(listener).map(Listener::from)
}

/// Listens on one address; with `shared` on a port that others of this user may have, too, where the system can.
pub(crate) fn listen(addr: SocketAddr, shared: bool) -> io::Result<TcpListener> {
    let socket = if addr.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A server that was restarted gets its port again, though connections of the old one are still in TIME_WAIT.
    #[cfg(not(windows))]
    socket.set_reuseaddr(true)?;
    #[cfg(target_os = "linux")]
    socket.set_reuseport(shared)?;
    #[cfg(not(target_os = "linux"))]
    let _never = shared;
    socket.bind(addr)?;
    socket.listen(BACKLOG)
}

const BACKLOG: u32 = 1024;
