//! Servers that send us elsewhere ([RFC 9110 §15.4]).
//!
//! [RFC 9110 §15.4]: https://www.rfc-editor.org/rfc/rfc9110#section-15.4

use crate::UrlError;
use crate::target::Target;
use iri_string::types::{UriAbsoluteStr, UriReferenceStr};
use std::fmt;
use std::sync::Arc;
use ws_proto::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};

/// Whether the client follows a server that answers the opening request with 301, 302, 303, 307 or 308 and a `Location`.
///
/// Whatever this says, a redirect never leads from `wss` to `ws`, all hops share the deadline for connecting as a whole, and behind a hop to
/// another origin (scheme, host or port) nothing is sent that may be a credential: no `Authorization`, `Cookie`, `Proxy-Authorization` or
/// `Host` of yours, no other header that is [marked as sensitive](HeaderValue::set_sensitive), no client certificate. `http` and `https`
/// in a `Location` are read as `ws` and `wss`.
#[derive(Clone, Default)]
pub struct Redirects {
    limit: u8,
    policy: Option<Arc<Policy>>,
}

type Policy = dyn Fn(&Hop<'_>) -> bool + Send + Sync;

/// A redirect that may be followed.
#[derive(Debug)]
#[non_exhaustive]
pub struct Hop<'a> {
    /// The status of the response, such as 307.
    pub status: StatusCode,
    /// Where the response came from.
    pub from: &'a Uri,
    /// Where it points to.
    pub to: &'a Uri,
    /// Do both have the same origin: scheme, host and port?
    pub same_origin: bool,
}

impl Redirects {
    /// None is followed: the response is [`Error::Refused`](crate::Error::Refused). This is the default, as browsers have it.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// At most so many in a row are followed; one more is [`RedirectError::TooMany`].
    #[must_use]
    pub const fn limit(limit: u8) -> Self {
        Self { limit, policy: None }
    }

    /// Follows only those that `policy` says yes to; the response of another is [`Error::Refused`](crate::Error::Refused).
    ///
    /// ```
    /// use ws_client::{Client, Redirects};
    ///
    /// let client = Client::builder().redirects(Redirects::limit(5).only(|hop| hop.same_origin)).build();
    /// ```
    #[must_use]
    pub fn only(mut self, policy: impl Fn(&Hop<'_>) -> bool + Send + Sync + 'static) -> Self {
        self.policy = Some(Arc::new(policy));
        self
    }

    /// Where to go after this response, the one behind so many others; `None` where it is not followed.
    pub(crate) fn next(
        &self,
        from: &Target,
        status: StatusCode,
        headers: &HeaderMap,
        followed: u8,
    ) -> Result<Option<Target>, RedirectError> {
        if self.limit == 0 || !matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
            return Ok(None);
        }
        let location = headers.get(header::LOCATION).ok_or(RedirectError::NoLocation)?;
        let to = resolve(from, location).map_err(RedirectError::Location)?;
        let hop = Hop { status, from: &from.uri, to: &to.uri, same_origin: from.same_origin(&to) };
        if self.policy.as_ref().is_some_and(|policy| !policy(&hop)) {
            return Ok(None);
        }
        if from.secure && !to.secure {
            return Err(RedirectError::Downgrade);
        }
        if followed >= self.limit {
            return Err(RedirectError::TooMany { limit: self.limit });
        }
        Ok(Some(to))
    }
}

/// Takes off what must not be told to another origin.
pub(crate) fn drop_credentials(headers: &mut HeaderMap) {
    let secret = headers.iter().filter(|(name, value)| value.is_sensitive() || CREDENTIALS.contains(name));
    let secret: Vec<_> = secret.map(|(name, _)| name.clone()).collect();
    for name in secret {
        headers.remove(name);
    }
}

/// `Host` is none, but what it says was meant for the first origin.
const CREDENTIALS: [header::HeaderName; 4] =
    [header::AUTHORIZATION, header::COOKIE, header::PROXY_AUTHORIZATION, header::HOST];

/// RFC 9110 §10.2.2: a reference, relative to what was asked for. Its fragment means nothing here.
fn resolve(from: &Target, location: &HeaderValue) -> Result<Target, UrlError> {
    let location = location.to_str().map_err(|_| UrlError::NotAscii)?;
    let location = UriReferenceStr::new(location).map_err(|_| UrlError::Malformed)?;
    let base = from.uri.to_string();
    let base = UriAbsoluteStr::new(&base).map_err(|_| UrlError::Malformed)?;
    let mut resolved = location.resolve_against(base).to_string();
    if let Some(fragment) = resolved.find('#') {
        resolved.truncate(fragment);
    }
    for (http, ws) in [("https:", "wss:"), ("http:", "ws:")] {
        if resolved.get(..http.len()).is_some_and(|scheme| scheme.eq_ignore_ascii_case(http)) {
            resolved.replace_range(..http.len(), ws);
        }
    }
    Target::new(resolved.parse().map_err(|_| UrlError::Malformed)?)
}

impl fmt::Debug for Redirects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redirects")
            .field("limit", &self.limit)
            .field("policy", &self.policy.is_some())
            .finish()
    }
}

/// Why a redirect is not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RedirectError {
    /// There are more in a row than [`Redirects::limit`] allows; as a rule they go round in a circle.
    TooMany {
        /// How many it allows.
        limit: u8,
    },
    /// It leads from `wss` to `ws`, where everybody could read along.
    Downgrade,
    /// The response has no `Location`.
    NoLocation,
    /// `Location` is not the URL of a WebSocket.
    Location(UrlError),
}

impl fmt::Display for RedirectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooMany { limit } => {
                write!(
                    f,
                    "the server redirected more than {limit} times; connect to the last place, or allow more"
                )
            }
            Self::Downgrade => {
                f.write_str("the server redirected from wss to ws, which is not followed; tell its operator")
            }
            Self::NoLocation => f.write_str(
                "the server redirected without saying where to (RFC 9110 §15.4); tell its operator",
            ),
            Self::Location(error) => {
                write!(f, "the server redirected to a place that cannot be followed: {error}")
            }
        }
    }
}

impl std::error::Error for RedirectError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(url: &str) -> Target {
        Target::new(url.parse().unwrap()).unwrap()
    }

    fn to(location: &str) -> Result<String, UrlError> {
        let from = target("wss://example.com/a/b?c=d");
        resolve(&from, &HeaderValue::from_bytes(location.as_bytes()).unwrap()).map(|to| to.uri.to_string())
    }

    #[test]
    fn a_location_is_relative_to_what_was_asked_for() {
        for (location, expected) in [
            ("/x", "wss://example.com/x"),
            ("x?y=1", "wss://example.com/a/x?y=1"),
            ("../x", "wss://example.com/x"),
            ("?y", "wss://example.com/a/b?y"),
            ("//other.example/x", "wss://other.example/x"),
            ("https://other.example:8443", "wss://other.example:8443/"),
            ("HTTP://other.example/", "ws://other.example/"),
            ("ws://other.example/#top", "ws://other.example/"),
            ("", "wss://example.com/a/b?c=d"),
        ] {
            assert_eq!(to(location).as_deref(), Ok(expected), "{location}");
        }
        for (location, expected) in [
            ("ftp://example.com/", UrlError::Scheme),
            ("mailto:a@b", UrlError::Scheme),
            ("https://user:s3cret@example.com/", UrlError::Userinfo),
            ("https://example.com:0/", UrlError::Port),
            ("https://", UrlError::Malformed),
            ("/a b", UrlError::Malformed),
            ("/é", UrlError::NotAscii),
        ] {
            assert_eq!(to(location), Err(expected), "{location}");
        }
    }

    #[test]
    fn only_redirects_that_are_allowed_are_followed() {
        let from = target("wss://example.com/");
        let mut headers = HeaderMap::new();
        let next = |redirects: &Redirects, status, headers: &HeaderMap, followed| {
            redirects.next(&from, StatusCode::from_u16(status).unwrap(), headers, followed)
        };
        let five = Redirects::limit(5);
        assert_eq!(next(&five, 302, &headers, 0), Err(RedirectError::NoLocation));
        headers.insert(header::LOCATION, HeaderValue::from_static("/x"));
        for status in [301, 302, 303, 307, 308] {
            assert_eq!(next(&five, status, &headers, 4), Ok(Some(target("wss://example.com/x"))));
            assert_eq!(next(&Redirects::none(), status, &headers, 0), Ok(None));
        }
        for status in [200, 300, 304, 305, 401] {
            assert_eq!(next(&five, status, &headers, 0), Ok(None));
        }
        assert_eq!(next(&five, 302, &headers, 5), Err(RedirectError::TooMany { limit: 5 }));
        let same = Redirects::limit(5).only(|hop| hop.same_origin && hop.to.path() == "/x");
        assert_eq!(next(&same, 302, &headers, 0), Ok(Some(target("wss://example.com/x"))));
        headers.insert(header::LOCATION, HeaderValue::from_static("//other.example/x"));
        assert_eq!(next(&same, 302, &headers, 0), Ok(None));
        headers.insert(header::LOCATION, HeaderValue::from_static("http://example.com/x"));
        assert_eq!(next(&five, 302, &headers, 0), Err(RedirectError::Downgrade));
    }

    #[test]
    fn nothing_that_may_be_a_credential_goes_to_another_origin() {
        let mut headers = HeaderMap::new();
        for name in ["authorization", "cookie", "proxy-authorization", "host", "x-api-key", "origin"] {
            let mut value = HeaderValue::from_static("s3cret");
            value.set_sensitive(name.starts_with("x-"));
            headers.append(name, value);
        }
        drop_credentials(&mut headers);
        assert_eq!(headers.keys().collect::<Vec<_>>(), ["origin"]);
    }
}
