//! Everything that is sent, but for deltas, which have a file of their own ([`delta`](super::delta)). Numbers are little-endian.
//!
//! From a client, in binary messages:
//!
//! ```text
//!  0       1               5               9            10
//! +-------+---------------+---------------+------------+-----------------------------------
//! | 1: u8 |   ack: u32    |   last: u32   | n: u8 1..8 | n commands: x i8, z i8, buttons u8     commands
//! +-------+---------------+---------------+------------+-----------------------------------
//! | 2: u8 |  number: u32  |                                                                     a ping
//! +-------+---------------+
//! ```
//! `ack` is the tick of the newest snapshot that the client has; 0 asks for a full one. `last` numbers the last of the commands, the first
//! after each connection is 1, and one is meant for each step of the server. The server takes what it has not seen yet.
//!
//! To a client: the [`Welcome`] as text (JSON), then in binary messages a snapshot (type 1, [`delta`](super::delta)), and
//!
//! ```text
//!  0       1               5               9       10                16               22
//! +-------+---------------+---------------+-------+-----------------+----------------+
//! | 2: u8 |   tick: u32   |   last: u32   | flags | position 3 i16  | velocity 3 i16 |                  the client's own body
//! +-------+---------------+---------------+-------+-----------------+----------------+
//! | 3: u8 |  number: u32  |   tick: u32   | players: u16 | late: u32 | payload: u64 | wire: u64 |       answer to a ping
//! +-------+---------------+---------------+--------------+-----------+--------------+-----------+
//! ```
//! In the first, which comes behind each snapshot, `last` is the last command that was obeyed, bit 0 of `flags` tells that the body stands
//! on something, and the rest is the exact state from which the page predicts: steps of [`quantise`](super::quantise). In the second, `late` counts
//! steps that began late, `payload` the bytes of the messages that this client was sent and `wire` the bytes that they took.

use super::arena::{Kind, Static};
use super::drive::Command;
use super::snapshot::{BodyId, Tick};
use super::wire::{self, Malformed};
use bytes::{Buf, BufMut};
use serde::{Deserialize, Serialize};

/// The type of a snapshot.
pub const SNAPSHOT: u8 = 1;
const OWN: u8 = 2;
const PONG: u8 = 3;

const COMMANDS: u8 = 1;
const PING: u8 = 2;

/// The most commands of one message.
pub const MAX_COMMANDS: usize = 8;

/// The longest message that a client may send, in bytes.
pub const MAX_CLIENT_MESSAGE: usize = 10 + 3 * MAX_COMMANDS;

/// What a client says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientMessage {
    /// What it does, and what it has.
    Commands {
        /// The newest snapshot that it has; 0 for none.
        ack: Tick,
        /// The number of the last command.
        last: u32,
        /// One for each step, the last one last.
        commands: Vec<Command>,
    },
    /// It wants to know how long an answer takes.
    Ping {
        /// The answer has it too.
        number: u32,
    },
}

impl ClientMessage {
    /// Reads a binary message.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn decode(mut input: &[u8]) -> Result<Self, Malformed> {
        let message = match input.try_get_u8()? {
            COMMANDS => {
                let (ack, last) = (input.try_get_u32_le()?, input.try_get_u32_le()?);
                let count = usize::from(input.try_get_u8()?);
                if !(1..=MAX_COMMANDS).contains(&count) {
                    return Err(Malformed::Range);
                }
                let mut commands = Vec::with_capacity(count);
                for _ in 0..count {
                    commands.push(Command {
                        x: input.try_get_i8()?,
                        z: input.try_get_i8()?,
                        buttons: input.try_get_u8()?,
                    });
                }
                Self::Commands { ack, last, commands }
            }
            PING => Self::Ping { number: input.try_get_u32_le()? },
            other => return Err(Malformed::Type(other)),
        };
        wire::end(&input)?;
        Ok(message)
    }

    /// Writes it. Of more than [`MAX_COMMANDS`] commands only the last ones are sent.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(MAX_CLIENT_MESSAGE);
        match self {
            Self::Commands { ack, last, commands } => {
                let commands = commands.iter().rev().take(MAX_COMMANDS).rev();
                out.put_u8(COMMANDS);
                out.put_u32_le(*ack);
                out.put_u32_le(*last);
                out.extend((1_u8..).zip(commands.clone()).map(|(count, _)| count).last());
                for command in commands {
                    out.put_i8(command.x);
                    out.put_i8(command.z);
                    out.put_u8(command.buttons);
                }
            }
            Self::Ping { number } => {
                out.put_u8(PING);
                out.put_u32_le(*number);
            }
        }
        out
    }
}

/// The exact state of a client's own body, and what led to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Own {
    /// The step.
    pub tick: Tick,
    /// The last command that was obeyed; 0 before the first.
    pub last: u32,
    /// Does it stand on something?
    pub grounded: bool,
    /// The middle, in steps.
    pub position: [i16; 3],
    /// In steps.
    pub velocity: [i16; 3],
}

impl Own {
    /// Writes it.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(22);
        out.put_u8(OWN);
        out.put_u32_le(self.tick);
        out.put_u32_le(self.last);
        out.put_u8(u8::from(self.grounded));
        for part in self.position.into_iter().chain(self.velocity) {
            out.put_i16_le(part);
        }
        out
    }
}

/// The answer to a ping, and what only the server knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pong {
    /// That of the ping.
    pub number: u32,
    /// The newest step.
    pub tick: Tick,
    /// How many are here.
    pub players: u16,
    /// How many steps began late since the start.
    pub late: u32,
    /// Bytes of the messages that this client was sent.
    pub payload: u64,
    /// Bytes that they took on the wire.
    pub wire: u64,
}

impl Pong {
    /// Writes it.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(31);
        out.put_u8(PONG);
        out.put_u32_le(self.number);
        out.put_u32_le(self.tick);
        out.put_u16_le(self.players);
        out.put_u32_le(self.late);
        out.put_u64_le(self.payload);
        out.put_u64_le(self.wire);
        out
    }
}

/// What a server says in binary messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerMessage<'a> {
    /// For [`delta::apply`](super::delta::apply).
    Snapshot(&'a [u8]),
    /// The client's own body.
    Own(Own),
    /// The answer to a ping.
    Pong(Pong),
}

impl<'a> ServerMessage<'a> {
    /// Reads a binary message.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn decode(message: &'a [u8]) -> Result<Self, Malformed> {
        let mut input = message;
        let decoded = match input.try_get_u8()? {
            SNAPSHOT => return Ok(Self::Snapshot(message)),
            OWN => Self::Own(Own {
                tick: input.try_get_u32_le()?,
                last: input.try_get_u32_le()?,
                grounded: input.try_get_u8()? & 1 != 0,
                position: [input.try_get_i16_le()?, input.try_get_i16_le()?, input.try_get_i16_le()?],
                velocity: [input.try_get_i16_le()?, input.try_get_i16_le()?, input.try_get_i16_le()?],
            }),
            PONG => Self::Pong(Pong {
                number: input.try_get_u32_le()?,
                tick: input.try_get_u32_le()?,
                players: input.try_get_u16_le()?,
                late: input.try_get_u32_le()?,
                payload: input.try_get_u64_le()?,
                wire: input.try_get_u64_le()?,
            }),
            other => return Err(Malformed::Type(other)),
        };
        wire::end(&input)?;
        Ok(decoded)
    }
}

/// The first message to each client: what does not change while it is here.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Welcome {
    /// The client's own body.
    pub id: BodyId,
    /// Steps in a second.
    pub steps_a_second: u32,
    /// Steps from one snapshot to the next.
    pub steps_a_snapshot: u32,
    /// Shapes of bodies, by their kind.
    pub kinds: Vec<Kind>,
    /// What never moves.
    pub statics: Vec<Static>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn command() -> impl Strategy<Value = Command> {
        (any::<i8>(), any::<i8>(), any::<u8>()).prop_map(|(x, z, buttons)| Command { x, z, buttons })
    }

    proptest! {
        #[test]
        fn what_a_client_says_comes_back(ack: u32, last: u32, commands in prop::collection::vec(command(), 1..=8), number: u32) {
            for message in [ClientMessage::Commands { ack, last, commands }, ClientMessage::Ping { number }] {
                let bytes = message.encode();
                prop_assert!(bytes.len() <= MAX_CLIENT_MESSAGE);
                prop_assert_eq!(ClientMessage::decode(&bytes), Ok(message));
                prop_assert!(ClientMessage::decode(&bytes[..bytes.len() - 1]).is_err());
                prop_assert_eq!(ClientMessage::decode(&[bytes, vec![0]].concat()), Err(Malformed::Trailing));
            }
        }

        #[test]
        fn garbage_is_an_error_or_a_message_and_never_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            if let Ok(message) = ClientMessage::decode(&bytes) {
                prop_assert_eq!(message.encode(), bytes.clone());
            }
            let _ = ServerMessage::decode(&bytes);
        }

        #[test]
        fn what_the_server_says_comes_back(
            tick: u32, last: u32, grounded: bool, position: [i16; 3], velocity: [i16; 3], players: u16, payload: u64, wire: u64
        ) {
            let own = Own { tick, last, grounded, position, velocity };
            let bytes = own.encode();
            prop_assert_eq!(ServerMessage::decode(&bytes), Ok(ServerMessage::Own(own)));
            let pong = Pong { number: last, tick, players, late: last, payload, wire };
            let bytes = pong.encode();
            prop_assert_eq!(ServerMessage::decode(&bytes), Ok(ServerMessage::Pong(pong)));
        }
    }
}
