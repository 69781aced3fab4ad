//! Cookies, by a hook to whoever keeps them.

use ws_proto::http::{HeaderValue, Uri};

/// Whoever keeps cookies: a jar of your own, or one that is shared with an HTTP client (see [`ClientBuilder::cookies`]). What may be sent
/// where, and for how long, is for the jar to decide (RFC 6265 §5).
///
/// ```
/// use std::sync::Mutex;
/// use ws_client::proto::http::{HeaderValue, Uri};
/// use ws_client::{Client, Cookies};
///
/// /// Gives back the last cookie that the server set, as long as it lives.
/// #[derive(Default)]
/// struct OneCookie(Mutex<Option<HeaderValue>>);
///
/// impl Cookies for OneCookie {
///     fn cookies(&self, url: &Uri) -> Option<HeaderValue> {
///         self.0.lock().ok()?.clone().filter(|_| url.host() == Some("example.com"))
///     }
///
///     fn set_cookies(&self, _url: &Uri, set_cookies: &mut dyn Iterator<Item = &HeaderValue>) {
///         let pair = set_cookies.last().and_then(|set| set.as_bytes().split(|&byte| byte == b';').next());
///         if let (Some(pair), Ok(mut kept)) = (pair, self.0.lock()) {
///             *kept = HeaderValue::from_bytes(pair).ok();
///         }
///     }
/// }
///
/// let client = Client::builder().cookies(OneCookie::default()).build();
/// ```
///
/// [`ClientBuilder::cookies`]: crate::ClientBuilder::cookies
pub trait Cookies: Send + Sync + 'static {
    /// The value of the header `Cookie` for a request to `url` (of the scheme `ws` or `wss`); `None` sends none. Asked before every
    /// opening request, behind a redirect too, unless a header `Cookie` was given explicitly.
    fn cookies(&self, url: &Uri) -> Option<HeaderValue>;

    /// What the headers `Set-Cookie` of a response from `url` say; called for every response that has one, whatever its status.
    fn set_cookies(&self, url: &Uri, set_cookies: &mut dyn Iterator<Item = &HeaderValue>);
}
