//! Testing a server.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use tokio::task::JoinSet;

use crate::case::{Case, Script};
use crate::endpoint::Connect;
use crate::opening::Target;
use crate::run::{self, CaseResult};

/// How to test a server.
#[derive(Clone, Debug)]
pub struct Options {
    /// What to ask for.
    pub target: Target,
    /// What the server is to be called; where it is `None`, what it calls itself.
    pub agent: Option<String>,
    /// How many cases may run at the same time, at least one. Cases with short timers and cases with much work never run at the same time.
    pub jobs: usize,
}

impl Default for Options {
    fn default() -> Self {
        let jobs = std::thread::available_parallelism().map_or(4, usize::from).clamp(4, 32);
        Self { target: Target { host: "localhost".to_owned(), ..Target::default() }, agent: None, jobs }
    }
}

/// Tests a server with these cases. Each result is handed to `done`, in the order in which the cases end.
///
/// # Errors
/// When a stream to the server cannot be opened, because nothing listens or the server has died; the cases that are under way are still
/// finished, and no more are begun.
///
/// # Cancel safety
/// Dropping the future ends all cases that are under way; `done` has had the others.
pub async fn run<C: Connect>(
    connect: C,
    cases: Vec<Arc<Case>>,
    options: Options,
    mut done: impl FnMut(CaseResult),
) -> io::Result<()> {
    let shared = Arc::new((connect, options));
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
            match running.join_next().await {
                None => break,
                Some(Ok(Ok(result))) => done(result),
                Some(Ok(Err(error))) => broken_off = Some(error),
                Some(Err(error)) => broken_off = Some(io::Error::other(error)),
            }
        }
        if let Some(error) = broken_off {
            return Err(error);
        }
    }
    Ok(())
}

async fn run_case<C: Connect>(shared: Arc<(C, Options)>, case: Arc<Case>) -> io::Result<CaseResult> {
    let (connect, options) = &*shared;
    let stream = connect.connect().await?;
    Ok(run::as_client(case, stream, &options.target, options.agent.as_deref()).await)
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
