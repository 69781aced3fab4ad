//! No credential is ever shown: not in an error, not by `Debug`.

use crate::support::{answering, nobody, proxy};
use std::time::Duration;
use ws_client::proto::http::{HeaderName, HeaderValue, Request, header};
use ws_client::{Client, ClientBuilder, Error, IntoRequest, Proxy, Redirects};

/// Everything that an error, or what is behind it, has to say.
fn shown(error: &Error) -> String {
    let mut shown = format!("{error} {error:?} {error:#?}");
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        shown += &format!(" {error} {error:?}");
        source = error.source();
    }
    shown
}

fn full_of_secrets() -> ClientBuilder {
    Client::builder()
        .basic_auth("me", "s3cret")
        .header(header::COOKIE, HeaderValue::from_static("session=s3cret"))
        .header(header::PROXY_AUTHORIZATION, HeaderValue::from_static("s3cret"))
        // One that nobody can know to be secret.
        .header(HeaderName::from_static("x-api-key"), HeaderValue::from_static("s3cret"))
        .redirects(Redirects::limit(3))
        // Some of the servers wait for a request that a SOCKS5 client never makes.
        .proxy_timeout(Duration::from_millis(100))
}

async fn check(client: Client, target: impl IntoRequest) {
    let shown_client = format!("{client:?} {client:#?}");
    assert!(!shown_client.contains("s3cret") && !shown_client.contains("czNjcmV0"), "{shown_client}");
    let error = client.connect(target).await.err().unwrap();
    let shown = shown(&error);
    // The second is a part of it in base64.
    assert!(!shown.contains("s3cret") && !shown.contains("czNjcmV0"), "{shown}");
}

#[tokio::test]
async fn no_error_and_no_debug_output_shows_a_credential() {
    // A server that repeats all that it was told.
    let (echoing, _heads) = answering(|head| {
        format!(
            "HTTP/1.1 403 x\r\nSet-Cookie: session=s3cret\r\nContent-Length: {}\r\n\r\n{head}",
            head.len()
        )
    })
    .await;
    let (looping, _heads) =
        answering(|_| "HTTP/1.1 302 x\r\nLocation: /?token=s3cret\r\nContent-Length: 0\r\n\r\n".to_owned())
            .await;
    let (downgrading, _heads) = answering(|_| {
        "HTTP/1.1 302 x\r\nLocation: http://u:s3cret@h/\r\nContent-Length: 0\r\n\r\n".to_owned()
    })
    .await;
    let (garbling, _heads) = answering(|head| format!("{head}\r\n")).await;
    let nobody = nobody().await;
    for addr in [echoing, looping, downgrading, garbling, nobody] {
        let url = format!("ws://{addr}/?token=s3cret");
        check(full_of_secrets().build(), &url).await;
        check(full_of_secrets().bearer_auth("s3cret").build(), &url).await;
        let request = Request::get(&url).header("authorization", "s3cret").header("upgrade", "s3cret");
        check(full_of_secrets().build(), request.body(()).unwrap()).await;
        for kind in ["http", "socks5"] {
            let proxy = Proxy::new(&format!("{kind}://me:s3cret@{addr}")).unwrap();
            check(full_of_secrets().proxy(proxy).build(), &url).await;
        }
    }
    check(full_of_secrets().build(), "ws://me:s3cret@127.0.0.1/").await;
    check(full_of_secrets().build(), "http://127.0.0.1/?s3cret").await;
    check(full_of_secrets().build(), "ws://127.0.0.1/#s3cret").await;
    check(Client::builder().bearer_auth("s3cret\n").build(), "ws://127.0.0.1/").await;
    check(Client::builder().basic_auth("a:b", "s3cret").build(), "ws://127.0.0.1/").await;
    let (refusing, _asked) = proxy::http(nobody, Some("nothing")).await;
    let proxy = Proxy::new(&format!("http://me:s3cret@{refusing}")).unwrap();
    assert!(!format!("{proxy:?}").contains("s3cret"));
    check(full_of_secrets().proxy(proxy).build(), "ws://host.test/").await;
}
