//! Telling somebody of every frame.

use super::Connection;
use crate::frame::Header;
use crate::{Delivery, Role};
use std::fmt;

/// Which way a frame goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The peer has sent it.
    Received,
    /// We send it: it was queued.
    Sent,
}

/// Who is told of every frame; see [`Connection::observe_frames`].
pub(super) struct Observer(Box<Observe>);

type Observe = dyn FnMut(Direction, &Header) + Send + Sync;

/// Which short ways may be gone: both see neither an observer nor an unusual setting.
#[derive(Clone, Copy, Debug)]
pub(super) struct ShortWays {
    /// May a message be taken out of the input as a whole?
    pub(super) receive: bool,
    /// May a small message be copied behind its header?
    pub(super) send: bool,
}

impl Connection {
    /// Shows `observer` the header of every frame from now on, received and sent, in the order of each direction: for looking at one
    /// connection that behaves badly. A received one is shown as soon as its header has come, before it is checked against the state of the
    /// connection; what cannot be read as a header is told by the failure alone. Payloads are not shown.
    ///
    /// While it is on, every message goes the general way, so it costs some instructions a message beside the observer's own; off, it costs
    /// none.
    pub fn observe_frames(&mut self, observer: impl FnMut(Direction, &Header) + Send + Sync + 'static) {
        self.observer = Some(Box::new(Observer(Box::new(observer))));
        self.short_ways = ShortWays { receive: false, send: false };
    }

    /// Ends what [`observe_frames`](Self::observe_frames) began.
    pub fn stop_observing(&mut self) {
        self.observer = None;
        self.short_ways = ShortWays::of(&self.config, self.role());
    }

    /// A frame was received or queued. By value, so that the header need not lie in memory where nobody looks at it.
    #[inline]
    pub(super) fn show(&mut self, direction: Direction, header: Header) {
        if self.observer.is_some() {
            self.show_to_observer(direction, header);
        }
    }

    #[cold]
    fn show_to_observer(&mut self, direction: Direction, header: Header) {
        if let Some(observer) = &mut self.observer {
            (observer.0)(direction, &header);
        }
    }
}

impl ShortWays {
    /// Those of a connection that is not observed.
    pub(super) fn of(config: &crate::Config, role: Role) -> Self {
        Self {
            receive: config.delivery() == Delivery::Whole,
            send: role == Role::Server && config.fragment_bytes().is_none(),
        }
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observer")
    }
}
