//! A host and a port, as `Host` and `Origin` name them ([RFC 3986 §3.2]).
//!
//! [RFC 3986 §3.2]: https://www.rfc-editor.org/rfc/rfc3986#section-3.2

use std::fmt;
use std::net::Ipv6Addr;

/// A host and a port, in a form that can be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Authority {
    /// In lower case; an IPv6 address in brackets, in the form of RFC 5952.
    pub(crate) host: Box<str>,
    /// None where none was written.
    pub(crate) port: Option<u16>,
}

impl Authority {
    pub(crate) fn parse(text: &[u8]) -> Result<Self, AuthorityError> {
        let text = std::str::from_utf8(text).map_err(|_| AuthorityError::Host)?;
        if text.contains('@') {
            return Err(AuthorityError::Userinfo);
        }
        let (host, port) = if let Some(rest) = text.strip_prefix('[') {
            let (address, rest) = rest.split_once(']').ok_or(AuthorityError::Host)?;
            let address: Ipv6Addr = address.parse().map_err(|_| AuthorityError::Host)?;
            let port = match rest {
                "" => None,
                rest => Some(rest.strip_prefix(':').ok_or(AuthorityError::Host)?),
            };
            (format!("[{address}]"), port)
        } else {
            let (name, port) = match text.split_once(':') {
                Some((name, port)) => (name, Some(port)),
                None => (text, None),
            };
            // Browsers send what URLs allow: letters, digits and a few signs (RFC 3986 §3.2.2), percent signs never.
            let is_name = !name.is_empty()
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(&byte));
            if !is_name {
                return Err(AuthorityError::Host);
            }
            (name.to_ascii_lowercase(), port)
        };
        let port = port.map(parse_port).transpose()?;
        Ok(Self { host: host.into(), port })
    }
}

/// Digits only, without a sign or zeros in front: `u16::from_str` alone takes more.
fn parse_port(text: &str) -> Result<u16, AuthorityError> {
    let digits = !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(port) if digits => Ok(port),
        Ok(_) | Err(_) => Err(AuthorityError::Port),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AuthorityError {
    Userinfo,
    Host,
    Port,
}

impl fmt::Display for AuthorityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Userinfo => "there is a user or a password before the host",
            Self::Host => "the host is none, or something stands behind it",
            Self::Port => "the port is none from 1 to 65535, or something stands behind it",
        })
    }
}
