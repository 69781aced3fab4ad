//! The runtime below a server.

use crate::listener::listen;
use std::fmt;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::num::NonZeroUsize;
use std::panic::resume_unwind;
use std::thread;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

/// A runtime of tokio that is set up for servers: how the threads of a program share the connections.
///
/// ```no_run
/// use ws_server::{Acceptance, Runner, Server};
///
/// fn main() -> std::io::Result<()> {
///     let listening = Runner::new().bind("127.0.0.1:9001")?; // or Runner::per_core()
///     println!("listening on ws://{}/", listening.local_addr()?);
///     listening.run(async |listener| {
///         let running = Server::builder().listeners([listener.into()])?.serve(async |incoming| {
///             let mut socket = incoming.accept(Acceptance::default()).await?;
///             while let Some(message) = socket.recv().await? {
///                 socket.send(message).await?;
///             }
///             Ok(())
///         });
///         running.stopped().await;
///         Ok(())
///     })
/// }
/// ```
///
/// # Why not the default
///
/// A worker of tokio's scheduler for many threads has a queue of its own with room for 256 tasks. What does not fit goes to a queue that all
/// share, and a busy worker looks there once in 31 tasks (or as seldom as tokio estimates to be right). So when some hundred connections are
/// ready at once, those that came to the shared queue wait while the others are served many times: the average is as ever, and the slowest
/// in a hundred wait for some ten times as long as they would have to. A runner sets:
///
/// | | [`new`](Self::new) | [`per_core`](Self::per_core) |
/// |---|---|---|
/// | runtimes | one, with a worker for each thread | one for each thread, by itself |
/// | `global_queue_interval` | 3: nobody in the shared queue waits for long | there is none to wait in |
/// | a connection | goes to whoever has time | stays on the thread that accepted it |
/// | listening sockets | one | one for each thread on the same port: the kernel deals out the connections |
///
/// Everything else is tokio's default, with the timer and the IO driver on. A program that has a runtime already needs no runner: it sets
/// `global_queue_interval(3)` where it builds that.
///
/// # Which of the two
///
/// The first, until a measurement says otherwise. Without stealing, connections that talk much may share a thread while another sleeps, and
/// a handler that computes holds up all connections of its thread. In return no thread ever waits for another: with many
/// connections that are all alike that is less work for each message.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Runner {
    kind: Kind,
    /// `None`: as many as there are processors.
    threads: Option<NonZeroUsize>,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Shared,
    PerCore,
}

impl Runner {
    /// One runtime, whose workers take work from each other.
    pub const fn new() -> Self {
        Self { kind: Kind::Shared, threads: None }
    }

    /// A runtime for each thread, with a listening socket of its own.
    ///
    /// On Linux they share the port by `SO_REUSEPORT`, and the kernel deals out the connections evenly; note that other processes of the same
    /// user may then listen on it, too. Elsewhere they share one socket, and whoever is awake accepts.
    pub const fn per_core() -> Self {
        Self { kind: Kind::PerCore, threads: None }
    }

    /// How many threads serve. Default: as many as this process may use processors at once.
    pub const fn threads(mut self, threads: NonZeroUsize) -> Self {
        self.threads = Some(threads);
        self
    }

    /// Listens, as [`ServerBuilder::bind`](crate::ServerBuilder::bind) does: clients may connect from now on, and are served when it
    /// [runs](Listening::run). A name is looked up on the calling thread.
    ///
    /// # Errors
    /// Those of the operating system: the address is in use, or not of this machine, or not allowed; the name was not found; there are no
    /// threads or descriptors left.
    pub fn bind(self, addr: impl ToSocketAddrs) -> io::Result<Listening> {
        let mut last = None;
        for addr in addr.to_socket_addrs()? {
            match self.bind_to(addr) {
                Ok(listening) => return Ok(listening),
                Err(error) => last = Some(error),
            }
        }
        Err(last
            .unwrap_or_else(|| io::Error::new(io::ErrorKind::NotFound, "there is no address to listen on")))
    }

    fn bind_to(self, addr: SocketAddr) -> io::Result<Listening> {
        let threads = self
            .threads
            .map_or_else(|| thread::available_parallelism().map_or(1, NonZeroUsize::get), NonZeroUsize::get);
        match self.kind {
            Kind::Shared => {
                let runtime = Builder::new_multi_thread()
                    .worker_threads(threads)
                    .global_queue_interval(GLOBAL_QUEUE_INTERVAL)
                    .enable_all()
                    .build()?;
                let listener = inside(&runtime, || listen(addr, false))?;
                Ok(Listening { first: Core { runtime, listener }, others: Vec::new() })
            }
            Kind::PerCore => {
                let first = Core::new(|| listen(addr, SHARES_PORT))?;
                let others = (1..threads).map(|_| first.another()).collect::<io::Result<_>>()?;
                Ok(Listening { first, others })
            }
        }
    }
}

impl Default for Runner {
    fn default() -> Self {
        Self::new()
    }
}

/// A [`Runner`] that listens.
#[must_use = "nobody is served before it runs"]
pub struct Listening {
    first: Core,
    others: Vec<Core>,
}

impl Listening {
    /// The address that it listens on, with the port that was chosen where 0 was asked for.
    ///
    /// # Errors
    /// Those of the operating system.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.first.listener.local_addr()
    }

    /// Calls `main` with the listener, on each runtime once, and waits until it has returned everywhere. Give the listener to
    /// [`ServerBuilder::listeners`](crate::ServerBuilder::listeners). What is still running then is dropped.
    ///
    /// With [`Runner::per_core`] each call has a server of its own; what they have in common comes from outside. Where one ends with an
    /// error or a panic, the others go on.
    ///
    /// # Errors
    /// The first that `main` returned.
    ///
    /// # Panics
    /// Where `main` did. Also when it is called in a task of another runtime.
    pub fn run<E: Send>(self, main: impl AsyncFn(TcpListener) -> Result<(), E> + Sync) -> Result<(), E> {
        let Self { first, others } = self;
        let main = &main;
        thread::scope(|scope| {
            // The first on the thread of the caller.
            let others: Vec<_> = others.into_iter().map(|core| scope.spawn(move || core.run(main))).collect();
            let first = first.run(main);
            let others =
                others.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
            others.fold(first, Result::and)
        })
    }
}

impl fmt::Debug for Listening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let runtimes = 1 + self.others.len();
        f.debug_struct("Listening")
            .field("listener", &self.first.listener)
            .field("runtimes", &runtimes)
            .finish()
    }
}

/// A runtime, and a listener that it drives.
struct Core {
    listener: TcpListener,
    runtime: Runtime,
}

impl Core {
    /// A runtime for one thread.
    fn new(listen: impl FnOnce() -> io::Result<TcpListener>) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let listener = inside(&runtime, listen)?;
        Ok(Self { runtime, listener })
    }

    /// One more on the same port.
    #[cfg(target_os = "linux")]
    fn another(&self) -> io::Result<Self> {
        let addr = self.listener.local_addr()?;
        Self::new(|| listen(addr, SHARES_PORT))
    }

    /// One more on the same port, by the same socket: elsewhere `SO_REUSEPORT` is missing, or gives all connections to one of them.
    #[cfg(all(unix, not(target_os = "linux")))]
    fn another(&self) -> io::Result<Self> {
        use std::os::fd::AsFd;
        let socket = self.listener.as_fd().try_clone_to_owned()?;
        Self::new(|| TcpListener::from_std(socket.into()))
    }

    /// One more on the same port, by the same socket.
    #[cfg(windows)]
    fn another(&self) -> io::Result<Self> {
        use std::os::windows::io::AsSocket;
        let socket = self.listener.as_socket().try_clone_to_owned()?;
        Self::new(|| TcpListener::from_std(socket.into()))
    }

    fn run<E>(self, main: &impl AsyncFn(TcpListener) -> Result<(), E>) -> Result<(), E> {
        self.runtime.block_on(main(self.listener))
    }
}

/// Makes a listener that `runtime` drives.
fn inside(runtime: &Runtime, listen: impl FnOnce() -> io::Result<TcpListener>) -> io::Result<TcpListener> {
    let _inside = runtime.enter();
    listen()
}

/// How many tasks a worker takes from its own queue between two looks at the shared one.
const GLOBAL_QUEUE_INTERVAL: u32 = 3;

/// Do the listeners of a runtime for each core share their port by `SO_REUSEPORT`?
const SHARES_PORT: bool = cfg!(target_os = "linux");
