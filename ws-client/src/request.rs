//! What to connect to, and with which headers.

use crate::{Error, UrlError};
use ws_proto::http::{Request, Uri};

/// What [`Client::connect`](crate::Client::connect) takes: the text of a URL, an `http::Uri`, or an `http::Request<()>` with headers for
/// this one connection.
///
/// A request needs no header at all, least of all those of the handshake, which are refused with [`Error::Misuse`]. A header of the
/// request replaces those of the same name that the [client has](crate::ClientBuilder::header). Method and version are left as
/// `http::Request` sets them (GET, HTTP/1.1).
pub trait IntoRequest {
    /// Makes a request of it.
    ///
    /// # Errors
    /// [`Error::Url`] where it is not the URL of a WebSocket.
    fn into_request(self) -> Result<Request<()>, Error>;
}

impl IntoRequest for &str {
    fn into_request(self) -> Result<Request<()>, Error> {
        // What is beyond ASCII has to be encoded: in the host by IDNA, elsewhere by percent signs. Which was meant, nobody can know here.
        if !self.is_ascii() {
            return Err(UrlError::NotAscii.into());
        }
        // Looked for in the text, because `Uri` drops it without a word.
        if self.contains('#') {
            return Err(UrlError::Fragment.into());
        }
        let uri: Uri = self.parse().map_err(|_| UrlError::Malformed)?;
        uri.into_request()
    }
}

impl IntoRequest for &String {
    fn into_request(self) -> Result<Request<()>, Error> {
        self.as_str().into_request()
    }
}

impl IntoRequest for String {
    fn into_request(self) -> Result<Request<()>, Error> {
        self.as_str().into_request()
    }
}

impl IntoRequest for Uri {
    fn into_request(self) -> Result<Request<()>, Error> {
        let mut request = Request::new(());
        *request.uri_mut() = self;
        Ok(request)
    }
}

impl IntoRequest for &Uri {
    fn into_request(self) -> Result<Request<()>, Error> {
        self.clone().into_request()
    }
}

impl IntoRequest for Request<()> {
    fn into_request(self) -> Result<Request<()>, Error> {
        Ok(self)
    }
}

impl IntoRequest for &Request<()> {
    fn into_request(self) -> Result<Request<()>, Error> {
        Ok(self.clone())
    }
}
