//! A handler for each connection, and how they all end.

use crate::accept::{Connecting, Incoming};
use crate::observe::{self, Handshake};
use crate::registry::{Entry, UPKEEP_INTERVAL};
use crate::server::Shared;
use crate::{BoxError, Drain, Error, MemoryBudget, Server};
use std::any::Any;
use std::future::{pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Poll, ready};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep, timeout_at};
use ws_tokio::Pressure;

impl Server {
    /// Runs `handler` for each client that has sent a valid opening request, each in a task of its own, until the server is
    /// [stopped](ServerHandle::stop). Returns at once.
    ///
    /// # Panics
    /// Outside of a tokio runtime, as [`tokio::spawn`] does.
    pub fn serve<H, F>(self, handler: H) -> ServerHandle
    where
        H: Fn(Incoming) -> F + Send + Sync + 'static,
        F: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        let phase = Arc::new(watch::Sender::new(Phase::Running));
        let handle = ServerHandle { phase: Arc::clone(&phase), shared: Arc::clone(&self.shared) };
        let run = Run { phase, shared: Arc::clone(&self.shared), report: StopReport::default() };
        tokio::spawn(run.run(self, Arc::new(handler)));
        handle
    }
}

/// A server that runs. Clones are handles of the same one; dropping them all leaves it running.
#[derive(Clone)]
pub struct ServerHandle {
    phase: Arc<watch::Sender<Phase>>,
    shared: Arc<Shared>,
}

impl ServerHandle {
    /// Stops gracefully, as [`Drain`] says; a [`Duration`] is the time of grace. Stops listening; answers requests that are still under way
    /// with 503, for a second; and closes every socket with 1001 or 1012, spread over some time. Handlers get what their clients still
    /// send, then the end of the stream of messages. Those that have not ended after the time of grace are aborted. Returns when all have
    /// ended, or that time is over.
    ///
    /// Sockets that outlived their handlers are closed and waited for too, but cannot be aborted. When it is called more than once, the
    /// shortest time of grace holds for all, and the rest is as the first call said.
    ///
    /// # Cancel safety
    /// The server goes on stopping when the future is dropped.
    pub async fn stop(&self, drain: impl Into<Drain>) -> StopReport {
        let drain = drain.into();
        let deadline = Instant::now().checked_add(drain.grace);
        self.phase.send_if_modified(|phase| {
            match phase {
                Phase::Running => {
                    let open = self.shared.registry.begin_closing(drain.farewell);
                    *phase = Phase::Stopping { drain, deadline, open };
                }
                // `None` is never: later than any other.
                Phase::Stopping { deadline: sooner, .. } => {
                    *sooner = [*sooner, deadline].into_iter().flatten().min();
                }
                Phase::Stopped(_) => return false,
            }
            true
        });
        self.stopped().await
    }

    /// Waits until the server has stopped: because of [`stop`](Self::stop), or because its runtime shuts down.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub async fn stopped(&self) -> StopReport {
        let mut phase = self.phase.subscribe();
        loop {
            if let Phase::Stopped(report) = *phase.borrow_and_update() {
                return report;
            }
            // Fails where the sender is gone only, and we have it.
            let _ = phase.changed().await;
        }
    }

    /// Adds what the open connections have carried to the metrics, which else happens about once a second: for whoever writes them down at
    /// this moment. It looks at each connection, so it is not for every message.
    #[cfg(feature = "metrics")]
    pub fn update_metrics(&self) {
        self.shared.registry.sweep();
    }

    /// How many connections are open, with those that are in their handshakes.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.registry.len()
    }
}

impl std::fmt::Debug for ServerHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServerHandle").field("connections", &self.connections()).finish_non_exhaustive()
    }
}

/// How the connections ended that were open when the server began to stop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StopReport {
    /// Within the time of grace.
    pub ended: usize,
    /// Not so: their handlers were aborted.
    pub aborted: usize,
    /// How many of those that ended did so with both Close frames. The others had no socket yet, or their client was gone, or did not
    /// answer.
    pub clean: usize,
    /// How many, of all, had bytes that were queued and that the system has not taken, Close frames included.
    pub unsent: usize,
}

/// What a server is about.
#[derive(Clone, Copy, Debug)]
enum Phase {
    Running,
    Stopping {
        drain: Drain,
        /// Until when connections may end by themselves; `None` is forever.
        deadline: Option<Instant>,
        /// How many there were when it began.
        open: usize,
    },
    Stopped(StopReport),
}

/// The task that accepts. However it ends, it says so.
struct Run {
    phase: Arc<watch::Sender<Phase>>,
    shared: Arc<Shared>,
    report: StopReport,
}

impl Run {
    async fn run<H, F>(mut self, mut server: Server, handler: Arc<H>)
    where
        H: Fn(Incoming) -> F + Send + Sync + 'static,
        F: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        let mut phase = self.phase.subscribe();
        let mut upkeep =
            (observe::SWEEPS || self.shared.registry.limits().max_lifetime.is_some()).then(|| {
                let mut upkeep = interval(UPKEEP_INTERVAL);
                upkeep.set_missed_tick_behavior(MissedTickBehavior::Delay);
                upkeep
            });
        let mut pressure = self.shared.registry.limits().memory_budget.as_ref().map(MemoryBudget::pressure);
        loop {
            let connecting = tokio::select! {
                biased;
                () = stopping(&mut phase) => break,
                () = felt(pressure.as_mut()) => {
                    self.shared.make_room();
                    continue;
                }
                () = tick(upkeep.as_mut()) => {
                    self.shared.registry.close_expired();
                    self.shared.registry.sweep();
                    continue;
                }
                connecting = server.accept() => connecting,
            };
            let entry = Arc::clone(&connecting.entry);
            let task = tokio::spawn(connection(connecting, Arc::clone(&handler), phase.clone()));
            entry.has_task(task.abort_handle());
        }
        drop(server);
        self.drain(phase, pressure, upkeep).await;
    }

    /// Closes all connections, and waits for them.
    async fn drain(
        &mut self,
        mut phase: watch::Receiver<Phase>,
        mut pressure: Option<Pressure>,
        mut upkeep: Option<Interval>,
    ) {
        let registry = Arc::clone(&self.shared.registry);
        let Phase::Stopping { drain, .. } = *phase.borrow() else { return };
        let mut emptied = pin!(async {
            drain.close_all(&registry).await;
            registry.emptied().await;
        });
        let open = loop {
            let (deadline, open) = match *phase.borrow_and_update() {
                Phase::Stopping { deadline, open, .. } => (deadline, open),
                Phase::Running | Phase::Stopped(_) => return,
            };
            let enough = async {
                match deadline {
                    Some(deadline) => drop(timeout_at(deadline, &mut emptied).await),
                    None => (&mut emptied).await,
                }
            };
            tokio::select! {
                biased;
                () = enough => break open,
                () = felt(pressure.as_mut()) => self.shared.make_room(),
                () = tick(upkeep.as_mut()) => registry.sweep(),
                // The deadline may have moved.
                _ = phase.changed() => {}
            }
        };
        self.report.aborted = registry.len().min(open);
        self.report.ended = open - self.report.aborted;
        let endings = registry.endings();
        self.report.clean = endings.clean.min(self.report.ended);
        self.report.unsent = endings.unsent.min(open);
        registry.abort_all();
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.phase.send_replace(Phase::Stopped(self.report));
    }
}

/// Waits until the server is told to stop.
async fn stopping(phase: &mut watch::Receiver<Phase>) {
    // Fails where nobody is left who could tell.
    let _ = phase.wait_for(|phase| !matches!(phase, Phase::Running)).await;
}

/// The memory budget is reached; never, where there is none.
async fn felt(pressure: Option<&mut Pressure>) {
    match pressure {
        Some(pressure) => pressure.felt().await,
        None => pending().await,
    }
}

/// The next time to look at what is due; never, where nothing is.
async fn tick(interval: Option<&mut Interval>) {
    match interval {
        Some(interval) => drop(interval.tick().await),
        None => pending().await,
    }
}

/// The task of one connection. What it needs until the handler runs is in a box that ends then, and of the handler it has no more than
/// its future, once: it is as large as that for as long as it lives.
fn connection<H, F>(
    connecting: Connecting,
    handler: Arc<H>,
    mut phase: watch::Receiver<Phase>,
) -> impl Future<Output = ()> + use<H, F>
where
    H: Fn(Incoming) -> F,
    F: Future<Output = Result<(), BoxError>>,
{
    let shared = Arc::clone(&connecting.shared);
    let entry = Arc::clone(&connecting.entry);
    let span = observe::span(entry.peer_addr(), None);
    let opening = Box::pin(async move {
        tokio::select! {
            biased;
            opened = connecting.handshake() => begin(&*handler, opened),
            () = async {
                stopping(&mut phase).await;
                // Who is about to send a request is told that it comes too late; who says nothing holds nobody up.
                sleep(LAST_REQUESTS).await;
            } => Ok(None),
        }
    });
    observe::in_span(span, async move {
        // By a function, and not by patterns: what is taken apart would be in the task beside what comes of it.
        let handler = pin!(told(opening.await, &shared, &entry));
        told(run_to_end(handler).await, &shared, &entry);
    })
}

/// What came of it; an error is told. The connection is open until the task, which has this `entry`, and its stream have ended.
pub(crate) fn told<T>(outcome: Result<Option<T>, Error>, shared: &Shared, entry: &Entry) -> Option<T> {
    outcome.unwrap_or_else(|error| {
        shared.report(&error, entry.peer_addr());
        None
    })
}

/// Begins to handle what a handshake ended with; `None` where there is nothing to be handled.
fn begin<F>(
    handler: impl Fn(Incoming) -> F,
    opened: Result<Option<Incoming>, Error>,
) -> Result<Option<F>, Error> {
    let Some(incoming) = opened? else {
        observe::handshake(Handshake::Answered);
        return Ok(None);
    };
    observe::asks_for(incoming.request().uri().path());
    no_panic(|| handler(incoming)).map(Some)
}

/// How long a server that stops still answers requests that are under way.
const LAST_REQUESTS: Duration = Duration::from_secs(1);

/// Runs the handler, if there is one; a panic in it becomes an error.
pub(crate) fn run_to_end<F: Future<Output = Result<(), BoxError>>>(
    mut handler: Pin<&mut Option<F>>,
) -> impl Future<Output = Result<Option<()>, Error>> {
    poll_fn(move |cx| {
        let Some(running) = handler.as_mut().as_pin_mut() else { return Poll::Ready(Ok(None)) };
        let ended = match no_panic(|| running.poll(cx)) {
            Ok(poll) => ready!(poll).map_err(Error::Handler),
            Err(panicked) => Err(panicked),
        };
        // Whatever it has is dropped before its end is told.
        handler.set(None);
        if ended.is_ok() {
            observe::handler_ended();
        }
        Poll::Ready(ended.map(Some))
    })
}

/// Whatever it has on its stack when it panics is dropped before.
pub(crate) fn no_panic<T>(work: impl FnOnce() -> T) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| Error::HandlerPanicked(message(&*panic).into()))
}

/// What the panic said.
fn message(panic: &(dyn Any + Send)) -> &str {
    match panic.downcast_ref::<&'static str>() {
        Some(message) => message,
        None => panic.downcast_ref::<String>().map_or("", String::as_str),
    }
}
