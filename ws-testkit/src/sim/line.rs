//! One direction of a simulated TCP connection.

use super::Weather;
use crate::Rng;
use std::collections::VecDeque;
use std::time::Instant;

/// Bytes from one end to the other, in order.
#[derive(Debug)]
pub(super) struct Line {
    weather: Weather,
    rng: Rng,
    /// Under way or arrived, each with the time of its arrival.
    packets: VecDeque<(Instant, VecDeque<u8>)>,
    /// Invariant: the bytes in `packets`.
    held: usize,
    /// When the last bytes, or the end, arrive: nothing overtakes them.
    last_arrival: Instant,
    /// When the reader finds the end.
    end: Option<Instant>,
    is_cut: bool,
    /// The reader closed, or the connection was reset: what is written vanishes.
    is_gone: bool,
}

/// What a read finds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Read {
    Bytes(Vec<u8>),
    End,
    Nothing,
}

impl Line {
    pub(super) const fn new(weather: Weather, rng: Rng, now: Instant) -> Self {
        Self {
            weather,
            rng,
            packets: VecDeque::new(),
            held: 0,
            last_arrival: now,
            end: None,
            is_cut: false,
            is_gone: false,
        }
    }

    /// How many bytes a write could move.
    pub(super) fn room(&self) -> usize {
        if self.is_gone { usize::MAX } else { self.weather.window.max(1).saturating_sub(self.held) }
    }

    /// Takes `bytes`, which fit in [`room`](Self::room).
    pub(super) fn write(&mut self, bytes: Vec<u8>, now: Instant) {
        if self.is_gone || bytes.is_empty() {
            return;
        }
        self.held += bytes.len();
        let arrival = self.arrival(now);
        self.packets.push_back((arrival, bytes.into()));
    }

    /// Ends the stream behind what was written.
    pub(super) fn end(&mut self, now: Instant) {
        if self.end.is_none() && !self.is_gone {
            self.end = Some(self.arrival(now));
        }
    }

    /// Ends the stream behind what was written, and what will be written vanishes.
    pub(super) fn end_early(&mut self, now: Instant) {
        self.end(now);
        self.is_gone = true;
    }

    /// What was not read is gone, and the reader finds the end.
    pub(super) fn reset(&mut self, now: Instant) {
        self.packets.clear();
        self.held = 0;
        self.is_gone = true;
        if !self.is_cut {
            self.end = Some(self.end.map_or(now, |end| end.min(now)));
        }
    }

    /// From now on nothing arrives.
    pub(super) const fn cut(&mut self) {
        self.is_cut = true;
    }

    /// Nobody will read any more. Returns whether something was left unread, to which TCP answers with a reset.
    pub(super) fn abandon(&mut self) -> bool {
        self.packets.clear();
        self.is_gone = true;
        std::mem::take(&mut self.held) > 0
    }

    /// Did the reader close, or the connection break?
    pub(super) const fn is_gone(&self) -> bool {
        self.is_gone
    }

    /// When the next read finds something.
    pub(super) fn next_arrival(&self) -> Option<Instant> {
        if self.is_cut {
            return None;
        }
        self.packets.front().map(|(at, _)| *at).or(self.end)
    }

    /// One read of at most `most` bytes. The end is found once.
    pub(super) fn read(&mut self, most: usize, now: Instant) -> Read {
        if self.next_arrival().is_none_or(|at| at > now) {
            return Read::Nothing;
        }
        let Some((_, bytes)) = self.packets.front_mut() else {
            self.end = None;
            return Read::End;
        };
        let n = self.weather.piece(&mut self.rng, bytes.len().min(most));
        let taken: Vec<u8> = bytes.drain(..n).collect();
        if bytes.is_empty() {
            self.packets.pop_front();
        }
        self.held -= taken.len();
        Read::Bytes(taken)
    }

    fn arrival(&mut self, now: Instant) -> Instant {
        self.last_arrival = self.last_arrival.max(now + self.weather.latency(&mut self.rng));
        self.last_arrival
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn line(weather: Weather) -> (Line, Instant) {
        let now = Instant::now();
        (Line::new(weather, Rng::new(1), now), now)
    }

    #[test]
    fn bytes_arrive_late_and_in_order_and_the_end_behind_them() {
        let slowest = Duration::from_millis(50);
        let (mut line, now) = line(Weather { latency: (Duration::ZERO, slowest), ..Weather::calm() });
        for byte in 0..100 {
            line.write(vec![byte], now);
        }
        line.end(now);
        let mut got = Vec::new();
        while let Read::Bytes(bytes) = line.read(usize::MAX, now + slowest) {
            got.extend(bytes);
        }
        assert_eq!(got, Vec::from_iter(0..100));
        assert_eq!(
            line.read(usize::MAX, now + slowest),
            Read::Nothing,
            "the end was found by the loop, once"
        );
    }

    #[test]
    fn a_full_window_takes_nothing_until_something_is_read() {
        let (mut line, now) = line(Weather { window: 3, ..Weather::calm() });
        line.write(vec![1; 3], now);
        assert_eq!(line.room(), 0);
        assert!(matches!(line.read(usize::MAX, now), Read::Bytes(_)));
        assert!(line.room() > 0);
    }

    #[test]
    fn a_reset_destroys_what_was_under_way_and_a_cut_tells_nobody() {
        let (mut reset, now) = line(Weather::calm());
        reset.write(vec![1], now);
        reset.reset(now);
        assert_eq!((reset.read(usize::MAX, now), reset.read(usize::MAX, now)), (Read::End, Read::Nothing));
        let (mut cut, now) = line(Weather::calm());
        cut.cut();
        cut.write(vec![1], now);
        cut.end(now);
        assert_eq!(
            (cut.read(usize::MAX, now + Duration::from_secs(3600)), cut.next_arrival()),
            (Read::Nothing, None)
        );
    }
}
