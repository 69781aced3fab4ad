//! From the options to a socket.

use super::ending::Ending;
use super::options::Options;
use super::screen::{Screen, visible};
use super::talk::Ended;
use crate::pem;
use anyhow::{Context, Result};
use std::fmt::Write as _;
use ws_client::proto::http::{HeaderValue, Response, header};
use ws_client::{Client, Config, Error, Proxy, Redirects, Roots, Subprotocol, WebSocket};

/// A socket, and what was agreed on.
pub(super) struct Opened {
    pub(super) socket: WebSocket,
    pub(super) about: String,
}

pub(super) async fn open(options: &Options, screen: &Screen) -> Result<Opened, Ended> {
    let client = client(options).map_err(|error| Ended(Ending::Usage, format!("{error:#}")))?;
    if options.insecure {
        screen.fault("WARNING: --insecure accepts any certificate; whoever is on the way can read and change everything");
    }
    match client.connect_with_response(&options.url).await {
        Ok((socket, response)) => {
            let about = about(&options.url, &socket, &response);
            screen.detail(&about);
            Ok(Opened { socket, about })
        }
        Err(error) => {
            let ending = match error {
                Error::Url(_) | Error::Misuse(_) | Error::Credentials | Error::TlsConfig(_) => Ending::Usage,
                _ => Ending::NotConnected,
            };
            if let Some(refusal) = error.response().filter(|refusal| !refusal.body.is_empty()) {
                screen.detail(&visible(&String::from_utf8_lossy(&refusal.body)));
            }
            Err(Ended(ending, error.to_string()))
        }
    }
}

fn client(options: &Options) -> Result<Client> {
    let config = Config::builder()
        .ping_interval(Some(options.ping_interval))
        .pong_timeout(options.ping_interval)
        .max_message_bytes(options.max_message_bytes)
        .max_frame_bytes(options.max_message_bytes);
    #[cfg(feature = "deflate")]
    let config = if options.no_compression { config.deflate(None) } else { config };
    let mut client = Client::builder()
        .config(config.build()?)
        .connect_timeout(options.connect_timeout)
        .redirects(Redirects::limit(options.redirects));
    for (name, value) in &options.headers {
        client = client.header(name.clone(), value.clone());
    }
    if let Some(origin) = &options.origin {
        client = client.header(header::ORIGIN, HeaderValue::from_str(origin).context("--origin")?);
    }
    for name in &options.subprotocols {
        client = client.subprotocol(Subprotocol::new(name).with_context(|| format!("--subprotocol {name}"))?);
    }
    if let Some(user) = &options.user {
        client = match user.split_once(':') {
            Some((user, password)) => client.basic_auth(user, password),
            None => client.basic_auth(user, &variable("WSCAT_PASSWORD")?),
        };
    }
    if options.bearer {
        client = client.bearer_auth(&variable("WSCAT_TOKEN")?);
    }
    client = match &options.proxy {
        Some(url) => client.proxy(Proxy::new(url).context("--proxy")?),
        None if options.no_proxy => client.no_proxy(),
        None => client.proxy_from_env(),
    };
    if let Some(path) = &options.ca {
        client = client.roots(Roots::Added).add_roots(pem::certificates(path).context("--ca")?);
    }
    if let (Some(chain), Some(key)) = (&options.cert, &options.key) {
        let chain = pem::certificates(chain).context("--cert")?;
        client = client.client_certificate(chain, pem::key(key).context("--key")?);
    }
    Ok(client.danger_accept_invalid_certificates(options.insecure).build())
}

fn variable(name: &str) -> Result<String> {
    std::env::var(name).with_context(|| format!("the environment variable {name} cannot be read"))
}

/// What was agreed on, and what else the server said.
fn about(url: &str, socket: &WebSocket, response: &Response<()>) -> String {
    let negotiated = socket.negotiated();
    let mut about = format!("connected to {url}");
    // Writing to a string does not fail; so below.
    let subprotocol = negotiated.subprotocol().map_or("none", Subprotocol::as_str);
    let _ = write!(about, "\n  subprotocol  {subprotocol}");
    #[cfg(feature = "deflate")]
    let _ = match negotiated.deflate() {
        Some(params) => write!(
            about,
            "\n  compression  permessage-deflate; client window {} bits{}, server window {} bits{}",
            params.client_max_window_bits.get(),
            if params.client_no_context_takeover { ", each message alone" } else { "" },
            params.server_max_window_bits.get(),
            if params.server_no_context_takeover { ", each message alone" } else { "" },
        ),
        None => write!(about, "\n  compression  none"),
    };
    if let Some(stream) = socket.get_ref() {
        if let Some(peer) = stream.tcp().and_then(|tcp| tcp.peer_addr().ok()) {
            let _ = write!(about, "\n  peer         {peer}");
        }
        if let Some(tls) = stream.tls() {
            let version = tls.protocol_version().map_or_else(String::new, |version| format!("{version:?}"));
            let suite =
                tls.negotiated_cipher_suite().map_or_else(String::new, |it| format!("{:?}", it.suite()));
            let _ = write!(about, "\n  TLS          {version} {suite}");
        }
    }
    for (name, value) in response.headers() {
        let _ = write!(about, "\n  {name}: {}", visible(&String::from_utf8_lossy(value.as_bytes())));
    }
    about
}
