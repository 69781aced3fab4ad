//! One case over one stream: the opening handshake, what is played then, and the verdict.

use bytes::BytesMut;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout, timeout_at};
use ws_proto::{Entropy, Role};

use crate::case::{Behavior, Case, Received};
use crate::deflate::Params;
use crate::drive::drive;
use crate::masks;
use crate::opening::{self, Request, Target, Want};
use crate::peer::{Closing, Peer, Traffic};
use crate::play::Play;
use crate::timeouts::Timeouts;
use crate::verdict::{Observed, Verdict, verdict};
use crate::wire_log::WireLog;

/// All that is known about a case after it was run.
#[derive(Debug)]
pub struct CaseResult {
    /// The case.
    pub case: Arc<Case>,
    /// How the endpoint did.
    pub verdict: Verdict,
    /// When it began.
    pub started: SystemTime,
    /// How long it took from the open connection to its end.
    pub duration: Duration,
    /// Why it was not, as a clause.
    pub(crate) not_opened: Option<String>,
    pub(crate) agent: Option<String>,
    pub(crate) is_server: bool,
    pub(crate) closing: Closing,
    pub(crate) received: Vec<Received>,
    pub(crate) http_request: String,
    pub(crate) http_response: String,
    pub(crate) wire_log: Vec<Value>,
    pub(crate) wire_log_enabled: bool,
    pub(crate) octets: Counts<usize>,
    pub(crate) frames: Counts<u8>,
    pub(crate) traffic: Option<Traffic>,
}

/// How often something was received, and sent.
#[derive(Debug, Default)]
pub(crate) struct Counts<K> {
    pub(crate) rx: BTreeMap<K, u64>,
    pub(crate) tx: BTreeMap<K, u64>,
}

impl CaseResult {
    /// The code in the endpoint's Close frame, if there was one.
    #[must_use]
    pub fn remote_close_code(&self) -> Option<u16> {
        self.closing.remote_code
    }

    /// Was the opening handshake completed?
    #[must_use]
    pub const fn was_open(&self) -> bool {
        self.not_opened.is_none()
    }

    /// Why the opening handshake was not completed, as a clause, where the case wanted it to be.
    pub(crate) fn unwanted_refusal(&self) -> Option<&str> {
        let probe = self.case.opening.probe.as_ref();
        self.not_opened.as_deref().filter(|_| probe.is_none_or(|probe| !matches!(probe.want, Want::Refused)))
    }

    /// What the endpoint calls itself.
    #[must_use]
    pub fn agent(&self) -> Option<&str> {
        self.agent.as_deref()
    }
}

/// A stream that cases can be run over.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Stream for S {}

/// Runs a case against a server over a stream that was just opened to it.
pub(crate) async fn as_client(
    case: Arc<Case>,
    mut stream: impl Stream,
    target: &Target,
    agent: Option<&str>,
    timeouts: Timeouts,
) -> CaseResult {
    let mut run = Run::new(case, Role::Client, timeouts);
    let entropy = Entropy::os();
    let key = opening::key(&entropy);
    let opening = &run.case.opening;
    run.http_request = opening::request(target, &key, &opening.offers, opening.probe.as_ref());
    let opened = run.open_as_client(&mut stream, &key, &target.protocols).await;
    run.agent = agent.map(str::to_owned).or(run.agent);
    run.go_on(&mut stream, opened, entropy).await
}

/// Runs a case against a client whose request was read already. `leftover` is what came behind the request.
pub(crate) async fn as_server(
    case: Arc<Case>,
    stream: &mut impl Stream,
    request: &Request,
    head: &[u8],
    leftover: BytesMut,
    agent: &str,
    timeouts: Timeouts,
) -> CaseResult {
    let mut run = Run::new(case, Role::Server, timeouts);
    run.agent = Some(agent.to_owned());
    run.http_request = String::from_utf8_lossy(head).into_owned();
    run.log.read(head);
    run.traffic.incoming_before_open = head.len() as u64;
    let opened = run.open_as_server(stream, request, leftover).await;
    run.go_on(stream, opened, Entropy::os()).await
}

/// The result of a case whose client has sent a request that is refused, for this reason.
pub(crate) async fn refused(
    case: Arc<Case>,
    stream: &mut impl Stream,
    head: &[u8],
    agent: &str,
    why: String,
    timeouts: Timeouts,
) -> CaseResult {
    let mut run = Run::new(case, Role::Server, timeouts);
    run.agent = Some(agent.to_owned());
    run.http_request = String::from_utf8_lossy(head).into_owned();
    run.log.read(head);
    run.traffic.incoming_before_open = head.len() as u64;
    run.go_on(stream, Err(why), Entropy::os()).await
}

/// What became of the opening handshake: what was agreed on, and what came behind it; or a clause that tells what was wrong.
type Opened = Result<(Option<Params>, BytesMut), String>;

/// A case on its way.
struct Run {
    case: Arc<Case>,
    role: Role,
    timeouts: Timeouts,
    agent: Option<String>,
    started: SystemTime,
    http_request: String,
    http_response: String,
    log: WireLog,
    traffic: Traffic,
    closing: Closing,
}

impl Run {
    fn new(case: Arc<Case>, role: Role, timeouts: Timeouts) -> Self {
        Self {
            case,
            role,
            timeouts,
            agent: None,
            started: SystemTime::now(),
            http_request: String::new(),
            http_response: String::new(),
            log: WireLog::new(),
            traffic: Traffic::default(),
            closing: Closing::default(),
        }
    }

    async fn open_as_client(&mut self, stream: &mut impl Stream, key: &str, protocols: &[String]) -> Opened {
        let deadline = Instant::now() + self.timeouts.opening;
        let request = self.http_request.as_bytes();
        self.log.written(request, false);
        self.traffic.outgoing_before_open = request.len() as u64;
        let chop = self.case.opening.probe.as_ref().and_then(|probe| probe.chop);
        // A server that does not want the rest of a request may have answered all the same.
        let _ = timeout_at(deadline, write_head(stream, request, chop)).await;
        let mut input = BytesMut::with_capacity(4096);
        let len = loop {
            if let Some(len) = opening::head_len(&input) {
                break len;
            }
            if input.len() > MAX_HEAD {
                return Err("the head of the answer has no end".to_owned());
            }
            match timeout_at(deadline, stream.read_buf(&mut input)).await {
                Ok(Ok(0) | Err(_)) => {
                    return Err("the server ended the connection without an answer".to_owned());
                }
                Ok(Ok(_)) => {}
                Err(_) => {
                    self.closing.open_handshake_timeout = true;
                    self.closing.dropped_by_me = true;
                    self.closing.not_clean_reason =
                        Some("the server did not answer the opening handshake in time");
                    return Err("the server did not answer in time".to_owned());
                }
            }
        };
        self.log.read(&input);
        self.traffic.incoming_before_open = input.len() as u64;
        let head = input.split_to(len);
        self.http_response = String::from_utf8_lossy(&head).into_owned();
        let offered =
            self.http_request.to_ascii_lowercase().contains("sec-websocket-extensions: permessage-deflate");
        let answer = opening::check_response(&head, key, offered, protocols)?;
        self.agent = answer.server;
        Ok((answer.params, input))
    }

    async fn open_as_server(
        &mut self,
        stream: &mut impl Stream,
        request: &Request,
        leftover: BytesMut,
    ) -> Opened {
        let opening = &self.case.opening;
        let chosen = Params::from_offers(&request.extensions, &opening.accepts);
        self.http_response = match &chosen {
            Ok(chosen) => {
                let extensions = chosen.as_ref().map(|(_, response)| response.as_str());
                opening::response(&request.key, extensions, opening.probe.as_ref())
            }
            Err(_) => "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n".to_owned(),
        };
        let response = self.http_response.as_bytes();
        self.log.written(response, false);
        self.traffic.outgoing_before_open = response.len() as u64;
        let chop = opening.probe.as_ref().and_then(|probe| probe.chop);
        match timeout(self.timeouts.opening, write_head(stream, response, chop)).await {
            Ok(Ok(())) => Ok((chosen?.map(|(params, _)| params), leftover)),
            _ => Err("the answer could not be written".to_owned()),
        }
    }

    /// From the end of the opening handshake to the verdict.
    async fn go_on(self, stream: &mut impl Stream, opened: Opened, entropy: Entropy) -> CaseResult {
        let Self { case, role, timeouts, agent, started, http_request, http_response, log, traffic, closing } =
            self;
        let since = Instant::now();
        let (opened, probed) = match &case.opening.probe {
            Some(probe) => probed(probe.want, role, opened, stream).await,
            None => (opened, None),
        };
        let params = opened.as_ref().map_or(None, |(params, _)| *params);
        let mut peer = Peer::new(role, params, entropy, log, traffic, timeouts);
        peer.closing = closing;
        let mut play = Play::new(Arc::clone(&case));
        let mut found = probed;
        let not_opened = opened.as_ref().err().cloned();
        match opened {
            Ok((_, leftover)) => {
                peer.input().extend_from_slice(&leftover);
                match &found {
                    None => play.open(&mut peer, since),
                    Some(_) => peer.send_close(Some(1000), None, false, since),
                }
                drive(&mut peer, &mut play, stream).await;
                found = found.or(play.found);
            }
            Err(reason) => {
                found = found.or_else(|| {
                    Some((Behavior::Failed, format!("The connection was not opened: {reason}.")))
                });
            }
        }
        let observed = Observed {
            was_open: not_opened.is_none(),
            is_server: role == Role::Server,
            closing: &peer.closing,
            received: &play.received,
            found,
        };
        let mut verdict = verdict(&case, observed);
        let log = peer.log.finish();
        if let (true, Some(why)) = (case.rules.fresh_masks, masks::predictable(&log.received_masks())) {
            verdict.behavior = Behavior::Failed;
            verdict.result = why;
        }
        if verdict.behavior == Behavior::Ok && peer.traffic.incoming_websocket < case.rules.least_wire {
            verdict.behavior = Behavior::Failed;
            "What came back is so short that more than the window was looked at to compress it."
                .clone_into(&mut verdict.result);
        }
        if case.rules.cut_tail && peer.traffic.kept_tails > 0 {
            verdict.behavior = Behavior::Failed;
            "What came back ends with the four bytes that are to be cut off.".clone_into(&mut verdict.result);
        }
        CaseResult {
            case,
            verdict,
            started,
            duration: since.elapsed(),
            not_opened,
            agent,
            is_server: role == Role::Server,
            closing: peer.closing,
            received: play.received,
            http_request,
            http_response,
            wire_log: log.entries,
            wire_log_enabled: log.enabled,
            octets: Counts { rx: log.rx_octets, tx: log.tx_octets },
            frames: Counts { rx: log.rx_frames, tx: log.tx_frames },
            traffic: play.traffic,
        }
    }
}

/// What a case about the opening handshake itself has found, if that was all.
async fn probed(
    want: Want,
    role: Role,
    opened: Opened,
    stream: &mut impl Stream,
) -> (Opened, Option<(Behavior, String)>) {
    let failed = |sentence: &str| Some((Behavior::Failed, sentence.to_owned()));
    match (want, role, opened) {
        (Want::Refused, Role::Client, Ok(good)) => (Ok(good), failed("The server accepted the request.")),
        (Want::Refused, Role::Client, Err(reason)) => {
            let found = (Behavior::Ok, format!("The request was refused: {reason}."));
            (Err(reason), Some(found))
        }
        (Want::Refused, Role::Server, Ok((params, mut leftover))) => {
            match timeout(REFUSAL_TIMEOUT, stream.read_buf(&mut leftover)).await {
                Ok(Ok(0) | Err(_)) if leftover.is_empty() => {
                    let reason = "the client ended the connection".to_owned();
                    (Err(reason), Some((Behavior::Ok, "The client did not accept the answer.".to_owned())))
                }
                _ => (
                    Ok((params, leftover)),
                    failed("The client accepted the answer, or did not end the connection."),
                ),
            }
        }
        (Want::WithoutDeflate, _, Ok((Some(params), rest))) => {
            (Ok((Some(params), rest)), failed("Compression was agreed on, which is against the offer."))
        }
        (Want::Deflate(allowed), _, Ok((Some(params), rest))) if !allowed(&params) => {
            (Ok((Some(params), rest)), failed("The parameters that were agreed on are against the offer."))
        }
        (_, _, opened) => (opened, None),
    }
}

async fn write_head(stream: &mut impl Stream, head: &[u8], chop: Option<usize>) -> io::Result<()> {
    for piece in head.chunks(chop.unwrap_or(usize::MAX).max(1)) {
        stream.write_all(piece).await?;
        stream.flush().await?;
        if chop.is_some() {
            tokio::task::yield_now().await;
        }
    }
    Ok(())
}

/// How long a client has to end a connection whose opening handshake went wrong.
const REFUSAL_TIMEOUT: Duration = Duration::from_secs(2);
const MAX_HEAD: usize = 64 << 10;
