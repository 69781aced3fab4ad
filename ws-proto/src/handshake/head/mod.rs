//! The head of an HTTP/1.1 message ([RFC 9112 §2.1]): the start line and the headers, up to the empty line.
//!
//! Stricter than RFC 9112 asks for wherever two readers of the same bytes could understand them differently (request
//! smuggling): a line ends in CRLF only, nothing is folded, no name is followed by whitespace, no control character
//! stands anywhere.
//!
//! [RFC 9112 §2.1]: https://www.rfc-editor.org/rfc/rfc9112#section-2.1

mod parse;
mod reader;
mod write;

pub(super) use parse::{parse_request, parse_response};
pub(super) use reader::{HeadReader, StartLine};
pub(super) use write::{write_request, write_response};
