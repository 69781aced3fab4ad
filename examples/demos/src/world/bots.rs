//! Simulated players over real connections, and what their game took.

use super::drive::Command;
use super::follower::Follower;
use super::message::{ClientMessage, ServerMessage};
use super::simulation::Simulation;
use anyhow::{Result, bail};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};
use ws_client::{Client, CloseCode, Config, Message};

/// What all bots got.
#[derive(Debug, Default)]
struct Got {
    playing: AtomicU64,
    snapshots: AtomicU64,
    snapshot_bytes: AtomicU64,
    full: AtomicU64,
    /// Messages that could not be taken.
    faults: AtomicU64,
    plain: AtomicU64,
    wire: AtomicU64,
}

/// Starts so many players of the world at this address. They come within two seconds, and play on as long as the program.
pub fn start(count: u32, url: &str, world: &Simulation) -> Report {
    let got = Arc::new(Got::default());
    for number in 0..count {
        let (url, got) = (url.to_owned(), Arc::clone(&got));
        tokio::spawn(async move {
            sleep(Duration::from_millis(u64::from(number) * 2000 / u64::from(count))).await;
            if let Err(error) = play(&url, number, &got).await {
                got.faults.fetch_add(1, Relaxed);
                eprintln!("bot {number}: {error:#}");
            }
        });
    }
    Report { got, world: world.clone(), count }
}

/// One player: it sends two commands 30 times in a second, as a page does, and keeps a direction for a second or so.
async fn play(url: &str, number: u32, got: &Got) -> Result<()> {
    let mut socket = Client::builder()
        .config(Config::builder().max_message_bytes(1 << 20).build()?)
        .build()
        .connect(url)
        .await?;
    got.playing.fetch_add(1, Relaxed);
    let mut follower = Follower::default();
    let mut ticks = interval(Duration::from_millis(1000) / 30);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut last = 0_u32;
    let mut before = (0, 0);
    loop {
        tokio::select! {
            message = socket.recv() => match message? {
                None => {
                    let code = socket.close_info().map(|info| info.received.code);
                    if code == Some(CloseCode::SERVICE_RESTART) {
                        return Ok(());
                    }
                    bail!("the server closed the connection with {code:?}");
                }
                Some(Message::Text(_)) => {}
                Some(Message::Binary(bytes)) => match ServerMessage::decode(&bytes)? {
                    ServerMessage::Snapshot(delta) => {
                        got.snapshots.fetch_add(1, Relaxed);
                        got.snapshot_bytes.fetch_add(delta.len() as u64, Relaxed);
                        if super::delta::ticks(delta)?.1 == 0 {
                            got.full.fetch_add(1, Relaxed);
                        }
                        if follower.take(delta).is_err() {
                            got.faults.fetch_add(1, Relaxed);
                        }
                    }
                    ServerMessage::Own(_) => {}
                    ServerMessage::Pong(pong) => {
                        got.plain.fetch_add(pong.payload - before.0, Relaxed);
                        got.wire.fetch_add(pong.wire - before.1, Relaxed);
                        before = (pong.payload, pong.wire);
                    }
                },
            },
            _ = ticks.tick() => {
                last += 2;
                let command = wander(number, last / 60);
                let message = ClientMessage::Commands { ack: follower.ack(), last, commands: vec![command; 2] };
                socket.send(message.encode()).await?;
                if last.is_multiple_of(60) {
                    socket.send(ClientMessage::Ping { number: last }.encode()).await?;
                }
            }
        }
    }
}

/// A direction for a while, from a number that is as good as random.
fn wander(number: u32, second: u32) -> Command {
    let mut mixed =
        number.wrapping_mul(0x9e37_79b9) ^ (second.wrapping_add(number % 3) / 2).wrapping_mul(0x85eb_ca6b);
    mixed = (mixed ^ mixed >> 15).wrapping_mul(0x2c1b_3c6d);
    let [x, z, buttons, _] = (mixed ^ mixed >> 12).to_le_bytes();
    // Some jump and some hurry, now and then.
    let buttons = u8::from(buttons & 7 == 0) * Command::JUMP + u8::from(buttons & 24 == 0) * Command::BOOST;
    Command { x: x.cast_signed(), z: z.cast_signed(), buttons }
}

/// What the bots' game takes.
#[derive(Debug)]
pub struct Report {
    got: Arc<Got>,
    world: Simulation,
    count: u32,
}

impl Report {
    /// Waits until all play, measures for so long, and prints what was seen.
    ///
    /// # Errors
    /// Not all of them play, or one could not take what it was sent.
    pub async fn print(&self, length: Duration) -> Result<()> {
        sleep(Duration::from_secs(4)).await;
        let frames = self.world.frames();
        let (before, mut full_bytes, mut snapshots) = (frames.borrow().clone(), 0_u64, 0_u64);
        let counts = |got: &Got| {
            [&got.snapshots, &got.snapshot_bytes, &got.full, &got.plain, &got.wire]
                .map(|count| count.load(Relaxed))
        };
        let first = counts(&self.got);
        let (began, mut changes) = (Instant::now(), self.world.frames());
        while began.elapsed() < length {
            changes.changed().await?;
            full_bytes += changes.borrow_and_update().full_len as u64;
            snapshots += 1;
        }
        let seconds = began.elapsed().as_secs_f64();
        let after = frames.borrow().clone();
        let [received, bytes, full, plain, wire] =
            std::array::from_fn(|index| counts(&self.got)[index] - first[index]);
        let players = f64::from(self.count);
        let steps = after.punctuality.steps - before.punctuality.steps;
        let late = after.punctuality.late - before.punctuality.late;
        let skipped = after.punctuality.skipped - before.punctuality.skipped;
        #[expect(clippy::cast_precision_loss, reason = "they are rates")]
        let [received, bytes, full_bytes, snapshots, plain, wire] =
            [received, bytes, full_bytes, snapshots, plain, wire].map(|count| count as f64);
        let full_size = full_bytes / snapshots.max(1.0);
        println!(
            "{} players, {} bodies more than they, {seconds:.1} s",
            after.players.len(),
            super::arena::props().len()
        );
        println!(
            "steps: {steps}, {:.2} a second; late {late}, skipped {skipped}, the latest since the start by {:.1} ms; {:.2} ms each",
            f64::from(steps) / seconds,
            after.punctuality.latest.as_secs_f64() * 1000.0,
            (after.stepping - before.stepping).as_secs_f64() * 1000.0 / f64::from(steps.max(1)),
        );
        println!(
            "snapshots: {:.1} a second for each player, {full} of them full",
            received / seconds / players
        );
        println!(
            "deltas: {:.0} bytes a second for each player; full snapshots at that rate: {:.0}; ratio {:.3}",
            bytes / seconds / players,
            full_size * received / seconds / players,
            bytes / (full_size * received).max(1.0),
        );
        println!(
            "all messages: {:.0} bytes a second for each player, and {:.0} after compression",
            plain / seconds / players,
            wire / seconds / players,
        );
        let (playing, faults) = (self.got.playing.load(Relaxed), self.got.faults.load(Relaxed));
        if playing < u64::from(self.count) || faults > 0 {
            bail!("{playing} of {} bots came, {faults} faults", self.count);
        }
        Ok(())
    }
}
