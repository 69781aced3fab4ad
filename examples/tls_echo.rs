//! A server and a client that talk over TLS, in one program: nothing is to be set up, the certificate is made in memory.
//!
//! ```text
//! cargo run -p ws-examples --example tls_echo
//! ```

use anyhow::Result;
use std::time::Duration;
use ws_client::{Client, CloseCode, Roots};
use ws_server::{Acceptance, Server, Tls};

#[tokio::main]
async fn main() -> Result<()> {
    // A certificate that is its own authority. In earnest it comes from files: `Tls::from_files`.
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
    let tls = Tls::from_pem(made.cert.pem().as_bytes(), made.signing_key.serialize_pem().as_bytes())?;

    let server = Server::builder().tls(tls).bind("127.0.0.1:0").await?;
    let url = format!("wss://localhost:{}/", server.local_addr()?.port());
    let running = server.serve(async |incoming| {
        let mut ws = incoming.accept(Acceptance::default()).await?;
        while let Some(message) = ws.recv().await? {
            ws.send(message).await?;
        }
        Ok(())
    });

    // The system does not know this authority, so it is named here. For a server on the web `ws_client::connect(url)` is all.
    let client = Client::builder().roots(Roots::Added).add_roots([made.cert.der().clone()]).build();
    let mut ws = client.connect(&url).await?;
    let version = ws.get_ref().and_then(|stream| stream.tls()?.protocol_version());
    println!("connected to {url} with {version:?}");
    for text in ["hello", "κόσμε"] {
        ws.send(text).await?;
        println!("sent {text:?}, received {:?}", ws.recv().await?);
    }
    let info = ws.close(CloseCode::NORMAL, "that was all").await?;
    println!("closed: the server answered {}", info.received.code.get());

    // Who is not told of the authority does not get that far.
    if let Err(error) = ws_client::connect(&url).await {
        println!("with the system's authorities alone: {error}");
    }
    println!("stopping the server: {:?}", running.stop(Duration::from_secs(5)).await);
    Ok(())
}
