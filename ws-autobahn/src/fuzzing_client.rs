//! Testing a server.

use std::collections::VecDeque;
use std::error::Error;
use std::fmt;
use std::io;
use std::sync::Arc;
use tokio::task::{JoinError, JoinSet};

use crate::case::{Case, Script};
use crate::endpoint::Connect;
use crate::opening::Target;
use crate::run::{self, CaseResult};
use crate::timeouts::Timeouts;

/// How to test a server.
#[derive(Clone, Debug)]
pub struct Options {
    /// What to ask for.
    pub target: Target,
    /// What the server is to be called; where it is `None`, what it calls itself.
    pub agent: Option<String>,
    /// How many cases may run at the same time, at least one. Cases with short timers and cases with much work never run at the same time.
    pub jobs: usize,
    /// How long the suite waits.
    pub timeouts: Timeouts,
}

impl Default for Options {
    fn default() -> Self {
        let jobs = std::thread::available_parallelism().map_or(4, usize::from).clamp(4, 32);
        Self {
            target: Target { host: "localhost".to_owned(), ..Target::default() },
            agent: None,
            jobs,
            timeouts: Timeouts::default(),
        }
    }
}

/// Tests a server with these cases. Each result is handed to `done`, in the order in which the cases end.
///
/// # Errors
/// [`RunError`] when there is no use in going on: nothing listens or the server has died, it speaks no WebSocket, or it has ceased to answer. The
/// cases that are under way are still finished, and no more are begun.
///
/// # Cancel safety
/// Dropping the future ends all cases that are under way; `done` has had the others.
pub async fn run<C: Connect>(
    connect: C,
    cases: Vec<Arc<Case>>,
    options: Options,
    mut done: impl FnMut(CaseResult),
) -> Result<(), RunError> {
    let shared = Arc::new((connect, options));
    let mut watch = Watch { total: cases.len(), ..Watch::default() };
    let (mut heavy, light): (Vec<_>, Vec<_>) = cases.into_iter().partition(|case| case.is_heavy());
    // The longest first, so that none of them is left over at the end.
    heavy.sort_by_key(|case| std::cmp::Reverse(cost(case)));
    for cases in [light, heavy] {
        let mut broken_off = None;
        let mut waiting = VecDeque::from(cases);
        let mut running = JoinSet::new();
        loop {
            while running.len() < shared.1.jobs.max(1) && broken_off.is_none() {
                let Some(case) = waiting.pop_front() else { break };
                running.spawn(run_case(Arc::clone(&shared), case));
            }
            let why = match running.join_next().await {
                None => break,
                Some(Ok(Ok(result))) => {
                    let why = watch.look_at(&result);
                    done(result);
                    why
                }
                Some(Ok(Err(error))) => Some(Why::NoConnection(error)),
                Some(Err(error)) => Some(Why::Panicked(error)),
            };
            broken_off = broken_off.or(why);
        }
        if let Some(why) = broken_off {
            return Err(watch.error(why));
        }
    }
    match watch.never_opened() {
        Some(why) => Err(watch.error(why)),
        None => Ok(()),
    }
}

async fn run_case<C: Connect>(shared: Arc<(C, Options)>, case: Arc<Case>) -> io::Result<CaseResult> {
    let (connect, options) = &*shared;
    let stream = connect.connect().await?;
    Ok(run::as_client(case, stream, &options.target, options.agent.as_deref(), options.timeouts).await)
}

/// How much work a case is, roughly, in bytes.
fn cost(case: &Case) -> usize {
    match &case.script {
        Script::Steps(_) => 0,
        Script::Echo { len, .. } => *len,
        Script::RoundTrips { len, count, .. } => (len + 4096) * *count as usize,
        Script::Compressed { len, count, .. } => (len + 4096) * *count as usize * 2,
    }
}

/// Sees when it makes no sense to go on.
#[derive(Debug, Default)]
struct Watch {
    total: usize,
    done: usize,
    opened: bool,
    /// Opening handshakes that failed and should not have, while none was completed; and the last reason.
    refused: usize,
    last_refusal: String,
    /// Opening handshakes in succession that the server did not answer in time.
    unanswered: usize,
}

impl Watch {
    fn look_at(&mut self, result: &CaseResult) -> Option<Why> {
        self.done += 1;
        // One that switches protocols is a WebSocket server, whatever is wrong with its answer: that is for the cases to find.
        self.opened |= result.was_open() || result.http_response.starts_with("HTTP/1.1 101 ");
        if result.was_open() {
            self.unanswered = 0;
        }
        if let Some(reason) = result.unwanted_refusal() {
            self.unanswered = if result.closing.open_handshake_timeout { self.unanswered + 1 } else { 0 };
            self.refused += 1;
            reason.clone_into(&mut self.last_refusal);
        }
        if self.opened {
            return (self.unanswered >= MOST_UNANSWERED).then_some(Why::NoAnswer);
        }
        self.never_opened().filter(|_| self.refused >= MOST_REFUSED)
    }

    fn never_opened(&self) -> Option<Why> {
        (!self.opened && self.refused > 0)
            .then(|| Why::NeverOpened { tries: self.refused, reason: self.last_refusal.clone() })
    }

    fn error(&self, why: Why) -> RunError {
        RunError { done: self.done, total: self.total, why }
    }
}

/// A server that answers none of its first opening handshakes as it must is given up after this many.
const MOST_REFUSED: usize = 4;
/// A server that was well is given up after this many opening handshakes in succession without any answer.
const MOST_UNANSWERED: usize = 10;

/// Why a run was not finished.
#[derive(Debug)]
pub struct RunError {
    done: usize,
    total: usize,
    why: Why,
}

#[derive(Debug)]
enum Why {
    NoConnection(io::Error),
    NeverOpened { tries: usize, reason: String },
    NoAnswer,
    Panicked(JoinError),
}

impl RunError {
    /// How many cases were finished.
    #[must_use]
    pub const fn done(&self) -> usize {
        self.done
    }
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { done, total, .. } = self;
        match &self.why {
            Why::NoConnection(_) if *done == 0 => f.write_str("the server cannot be connected to"),
            Why::NoConnection(_) => {
                write!(f, "the server cannot be connected to any more, after {done} of {total} cases")
            }
            Why::NeverOpened { tries: 1, reason } => {
                write!(f, "no WebSocket server: the opening handshake was not completed: {reason}")
            }
            Why::NeverOpened { tries, reason } => write!(
                f,
                "no WebSocket server: of {tries} opening handshakes none was completed, the last because {reason}"
            ),
            Why::NoAnswer => write!(
                f,
                "the server does not answer any more, after {done} of {total} cases: {MOST_UNANSWERED} opening handshakes in succession had no answer in time"
            ),
            Why::Panicked(_) => {
                f.write_str("a case could not be run to its end, which is a fault of the suite")
            }
        }
    }
}

impl Error for RunError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.why {
            Why::NoConnection(error) => Some(error),
            Why::Panicked(error) => Some(error),
            Why::NeverOpened { .. } | Why::NoAnswer => None,
        }
    }
}
