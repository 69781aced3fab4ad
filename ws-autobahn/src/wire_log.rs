//! What went over the wire, in the form of the report files: lists whose first element tells what they are.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

use crate::peer::RawHeader;

/// The log of one connection, and the counts beside it.
#[derive(Debug)]
pub(crate) struct WireLog {
    pub(crate) entries: Vec<Value>,
    pub(crate) enabled: bool,
    pub(crate) rx_octets: BTreeMap<usize, u64>,
    pub(crate) tx_octets: BTreeMap<usize, u64>,
    pub(crate) rx_frames: BTreeMap<u8, u64>,
    pub(crate) tx_frames: BTreeMap<u8, u64>,
}

impl WireLog {
    pub(crate) fn new() -> Self {
        Self {
            entries: Vec::new(),
            enabled: true,
            rx_octets: BTreeMap::new(),
            tx_octets: BTreeMap::new(),
            rx_frames: BTreeMap::new(),
            tx_frames: BTreeMap::new(),
        }
    }

    fn push(&mut self, entry: Value) {
        if self.entries.len() < MOST_ENTRIES {
            self.entries.push(entry);
        }
    }

    /// Switches the log on or off; the counts go on.
    pub(crate) fn enable(&mut self, enabled: bool) {
        if self.enabled != enabled {
            self.enabled = enabled;
            self.push(json!(["WLM", enabled]));
        }
    }

    pub(crate) fn read(&mut self, bytes: &[u8]) {
        *self.rx_octets.entry(bytes.len()).or_default() += 1;
        if self.enabled {
            self.push(json!(["RO", [bytes.len(), hex_excerpt(bytes)]]));
        }
    }

    pub(crate) fn written(&mut self, bytes: &[u8], sync: bool) {
        *self.tx_octets.entry(bytes.len()).or_default() += 1;
        if self.enabled {
            self.push(json!(["TO", [bytes.len(), hex_excerpt(bytes)], sync]));
        }
    }

    pub(crate) fn received_frame(&mut self, header: &RawHeader, payload_len: usize, excerpt: &[u8]) {
        *self.rx_frames.entry(header.opcode).or_default() += 1;
        if self.enabled {
            self.push(json!([
                "RF",
                [payload_len, text_excerpt(excerpt)],
                header.opcode,
                header.fin,
                header.rsv,
                header.masking_key.is_some(),
                header.masking_key.map(|key| hex(&key)),
            ]));
        }
    }

    pub(crate) fn sent_frame(
        &mut self,
        header: &RawHeader,
        payload: &[u8],
        repeated_to: Option<usize>,
        chop: Option<usize>,
        sync: bool,
    ) {
        *self.tx_frames.entry(header.opcode).or_default() += 1;
        if self.enabled {
            self.push(json!([
                "TF",
                [payload.len(), text_excerpt(payload)],
                header.opcode,
                header.fin,
                header.rsv,
                header.masking_key.map(|key| hex(&key)),
                repeated_to,
                chop,
                sync,
            ]));
        }
    }

    /// A timer was set that goes on with the case.
    pub(crate) fn later(&mut self, after: Duration, tag: Option<&str>) {
        self.push(json!(["CT", seconds(after), tag]));
    }

    /// It fired.
    pub(crate) fn later_fired(&mut self, tag: Option<&str>) {
        self.push(json!(["CTE", tag]));
    }

    /// A timer was set that fails the connection.
    pub(crate) fn fail_after(&mut self, after: Duration) {
        self.push(json!(["KL", seconds(after)]));
    }

    /// It fired.
    pub(crate) fn fail_fired(&mut self) {
        self.push(json!(["KLE"]));
    }

    /// A timer was set that closes the connection.
    pub(crate) fn close_after(&mut self, after: Duration) {
        self.push(json!(["TI", seconds(after)]));
    }

    /// It fired.
    pub(crate) fn close_fired(&mut self) {
        self.push(json!(["TIE"]));
    }

    pub(crate) const fn is_enabled(&self) -> bool {
        self.enabled
    }

    /// Switches the log on or off without a word about it.
    pub(crate) const fn silence(&mut self, silent: bool) {
        self.enabled = !silent;
    }

    /// The masking keys of what was received, in their order.
    pub(crate) fn received_masks(&self) -> Vec<u32> {
        let frames = self.entries.iter().filter(|entry| entry.get(0).is_some_and(|kind| kind == "RF"));
        frames.filter_map(|entry| u32::from_str_radix(entry.get(6)?.as_str()?, 16).ok()).collect()
    }

    /// Takes what was logged.
    pub(crate) fn finish(&mut self) -> Self {
        std::mem::replace(self, Self::new())
    }
}

/// A number of seconds as the reports write it: without a point where it is whole.
fn seconds(duration: Duration) -> Value {
    if duration.subsec_nanos() == 0 { json!(duration.as_secs()) } else { json!(duration.as_secs_f64()) }
}

/// No more is logged of a connection. None of the original suite's cases comes near; a flood does.
const MOST_ENTRIES: usize = 4000;
/// At most this many bytes of a payload stand in a report.
pub(crate) const EXCERPT: usize = 64;
const CUT: &str = " ...";

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// Bytes for a report, as hexadecimal digits.
fn hex_excerpt(bytes: &[u8]) -> String {
    if bytes.len() > EXCERPT - CUT.len() {
        hex(bytes.get(..EXCERPT).unwrap_or(bytes)) + CUT
    } else {
        hex(bytes)
    }
}

/// Bytes for a report: as text where they are text, else as hexadecimal digits behind `0x`.
pub(crate) fn text_excerpt(bytes: &[u8]) -> String {
    let long = bytes.len() > EXCERPT - CUT.len();
    let shown = if long { bytes.get(..EXCERPT).unwrap_or(bytes) } else { bytes };
    match std::str::from_utf8(shown) {
        Ok(text) if long => format!("{text}{CUT}"),
        Ok(text) => text.to_owned(),
        Err(_) => format!("0x{}", hex_excerpt(bytes)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_payloads_are_cut_and_what_is_no_text_is_hexadecimal() {
        assert_eq!(text_excerpt(b"abc"), "abc");
        assert_eq!(text_excerpt(&[0xFF, 0x01]), "0xff01");
        assert_eq!(text_excerpt(&[b'*'; 60]), "*".repeat(60));
        assert_eq!(text_excerpt(&[b'*'; 61]), format!("{} ...", "*".repeat(61)));
        assert_eq!(text_excerpt(&[b'*'; 100]), format!("{} ...", "*".repeat(64)));
        assert_eq!(text_excerpt(&[0xFE; 70]), format!("0x{} ...", "fe".repeat(64)));
        assert_eq!(seconds(Duration::from_millis(500)), json!(0.5));
        assert_eq!(seconds(Duration::from_secs(1)), json!(1));
    }
}
