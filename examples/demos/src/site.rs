//! The files of a page, which are in the program.

use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, Response};

/// One file of a page.
#[derive(Clone, Copy, Debug)]
pub struct File {
    path: &'static str,
    content_type: &'static str,
    body: &'static [u8],
}

impl File {
    /// A page.
    #[must_use]
    pub const fn html(path: &'static str, body: &'static str) -> Self {
        Self::new(path, "text/html; charset=utf-8", body.as_bytes())
    }

    /// A module of JavaScript.
    #[must_use]
    pub const fn script(path: &'static str, body: &'static str) -> Self {
        Self::new(path, "text/javascript; charset=utf-8", body.as_bytes())
    }

    /// A style sheet.
    #[must_use]
    pub const fn style(path: &'static str, body: &'static str) -> Self {
        Self::new(path, "text/css; charset=utf-8", body.as_bytes())
    }

    /// A drawing.
    #[must_use]
    pub const fn svg(path: &'static str, body: &'static str) -> Self {
        Self::new(path, "image/svg+xml", body.as_bytes())
    }

    /// A file of any other kind.
    #[must_use]
    pub const fn new(path: &'static str, content_type: &'static str, body: &'static [u8]) -> Self {
        Self { path, content_type, body }
    }
}

/// What the pages of all demos use.
pub const SHARED: [File; 3] = [
    File::style("/shared/base.css", include_str!("../pages/shared/base.css")),
    File::script("/shared/socket.js", include_str!("../pages/shared/socket.js")),
    File::svg("/favicon.svg", include_str!("../pages/shared/favicon.svg")),
];

/// The files of one demo, and the [shared](SHARED) ones.
#[derive(Debug)]
pub struct Site {
    files: Vec<File>,
}

impl Site {
    /// These files, beside the shared ones.
    #[must_use]
    pub fn new(files: &[File]) -> Self {
        Self { files: [&SHARED, files].concat() }
    }

    /// The file at this path, as an answer.
    #[must_use]
    pub fn answer(&self, path: &str) -> Option<Response<Bytes>> {
        let file = self.files.iter().find(|file| file.path == path)?;
        let mut response = Response::new(Bytes::from_static(file.body));
        let headers: &mut HeaderMap = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(file.content_type));
        headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        // A page and its server belong together: an old script must not meet a new server.
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        Some(response)
    }
}

/// Nothing from anywhere else, and nothing inline.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_come_with_their_type_and_a_policy() {
        let site = Site::new(&[File::html("/", "<!doctype html>")]);
        let page = site.answer("/").expect("there is a page");
        assert_eq!(page.headers()[CONTENT_TYPE], "text/html; charset=utf-8");
        assert_eq!(page.headers()[CONTENT_SECURITY_POLICY], POLICY);
        assert_eq!(page.body(), "<!doctype html>");
        let script = site.answer("/shared/socket.js").expect("shared by all");
        assert_eq!(script.headers()[CONTENT_TYPE], "text/javascript; charset=utf-8");
    }

    #[test]
    fn other_paths_have_no_file() {
        assert!(Site::new(&[]).answer("/../Cargo.toml").is_none());
    }
}
