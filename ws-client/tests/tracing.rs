//! What a client tells while it connects.

use std::io;
use std::sync::{Arc, Mutex};
use tracing_subscriber::fmt::MakeWriter;
use ws_client::{Client, Proxy};
use ws_server::{Acceptance, Server};

/// All that was written.
#[derive(Clone, Debug, Default)]
struct Told(Arc<Mutex<Vec<u8>>>);

impl io::Write for Told {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Told {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn connecting_has_a_span_and_events_for_its_stages_and_shows_no_credential() {
    let told = Told::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .without_time()
        .with_writer(told.clone())
        .finish();
    // The tasks of this test's runtime run on this thread too.
    let _guard = tracing::subscriber::set_default(subscriber);
    let server = Server::builder().bind("127.0.0.1:0").await.unwrap();
    let addr = server.local_addr().unwrap();
    server.serve(async |incoming| {
        incoming.accept(Acceptance::default()).await?.recv().await?;
        Ok(())
    });
    let client = Client::builder().basic_auth("me", "s3cret").bearer_auth("s3cret");
    client.build().connect(format!("ws://{addr}/chat?token=s3cret")).await.unwrap();
    let proxy = Proxy::new(&format!("http://me:s3cret@{addr}")).unwrap();
    let client = Client::builder().proxy(proxy).build();
    client.connect("ws://host.test/?token=s3cret").await.unwrap_err();
    Client::default().connect("ws://me:s3cret@host.test/").await.unwrap_err();
    #[cfg(feature = "tls")]
    {
        let client = Client::builder().danger_accept_invalid_certificates(true).build();
        client.connect(format!("wss://{addr}/")).await.unwrap_err();
    }

    let text = String::from_utf8(told.0.lock().unwrap().clone()).unwrap();
    let span = format!("connect{{host=\"127.0.0.1\" port={}}}: ws_client", addr.port());
    for (span, event) in [
        (span.as_str(), "connecting secure=false path=\"/chat\""),
        (&span, &format!("TCP is connected address={addr}")),
        (&span, "the WebSocket is open"),
        ("connect{host=\"host.test\" port=80}", "connecting failed stage=Proxy"),
        ("connect", "connecting failed stage=Request"),
    ] {
        let found = text.lines().any(|line| line.contains(span) && line.contains(event));
        assert!(found, "{span} {event}: {text}");
    }
    assert_eq!(cfg!(feature = "tls"), text.contains("certificates are not checked"), "{text}");
    assert!(!text.contains("s3cret") && !text.contains("czNjcmV0") && !text.contains("token"), "{text}");
}
