//! What members that do not read cost the others, and what becomes of their messages.

use crate::stalled::{Heard, Stalled};
use anyhow::{Context, Result, ensure};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};
use ws_benches::{
    Bound, Exchange, Generator, Measure, Opening, Payload, Program, Running, memory, until_asleep,
};

/// What became of those that do not read, by one policy.
#[derive(Serialize)]
pub(crate) struct Policy {
    pub(crate) name: String,
    /// Milliseconds until all who read had a message: without the others, and beside them. Not by `wait`, where all wait.
    pub(crate) alone_ms: Option<f64>,
    pub(crate) beside_ms: Option<f64>,
    /// What the server's memory has grown by.
    pub(crate) grown_bytes: u64,
    /// Messages that were for them, each for each of them.
    pub(crate) sent: u64,
    /// What they have got of those, when they read at last.
    pub(crate) heard: u64,
    /// What the server has counted: messages left out or replaced,
    pub(crate) lost: u64,
    /// members whose connection it has ended,
    pub(crate) disconnected: u64,
    /// those of them that were told 1013 before that, as they read in time,
    pub(crate) told: usize,
    /// and times that a sender had to wait.
    pub(crate) waited: u64,
    /// Members that did not get what the policy promises.
    pub(crate) wrong: usize,
    /// Repeats whose counts do not add up.
    pub(crate) odd: usize,
}

impl Policy {
    pub(crate) fn ratio(&self) -> Option<f64> {
        Some(self.beside_ms? / self.alone_ms?)
    }

    /// Were those ended, and only those, that the policy ends; was each message heard or counted; and did the sender wait only where it is to?
    pub(crate) fn adds_up(&self, stalled: usize) -> bool {
        let (ends, waits) = (self.name == "disconnect", self.name == "wait");
        let ended = if ends { stalled as u64 } else { 0 };
        self.disconnected == ended
            && (ends || self.sent == self.heard + self.lost)
            && waits == (self.waited > 0)
    }
}

/// Those who read are served beside those who do not, and by themselves.
pub(crate) fn beside(
    measure: &Measure,
    room: &Program,
    name: &str,
    reading: usize,
    count: usize,
) -> Result<Policy> {
    let running = measure.start(&room.with(&["--slow", name]))?;
    let (address, opening) = (running.address(), Opening::new(running.address(), false));
    let (mut filler, before) = filler(&running)?;
    let stalled = Stalled::connect(address, &opening, count)?;
    until_asleep(&running)?;
    // Until kernels have no room for those that do not read, and they are as far behind as they can be.
    for exchange in fill() {
        filler.run_room(&exchange, Bound::Rounds(SPEAKERS))?;
    }
    drop(filler);
    let grown_bytes = memory(&running)?.saturating_sub(before);
    let mut generator = Generator::connect(address, Some(&opening), reading)?;
    until_asleep(&running)?;
    let beside_ms = Some(deliver(&mut generator, reading)?);
    let heard = stalled.read()?;
    until_asleep(&running)?;
    let alone_ms = Some(deliver(&mut generator, reading)?);
    drop(generator);

    let counts = Counts::of(running)?;
    let expected = [filled(), vec![LEN; usize::try_from(WARM_UP + ROUNDS)?]].concat();
    let keeps = match name {
        "disconnect" => is_ended,
        "drop-newest" => keeps_oldest,
        "drop-oldest" => keeps_newest,
        _ => keeps_newest_of_each,
    };
    counts.policy(name, &heard, &expected, keeps, (alone_ms, beside_ms, grown_bytes))
}

/// The sender waits until they read, and goes on.
pub(crate) fn wait(measure: &Measure, room: &Program, count: usize) -> Result<Policy> {
    let running = measure.start(&room.with(&["--slow", "wait"]))?;
    let (address, opening) = (running.address(), Opening::new(running.address(), false));
    let (mut filler, before) = filler(&running)?;
    let stalled = Stalled::connect(address, &opening, count)?;
    until_asleep(&running)?;
    let said = AtomicUsize::new(0);
    let (grown_bytes, waits, heard) = scope(|scope| {
        let speaking = scope.spawn(|| {
            for exchange in fill() {
                filler.run_room(&exchange, Bound::Rounds(SPEAKERS))?;
                said.fetch_add(1, Ordering::Relaxed);
            }
            anyhow::Ok(())
        });
        let (mut last, mut since) = (0, Instant::now());
        while since.elapsed() < STANDSTILL {
            sleep(Duration::from_millis(10));
            let now = said.load(Ordering::Relaxed);
            if now != last {
                (last, since) = (now, Instant::now());
            }
        }
        let grown_bytes = memory(&running)?.saturating_sub(before);
        let heard = stalled.read()?;
        speaking.join().ok().context("the sender panicked")??;
        anyhow::Ok((grown_bytes, last < FILL, heard))
    })?;
    ensure!(waits, "the sender did not wait");
    drop(filler);
    let keeps = |heard: &Heard, expected: &[usize]| heard.lens == expected;
    Counts::of(running)?.policy("wait", &heard, &filled(), keeps, (None, None, grown_bytes))
}

/// Some who read and say all that fills, and what memory the server has with them alone.
fn filler(running: &Running) -> Result<(Generator, u64)> {
    let opening = Opening::new(running.address(), false);
    let mut filler = Generator::connect(running.address(), Some(&opening), usize::try_from(SPEAKERS)?)?;
    until_asleep(running)?;
    for exchange in fill().take(2) {
        filler.run_room(&exchange, Bound::Rounds(SPEAKERS))?;
    }
    let memory = memory(running)?;
    Ok((filler, memory))
}

/// Messages that are told apart by their lengths; every speaker says each of them.
fn fill() -> impl Iterator<Item = Exchange> {
    (0..FILL).map(|number| Exchange::echo(Payload::Binary, FILL_BYTES + number, 1))
}

/// What one hears of it.
fn filled() -> Vec<usize> {
    (0..FILL).flat_map(|number| (0..SPEAKERS).map(move |_| FILL_BYTES + number)).collect()
}

/// Milliseconds until all had a message.
fn deliver(generator: &mut Generator, members: usize) -> Result<f64> {
    let exchange = Exchange::echo(Payload::Binary, LEN, 1);
    generator.run_room(&exchange, Bound::Rounds(WARM_UP))?;
    let began = Instant::now();
    let heard = generator.run_room(&exchange, Bound::Rounds(ROUNDS))?;
    Ok(began.elapsed().as_secs_f64() * 1e3 / (heard as f64 / members as f64))
}

/// What the server has counted, by name.
struct Counts(BTreeMap<String, u64>);

impl Counts {
    /// All connections are gone, so it ends at once.
    fn of(running: Running) -> Result<Self> {
        let printed = running.terminate()?;
        let count = |entry: &str| {
            let (name, count) = entry.trim().rsplit_once(' ')?;
            Some((name.to_owned(), count.parse().ok()?))
        };
        let counts: Option<_> = printed.split(',').map(count).collect();
        Ok(Self(counts.with_context(|| format!("the server tells {printed:?}"))?))
    }

    fn get(&self, name: &str) -> u64 {
        self.0.get(name).copied().unwrap_or_default()
    }

    fn policy(
        &self,
        name: &str,
        heard: &[Heard],
        expected: &[usize],
        keeps: impl Fn(&Heard, &[usize]) -> bool,
        (alone_ms, beside_ms, grown_bytes): (Option<f64>, Option<f64>, u64),
    ) -> Result<Policy> {
        Ok(Policy {
            name: name.into(),
            alone_ms,
            beside_ms,
            grown_bytes,
            sent: (expected.len() * heard.len()) as u64,
            heard: heard.iter().map(|heard| heard.lens.len() as u64).sum(),
            lost: ["dropped-newest", "dropped-oldest", "coalesced"].map(|name| self.get(name)).iter().sum(),
            disconnected: self.get("disconnected"),
            told: heard.iter().filter(|heard| heard.is_told).count(),
            waited: self.get("waited"),
            wrong: heard.iter().filter(|heard| !keeps(heard, expected)).count(),
            odd: 0,
        })
    }
}

/// Got what was sent until its connection was ended.
fn is_ended(heard: &Heard, sent: &[usize]) -> bool {
    (heard.is_told || heard.is_cut) && sent.starts_with(&heard.lens)
}

/// Begins as what was sent, goes on in its order, and ends before its end.
fn keeps_oldest(heard: &Heard, sent: &[usize]) -> bool {
    let at_once = FILL_BYTES / LEN;
    heard.lens.starts_with(&sent[..at_once]) && is_in_order(&heard.lens, sent) && heard.lens.len() < sent.len()
        // The last of all was small, and there may have been room for some of these, but not for all.
        && heard.lens.iter().filter(|len| **len == LEN).count() < sent.iter().filter(|len| **len == LEN).count()
}

/// Ends as what was sent, and has its order.
fn keeps_newest(heard: &Heard, sent: &[usize]) -> bool {
    let at_once = FILL_BYTES / LEN;
    heard.lens.ends_with(&sent[sent.len() - at_once..]) && is_in_order(&heard.lens, sent)
}

/// Has what each speaker said last.
fn keeps_newest_of_each(heard: &Heard, sent: &[usize]) -> bool {
    let count = |len| heard.lens.iter().filter(|other| **other == len).count() as u64;
    count(FILL_BYTES + FILL - 1) == SPEAKERS && count(LEN) >= ROUNDS && heard.lens.len() < sent.len()
}

/// Is it what was sent, with gaps?
fn is_in_order(heard: &[usize], sent: &[usize]) -> bool {
    let mut sent = sent.iter();
    heard.iter().all(|len| sent.any(|other| other == len))
}

/// Of a message that is measured.
pub(crate) const LEN: usize = 1024;
const WARM_UP: u64 = 5;
const ROUNDS: u64 = 20;
/// Of a message that fills what lies between, at least.
const FILL_BYTES: usize = 16 << 10;
/// So many by each speaker: twice what a queue and the kernel take for one who does not read.
const FILL: usize = 64;
const SPEAKERS: u64 = 8;
/// When a sender that says nothing more is taken to wait.
const STANDSTILL: Duration = Duration::from_millis(500);
