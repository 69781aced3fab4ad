//! One client's connection: its commands go to the simulation, and snapshots come back.

use super::arena;
use super::drive::STEPS_A_SECOND;
use super::message::{ClientMessage, Own, Pong, Welcome};
use super::scene::Scene;
use super::simulation::{Frame, Player, STEPS_A_SNAPSHOT, Simulation};
use super::viewer::Viewer;
use http::{Response, StatusCode};
use std::time::Duration;
use tokio::time::Instant;
use ws_server::{Acceptance, BoxError, CloseCode, Incoming, Message, WebSocket};

/// Runs a client's connection until it ends.
///
/// A text message ends it with 1003, a malformed one or too many of them with 1008, and a longer one than any that is valid with 1009.
///
/// # Errors
/// What ended it, where it was not closed.
pub async fn run(incoming: Incoming, world: Simulation) -> Result<(), BoxError> {
    let Some(player) = world.join().await else {
        let mut full =
            Response::new(format!("{} players are here, and no more can be\n", Scene::MOST_PLAYERS).into());
        *full.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        return Ok(incoming.reject(full).await?);
    };
    let mut socket = incoming.accept(Acceptance::default()).await?;
    let welcome = Welcome {
        id: player.id(),
        steps_a_second: STEPS_A_SECOND,
        steps_a_snapshot: STEPS_A_SNAPSHOT,
        kinds: arena::KINDS.to_vec(),
        statics: arena::statics(),
    };
    socket.send(serde_json::to_string(&welcome)?).await?;
    let mut frames = world.frames();
    let mut client = Client { player, viewer: Viewer::default(), messages: Allowance::new(Instant::now()) };
    loop {
        // Neither loses anything when the other is ready. While a slow client is waited for, snapshots pass; it gets the newest then.
        tokio::select! {
            message = socket.recv() => {
                let Some(message) = message? else { return Ok(()) };
                let frame = frames.borrow().clone();
                if let Err(refusal) = client.take(message, &frame, &mut socket).await? {
                    socket.close(refusal.code, refusal.reason).await?;
                    return Ok(());
                }
            }
            changed = frames.changed() => {
                changed?;
                let frame = frames.borrow_and_update().clone();
                // A server that stops has sent its Close frame, and waits for the client's; what went wrong before that, `recv` tells.
                if let Err(error) = client.show(&frame, &world, &mut socket).await
                    && socket.is_open()
                {
                    return Err(error);
                }
            }
        }
    }
}

struct Client {
    player: Player,
    viewer: Viewer,
    messages: Allowance,
}

/// Why a connection is closed.
struct Refusal {
    code: CloseCode,
    reason: &'static str,
}

impl Client {
    async fn take(
        &mut self,
        message: Message,
        frame: &Frame,
        socket: &mut WebSocket,
    ) -> Result<Result<(), Refusal>, BoxError> {
        if !self.messages.take(Instant::now()) {
            return Ok(Err(Refusal { code: CloseCode::POLICY_VIOLATION, reason: "too many messages" }));
        }
        let Message::Binary(bytes) = message else {
            return Ok(Err(Refusal { code: CloseCode::UNSUPPORTED_DATA, reason: "messages are binary" }));
        };
        match ClientMessage::decode(&bytes) {
            Ok(ClientMessage::Commands { ack, last, commands }) => {
                self.viewer.acknowledge(ack);
                self.player.commands().push(last, &commands);
            }
            Ok(ClientMessage::Ping { .. }) if !socket.is_open() => {}
            Ok(ClientMessage::Ping { number }) => {
                let counts = socket.counts();
                let saved =
                    counts.sent_compressed.plain_bytes.saturating_sub(counts.sent_compressed.wire_bytes);
                let pong = Pong {
                    number,
                    tick: frame.tick,
                    players: u16::try_from(frame.players.len()).unwrap_or(u16::MAX),
                    late: frame.punctuality.late,
                    payload: counts.sent_bytes,
                    wire: counts.sent_bytes.saturating_sub(saved),
                };
                socket.send_uncompressed(pong.encode()).await?;
            }
            Err(_) => {
                return Ok(Err(Refusal { code: CloseCode::POLICY_VIOLATION, reason: "malformed message" }));
            }
        }
        Ok(Ok(()))
    }

    /// Sends the newest snapshot, where it is time, and waits until the network took it.
    async fn show(
        &mut self,
        frame: &Frame,
        world: &Simulation,
        socket: &mut WebSocket,
    ) -> Result<(), BoxError> {
        let Some(encoded) = world.next(&mut self.viewer) else { return Ok(()) };
        let own = frame.players.get(&self.player.id()).map(Own::encode);
        if encoded.len >= WORTH_COMPRESSING {
            socket.feed_prepared(&encoded.message).await?;
        } else {
            socket.send_uncompressed(encoded.message.message().clone()).await?;
        }
        if let Some(own) = own {
            socket.send_uncompressed(own).await?;
        }
        socket.flush().await?;
        Ok(())
    }
}

/// What is smaller, in bytes, would hardly become smaller, for each message is compressed by itself.
const WORTH_COMPRESSING: usize = 200;

/// How many messages a client may send: twice what a page sends, and a burst of some seconds, for networks deliver in bursts.
struct Allowance {
    left: u32,
    since: Instant,
}

impl Allowance {
    const A_SECOND: u32 = 150;
    const BURST: u32 = 600;

    fn new(now: Instant) -> Self {
        Self { left: Self::BURST, since: now }
    }

    fn take(&mut self, now: Instant) -> bool {
        let seconds = u32::try_from((now - self.since).as_secs()).unwrap_or(u32::MAX);
        if seconds > 0 {
            self.left = self.left.saturating_add(seconds.saturating_mul(Self::A_SECOND)).min(Self::BURST);
            self.since += Duration::from_secs(seconds.into());
        }
        let allowed = self.left > 0;
        self.left = self.left.saturating_sub(1);
        allowed
    }
}
