//! What a case is: what the suite sends and when, and what it wants to see.

use bytes::Bytes;
use std::time::Duration;

pub(crate) use crate::behavior::{Behavior, CloseBehavior};
pub(crate) use crate::case_id::CaseId;
use crate::deflate::Offer;
pub(crate) use crate::frame::{Frame, Length, Masking, Payload};
use crate::payload::DataSet;

/// A case of the suite.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its number.
    pub id: CaseId,
    /// What the suite does.
    pub description: String,
    /// What it wants to see.
    pub expectation: String,
    /// Where the rule stands, for cases that the original suite does not have.
    pub reference: Option<&'static str>,
    pub(crate) script: Script,
    /// Lists of events, the first that equals what was received is the verdict.
    pub(crate) expected: Vec<(Behavior, Vec<Received>)>,
    pub(crate) close: ExpectedClose,
    pub(crate) rules: Rules,
    pub(crate) opening: Opening,
    pub(crate) audience: Audience,
}

impl Case {
    /// Is it for servers?
    #[must_use]
    pub const fn tests_servers(&self) -> bool {
        matches!(self.audience, Audience::Both | Audience::Servers)
    }

    /// Is it for clients?
    #[must_use]
    pub const fn tests_clients(&self) -> bool {
        matches!(self.audience, Audience::Both | Audience::Clients)
    }

    pub(crate) fn new(id: CaseId, script: Script) -> Self {
        Self {
            id,
            description: String::new(),
            expectation: String::new(),
            reference: None,
            script,
            expected: Vec::new(),
            close: ExpectedClose::by_us(&[1000]),
            rules: Rules::default(),
            opening: Opening::default(),
            audience: Audience::Both,
        }
    }

    pub(crate) fn steps(id: CaseId, steps: impl IntoIterator<Item = Step>) -> Self {
        Self::new(id, Script::Steps(steps.into_iter().collect()))
    }

    pub(crate) fn text(mut self, description: impl Into<String>, expectation: impl Into<String>) -> Self {
        self.description = description.into();
        self.expectation = expectation.into();
        self
    }

    pub(crate) fn ok(mut self, events: impl IntoIterator<Item = Received>) -> Self {
        self.expected.push((Behavior::Ok, events.into_iter().collect()));
        self
    }

    pub(crate) fn non_strict(mut self, events: impl IntoIterator<Item = Received>) -> Self {
        self.expected.push((Behavior::NonStrict, events.into_iter().collect()));
        self
    }

    pub(crate) fn close(mut self, close: ExpectedClose) -> Self {
        self.close = close;
        self
    }

    pub(crate) fn rules(mut self, rules: Rules) -> Self {
        self.rules = rules;
        self
    }

    /// Is it about load, so that its timers are long and its work is heavy?
    pub(crate) const fn is_heavy(&self) -> bool {
        !matches!(self.script, Script::Steps(_))
    }

    /// Does the report tell how long it took?
    pub(crate) const fn reports_time(&self) -> bool {
        self.is_heavy()
    }

    pub(crate) const fn reports_ratio(&self) -> bool {
        matches!(self.script, Script::Compressed { .. })
    }
}

/// Who a case is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Audience {
    Both,
    Servers,
    Clients,
}

/// What happens in a case.
#[derive(Clone, Debug)]
pub(crate) enum Script {
    /// Steps one after the other; the verdict compares what was received with lists of events.
    Steps(Vec<Step>),
    /// One large message, which is to come back with its type and length.
    Echo { send: Box<Step>, binary: bool, len: usize, wait: Duration },
    /// Many messages, the next when the last has come back.
    RoundTrips { unit: u8, binary: bool, len: usize, count: u32, wait: Duration },
    /// The same with compressed messages cut from a data set.
    Compressed { data: DataSet, len: usize, count: u32, wait: Duration, fragment: Option<usize> },
}

/// One thing that the suite does.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// Writes a frame, whatever state the connection is in.
    Frame(Frame),
    /// Sends a message while the connection is open, in frames of at most `fragment` bytes.
    Message { payload: Payload, binary: bool, fragment: Option<usize> },
    /// Begins a text message with a frame of this length that is not the last.
    Head { len: usize },
    /// Part of the payload of that frame.
    Data(Bytes),
    /// Ends that message with an empty frame.
    End,
    /// Begins the closing handshake.
    Close { code: Option<u16>, reason: Bytes },
    /// Fails the connection after this time.
    FailAfter(Duration),
    /// Begins the closing handshake after this time, with an empty frame.
    CloseAfter(Duration),
    /// Goes on after this time; with a tag only while the connection is open, and then the tag counts as received.
    Later(Duration, Option<&'static str>),
    /// Shuts down the write side of the stream.
    ShutdownWrite,
}

impl From<Frame> for Step {
    fn from(frame: Frame) -> Self {
        Self::Frame(frame)
    }
}

/// Something that came from the endpoint and counts for the verdict, or the end of a wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Received {
    Message { payload: Bytes, binary: bool },
    Pong(Bytes),
    Timeout(&'static str),
}

impl Received {
    pub(crate) fn text(payload: impl Into<Payload>) -> Self {
        Self::Message { payload: payload.into().to_bytes(), binary: false }
    }

    pub(crate) fn binary(payload: impl Into<Payload>) -> Self {
        Self::Message { payload: payload.into().to_bytes(), binary: true }
    }

    pub(crate) fn pong(payload: impl Into<Payload>) -> Self {
        Self::Pong(payload.into().to_bytes())
    }
}

/// How the connection is wanted to end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ExpectedClose {
    pub(crate) closed_by_me: bool,
    pub(crate) codes: Vec<u16>,
    pub(crate) require_clean: bool,
    /// The endpoint that does not close has not seen the fault, so the case is failed.
    pub(crate) wrong_end_is_fatal: bool,
}

impl ExpectedClose {
    /// Cleanly, by the suite.
    pub(crate) fn by_us(codes: &[u16]) -> Self {
        Self { closed_by_me: true, codes: codes.to_vec(), require_clean: true, wrong_end_is_fatal: false }
    }

    /// By the endpoint, with this code or without a closing handshake.
    pub(crate) fn by_endpoint(code: u16) -> Self {
        Self { closed_by_me: false, codes: vec![code], require_clean: false, wrong_end_is_fatal: false }
    }

    pub(crate) const fn may_be_unclean(mut self) -> Self {
        self.require_clean = false;
        self
    }

    pub(crate) const fn fatal(mut self) -> Self {
        self.wrong_end_is_fatal = true;
        self
    }
}

/// Exceptions from the general rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rules {
    /// The suite does not close when all is received that was expected: the case does so itself.
    pub(crate) suppress_close: bool,
    /// A wrong close code fails the case.
    pub(crate) wrong_code_fails: bool,
    /// The verdict is INFORMATIONAL, whatever happened.
    pub(crate) informational: bool,
    /// A connection that never opened fails the case with words of its own.
    pub(crate) must_open: bool,
    /// The endpoint that does not compress has not implemented what the case is about.
    pub(crate) needs_deflate: bool,
    /// Pongs do not count as received.
    pub(crate) ignore_pongs: bool,
    /// Masking keys that can be predicted fail the case.
    pub(crate) fresh_masks: bool,
    /// The payload of the messages that came took at least this many bytes on the wire; with fewer the case is failed.
    pub(crate) least_wire: u64,
    /// A compressed message that ends with the bytes that RFC 7692 §7.2.1 wants cut off fails the case.
    pub(crate) cut_tail: bool,
}

impl Rules {
    pub(crate) const NONE: Self = Self {
        suppress_close: false,
        wrong_code_fails: false,
        informational: false,
        must_open: false,
        needs_deflate: false,
        ignore_pongs: false,
        fresh_masks: false,
        least_wire: 0,
        cut_tail: false,
    };
}

/// What the opening handshake of the case is about.
#[derive(Clone, Debug, Default)]
pub(crate) struct Opening {
    /// As client: what is offered, in this order. Empty: no compression.
    pub(crate) offers: Vec<Offer>,
    /// As server: what is asked of a client that offers compression, tried in this order. Empty: no compression.
    pub(crate) accepts: Vec<Offer>,
    /// The handshake itself is what is tested.
    pub(crate) probe: Option<crate::opening::Probe>,
}
