//! Which connection gets which task.

use crate::transport::Transport;
use crate::yawc::Work;
use crate::{Library, fastwebsockets, raw, sockudo, tokio_tungstenite, tokio_websockets, yawc};
use ::sockudo_ws::pubsub::PubSub;
use ::tokio_tungstenite::tungstenite;
use anyhow::{Result, bail};
use bytes::Bytes;
use std::sync::Arc;
use tokio::sync::broadcast::Sender;

/// What is done with each connection.
#[derive(Clone)]
pub(crate) enum Serve {
    Echo { library: Library, deflate_level: Option<u8> },
    Raw(Sender<Bytes>),
    TokioTungstenite(Sender<tungstenite::Message>, Option<usize>),
    TokioWebsockets(Sender<::tokio_websockets::Message>),
    SockudoWs(Arc<PubSub>, Option<u8>),
    Yawc(Sender<::yawc::Frame>, Option<u8>),
}

impl Serve {
    pub(crate) fn new(library: Library, deflate_level: Option<u8>, room: bool) -> Result<Self> {
        if !room {
            return Ok(Self::Echo { library, deflate_level });
        }
        Ok(match library {
            Library::Raw => Self::Raw(Sender::new(SLOWEST)),
            Library::TokioTungstenite => Self::TokioTungstenite(Sender::new(SLOWEST), None),
            Library::TokioTungstenite8k => Self::TokioTungstenite(Sender::new(SLOWEST), SMALLER_BUFFER),
            Library::TokioWebsockets => Self::TokioWebsockets(Sender::new(SLOWEST)),
            Library::SockudoWs => Self::SockudoWs(Arc::new(PubSub::new()), deflate_level),
            Library::Yawc => Self::Yawc(Sender::new(SLOWEST), deflate_level),
            _ => bail!("it has no room"),
        })
    }

    /// A task for each connection. How it ends is nobody's business here: the generator sees it.
    pub(crate) fn spawn(&self, stream: impl Transport) {
        // Each in an arm of its own, so that no task is as large as the largest of them.
        match self.clone() {
            Self::Echo { library, deflate_level } => echo(library, deflate_level, stream),
            Self::Raw(room) => drop(tokio::spawn(raw::join(stream, room))),
            Self::TokioTungstenite(room, buffer) => {
                drop(tokio::spawn(tokio_tungstenite::join(stream, buffer, room)))
            }
            Self::TokioWebsockets(room) => drop(tokio::spawn(tokio_websockets::join(stream, room))),
            Self::SockudoWs(room, None) => drop(tokio::spawn(sockudo::join(stream, room))),
            Self::SockudoWs(room, Some(level)) => {
                drop(tokio::spawn(sockudo::join_compressed(stream, level, room)))
            }
            Self::Yawc(room, level) => drop(tokio::spawn(yawc::serve(stream, level, Work::Join(room)))),
        }
    }
}

fn echo(library: Library, deflate_level: Option<u8>, stream: impl Transport) {
    match library {
        Library::Raw => drop(tokio::spawn(raw::echo(stream))),
        Library::TokioTungstenite => drop(tokio::spawn(tokio_tungstenite::echo(stream, None))),
        Library::TokioTungstenite8k => drop(tokio::spawn(tokio_tungstenite::echo(stream, SMALLER_BUFFER))),
        Library::TokioTungstenite8kBatch => {
            drop(tokio::spawn(tokio_tungstenite::echo_batched(stream, SMALLER_BUFFER)));
        }
        Library::Fastwebsockets => drop(tokio::spawn(fastwebsockets::echo(stream))),
        Library::TokioWebsockets => drop(tokio::spawn(tokio_websockets::echo(stream))),
        Library::SockudoWs => match deflate_level {
            Some(level) => drop(tokio::spawn(sockudo::echo_compressed(stream, level))),
            None => drop(tokio::spawn(sockudo::echo(stream))),
        },
        Library::SockudoWsBatch => drop(tokio::spawn(sockudo::echo_batched(stream))),
        Library::Yawc => drop(tokio::spawn(yawc::serve(stream, deflate_level, Work::Echo))),
        Library::YawcBatch => drop(tokio::spawn(yawc::serve(stream, deflate_level, Work::EchoBatched))),
    }
}

/// So many messages may wait for a member of a room.
const SLOWEST: usize = 64;
/// Of a read, in bytes.
const SMALLER_BUFFER: Option<usize> = Some(8 << 10);
