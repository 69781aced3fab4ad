//! What a server tells of itself: counts by the facade `metrics`, spans and events by `tracing`. Without these features nothing is left of it.

use crate::Error;
use crate::stream::PeerAddr;
use ws_proto::handshake::HandshakeError;
use ws_proto::{CloseCode, Failure, Initiator};
use ws_tokio::{OpenError, SocketStatus};

#[cfg(feature = "metrics")]
mod names;
mod traffic;

pub(crate) use traffic::{Seen, Traffic};

#[cfg(feature = "metrics")]
pub use names::describe_metrics;

/// When a connection began; nothing where nobody asks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Began(#[cfg(feature = "metrics")] std::time::Instant);

/// A connection was let in.
pub(crate) fn connection_began() -> Began {
    #[cfg(feature = "metrics")]
    {
        metrics::counter!(names::CONNECTIONS_TOTAL).increment(1);
        metrics::gauge!(names::CONNECTIONS).increment(1);
        Began(std::time::Instant::now())
    }
    #[cfg(not(feature = "metrics"))]
    Began()
}

/// It has ended.
#[cfg_attr(not(feature = "metrics"), expect(unused_variables, reason = "nobody asks"))]
pub(crate) fn connection_ended(began: Began) {
    #[cfg(feature = "metrics")]
    {
        metrics::gauge!(names::CONNECTIONS).decrement(1);
        metrics::histogram!(names::CONNECTION_SECONDS).record(began.0.elapsed());
    }
}

/// How a handshake ended.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Handshake {
    /// With a socket.
    Accepted,
    /// The handler answered otherwise.
    Rejected,
    /// A plain request was answered.
    Answered,
    /// The server's settings did not let it in.
    Refused,
    /// It broke a rule, or took too long.
    Failed,
}

pub(crate) fn handshake(result: Handshake) {
    let result = match result {
        Handshake::Accepted => "accepted",
        Handshake::Rejected => "rejected",
        Handshake::Answered => "answered",
        Handshake::Refused => "refused",
        Handshake::Failed => "failed",
    };
    #[cfg(feature = "metrics")]
    metrics::counter!(names::HANDSHAKES_TOTAL, "result" => result).increment(1);
    #[cfg(feature = "tracing")]
    tracing::debug!(result, "the handshake has ended");
    #[cfg(not(any(feature = "metrics", feature = "tracing")))]
    let _nobody_asks = result;
}

/// Are open connections to be looked at, at intervals?
pub(crate) const SWEEPS: bool = cfg!(feature = "metrics");

/// A socket has ended like this.
pub(crate) fn socket_ended(status: &SocketStatus) {
    if cfg!(not(any(feature = "metrics", feature = "tracing"))) {
        return;
    }
    let (by, code) = match (&status.close_info, &status.failure) {
        (Some(info), _) => match info.initiator {
            Initiator::Local => ("server", info.sent.code),
            Initiator::Peer => ("client", info.received.code),
        },
        (None, Some(failure)) => ("failure", failure.close_code()),
        (None, None) => ("nobody", CloseCode::ABNORMAL),
    };
    #[cfg(feature = "metrics")]
    {
        // Clients may send any code from 3000 on, and each label is kept for ever.
        let label = match u16::from(code) {
            3000..=3999 => "3xxx".to_owned(),
            4000..=4999 => "4xxx".to_owned(),
            code => code.to_string(),
        };
        metrics::counter!(names::CLOSES_TOTAL, "by" => by, "code" => label).increment(1);
    }
    #[cfg(feature = "tracing")]
    tracing::debug!(by, code = u16::from(code), "the connection has ended");
    #[cfg(not(any(feature = "metrics", feature = "tracing")))]
    let _nobody_asks = (by, code);
}

/// Something went wrong.
pub(crate) fn error(error: &Error, peer: PeerAddr) {
    if cfg!(not(any(feature = "metrics", feature = "tracing"))) {
        return;
    }
    match told(error) {
        Told::Refused(reason, ends_handshake) => {
            if ends_handshake {
                handshake(Handshake::Refused);
            }
            refused(reason);
        }
        Told::Failed(family) => {
            handshake(Handshake::Failed);
            failed(family);
        }
        Told::Ended(family) => failed(family),
        Told::GaveUpMemory => gave_up_memory(),
    }
    #[cfg(feature = "tracing")]
    {
        let peer = peer.map(tracing::field::display);
        match error {
            Error::Accept(_) | Error::GaveUpMemory { .. } => tracing::warn!(peer, "{error}"),
            Error::HandlerPanicked(_) => tracing::error!(peer, "{error}"),
            _ => tracing::debug!(peer, "{error}"),
        }
    }
    #[cfg(not(feature = "tracing"))]
    let _nobody_asks = peer;
}

#[cfg_attr(not(feature = "metrics"), expect(unused_variables, reason = "nobody asks"))]
fn refused(reason: &'static str) {
    #[cfg(feature = "metrics")]
    metrics::counter!(names::REFUSED_TOTAL, "reason" => reason).increment(1);
}

fn gave_up_memory() {
    #[cfg(feature = "metrics")]
    metrics::counter!(names::GAVE_UP_MEMORY_TOTAL).increment(1);
}

#[cfg_attr(not(feature = "metrics"), expect(unused_variables, reason = "nobody asks"))]
fn failed(family: &'static str) {
    #[cfg(feature = "metrics")]
    metrics::counter!(names::ERRORS_TOTAL, "family" => family).increment(1);
}

/// A slow member of a group has cost messages: this is what its policy did, to so many.
#[cfg_attr(not(feature = "metrics"), expect(unused_variables, reason = "nobody asks"))]
pub(crate) fn dropped(policy: &'static str, messages: u64) {
    #[cfg(feature = "metrics")]
    metrics::counter!(names::GROUP_DROPS_TOTAL, "policy" => policy).increment(messages);
}

/// What is to be told of an error.
enum Told {
    /// A setting keeps it out, this one; and does its handshake end by that, or had it not begun?
    Refused(&'static str, bool),
    /// A handshake has failed, by an error of this family.
    Failed(&'static str),
    /// An error of this family.
    Ended(&'static str),
    /// A connection has made room for others; how its handler ends is told beside.
    GaveUpMemory,
}

fn told(error: &Error) -> Told {
    match error {
        Error::Accept(_) => Told::Ended("accept"),
        Error::TooManyConnections { .. } => Told::Refused("max_connections", false),
        Error::TooManyConnectionsOfAddress { .. } => Told::Refused("max_connections_per_address", false),
        Error::TooManyHandshakes { .. } => Told::Refused("max_handshakes", true),
        Error::Origin(_) => Told::Refused("origin", true),
        Error::Host(_) => Told::Refused("host", true),
        Error::MemoryBudgetReached { .. } => Told::Refused("memory_budget", true),
        Error::GaveUpMemory { .. } => Told::GaveUpMemory,
        Error::Stopping => Told::Refused("stopping", true),
        Error::Proxy(_) => Told::Failed("proxy"),
        Error::Tls(_) => Told::Failed("tls"),
        Error::Open(error) => Told::Failed(family_of_opening(error)),
        Error::Handler(error) => Told::Ended(if let Some(error) = error.downcast_ref::<ws_tokio::Error>() {
            family(error)
        } else if let Some(error) = error.downcast_ref::<OpenError>() {
            family_of_opening(error)
        } else {
            "handler"
        }),
        Error::HandlerPanicked(_) => Told::Ended("panic"),
    }
}

fn family_of_opening(error: &OpenError) -> &'static str {
    match error {
        OpenError::Handshake(HandshakeError::Timeout) => "timeout",
        OpenError::Handshake(_) => "handshake",
        OpenError::Io(_) => "io",
        OpenError::Misuse(_) => "misuse",
        _ => "handler",
    }
}

fn family(error: &ws_tokio::Error) -> &'static str {
    match error {
        ws_tokio::Error::Failed(failure) => match failure {
            Failure::Protocol(_) => "protocol",
            Failure::Limit(_) => "limit",
            Failure::Timeout(_) => "timeout",
            Failure::EndOfStream => "end_of_stream",
            _ => "handler",
        },
        ws_tokio::Error::Io(_) => "io",
        ws_tokio::Error::Refused { .. } => "send",
        ws_tokio::Error::Misuse(_) => "misuse",
        _ => "handler",
    }
}

/// What becomes of a connection belongs to this: `connection`, with `peer` and, when it is known, `path`.
#[cfg(feature = "tracing")]
pub(crate) fn span(peer: PeerAddr, path: Option<&str>) -> tracing::Span {
    let peer = peer.map(tracing::field::display);
    let span = tracing::info_span!("connection", peer, path = tracing::field::Empty);
    if let Some(path) = path {
        span.record("path", path);
    }
    span
}

#[cfg(feature = "tracing")]
pub(crate) fn in_span<F: Future>(span: tracing::Span, future: F) -> tracing::instrument::Instrumented<F> {
    tracing::Instrument::instrument(future, span)
}

/// There are no spans.
#[cfg(not(feature = "tracing"))]
#[derive(Clone, Copy, Debug)]
pub(crate) struct NoSpan;

#[cfg(not(feature = "tracing"))]
pub(crate) const fn span(_peer: PeerAddr, _path: Option<&str>) -> NoSpan {
    NoSpan
}

#[cfg(not(feature = "tracing"))]
pub(crate) fn in_span<F: Future>(_: NoSpan, future: F) -> F {
    future
}

/// The client asks for this path.
#[cfg_attr(not(feature = "tracing"), expect(unused_variables, reason = "nobody asks"))]
pub(crate) fn asks_for(path: &str) {
    #[cfg(feature = "tracing")]
    tracing::Span::current().record("path", path);
}

/// The handler has ended, and was not told to [`error`].
pub(crate) fn handler_ended() {
    #[cfg(feature = "tracing")]
    tracing::debug!("the handler has ended");
}
