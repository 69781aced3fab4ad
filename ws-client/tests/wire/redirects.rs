//! Servers that send the client elsewhere.

use crate::support::{accepted, answering, header};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use ws_client::proto::http::{HeaderName, HeaderValue, Request};
use ws_client::{Client, ClientBuilder, Error, RedirectError, Redirects, Stage, UrlError};

fn following() -> ClientBuilder {
    Client::builder().redirects(Redirects::limit(5))
}

fn redirect(status: u16, to: &str) -> String {
    format!("HTTP/1.1 {status} x\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n")
}

#[tokio::test]
async fn a_redirect_is_followed_where_it_is_allowed() {
    for status in [301, 302, 303, 307, 308] {
        let (addr, mut heads) =
            answering(
                move |head| {
                    if head.starts_with("GET /old") { redirect(status, "/new?c") } else { accepted(head) }
                },
            )
            .await;
        let url = format!("ws://{addr}/old?a=b");
        following().build().connect(&url).await.unwrap();
        assert!(heads.recv().await.unwrap().starts_with("GET /old?a=b HTTP/1.1\r\n"));
        assert!(heads.recv().await.unwrap().starts_with("GET /new?c HTTP/1.1\r\n"));

        let error = ws_client::connect(&url).await.err().unwrap();
        assert_eq!(error.response().unwrap().status, status);
        assert_eq!(error.response().unwrap().headers["location"], "/new?c");
    }
}

#[tokio::test]
async fn a_loop_ends_at_the_limit() {
    let (addr, mut heads) = answering(|_| redirect(302, "/again")).await;
    let error = following().build().connect(format!("ws://{addr}/")).await.err().unwrap();
    assert!(matches!(error, Error::Redirect(RedirectError::TooMany { limit: 5 })), "{error:?}");
    assert_eq!(error.stage(), Stage::Redirect);
    for _ in 0..6 {
        heads.recv().await.unwrap();
    }
    assert!(heads.try_recv().is_err());
}

#[tokio::test]
async fn credentials_stay_with_their_origin() {
    let (other, mut elsewhere) = answering(accepted).await;
    let (addr, mut here) = answering(move |head| {
        if head.starts_with("GET /1") {
            redirect(307, "/2")
        } else {
            redirect(307, &format!("http://{other}/3"))
        }
    })
    .await;
    let mut secret = HeaderValue::from_static("k3y");
    secret.set_sensitive(true);
    let client = following()
        .basic_auth("me", "s3cret")
        .header(HeaderName::from_static("x-api-key"), secret)
        .header(HeaderName::from_static("proxy-authorization"), HeaderValue::from_static("Basic x"))
        .header(HeaderName::from_static("x-other"), HeaderValue::from_static("kept"))
        .build();
    let request = Request::get(format!("ws://{addr}/1")).header("cookie", "a=b").header("host", "name.test");
    client.connect(request.body(()).unwrap()).await.unwrap();
    let secrets = ["authorization", "cookie", "x-api-key", "proxy-authorization"];
    for _ in 0..2 {
        let head = here.recv().await.unwrap();
        assert!(secrets.iter().all(|name| header(&head, name).is_some()), "{head}");
        assert_eq!(header(&head, "host"), Some("name.test"));
    }
    let head = elsewhere.recv().await.unwrap();
    assert!(secrets.iter().all(|name| header(&head, name).is_none()), "{head}");
    assert_eq!(header(&head, "host"), Some(other.to_string().as_str()));
    assert_eq!(header(&head, "x-other"), Some("kept"));
}

#[tokio::test]
async fn a_policy_decides_by_both_ends() {
    let (addr, _heads) = answering(|head| {
        if head.starts_with("GET /old") { redirect(307, "http://other.test/") } else { accepted(head) }
    })
    .await;
    let hops = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&hops);
    let policy = Redirects::limit(5).only(move |hop| {
        told.lock().unwrap().push((hop.status.as_u16(), hop.from.to_string(), hop.to.to_string()));
        hop.same_origin
    });
    let url = format!("ws://{addr}/old");
    let error = Client::builder().redirects(policy).build().connect(&url).await.err().unwrap();
    assert_eq!(error.response().unwrap().status, 307);
    assert_eq!(*hops.lock().unwrap(), [(307, url, "ws://other.test/".to_owned())]);
}

#[tokio::test]
async fn what_cannot_be_followed_is_told() {
    for (location, expected) in [
        ("ftp://other.test/", UrlError::Scheme),
        ("http://user:s3cret@other.test/", UrlError::Userinfo),
        ("/\u{e9}", UrlError::NotAscii),
        ("http://", UrlError::Malformed),
    ] {
        let (addr, _heads) = answering(move |_| redirect(302, location)).await;
        let error = following().build().connect(format!("ws://{addr}/")).await.err().unwrap();
        let Error::Redirect(RedirectError::Location(told)) = error else { panic!("{error:?}") };
        assert_eq!(told, expected, "{location}");
    }
    let (addr, _heads) = answering(|_| "HTTP/1.1 302 x\r\nContent-Length: 0\r\n\r\n".to_owned()).await;
    let error = following().build().connect(format!("ws://{addr}/")).await.err().unwrap();
    assert!(matches!(error, Error::Redirect(RedirectError::NoLocation)), "{error:?}");
}

#[tokio::test]
async fn all_hops_share_one_deadline() {
    let (silent, _heads) = answering(|_| String::new()).await;
    let (addr, _heads) = answering(move |_| redirect(302, &format!("ws://{silent}/"))).await;
    let client = following().connect_timeout(Duration::from_millis(100)).build();
    let error = client.connect(format!("ws://{addr}/")).await.err().unwrap();
    assert!(matches!(error, Error::Timeout(Stage::Handshake)), "{error:?}");
}
