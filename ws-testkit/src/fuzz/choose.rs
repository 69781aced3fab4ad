//! Choices that a fuzzer makes. Where its bytes have run out, each choice is the first.

use crate::raw::{Length, RawFrame};
use crate::{Chunks, Feed};
use arbitrary::{Arbitrary, Unstructured};
use ws_proto::deflate::{DeflateConfig, DeflateParams, WindowBits};
use ws_proto::{Negotiated, Role};

/// The bytes of a fuzzer as choices.
pub(super) struct Choices<'a>(Unstructured<'a>);

impl<'a> Choices<'a> {
    pub(super) fn new(data: &'a [u8]) -> Self {
        Self(Unstructured::new(data))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn any<T: Arbitrary<'a> + Default>(&mut self) -> T {
        self.0.arbitrary().unwrap_or_default()
    }

    /// A number from 0 to `most`.
    pub(super) fn up_to(&mut self, most: usize) -> usize {
        self.0.int_in_range(0..=most).unwrap_or_default()
    }

    /// Up to `most` bytes.
    pub(super) fn bytes(&mut self, most: usize) -> &'a [u8] {
        let len = self.up_to(most).min(self.0.len());
        self.0.bytes(len).unwrap_or_default()
    }

    pub(super) fn rest(self) -> &'a [u8] {
        self.0.take_rest()
    }

    pub(super) fn role(&mut self) -> Role {
        if self.any() { Role::Client } else { Role::Server }
    }

    pub(super) fn feed(&mut self) -> Feed {
        match self.up_to(2) {
            0 => Feed::Borrowed,
            1 => Feed::Owned,
            _ => Feed::Direct,
        }
    }

    /// Sizes of reads or writes.
    pub(super) fn chunks(&mut self) -> Chunks {
        match self.up_to(3) {
            0 => Chunks::whole(),
            1 => Chunks::of(1),
            2 => Chunks::of(self.up_to(40) + 1),
            _ => Chunks::random(self.any::<u8>().into(), 30),
        }
    }

    pub(super) fn window_bits(&mut self) -> WindowBits {
        let bits = u8::try_from(15 - self.up_to(7)).unwrap_or(15);
        WindowBits::new(bits).unwrap_or_default()
    }

    pub(super) fn params(&mut self) -> DeflateParams {
        DeflateParams {
            server_no_context_takeover: self.any(),
            client_no_context_takeover: self.any(),
            server_max_window_bits: self.window_bits(),
            client_max_window_bits: self.window_bits(),
        }
    }

    pub(super) fn deflate_config(&mut self) -> DeflateConfig {
        DeflateConfig {
            level: u8::try_from(self.up_to(9)).unwrap_or_default(),
            threshold_bytes: self.up_to(200),
            max_ratio: u32::try_from(self.up_to(300)).unwrap_or_default() + 1,
            server_no_context_takeover: self.any(),
            client_no_context_takeover: self.any(),
            server_max_window_bits: self.window_bits(),
            client_max_window_bits: self.window_bits(),
        }
    }

    /// A connection of `role`, with or without compression.
    pub(super) fn negotiated(&mut self, role: Role) -> Negotiated {
        let negotiated = Negotiated::new(role);
        if self.any() { negotiated.with_deflate(self.params()) } else { negotiated }
    }

    /// A frame that is legal more often than not.
    pub(super) fn frame(&mut self) -> RawFrame {
        let shape: u8 = self.any();
        let opcode = match shape & 7 {
            0 | 1 => 0,
            2 => 1,
            3 => 2,
            4 => 9,
            5 => 10,
            6 => 8,
            _ => self.any::<u8>() & 15,
        };
        let rsv = if shape & 0x08 == 0 { 0 } else { self.any::<u8>() & 7 };
        let length = match shape >> 4 & 7 {
            0 => match self.up_to(3) {
                0 => Length::Bits16,
                1 => Length::Bits64,
                2 => Length::Declared(self.any::<u16>().into()),
                _ => Length::Declared(self.any()),
            },
            _ => Length::Minimal,
        };
        let mut frame = RawFrame::new(opcode, self.bytes(300)).rsv(rsv).length(length);
        frame.mask = Some(self.any());
        frame.fin = shape & 0x80 == 0 || opcode > 7;
        frame
    }

    /// What a peer of the role `sender` may write: bytes as they are, or frames that are mostly legal.
    pub(super) fn wire(mut self, sender: Role) -> Vec<u8> {
        if !self.any::<bool>() {
            return self.rest().to_vec();
        }
        let mut wire = Vec::new();
        while !self.is_empty() && wire.len() < 1 << 16 {
            let frame = self.frame();
            wire.extend(frame.sent_by(sender).to_bytes());
        }
        wire
    }
}
