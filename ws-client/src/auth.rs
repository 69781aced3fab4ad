//! Credentials as headers.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ws_proto::http::HeaderValue;

/// RFC 7617 §2: the user has no colon, for the server would take the first for the end of it, and neither has control characters.
pub(crate) fn basic(user: &str, password: &str) -> Option<HeaderValue> {
    if user.contains(':') || user.chars().chain(password.chars()).any(char::is_control) {
        return None;
    }
    sensitive(&format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))))
}

/// RFC 6750 §2.1.
pub(crate) fn bearer(token: &str) -> Option<HeaderValue> {
    sensitive(&format!("Bearer {token}"))
}

fn sensitive(value: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(value).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_written_as_their_rfc_says_and_not_shown() {
        // RFC 7617 §2 and §2.1.
        assert_eq!(basic("Aladdin", "open sesame").unwrap(), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert_eq!(basic("test", "123\u{a3}").unwrap(), "Basic dGVzdDoxMjPCow==");
        assert_eq!(bearer("mF_9.B5f-4.1JqM").unwrap(), "Bearer mF_9.B5f-4.1JqM");
        assert_eq!(
            format!("{:?} {:?}", basic("a", "b").unwrap(), bearer("c").unwrap()),
            "Sensitive Sensitive"
        );
        assert!(basic("a:b", "c").is_none() && basic("a", "b\r\nc: d").is_none());
        assert!(bearer("a\r\nb: c").is_none() && bearer("\u{7f}").is_none());
    }
}
