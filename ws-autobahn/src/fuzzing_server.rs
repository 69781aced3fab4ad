//! Testing clients: a server whose URLs are those of the original suite.
//!
//! | URL | |
//! |---|---|
//! | `/getCaseCount` | sends the number of cases |
//! | `/getCaseInfo?case=N` | sends number and description of a case |
//! | `/runCase?case=N&agent=NAME` | runs a case; `casetuple=6.4.1` names it by its own number |
//! | `/getCaseStatus?case=N&agent=NAME` | sends how the agent did in the case, once it has run it |
//! | `/updateReports?agent=NAME` | writes the reports; with `shutdownOnComplete=true` the server ends then |
//! | `/stopServer` | the server ends |

use bytes::BytesMut;
use serde_json::json;
use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::case::{Case, CaseId, Step};
use crate::opening::{self, Request, Want};
use crate::report::Report;
use crate::run::{self, CaseResult, Stream};
use crate::spec::excludes;
use crate::timeouts::Timeouts;

/// What a fuzzing server does with the results.
pub trait Reporter: Send + Sync + 'static {
    /// A client has run a case.
    fn done(&self, _: &CaseResult) {}
    /// A client asks for the reports to be written.
    fn write(&self, _: &Report) {}
}

impl Reporter for () {}

/// How to test clients.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Cases to be left out for agents, both by patterns.
    pub excluded: BTreeMap<String, Vec<String>>,
    /// How long the suite waits.
    pub timeouts: Timeouts,
}

/// A server that tests every client that connects to it. Clones are the same server.
#[derive(Clone)]
pub struct FuzzingServer(Arc<Shared>);

struct Shared {
    cases: Vec<Arc<Case>>,
    options: Options,
    reporter: Box<dyn Reporter>,
    report: Mutex<Report>,
    /// Counts the results, so that one can be waited for.
    finished: watch::Sender<usize>,
    /// How many cases run, by agent.
    running: watch::Sender<BTreeMap<String, usize>>,
    connections: watch::Sender<Connections>,
    stop: watch::Sender<bool>,
    /// The values of `Sec-WebSocket-Key` that came, up to [`MAX_KEYS`].
    keys: Mutex<HashSet<String>>,
}

impl fmt::Debug for FuzzingServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FuzzingServer").field("cases", &self.0.cases.len()).finish_non_exhaustive()
    }
}

/// How many connections there are, and were.
#[derive(Clone, Copy, Default)]
struct Connections {
    open: usize,
    ever: usize,
}

/// What a client asked for.
enum Ask {
    Run { case: Arc<Case>, agent: String },
    Count,
    Info(Arc<Case>),
    Status { case: CaseId, agent: String },
    Update { agent: Option<String>, shutdown: bool },
    Stop,
}

impl FuzzingServer {
    /// A server with these cases.
    #[must_use]
    pub fn new(cases: Vec<Arc<Case>>, options: Options, reporter: impl Reporter) -> Self {
        Self(Arc::new(Shared {
            cases,
            options,
            reporter: Box::new(reporter),
            report: Mutex::default(),
            finished: watch::Sender::new(0),
            running: watch::Sender::default(),
            connections: watch::Sender::default(),
            stop: watch::Sender::new(false),
            keys: Mutex::default(),
        }))
    }

    /// The results so far.
    pub fn report(&self) -> MutexGuard<'_, Report> {
        self.0.report.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Serves clients until one of them, or [`stop`](Self::stop), ends the server.
    ///
    /// # Errors
    /// When the listener fails for good.
    ///
    /// # Cancel safety
    /// Dropping the future stops accepting; connections that are open go on.
    pub async fn listen(&self, listener: TcpListener, tls: Option<TlsAcceptor>) -> io::Result<()> {
        let mut stop = self.0.stop.subscribe();
        loop {
            let accepted = tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return Ok(()),
                accepted = listener.accept() => accepted,
            };
            // It fails for a connection that was gone before it was accepted, or when there are no more file descriptors for the moment.
            let Ok((tcp, _)) = accepted else {
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            };
            // Where it cannot be set, small writes are late, and the cases still work.
            let _ = tcp.set_nodelay(true);
            let (server, tls) = (self.clone(), tls.clone());
            tokio::spawn(async move {
                match tls {
                    None => server.serve(tcp).await,
                    Some(tls) => {
                        if let Ok(stream) = tls.accept(tcp).await {
                            server.serve(stream).await;
                        }
                    }
                }
            });
        }
    }

    /// Ends the server.
    pub fn stop(&self) {
        self.0.stop.send_replace(true);
    }

    /// Returns when no client has been connected for so long.
    ///
    /// # Cancel safety
    /// Nothing is lost; the time begins anew.
    pub async fn idle(&self, idle: Duration) {
        let mut connections = self.0.connections.subscribe();
        loop {
            let Ok(before) = connections.wait_for(|connections| connections.open == 0).await.map(|now| *now)
            else {
                return;
            };
            let another = connections.wait_for(|connections| connections.ever > before.ever);
            if timeout(idle, another).await.is_err() {
                return;
            }
        }
    }

    /// A sentence for each agent that has not run all cases; or one, where there was none.
    #[must_use]
    pub fn unfinished(&self, report: &Report) -> Vec<String> {
        if report.agents().next().is_none() {
            return vec!["no client has run a case".to_owned()];
        }
        let sentence = |agent: &str| {
            let excluded = &self.0.options.excluded;
            let wanted = self
                .0
                .cases
                .iter()
                .map(|case| case.id)
                .filter(|id| !excludes(excluded, agent, &id.to_string()));
            let wanted: Vec<CaseId> = wanted.collect();
            let mut missing = wanted.iter().filter(|id| report.result(agent, **id).is_none());
            let first = missing.next()?;
            let ran = wanted.len() - 1 - missing.count();
            Some(format!(
                "{agent} has run {ran} of {} cases; the first that is missing is {first}",
                wanted.len()
            ))
        };
        report.agents().filter_map(sentence).collect()
    }

    /// Serves one connection, over any stream.
    pub async fn serve(&self, mut stream: impl Stream) {
        self.0.connections.send_modify(|connections| {
            connections.open += 1;
            connections.ever += 1;
        });
        let _open = Defer(|| self.0.connections.send_modify(|connections| connections.open -= 1));
        let Some((head, leftover)) = self.read_head(&mut stream).await else { return };
        let asked = opening::check_request(&head)
            .and_then(|request| Ok((self.understand(&request)?, self.check_key(request)?)));
        match asked {
            Ok((ask, request)) => self.answer(ask, &mut stream, &request, &head, leftover).await,
            Err(why) => {
                self.record_refusal(&mut stream, &head, &why).await;
                let body = format!("{why}\n");
                let head = format!(
                    "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
                    body.len()
                );
                // The client may be gone already.
                let _ = timeout(LINGER, stream.write_all(head.as_bytes())).await;
            }
        }
        linger(&mut stream).await;
    }

    /// Refuses a key that came before, where the case is about that.
    fn check_key(&self, request: Request) -> Result<Request, String> {
        let mut keys = self.0.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let used = keys.contains(&request.key);
        if keys.len() < MAX_KEYS {
            keys.insert(request.key.clone());
        }
        let matters = self.case(&request).is_ok_and(|case| is_about_the_request(&case));
        if used && matters {
            Err("Sec-WebSocket-Key came in an earlier request".to_owned())
        } else {
            Ok(request)
        }
    }

    /// A case about the request itself has its result when the request is refused. For others there is none, as in the original suite.
    async fn record_refusal(&self, stream: &mut impl Stream, head: &[u8], why: &str) {
        let wanted = opening::wanted(head);
        let asked = wanted.param("agent").zip(self.case(&wanted).ok());
        if let Some((agent, case)) = asked.filter(|(_, case)| is_about_the_request(case)) {
            let timeouts = self.0.options.timeouts;
            self.add(run::refused(case, stream, head, agent, why.to_owned(), timeouts).await);
        }
    }

    fn add(&self, result: CaseResult) {
        self.0.reporter.done(&result);
        self.report().add(result);
        self.0.finished.send_modify(|count| *count += 1);
    }

    fn understand(&self, request: &Request) -> Result<Ask, String> {
        let agent = || {
            request.param("agent").filter(|agent| !agent.is_empty()).map(str::to_owned).ok_or("which agent?")
        };
        let case = || self.case(request);
        match request.path.as_str() {
            "/runCase" => Ok(Ask::Run { case: case()?, agent: agent()? }),
            "/getCaseCount" => Ok(Ask::Count),
            "/getCaseInfo" => Ok(Ask::Info(case()?)),
            "/getCaseStatus" => Ok(Ask::Status { case: case()?.id, agent: agent()? }),
            "/updateReports" => {
                let shutdown = request.param("shutdownOnComplete");
                let shutdown = shutdown
                    .is_some_and(|value| ["true", "yes"].contains(&value.to_ascii_lowercase().as_str()));
                Ok(Ask::Update { agent: agent().ok(), shutdown })
            }
            "/stopServer" => Ok(Ask::Stop),
            path => Err(format!("{path} is no URL of a fuzzing server")),
        }
    }

    fn case(&self, request: &Request) -> Result<Arc<Case>, String> {
        let found = match (request.param("case"), request.param("casetuple")) {
            (Some(number), _) => {
                let index = number.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
                index.and_then(|index| self.0.cases.get(index))
            }
            (None, Some(id)) => self.0.cases.iter().find(|case| case.id.to_string() == id.trim()),
            (None, None) => return Err("which case?".to_owned()),
        };
        found.cloned().ok_or_else(|| "there is no such case".to_owned())
    }

    async fn answer(
        &self,
        ask: Ask,
        stream: &mut impl Stream,
        request: &Request,
        head: &[u8],
        leftover: BytesMut,
    ) {
        let timeouts = self.0.options.timeouts;
        let mut say = async |text: Option<String>| {
            let message = text.map(|text| Step::Message {
                payload: text.into_bytes().into(),
                binary: false,
                fragment: None,
            });
            let close = Step::Close { code: None, reason: bytes::Bytes::new() };
            let control = Case::steps(CaseId::two(0, 0), message.into_iter().chain([close]));
            let _ = run::as_server(Arc::new(control), stream, request, head, leftover.clone(), "", timeouts)
                .await;
        };
        match ask {
            Ask::Run { case, agent } if excludes(&self.0.options.excluded, &agent, &case.id.to_string()) => {
                say(None).await
            }
            Ask::Run { case, agent } => {
                self.0.running.send_modify(|running| *running.entry(agent.clone()).or_default() += 1);
                let _running = Defer(|| {
                    self.0.running.send_modify(|running| *running.entry(agent.clone()).or_default() -= 1);
                });
                self.add(run::as_server(case, stream, request, head, leftover, &agent, timeouts).await);
            }
            Ask::Count => say(Some(self.0.cases.len().to_string())).await,
            Ask::Info(case) => {
                let info = json!({ "id": case.id.to_string(), "description": case.description });
                say(Some(info.to_string())).await;
            }
            Ask::Status { case, agent } => {
                let behavior = self.behavior(case, &agent).await;
                say(Some(json!({ "behavior": behavior }).to_string())).await;
            }
            Ask::Update { agent, shutdown } => {
                self.cases_ended(agent.as_deref()).await;
                self.0.reporter.write(&self.report());
                say(None).await;
                if shutdown {
                    self.stop();
                }
            }
            Ask::Stop => {
                say(None).await;
                self.stop();
            }
        }
    }

    /// Waits a while for cases that the client has ended, and the suite not quite: all of the agent's, or of everybody's.
    async fn cases_ended(&self, agent: Option<&str>) {
        let mut running = self.0.running.subscribe();
        let ended = running.wait_for(|running| {
            running.iter().all(|(name, count)| *count == 0 || agent.is_some_and(|agent| agent != name))
        });
        // One that takes longer is missing in the report.
        let _ = timeout(LAST_CASES, ended).await;
    }

    async fn read_head(&self, stream: &mut impl Stream) -> Option<(BytesMut, BytesMut)> {
        let mut input = BytesMut::with_capacity(4096);
        let read = async {
            loop {
                if let Some(len) = opening::head_len(&input) {
                    return Some(len);
                }
                if input.len() > MAX_HEAD || stream.read_buf(&mut input).await.ok()? == 0 {
                    return None;
                }
            }
        };
        let len = timeout(self.0.options.timeouts.opening, read).await.ok().flatten()?;
        let head = input.split_to(len);
        Some((head, input))
    }

    /// How the agent did, once it has run the case.
    async fn behavior(&self, case: CaseId, agent: &str) -> &'static str {
        let mut finished = self.0.finished.subscribe();
        loop {
            finished.borrow_and_update();
            if let Some(result) = self.report().result(agent, case) {
                return result.verdict.behavior.as_str();
            }
            if finished.changed().await.is_err() {
                return "";
            }
        }
    }
}

fn is_about_the_request(case: &Case) -> bool {
    case.opening.probe.as_ref().is_some_and(|probe| matches!(probe.want, Want::GoodRequest))
}

/// Reads away what the client still sends, so that what it has not read yet is not lost with a reset.
async fn linger(stream: &mut impl Stream) {
    let away = async {
        stream.shutdown().await?;
        let mut buffer = [0; 4096];
        while stream.read(&mut buffer).await? > 0 {}
        io::Result::Ok(())
    };
    // However it ends, the connection is over.
    let _ = timeout(LINGER, away).await;
}

/// Calls a closure when it is dropped.
struct Defer<F: FnMut()>(F);

impl<F: FnMut()> Drop for Defer<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// How long a client's last cases may take after it has asked for the reports.
const LAST_CASES: Duration = Duration::from_secs(12);
const LINGER: Duration = Duration::from_secs(1);
const MAX_HEAD: usize = 64 << 10;
/// A client that tries every case a few times sends fewer.
const MAX_KEYS: usize = 10_000;
