//! Status codes of Close frames, [RFC 6455 §7.4].
//!
//! [RFC 6455 §7.4]: https://www.rfc-editor.org/rfc/rfc6455#section-7.4

use std::fmt;

/// Status code of a Close frame (§7.4), or one of the two that only ever describe what happened: [`NO_STATUS`](Self::NO_STATUS)
/// for a Close frame without a code, [`ABNORMAL`](Self::ABNORMAL) for a connection that ended without a Close frame.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CloseCode(u16);

impl CloseCode {
    /// 1000: the purpose of the connection is fulfilled.
    pub const NORMAL: Self = Self(1000);
    /// 1001: a server goes down, or a browser left the page.
    pub const GOING_AWAY: Self = Self(1001);
    /// 1002: the peer broke a rule of the protocol.
    pub const PROTOCOL_ERROR: Self = Self(1002);
    /// 1003: a kind of data that the endpoint cannot accept.
    pub const UNSUPPORTED_DATA: Self = Self(1003);
    /// 1005: the Close frame carried no code. Never on the wire.
    pub const NO_STATUS: Self = Self(1005);
    /// 1006: the connection ended without a Close frame. Never on the wire.
    pub const ABNORMAL: Self = Self(1006);
    /// 1007: data that does not fit the message's type, such as text that is not UTF-8.
    pub const INVALID_PAYLOAD: Self = Self(1007);
    /// 1008: a message against the endpoint's policy.
    pub const POLICY_VIOLATION: Self = Self(1008);
    /// 1009: a message too big to process.
    pub const MESSAGE_TOO_BIG: Self = Self(1009);
    /// 1010: the client wanted an extension that the server did not negotiate.
    pub const MANDATORY_EXTENSION: Self = Self(1010);
    /// 1011: the server met a condition that it did not expect.
    pub const INTERNAL_ERROR: Self = Self(1011);
    /// 1012: the service restarts (registered with IANA).
    pub const SERVICE_RESTART: Self = Self(1012);
    /// 1013: the service is overloaded; try again later (registered with IANA).
    pub const TRY_AGAIN_LATER: Self = Self(1013);
    /// 1014: a gateway got an invalid answer from upstream (registered with IANA).
    pub const BAD_GATEWAY: Self = Self(1014);

    /// A code that may stand in a Close frame: 1000-1003, 1007-1014, 3000-4999 (§7.4.2). `None` for any other number, also for the
    /// reserved 1004, 1005, 1006 and 1015.
    #[must_use]
    pub const fn new(code: u16) -> Option<Self> {
        match code {
            1000..=1003 | 1007..=1014 | 3000..=4999 => Some(Self(code)),
            _ => None,
        }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }

    /// May this code stand in a Close frame? False for [`NO_STATUS`](Self::NO_STATUS) and [`ABNORMAL`](Self::ABNORMAL) only.
    #[must_use]
    pub const fn is_sendable(self) -> bool {
        Self::new(self.0).is_some()
    }
}

impl fmt::Debug for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CloseCode({})", self.0)
    }
}

impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<CloseCode> for u16 {
    fn from(code: CloseCode) -> Self {
        code.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_that_may_be_on_the_wire_are_those_of_section_7_4_and_the_registry() {
        for code in 0..=u16::MAX {
            let expected = matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999);
            assert_eq!(CloseCode::new(code).is_some(), expected, "{code}");
        }
        assert!(!CloseCode::NO_STATUS.is_sendable() && !CloseCode::ABNORMAL.is_sendable());
        assert!(CloseCode::BAD_GATEWAY.is_sendable());
    }
}
