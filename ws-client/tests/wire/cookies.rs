//! Cookies, by a jar that remembers what it was asked and told.

use crate::support::{accepted, answering, header};
use std::sync::{Arc, Mutex};
use ws_client::proto::http::{HeaderValue, Request, Uri};
use ws_client::{Client, Cookies, Redirects};

/// A URL, and what was set there.
type Told = (Uri, Vec<HeaderValue>);

#[derive(Clone, Default)]
struct Jar(Arc<Mutex<Vec<Told>>>);

impl Cookies for Jar {
    fn cookies(&self, url: &Uri) -> Option<HeaderValue> {
        HeaderValue::from_str(&format!("asked-at={}", url.path())).ok()
    }

    fn set_cookies(&self, url: &Uri, set_cookies: &mut dyn Iterator<Item = &HeaderValue>) {
        self.0.lock().unwrap().push((url.clone(), set_cookies.cloned().collect()));
    }
}

#[tokio::test]
async fn the_jar_is_asked_before_and_told_after_each_hop() {
    let (addr, mut heads) = answering(|head| {
        if head.starts_with("GET /1") {
            "HTTP/1.1 302 x\r\nLocation: /2\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2; Path=/\r\nContent-Length: 0\r\n\r\n".to_owned()
        } else if head.starts_with("GET /2") {
            accepted(head).replacen("\r\n", "\r\nSet-Cookie: c=3\r\n", 1)
        } else {
            "HTTP/1.1 401 x\r\nSet-Cookie: d=4\r\nContent-Length: 0\r\n\r\n".to_owned()
        }
    })
    .await;
    let jar = Jar::default();
    let client = Client::builder().cookies(jar.clone()).redirects(Redirects::limit(1)).build();
    client.connect(format!("ws://{addr}/1")).await.unwrap();
    client.connect(format!("ws://{addr}/3")).await.unwrap_err();
    for path in ["/1", "/2", "/3"] {
        let head = heads.recv().await.unwrap();
        assert_eq!(header(&head, "cookie"), Some(format!("asked-at={path}").as_str()), "{head}");
    }
    let told = jar.0.lock().unwrap();
    let told: Vec<_> = told.iter().map(|(url, set)| (url.path(), set.iter().collect::<Vec<_>>())).collect();
    assert_eq!(told.len(), 3);
    assert_eq!(told[0].0, "/1");
    assert_eq!(told[0].1, ["a=1", "b=2; Path=/"]);
    assert_eq!((told[1].0, told[2].0), ("/2", "/3"));
    assert_eq!(
        (told[1].1[0], told[2].1[0]),
        (&HeaderValue::from_static("c=3"), &HeaderValue::from_static("d=4"))
    );
}

#[tokio::test]
async fn an_explicit_cookie_takes_precedence() {
    let (addr, mut heads) = answering(accepted).await;
    let client = Client::builder().cookies(Jar::default()).build();
    let request = Request::get(format!("ws://{addr}/1")).header("cookie", "mine=1").body(()).unwrap();
    client.connect(request).await.unwrap();
    let head = heads.recv().await.unwrap().to_ascii_lowercase();
    assert_eq!(head.matches("\r\ncookie:").count(), 1);
    assert_eq!(header(&head, "cookie"), Some("mine=1"));
}
