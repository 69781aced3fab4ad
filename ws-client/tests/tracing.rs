//! What a client tells while it connects.

use tracing::Level;
use ws_client::{Client, Proxy};
use ws_server::{Acceptance, Server};
use ws_testkit::Told;

#[tokio::test]
async fn connecting_has_a_span_and_events_for_its_stages_and_shows_no_credential() {
    let told = Told::listen(Level::TRACE);
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

    let text = told.lines().join("\n");
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
