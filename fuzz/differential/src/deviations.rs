//! Where other readers judge in another way than we do, each with what the RFC says. In all of them the RFC is on our side, or says nothing.

use crate::{End, Outcome, Reader};
use ws_proto::{Failure, ProtocolError};

/// One way in which a reader differs.
pub struct Deviation {
    /// Whose it is.
    pub reader: Reader,
    /// What it is.
    pub what: &'static str,
    /// What the RFC says, and the test of ours that holds it.
    pub rule: &'static str,
    /// Does it explain their outcome, the last, beside ours with the rule that was broken?
    pub explains: fn(&Outcome, Option<ProtocolError>, &Outcome) -> bool,
}

/// All of them.
pub const DEVIATIONS: &[Deviation] = &[
    Deviation {
        reader: Reader::One,
        what: "judges a frame, and the text in it, when all of it has come",
        rule: "§7.1.7 does not say when; we fail with the byte that nothing can mend: \
               security: an_unmasked_frame_is_refused_before_any_of_its_payload_is_told",
        explains: judges_later,
    },
    Deviation {
        reader: Reader::Two,
        what: "judges a frame, and the text in it, when all of it has come",
        rule: "as above",
        explains: judges_later,
    },
    Deviation {
        reader: Reader::Two,
        what: "judges a control frame that cannot be right before its payload has come",
        rule: "§7.1.7 does not say when; a Close frame of one byte fails here with that byte: \
               security: a_close_frame_of_one_byte_fails_with_1002",
        explains: |ours, _, theirs| {
            ours.messages == theirs.messages && (ours.end, theirs.end) == (End::EndOfStream, End::Failed)
        },
    },
    Deviation {
        reader: Reader::One,
        what: "takes lengths that are not in their shortest form",
        rule: "§5.2: the minimal number of bytes MUST be used to encode the length: \
               security: a_non_minimal_16_bit_length_fails_with_1002, a_non_minimal_64_bit_length_fails_with_1002",
        explains: |ours, why, theirs| {
            why == Some(ProtocolError::NonMinimalLength) && theirs.messages.starts_with(&ours.messages)
        },
    },
    Deviation {
        reader: Reader::One,
        what: "tells a Close frame with a code that must not be sent as one with 1002, which is its answer",
        rule: "§7.4: such a code is a protocol error: \
               rfc6455_closing: received_codes_are_those_of_the_registry_and_others_fail_with_1002",
        explains: |ours, why, theirs| {
            matches!(why, Some(ProtocolError::InvalidCloseCode { .. }))
                && theirs.end == End::Closed(1002)
                && ours.messages == theirs.messages
        },
    },
    Deviation {
        reader: Reader::One,
        what: "looks at the length of a control frame when all of it has come, or not at all",
        rule: "§5.5: control frames MUST have 125 bytes of payload at most: \
               security: a_long_control_frame_fails_before_its_length_has_come",
        explains: |ours, why, theirs| {
            why == Some(ProtocolError::ControlFrameTooLong) && theirs.messages.starts_with(&ours.messages)
        },
    },
    Deviation {
        reader: Reader::Two,
        what: "takes a text whose last frame is empty and whose last character is not complete",
        rule: "§8.1: a text that is not UTF-8 fails the connection: \
               security: invalid_utf8_at_the_end_of_a_message_fails_with_1007",
        explains: |ours, why, theirs| {
            why == Some(ProtocolError::InvalidUtf8)
                && theirs.end == End::NotUtf8
                && ours.messages == theirs.messages
        },
    },
];

fn judges_later(ours: &Outcome, why: Option<ProtocolError>, theirs: &Outcome) -> bool {
    why.is_some() && theirs.end == End::EndOfStream && ours.messages == theirs.messages
}

/// Is the second outcome the same as ours, or explained by a listed deviation? Else what differs.
pub fn judge(reader: Reader, ours: &Outcome, why: Option<&Failure>, theirs: &Outcome) -> Result<(), String> {
    let rule = if let Some(Failure::Protocol(rule)) = why { Some(*rule) } else { None };
    let explained =
        |deviation: &Deviation| deviation.reader == reader && (deviation.explains)(ours, rule, theirs);
    if ours == theirs || DEVIATIONS.iter().any(explained) {
        return Ok(());
    }
    Err(format!("{reader:?} says {theirs:?}, and we say {ours:?} ({why:?})"))
}
