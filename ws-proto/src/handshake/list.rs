//! Comma-separated lists in headers ([RFC 9110 §5.6.1]).
//!
//! [RFC 9110 §5.6.1]: https://www.rfc-editor.org/rfc/rfc9110#section-5.6.1

use http::{HeaderMap, HeaderName, HeaderValue};

/// The elements of a list, whose lines count as one; empty elements are left out (§5.6.1.2). For lists of tokens:
/// quotes mean nothing.
pub(super) fn elements<'a>(
    lines: impl IntoIterator<Item = &'a HeaderValue>,
) -> impl Iterator<Item = &'a [u8]> {
    lines
        .into_iter()
        .flat_map(|line| line.as_bytes().split(|&byte| byte == b','))
        .map(trim)
        .filter(|element| !element.is_empty())
}

/// Does the list hold this token, in any case?
pub(super) fn has_token(headers: &HeaderMap, name: HeaderName, token: &str) -> bool {
    elements(&headers.get_all(name)).any(|element| element.eq_ignore_ascii_case(token.as_bytes()))
}

/// How often a header stands in the head.
pub(super) enum Occurrence<'a> {
    Never,
    Once(&'a HeaderValue),
    Repeated,
}

pub(super) fn occurrence(headers: &HeaderMap, name: HeaderName) -> Occurrence<'_> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Occurrence::Never,
        (Some(value), None) => Occurrence::Once(value),
        (Some(_), Some(_)) => Occurrence::Repeated,
    }
}

/// Takes off spaces and tabs at both ends ("OWS", RFC 9110 §5.6.3), and nothing else that Unicode or C call whitespace.
pub(super) fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::header::CONNECTION;

    fn headers(lines: &[&'static [u8]]) -> HeaderMap {
        lines.iter().map(|line| (CONNECTION, HeaderValue::from_bytes(line).unwrap())).collect()
    }

    #[test]
    fn a_token_is_found_in_any_line_place_and_case() {
        for lines in [
            &[&b"upgrade"[..]][..],
            &[b"keep-alive, Upgrade"],
            &[b"keep-alive", b"close ,\tUPGRADE\t, x"],
            &[b",,upgrade,"],
        ] {
            assert!(has_token(&headers(lines), CONNECTION, "upgrade"), "{lines:?}");
        }
    }

    #[test]
    fn a_part_of_a_word_is_not_the_token() {
        for lines in [
            &[][..],
            &[&b""[..]],
            &[b"upgrades"],
            &[b"up grade"],
            &[b"\"upgrade\""],
            &[b"upgrade\xa0"],
            &[b"up", b"grade"],
        ] {
            assert!(!has_token(&headers(lines), CONNECTION, "upgrade"), "{lines:?}");
        }
    }
}
