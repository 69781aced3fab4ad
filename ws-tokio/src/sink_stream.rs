//! `Stream` and `Sink` of messages, for those who combine them.

use crate::wakers::Slot;
use crate::{Error, RecvHalf, SendHalf, WebSocket};
use futures_core::Stream;
use futures_sink::Sink;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite};
use ws_proto::{CloseCode, Message};

/// The messages of [`recv`](WebSocket::recv); ends after a clean close, or after the error that ended the connection.
impl<S: AsyncRead + AsyncWrite + Unpin> Stream for WebSocket<S> {
    type Item = Result<Message, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.handle.0.lock().stream_ended {
            return Poll::Ready(None);
        }
        let item = ready!(self.poll_recv(cx)).transpose();
        self.handle.0.lock().stream_ended = !matches!(item, Some(Ok(_)));
        Poll::Ready(item)
    }
}

/// As for [`WebSocket`].
impl<S: AsyncRead + AsyncWrite + Unpin> Stream for RecvHalf<S> {
    type Item = Result<Message, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.handle.0.lock().stream_ended {
            return Poll::Ready(None);
        }
        let item = ready!(self.poll_recv(cx)).transpose();
        self.handle.0.lock().stream_ended = !matches!(item, Some(Ok(_)));
        Poll::Ready(item)
    }
}

/// Messages fed with `start_send` leave with `poll_flush`, or as [`feed`](WebSocket::feed) tells; `poll_close` completes the closing
/// handshake with 1000.
impl<S: AsyncRead + AsyncWrite + Unpin> Sink<Message> for WebSocket<S> {
    type Error = Error;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.handle.0.divide();
        self.handle.0.poll_room(None, cx)
    }

    fn start_send(self: Pin<&mut Self>, message: Message) -> Result<(), Error> {
        self.handle.0.divide();
        self.handle.0.feed(message)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.handle.0.divide();
        self.handle.0.poll_flush(Slot::Sender, cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.handle.0.divide();
        self.handle.0.start_closing(CloseCode::NORMAL, "")?;
        let this = &mut *self;
        while ready!(this.handle.0.poll_event(&mut this.reader, cx))?.is_some() {}
        Poll::Ready(Ok(()))
    }
}

/// As for [`WebSocket`], but `poll_close` only sends the Close frame: the receiving half sees the peer's.
impl<S: AsyncRead + AsyncWrite + Unpin> Sink<Message> for SendHalf<S> {
    type Error = Error;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.handle.0.poll_room(None, cx)
    }

    fn start_send(self: Pin<&mut Self>, message: Message) -> Result<(), Error> {
        self.handle.0.feed(message)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.handle.0.poll_flush(Slot::Sender, cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.handle.0.start_closing(CloseCode::NORMAL, "")?;
        self.handle.0.poll_flush(Slot::Sender, cx)
    }
}
