//! The conversation, in both directions at once.

use super::command::{Command, HELP};
use super::ending::Ending;
use super::input::{Input, Inputs};
use super::open::Opened;
use super::options::Options;
use super::screen::{Screen, visible};
use crate::signal::stop_signal;
use std::cell::{Cell, RefCell};
use std::pin::pin;
use tokio::sync::Notify;
use ws_client::{CloseCode, Message, Stream};
use ws_proto::{CloseInfo, ControlPayload, Initiator, Pong};
use ws_tokio::{Closer, Error, Event, RecvHalf, SendHalf};

/// How it ended, and a sentence about that.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ended(pub(super) Ending, pub(super) String);

/// Sends what comes from `inputs`, shows what comes from the server, and tells how it ended.
pub(super) async fn talk(opened: Opened, inputs: Inputs, screen: &Screen, options: &Options) -> Ended {
    let (receiving, sending) = opened.socket.split();
    let closer = receiving.closer();
    let talk = Talk {
        screen,
        options,
        about: opened.about,
        asked: RefCell::default(),
        received: Cell::new(0),
        enough: Notify::new(),
    };
    let mut receiving = pin!(talk.receive(receiving));
    let mut sending = pin!(talk.send(sending, inputs));
    let mut stop = pin!(stop_signal());
    let (mut sends, mut runs) = (true, true);
    loop {
        tokio::select! {
            ended = &mut receiving => return ended,
            () = &mut sending, if sends => sends = false,
            () = &mut stop, if runs => {
                runs = false;
                close(&closer);
            }
        }
    }
}

/// Whoever receives is told when the server has answered.
fn close(closer: &Closer<Stream>) {
    // A normal code can be sent.
    let _ = closer.close(CloseCode::NORMAL, "");
}

struct Talk<'a> {
    screen: &'a Screen,
    options: &'a Options,
    /// What was agreed on.
    about: String,
    /// Pings of the user's whose pongs are awaited; the newest, where they are many.
    asked: RefCell<Vec<ControlPayload>>,
    received: Cell<usize>,
    /// As many messages came as were wanted.
    enough: Notify,
}

impl Talk<'_> {
    /// Ends behind a Close frame of ours, or when nothing can be sent any more; the receiving side knows why.
    async fn send(&self, mut half: SendHalf<Stream>, mut inputs: Inputs) {
        for text in &self.options.messages {
            if self.obey(Command::message(text, self.options.binary), &mut half).await.is_err() {
                return;
            }
        }
        loop {
            let input = tokio::select! {
                input = inputs.0.recv() => input,
                () = self.enough.notified() => break,
            };
            match input {
                Some(Input::Command(command)) => {
                    if self.obey(command, &mut half).await.is_err() {
                        return;
                    }
                }
                Some(Input::Wrong(why)) => self.screen.fault(&why),
                None => {
                    self.linger().await;
                    break;
                }
            }
        }
        let _ = half.close(CloseCode::NORMAL, "").await;
    }

    async fn obey(&self, command: Command, half: &mut SendHalf<Stream>) -> Result<(), Error> {
        match command {
            Command::Send(message) => half.send(message).await?,
            Command::Ping(payload) => {
                self.expect_pong(payload.clone());
                half.ping(payload).await?;
            }
            Command::Close(code, reason) => half.close(code, &reason).await?,
            Command::Info => self.screen.notice(&self.about),
            Command::Help => self.screen.notice(HELP),
        }
        Ok(())
    }

    fn expect_pong(&self, payload: ControlPayload) {
        let mut asked = self.asked.borrow_mut();
        if asked.len() == MAX_ASKED {
            asked.remove(0);
        }
        asked.push(payload);
    }

    /// Behind the end of the input.
    async fn linger(&self) {
        let enough = async {
            match self.options.exit_after {
                Some(_) => self.enough.notified().await,
                None => std::future::pending().await,
            }
        };
        match (self.options.wait, self.options.exit_after) {
            (Some(wait), _) => {
                let _ = tokio::time::timeout(wait, enough).await;
            }
            (None, Some(_)) => enough.await,
            (None, None) => {}
        }
    }

    async fn receive(&self, mut half: RecvHalf<Stream>) -> Ended {
        let closer = half.closer();
        loop {
            match half.recv_event().await {
                Ok(Some(Event::Message(message))) => self.message(&message, &closer),
                Ok(Some(Event::Pong(pong))) => self.pong(&pong),
                Ok(Some(Event::Ping(payload))) => {
                    self.screen.detail(&format!("ping{}, answered", carrying(&payload)));
                }
                Ok(Some(_)) => {}
                Ok(None) => return self.closed(half.close_info().as_ref()),
                Err(error) => return Ended(Ending::Lost, format!("the connection was lost: {error}")),
            }
        }
    }

    fn message(&self, message: &Message, closer: &Closer<Stream>) {
        let wanted = self.options.exit_after.map_or(usize::MAX, Into::into);
        if self.received.get() >= wanted {
            return;
        }
        self.received.set(self.received.get() + 1);
        if self.screen.message(message).is_err() {
            // Whoever read what we show is gone.
            close(closer);
        }
        if self.received.get() == wanted {
            self.enough.notify_one();
        }
    }

    fn pong(&self, pong: &Pong) {
        let after = pong.round_trip.map_or_else(String::new, |time| format!(" after {time:.1?}"));
        let told = format!("pong{}{after}", carrying(&pong.payload));
        let mut asked = self.asked.borrow_mut();
        if let Some(at) = asked.iter().position(|payload| *payload == pong.payload) {
            asked.remove(at);
            self.screen.notice(&told);
        } else {
            self.screen.detail(&told);
        }
    }

    fn closed(&self, info: Option<&CloseInfo>) -> Ended {
        let (ending, mut text) = match info {
            Some(info) if info.initiator == Initiator::Peer => {
                let code = info.received.code;
                let fine = matches!(code, CloseCode::NORMAL | CloseCode::GOING_AWAY | CloseCode::NO_STATUS);
                let told = match (code, &*info.received.reason) {
                    (CloseCode::NO_STATUS, _) => "the server closed".to_owned(),
                    (code, "") => format!("the server closed: {code}"),
                    (code, reason) => format!("the server closed: {code}, {}", visible(reason)),
                };
                (if fine { Ending::Clean } else { Ending::Dismissed }, told)
            }
            _ => (Ending::Clean, "closed".to_owned()),
        };
        match self.options.exit_after {
            Some(wanted) if ending == Ending::Clean && self.received.get() < wanted.get() => {
                text += &format!("; {} of {wanted} messages came", self.received.get());
                Ended(Ending::TooFew, text)
            }
            _ => Ended(ending, text),
        }
    }
}

fn carrying(payload: &ControlPayload) -> String {
    match std::str::from_utf8(payload) {
        Ok("") => String::new(),
        Ok(text) => format!(" \"{}\"", visible(text)),
        Err(_) => format!(" of {} bytes", payload.len()),
    }
}

const MAX_ASKED: usize = 16;
