//! A network in memory, and what a session on it does next.

use std::io;
use std::time::Duration;
use tokio::io::{DuplexStream, duplex};
use tokio::sync::mpsc;
use ws_client::proto::bytes::Bytes;
use ws_client::proto::http::Response;
use ws_client::{Backoff, Client, Config, Destination, Session, SessionBuilder, SessionEvent};
use ws_testkit::entropy;

pub(crate) type Socket = ws_tokio::WebSocket<DuplexStream>;

/// The far ends of what a client connects. When it is dropped, every attempt is refused.
pub(crate) struct Network(mpsc::UnboundedReceiver<DuplexStream>);

pub(crate) fn network() -> (Client, Network) {
    let (far_ends, network) = mpsc::unbounded_channel();
    let client = Client::builder().connector(move |_: Destination| {
        let (near, far) = duplex(64 << 10);
        let connected = far_ends.send(far).map_err(|_| io::Error::from(io::ErrorKind::ConnectionRefused));
        async move { connected.map(|()| near) }
    });
    (client.build(), Network(network))
}

pub(crate) fn session(client: Client) -> SessionBuilder {
    Session::builder(client, "ws://server/").backoff(Backoff::default().entropy(entropy(1)))
}

impl Network {
    /// Whether a client tried to connect that nobody has let in.
    pub(crate) fn is_asked(&mut self) -> bool {
        self.0.try_recv().is_ok()
    }

    pub(crate) async fn incoming(&mut self) -> ws_tokio::Incoming<DuplexStream> {
        let far = self.0.recv().await.unwrap();
        ws_tokio::accept(far, Config::default()).await.unwrap()
    }

    pub(crate) async fn accept(&mut self) -> Socket {
        self.incoming().await.accept(Default::default()).await.unwrap()
    }

    pub(crate) async fn refuse(&mut self, status: u16, retry_after: Option<&str>) {
        let mut response = Response::builder().status(status);
        if let Some(value) = retry_after {
            response = response.header("retry-after", value);
        }
        self.incoming().await.reject(response.body(Bytes::new()).unwrap()).await.unwrap();
    }
}

/// The stream breaks off: nothing is sent, nothing is closed.
pub(crate) fn kill(socket: Socket) {
    drop(socket.into_parts());
}

/// Events in a word each.
pub(crate) fn word(event: &SessionEvent) -> String {
    match event {
        SessionEvent::Connecting { attempt } => format!("connecting {attempt}"),
        SessionEvent::Connected { response } => format!("connected {}", response.status().as_u16()),
        SessionEvent::Resent { messages } => format!("resent {messages}"),
        SessionEvent::Message(message) => format!("message {}", message.as_text().unwrap()),
        SessionEvent::Disconnected { why, dropped } => match why.close_code() {
            Some(code) => format!("disconnected {code}, {dropped} dropped"),
            None => format!("not connected, {dropped} dropped"),
        },
        SessionEvent::Waiting { .. } => "waiting".to_owned(),
        SessionEvent::Ended { fatal, unsent } => format!("ended {} {}", fatal.is_some(), unsent.len()),
        other => format!("{other:?}"),
    }
}

/// The next event that `pick` wants; others pass by.
pub(crate) async fn until<T>(session: &mut Session, mut pick: impl FnMut(SessionEvent) -> Option<T>) -> T {
    loop {
        if let Some(picked) = pick(session.next().await.expect("it has not ended")) {
            return picked;
        }
    }
}

pub(crate) async fn connected(session: &mut Session) {
    until(session, |event| matches!(event, SessionEvent::Connected { .. }).then_some(())).await;
}

pub(crate) async fn waiting(session: &mut Session) -> Duration {
    until(session, |event| if let SessionEvent::Waiting { delay } = event { Some(delay) } else { None }).await
}

pub(crate) async fn acknowledged(session: &Session) {
    assert!(session.sender().acknowledged().await);
}

pub(crate) async fn texts(socket: &mut Socket, count: usize) -> Vec<String> {
    let mut texts = Vec::new();
    for _ in 0..count {
        texts.push(socket.recv().await.unwrap().unwrap().as_text().unwrap().to_owned());
    }
    texts
}

/// Receives for ever, so that pings are answered.
pub(crate) fn serve(mut socket: Socket) -> tokio::task::JoinHandle<Vec<String>> {
    tokio::spawn(async move {
        let mut got = Vec::new();
        while let Ok(Some(message)) = socket.recv().await {
            got.push(message.as_text().unwrap().to_owned());
        }
        got
    })
}
