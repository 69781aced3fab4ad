//! The task that connects, again and again.

use super::backoff::Backoff;
use super::builder::{Classify, Headers};
use super::event::SessionEvent;
use super::outbox::Outbox;
use super::why::Why;
use crate::{Client, Stream, WebSocket};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::select;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until};
use ws_proto::bytes::Bytes;
use ws_proto::http::{Request, Response};
use ws_proto::{ControlPayload, Initiator};
use ws_tokio::{Error, Event, RecvHalf, SendHalf};

/// What the task of a session has.
pub(super) struct Driver {
    pub(super) client: Client,
    pub(super) request: Request<()>,
    pub(super) backoff: Backoff,
    pub(super) headers: Option<Box<Headers>>,
    pub(super) classify: Box<Classify>,
    pub(super) outbox: Arc<Outbox>,
    pub(super) events: mpsc::Sender<SessionEvent>,
}

impl Driver {
    pub(super) async fn run(self) {
        let fatal = self.keep_connected().await;
        let unsent = self.outbox.end();
        self.tell(SessionEvent::Ended { fatal, unsent }).await;
    }

    /// Ends with what is fatal, or with `None` where it was closed by us.
    async fn keep_connected(&self) -> Option<Arc<Why>> {
        let mut attempt = 0;
        loop {
            self.tell(SessionEvent::Connecting { attempt }).await;
            let connected = select! {
                biased;
                () = self.outbox.closing() => return None,
                connected = self.connect(attempt) => connected,
            };
            let why = match connected {
                Ok((socket, response)) => {
                    let since = Instant::now();
                    let again = self.outbox.connect();
                    self.tell(SessionEvent::Connected { response }).await;
                    let ended = self.converse(socket, again).await;
                    if since.elapsed() >= self.backoff.stable_after {
                        attempt = 0;
                    }
                    ended?
                }
                Err(why) => why,
            };
            let delay = self.backoff.delay(attempt, (self.classify)(&why));
            let why = Arc::new(why);
            let dropped = self.outbox.disconnect();
            self.tell(SessionEvent::Disconnected { why: Arc::clone(&why), dropped }).await;
            let Some(delay) = delay else { return Some(why) };
            attempt = attempt.saturating_add(1);
            self.tell(SessionEvent::Waiting { delay }).await;
            select! {
                biased;
                () = self.outbox.closing() => return None,
                () = sleep(delay) => {}
            }
        }
    }

    async fn connect(&self, attempt: u32) -> Result<(WebSocket, Response<()>), Why> {
        let mut request = self.request.clone();
        if let Some(headers) = &self.headers {
            request.headers_mut().extend(headers(attempt).await.map_err(Why::Headers)?);
        }
        self.client.connect_with_response(request).await.map_err(Why::Connect)
    }

    /// Sends and receives until the connection is gone; `None` where we closed it. `again` messages were handed to an earlier one.
    async fn converse(&self, socket: WebSocket, again: usize) -> Option<Why> {
        let (mut receiving, mut sending) = socket.split();
        let mut reading = pin!(self.read(&mut receiving));
        let mut writing = pin!(self.write(&mut sending, again));
        let mut patience = pin!(async {
            self.outbox.closing().await;
            sleep(CLOSE_TIMEOUT).await;
        });
        let mut written = None;
        let mut until = Instant::now();
        let why = loop {
            select! {
                why = &mut reading => break why,
                // What came before is still read. Where it was closed for sending, by us or by the peer, the receiving end tells the rest.
                ended = &mut writing, if written.is_none() => {
                    written = Some(ended);
                    until = Instant::now() + READ_BEHIND;
                }
                () = sleep_until(until), if matches!(written, Some(Err(Error::Io(_)))) => {
                    break Why::Lost(Error::Failed(ws_proto::Failure::EndOfStream));
                }
                () = &mut patience => return None,
            }
        };
        let by_us = self.outbox.close_request().is_some();
        if by_us && matches!(&why, Why::Closed(info) if info.initiator == Initiator::Local) {
            self.outbox.acknowledge_handed();
        }
        (!by_us).then_some(why)
    }

    /// Hands out what comes, as long as somebody takes it. Ends with the connection.
    async fn read(&self, receiving: &mut RecvHalf<Stream>) -> Why {
        loop {
            // Before anything is read: what nobody has room for stays in the stream. Where nobody is there any more, all is discarded.
            let permit = self.events.reserve().await.ok();
            let event = loop {
                match receiving.recv_event().await {
                    Ok(Some(Event::Message(message))) => break SessionEvent::Message(message),
                    Ok(Some(Event::Fragment(fragment))) => break SessionEvent::Fragment(fragment),
                    Ok(Some(Event::Pong(pong))) => self.outbox.note_pong(&pong),
                    Ok(Some(_)) => {}
                    Ok(None) => {
                        // `None` is a clean close, and that has its info.
                        let end = Error::Failed(ws_proto::Failure::EndOfStream);
                        return receiving.close_info().map_or(Why::Lost(end), Why::Closed);
                    }
                    Err(error) => return Why::Lost(error),
                }
            };
            if let Some(permit) = permit {
                permit.send(event);
            }
        }
    }

    /// Hands the outbox to the connection, and asks for proof that it was read. Ends when the session is to be closed and all was handed
    /// over.
    async fn write(&self, sending: &mut SendHalf<Stream>, again: usize) -> Result<(), Error> {
        let outbox = &self.outbox;
        let mut left = again;
        let mut next_ping = Instant::now();
        loop {
            while let Some(message) = outbox.next() {
                sending.feed(message).await?;
                outbox.note_handed();
                if left > 0 {
                    left -= 1;
                    if left == 0 {
                        self.tell(SessionEvent::Resent { messages: again }).await;
                    }
                }
                // Not only behind the last: a server that is killed before it has read that far would get the same again and again.
                self.ask_for_proof(sending, &mut next_ping).await?;
            }
            self.ask_for_proof(sending, &mut next_ping).await?;
            sending.flush().await?;
            if let Some((code, reason)) = outbox.close_request()
                && outbox.next().is_none()
            {
                return sending.close(code, &reason).await;
            }
            select! {
                () = outbox.work() => {}
                () = sleep_until(next_ping), if outbox.unproved().is_some() => {}
            }
        }
    }

    /// Sends a ping behind what was handed over, unless one is under way or the last was sent just now.
    async fn ask_for_proof(
        &self,
        sending: &mut SendHalf<Stream>,
        next_ping: &mut Instant,
    ) -> Result<(), Error> {
        if let Some(number) = self.outbox.unproved()
            && Instant::now() >= *next_ping
        {
            let payload = Bytes::copy_from_slice(&number.to_be_bytes());
            sending.ping(ControlPayload::try_from(payload)?).await?;
            self.outbox.note_ping(number);
            *next_ping = Instant::now() + PING_SPACING;
        }
        Ok(())
    }

    /// Waits until the user has taken enough of the events before. Where nobody is there to take it, it is forgotten.
    async fn tell(&self, event: SessionEvent) {
        let _nobody = self.events.send(event).await;
    }
}

impl Drop for Driver {
    /// A runtime that shuts down drops its tasks, and a hook of the user's may panic: nobody is to wait for what does not come.
    fn drop(&mut self) {
        self.outbox.end();
    }
}

/// Events that wait to be taken.
pub(super) const EVENTS: usize = 16;
/// Pings that ask for proof are this far apart at least, so that no limit of the peer's on control frames is reached.
const PING_SPACING: Duration = Duration::from_millis(20);
/// How long the end of a stream is awaited that cannot be written to any more.
const READ_BEHIND: Duration = Duration::from_secs(5);
/// How long the outbox and the closing handshake may take, once the session is to be closed.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(10);
