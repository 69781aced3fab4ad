//! Receiving a message as a byte stream.

use crate::Error;
use crate::driver::{Reader, Shared};
use bytes::{Buf, Bytes};
use std::fmt;
use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncBufRead, AsyncRead, AsyncWrite, ReadBuf};
use ws_proto::owned::{Event, Fragment};
use ws_proto::{Failure, MessageKind};

/// One received message as a byte stream: for messages that do not fit in memory. See [`recv_reader`](crate::WebSocket::recv_reader).
///
/// With [`Delivery::Streaming`](ws_proto::Delivery::Streaming) in the [`Config`](ws_proto::Config) its bytes are handed out as they
/// arrive, inflated where they were compressed, and no more than the receive buffer (256 KiB) is held; the peer is no faster than the
/// reader. With whole delivery, the default, the message is in memory before it is read. Control frames in between are handled: pings
/// are answered, pongs pass by.
///
/// `max_message_bytes` (16 MiB by default) holds for the message as a whole, `max_frame_bytes` and `max_fragments` for its frames; set
/// the first two to `usize::MAX` to lift them.
///
/// # What is read
/// The bytes up to the end of the message, then the end (0 bytes). A text is checked as it arrives: a piece may end inside a character,
/// and the whole is UTF-8 when the end was read.
///
/// # Errors
/// Reading fails when the connection does, and each time again. The [`Error`] lies inside of the [`io::Error`]. Its kind is `InvalidData`
/// where the peer broke a rule (text that is not UTF-8) or passed a limit, `UnexpectedEof` where the connection ended or was closed in the
/// middle of the message, `TimedOut` where the peer kept silent, and the stream's own where that failed.
///
/// # Cancel safety
/// Reads are cancel safe, as far as the method that is used is (`read` is, `read_exact` is not). A reader that is dropped before the end
/// gives up the rest of its message, which the next `recv_reader` skips.
///
/// # Example
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use tokio::io::AsyncWriteExt;
/// use ws_proto::{Config, Delivery};
/// use ws_tokio::MessageKind;
///
/// let config = Config::builder().delivery(Delivery::Streaming).max_message_bytes(1 << 40).max_frame_bytes(1 << 40).build()?;
/// # let (near, far) = tokio::io::duplex(4096);
/// # let of = |stream, role| ws_tokio::WebSocket::from_parts(stream, Default::default(), ws_proto::Negotiated::new(role), config.clone());
/// # let (mut socket, mut peer) = (of(near, ws_proto::Role::Server), of(far, ws_proto::Role::Client));
/// # tokio::spawn(async move {
/// #     let mut writer = peer.send_writer(MessageKind::Binary);
/// #     writer.write_all(&[7; 1_000_000]).await.unwrap();
/// #     writer.finish().await.unwrap();
/// #     peer.close(ws_tokio::CloseCode::NORMAL, "").await.unwrap();
/// # });
/// # let mut file = tokio::io::sink();
/// while let Some(mut message) = socket.recv_reader().await? {
///     let bytes = tokio::io::copy(&mut message, &mut file).await?;
///     println!("{:?} of {bytes} bytes", message.kind());
/// #   assert_eq!((message.kind(), bytes), (MessageKind::Binary, 1_000_000));
/// }
/// # Ok(()) }
/// ```
pub struct MessageReader<'a, S> {
    shared: &'a Arc<Shared<S>>,
    reader: &'a mut Reader,
    kind: MessageKind,
    /// What came and was not read.
    piece: Bytes,
    /// Is `piece` the last?
    fin: bool,
}

impl<'a, S: AsyncRead + AsyncWrite + Unpin> MessageReader<'a, S> {
    /// The next message that begins.
    pub(crate) async fn next(
        shared: &'a Arc<Shared<S>>,
        reader: &'a mut Reader,
    ) -> Result<Option<Self>, Error> {
        loop {
            let Some(event) = poll_fn(|cx| shared.poll_event(reader, cx)).await? else { return Ok(None) };
            let (kind, piece, fin) = match event {
                Event::Message(message) => (message.kind(), message.into_bytes(), true),
                Event::Fragment(Fragment { kind, payload, first: true, fin }) => (kind, payload, fin),
                // The rest of a message that nobody read to its end; and what is handled already.
                _ => continue,
            };
            return Ok(Some(Self { shared, reader, kind, piece, fin }));
        }
    }

    /// Text or binary?
    #[must_use]
    pub const fn kind(&self) -> MessageKind {
        self.kind
    }

    /// Waits for a piece that is not empty, or the end.
    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.piece.is_empty() && !self.fin {
            match ready!(self.shared.poll_event(self.reader, cx)) {
                Ok(Some(Event::Fragment(fragment))) => {
                    (self.piece, self.fin) = (fragment.payload, fragment.fin);
                }
                Ok(Some(_)) => {}
                // §5.4: only control frames may stand inside of a message, and one of them is the peer's Close.
                Ok(None) => {
                    let closed = "the connection was closed in the middle of a message";
                    return Poll::Ready(Err(io::Error::new(ErrorKind::UnexpectedEof, closed)));
                }
                Err(error) => return Poll::Ready(Err(io::Error::new(kind(&error), error))),
            }
        }
        Poll::Ready(Ok(()))
    }
}

fn kind(error: &Error) -> ErrorKind {
    match error {
        Error::Failed(Failure::Protocol(_) | Failure::Limit(_)) => ErrorKind::InvalidData,
        Error::Failed(Failure::EndOfStream) => ErrorKind::UnexpectedEof,
        Error::Failed(Failure::Timeout(_)) => ErrorKind::TimedOut,
        Error::Io(error) => error.kind(),
        _ => ErrorKind::Other,
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for MessageReader<'_, S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_piece(cx))?;
        let n = this.piece.len().min(buf.remaining());
        buf.put_slice(&this.piece.split_to(n));
        Poll::Ready(Ok(()))
    }
}

/// The pieces as they came, without a copy.
impl<S: AsyncRead + AsyncWrite + Unpin> AsyncBufRead for MessageReader<'_, S> {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let this = self.get_mut();
        ready!(this.poll_piece(cx))?;
        Poll::Ready(Ok(&this.piece))
    }

    fn consume(self: Pin<&mut Self>, n: usize) {
        let piece = &mut self.get_mut().piece;
        piece.advance(n.min(piece.len()));
    }
}

impl<S> fmt::Debug for MessageReader<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageReader").field("kind", &self.kind).finish_non_exhaustive()
    }
}
