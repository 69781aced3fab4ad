//! The way to a WebSocket through redirects: whom to ask, and what. No stream is opened here.

use crate::builder::ClientBuilder;
use crate::target::Target;
use crate::{Error, observe, redirect};
use ws_proto::http::{HeaderMap, Request, header, request};

/// Whom to ask next, and what.
#[derive(Debug)]
pub(crate) struct Journey<'a> {
    settings: &'a ClientBuilder,
    parts: request::Parts,
    target: Target,
    /// Behind a redirect to another origin we do not say who we are.
    identity: bool,
    followed: u8,
}

impl<'a> Journey<'a> {
    pub(crate) fn new(settings: &'a ClientBuilder, request: Request<()>) -> Result<Self, Error> {
        if settings.broken_credentials {
            return Err(Error::Credentials);
        }
        let (mut parts, ()) = request.into_parts();
        parts.headers = settings.with_headers_of(parts.headers);
        let target = Target::new(parts.uri.clone())?;
        observe::target(&target);
        Ok(Self { settings, parts, target, identity: true, followed: 0 })
    }

    /// Whom to ask.
    pub(crate) const fn target(&self) -> &Target {
        &self.target
    }

    /// May it see who we are by a client certificate?
    pub(crate) const fn identity(&self) -> bool {
        self.identity
    }

    /// What to ask.
    pub(crate) fn request(&self) -> Request<()> {
        let mut parts = self.parts.clone();
        parts.uri = self.target.uri.clone();
        if let Some(jar) = &self.settings.cookies
            && !parts.headers.contains_key(header::COOKIE)
            && let Some(mut cookies) = jar.cookies(&self.target.uri)
        {
            cookies.set_sensitive(true);
            parts.headers.insert(header::COOKIE, cookies);
        }
        Request::from_parts(parts, ())
    }

    /// Keeps the cookies of an answer.
    pub(crate) fn keep_cookies(&self, headers: &HeaderMap) {
        if let Some(jar) = &self.settings.cookies
            && headers.contains_key(header::SET_COOKIE)
        {
            jar.set_cookies(&self.target.uri, &mut headers.get_all(header::SET_COOKIE).iter());
        }
    }

    /// The answer was another. Either it leads on, or it is the end.
    pub(crate) fn go_on(&mut self, error: Error) -> Result<(), Error> {
        let Error::Refused(refusal) = &error else { return Err(error) };
        self.keep_cookies(&refusal.headers);
        let next =
            self.settings.redirects.next(&self.target, refusal.status, &refusal.headers, self.followed)?;
        let Some(next) = next else { return Err(error) };
        observe::redirected(&next);
        if !next.same_origin(&self.target) {
            redirect::drop_credentials(&mut self.parts.headers);
            self.identity = false;
        }
        self.followed = self.followed.saturating_add(1);
        self.target = next;
        observe::target(&self.target);
        Ok(())
    }
}
