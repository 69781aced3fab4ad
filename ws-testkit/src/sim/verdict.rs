//! What must hold behind the end of a simulated connection.

use super::network::Link;
use super::simulation::Summary;
use super::traffic::{Ledger, Traffic};
use super::{Accident, Weather};
use crate::Observed;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};
use ws_proto::{CloseFrame, Config, Failure, Role};

/// Something that must not happen happened. Its `Display` says what, and how to see it again.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation {
    /// The seed of the simulation.
    pub seed: u64,
    /// On which of its connections.
    pub connection: usize,
    /// What it was.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, connection, what } = self;
        write!(f, "seed {seed}, connection {connection}: {what}; replay it with WS_SIM_SEED={seed}")
    }
}

impl Error for Violation {}

/// What is known of a connection beforehand.
#[derive(Debug)]
pub(super) struct Judged {
    /// To the server, to the client.
    ledgers: [Ledger; 2],
    /// Can only an accident keep it from closing cleanly?
    is_patient: bool,
    /// How late an end may be for all reasons together.
    slack: Duration,
    /// When keepalive has noticed at the latest that nothing arrives any more; of the client, of the server.
    notices_within: [Option<Duration>; 2],
    closes_at: Instant,
    /// When both transports are closed at the latest.
    pub(super) over_by: Instant,
}

impl Judged {
    pub(super) fn new(
        ledgers: [Ledger; 2],
        configs: &[Arc<Config>],
        weather: Weather,
        nap: Duration,
        closes_at: Instant,
        is_patient: bool,
    ) -> Self {
        let slack = (weather.lateness + nap) * 4 + weather.latency.1 * 2 + weather.stall * 2;
        // It may have begun to close just before, for another reason.
        let notices = |config: &Arc<Config>| {
            let keepalive = config.ping_interval().map(|interval| interval + config.pong_timeout() * 3);
            keepalive.map(|keepalive| keepalive + config.close_timeout())
        };
        let mut notices_within = configs.iter().map(notices);
        let close_timeout = configs.iter().map(|config| config.close_timeout()).max().unwrap_or_default();
        Self {
            ledgers,
            is_patient,
            slack,
            notices_within: [notices_within.next().flatten(), notices_within.next().flatten()],
            closes_at,
            // Once for the peer's Close frame, and once for the end of its transport.
            over_by: closes_at + close_timeout * 2 + slack,
        }
    }

    pub(super) fn judge(&self, link: &Link<Traffic>) -> Result<(), String> {
        for role in [Role::Client, Role::Server] {
            self.judge_end(link, role).map_err(|what| format!("the {}: {what}", name(role)))?;
        }
        self.judge_both(link)
    }

    pub(super) fn summary(&self, link: &Link<Traffic>) -> Summary {
        let clean = |role| matches!(link.end(role).outcome(), Some(Observed::Closed(_)));
        Summary {
            connections: 1,
            failed: u64::from(!(clean(Role::Client) && clean(Role::Server))),
            operations: link.client.application.operations() + link.server.application.operations(),
            turns: 0,
            delivered: self.ledgers.iter().map(|ledger| ledger.open().delivered).sum(),
            bytes: link.client.written() + link.server.written(),
            fingerprint: link.client.fingerprint() ^ link.server.fingerprint().rotate_left(1),
        }
    }

    fn judge_end(&self, link: &Link<Traffic>, role: Role) -> Result<(), String> {
        let end = link.end(role);
        if let Some(fault) = end.fault() {
            return Err(fault.into());
        }
        let incoming = match role {
            Role::Client => &self.ledgers[1],
            Role::Server => &self.ledgers[0],
        };
        if let Some(fault) = &incoming.open().fault {
            return Err(fault.clone());
        }
        let Some(outcome) = end.outcome() else { return Err("it told no end".into()) };
        if end.closed_at().is_none_or(|at| at > self.over_by) {
            return Err(format!("it closed its transport too late, or never, behind {outcome:?}"));
        }
        let undelivered = incoming.open().messages.len();
        match outcome {
            Observed::Closed(info) => {
                if undelivered > 0 {
                    return Err(format!("{undelivered} messages are missing behind a clean close"));
                }
                let peer = link.end(role.peer());
                if !is_payload(&info.sent, end.close_written()) && !peer_is_gone(link, role) {
                    return Err(format!(
                        "it tells that it sent {:?}, and wrote {:?}",
                        info.sent,
                        end.close_written()
                    ));
                }
                if !is_payload(&info.received, peer.close_written()) {
                    return Err(format!(
                        "it tells of {:?}, and the peer wrote {:?}",
                        info.received,
                        peer.close_written()
                    ));
                }
            }
            Observed::Failed(Failure::EndOfStream | Failure::Timeout(_)) => {}
            other => return Err(format!("no weather can cause {other:?}")),
        }
        let quiet_since =
            link.accident().filter(|(_, accident)| *accident == Accident::Cut).map(|(at, _)| at);
        let within = self.notices_within[usize::from(role == Role::Server)];
        if let (Some(since), Some(within)) = (quiet_since, within)
            && let Some(ended) = end.ended_at()
            && ended > since + within + self.slack
            && ended < self.closes_at
        {
            return Err(format!(
                "it noticed a cut line only after {:?}, not within {within:?}",
                ended - since
            ));
        }
        Ok(())
    }

    fn judge_both(&self, link: &Link<Traffic>) -> Result<(), String> {
        let [client, server] = [Role::Client, Role::Server].map(|role| link.end(role).outcome());
        let both_clean = matches!((client, server), (Some(Observed::Closed(_)), Some(Observed::Closed(_))));
        if self.is_patient && link.accident().is_none() && !both_clean {
            return Err(format!("nothing happened to it, but it ended with {client:?} and {server:?}"));
        }
        Ok(())
    }
}

/// Could what this end wrote last have gone nowhere?
fn peer_is_gone(link: &Link<Traffic>, role: Role) -> bool {
    link.accident().is_some() || link.end(role.peer()).closed_at().is_some()
}

/// Does a Close frame with this payload say what `frame` says (§5.5.1)?
fn is_payload(frame: &CloseFrame, payload: Option<&[u8]>) -> bool {
    let code = frame.code.get().to_be_bytes();
    match payload {
        None => false,
        Some([]) => frame.code == ws_proto::CloseCode::NO_STATUS,
        Some(payload) => payload.strip_prefix(&code) == Some(frame.reason.as_bytes()),
    }
}

const fn name(role: Role) -> &'static str {
    match role {
        Role::Client => "client",
        Role::Server => "server",
    }
}
