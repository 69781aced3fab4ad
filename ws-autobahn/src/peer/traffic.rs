//! How much went over the wire, as the report files count it.

use serde_json::{Value, json};

use super::State;

/// Counts of one connection. Control frames and what goes over the wire while the connection closes do not count.
#[derive(Clone, Debug, Default)]
pub(crate) struct Traffic {
    pub(crate) outgoing_wire: u64,
    pub(crate) outgoing_websocket: u64,
    pub(crate) outgoing_app: u64,
    pub(crate) outgoing_frames: u64,
    pub(crate) outgoing_messages: u64,
    pub(crate) outgoing_before_open: u64,
    pub(crate) incoming_wire: u64,
    pub(crate) incoming_websocket: u64,
    pub(crate) incoming_app: u64,
    pub(crate) incoming_frames: u64,
    pub(crate) incoming_messages: u64,
    pub(crate) incoming_before_open: u64,
    /// Compressed messages that ended with an empty block, which is to be cut off (RFC 7692 §7.2.1).
    pub(crate) kept_tails: u64,
}

impl Traffic {
    pub(super) const fn wrote(&mut self, state: State, len: usize) {
        if matches!(state, State::Open) {
            self.outgoing_wire += len as u64;
        }
    }

    pub(super) const fn read(&mut self, state: State, len: usize) {
        if matches!(state, State::Open) {
            self.incoming_wire += len as u64;
        }
    }

    pub(crate) fn to_json(&self) -> Value {
        json!({
            "outgoingOctetsWireLevel": self.outgoing_wire,
            "outgoingOctetsWebSocketLevel": self.outgoing_websocket,
            "outgoingOctetsAppLevel": self.outgoing_app,
            "outgoingCompressionRatio": ratio(self.outgoing_websocket, self.outgoing_app),
            "outgoingWebSocketOverhead": overhead(self.outgoing_wire, self.outgoing_websocket),
            "outgoingWebSocketFrames": self.outgoing_frames,
            "outgoingWebSocketMessages": self.outgoing_messages,
            "preopenOutgoingOctetsWireLevel": self.outgoing_before_open,
            "incomingOctetsWireLevel": self.incoming_wire,
            "incomingOctetsWebSocketLevel": self.incoming_websocket,
            "incomingOctetsAppLevel": self.incoming_app,
            "incomingCompressionRatio": ratio(self.incoming_websocket, self.incoming_app),
            "incomingWebSocketOverhead": overhead(self.incoming_wire, self.incoming_websocket),
            "incomingWebSocketFrames": self.incoming_frames,
            "incomingWebSocketMessages": self.incoming_messages,
            "preopenIncomingOctetsWireLevel": self.incoming_before_open,
        })
    }
}

fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

fn overhead(wire: u64, payload: u64) -> Option<f64> {
    (payload > 0).then(|| (wire as f64 - payload as f64) / payload as f64)
}
