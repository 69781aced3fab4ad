//! The grammar of `Sec-WebSocket-Extensions` ([RFC 6455 §9.1]) over bytes, in one pass without backtracking.
//!
//! ```text
//! extension-list  = 1#extension                          several header lines are one list
//! extension       = extension-token *( ";" extension-param )
//! extension-param = token [ "=" ( token | quoted-string ) ]
//! ```
//!
//! Spaces and tabs may stand around `,`, `;` and `=`; empty elements of the list are ignored ([RFC 9110 §5.6.1.2]),
//! but one element there must be.
//!
//! [RFC 6455 §9.1]: https://www.rfc-editor.org/rfc/rfc6455#section-9.1
//! [RFC 9110 §5.6.1.2]: https://www.rfc-editor.org/rfc/rfc9110#section-5.6.1.2

use std::borrow::Cow;

/// One element of the list: an extension that is offered, or was accepted, with its parameters in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Extension<'a> {
    /// Invariant: a token.
    pub(crate) name: &'a [u8],
    pub(crate) params: Vec<Param<'a>>,
}

/// A parameter of an extension. Names may repeat: what that means is up to the extension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Param<'a> {
    /// Invariant: a token.
    pub(crate) name: &'a [u8],
    /// Invariant: a token, after unquoting too.
    pub(crate) value: Option<Cow<'a, [u8]>>,
}

/// The header does not follow the grammar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

/// Reads the values of all header lines as one list. The cost is linear in the number of bytes.
pub(crate) fn parse<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<Extension<'a>>, Malformed> {
    let mut extensions = Vec::new();
    for line in lines {
        // A quoted string cannot go on in the next line: the comma that joins the lines would be no token inside the
        // quotes.
        let mut cursor = Cursor { rest: line };
        loop {
            cursor.skip_whitespace();
            match cursor.peek() {
                None => break,
                Some(b',') => cursor.skip(1),
                Some(_) => {
                    extensions.push(cursor.extension()?);
                    if !matches!(cursor.peek(), None | Some(b',')) {
                        return Err(Malformed);
                    }
                }
            }
        }
    }
    if extensions.is_empty() { Err(Malformed) } else { Ok(extensions) }
}

/// Is it a token (RFC 9110 §5.6.2): at least one character, visible ASCII without delimiters?
pub(crate) fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().copied().all(is_token_char)
}

const fn is_token_char(byte: u8) -> bool {
    matches!(byte,
        b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~'
        | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z')
}

struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    /// Reads one element, and the whitespace behind it.
    fn extension(&mut self) -> Result<Extension<'a>, Malformed> {
        let name = self.token()?;
        let mut params = Vec::new();
        self.skip_whitespace();
        while self.eat(b';') {
            params.push(self.param()?);
        }
        Ok(Extension { name, params })
    }

    fn param(&mut self) -> Result<Param<'a>, Malformed> {
        self.skip_whitespace();
        let name = self.token()?;
        self.skip_whitespace();
        let value = if self.eat(b'=') {
            self.skip_whitespace();
            let value = if self.eat(b'"') { self.quoted_token()? } else { Cow::Borrowed(self.token()?) };
            self.skip_whitespace();
            Some(value)
        } else {
            None
        };
        Ok(Param { name, value })
    }

    fn token(&mut self) -> Result<&'a [u8], Malformed> {
        let len = self.rest.iter().take_while(|&&byte| is_token_char(byte)).count();
        let (token, rest) = self.rest.split_at_checked(len).ok_or(Malformed)?;
        self.rest = rest;
        if token.is_empty() { Err(Malformed) } else { Ok(token) }
    }

    /// Reads what stands behind an opening quote, and the closing quote. §9.1: "the value after quoted-string
    /// unescaping MUST conform to the 'token' ABNF".
    fn quoted_token(&mut self) -> Result<Cow<'a, [u8]>, Malformed> {
        let mut value = Cow::Borrowed(self.token().unwrap_or_default());
        loop {
            match self.rest {
                [b'"', rest @ ..] if !value.is_empty() => {
                    self.rest = rest;
                    return Ok(value);
                }
                [b'\\', byte, rest @ ..] if is_token_char(*byte) => {
                    value.to_mut().push(*byte);
                    self.rest = rest;
                }
                [byte, rest @ ..] if is_token_char(*byte) => {
                    value.to_mut().push(*byte);
                    self.rest = rest;
                }
                _ => return Err(Malformed),
            }
        }
    }

    fn skip_whitespace(&mut self) {
        while let [b' ' | b'\t', rest @ ..] = self.rest {
            self.rest = rest;
        }
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        if found {
            self.skip(1);
        }
        found
    }

    fn skip(&mut self, n: usize) {
        self.rest = self.rest.get(n..).unwrap_or_default();
    }

    fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }
}

#[cfg(test)]
mod tests;
