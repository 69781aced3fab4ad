//! The receive path of both roles.

use super::choose::Choices;
use super::outcome::{Outcome, outcome};
use crate::{Chunks, Feed, put_together};
use ws_proto::Delivery;
use ws_proto::deflate::DeflateConfig;

/// A conversation that is hostile: however it is cut and handed over, the outcome is the same, there is one terminal event, and what leaves
/// is legal.
///
/// # Panics
/// Where one of these does not hold.
pub fn receive(data: &[u8]) {
    let mut choices = Choices::new(data);
    let role = choices.role();
    let negotiated = choices.negotiated(role);
    let (how, chunks) = (choices.feed(), choices.chunks());
    let is_small: bool = choices.any();
    let settings = || {
        let deflate = DeflateConfig { max_ratio: 100, ..DeflateConfig::default() };
        let settings = crate::config().deflate(deflate);
        if is_small {
            settings.max_message_bytes(300).max_frame_bytes(250).max_fragments(7).max_control_frames(20)
        } else {
            settings.max_message_bytes(1 << 20)
        }
    };
    let wire = choices.wire(role.peer());
    let whole = outcome(&negotiated, settings(), &wire, Feed::Borrowed, Chunks::whole());
    let pieces = outcome(&negotiated, settings(), &wire, how, chunks.clone());
    assert_eq!(pieces, whole, "the same outcome however it arrives");
    let streaming = settings().delivery(Delivery::Streaming);
    let Outcome { events, frames } = outcome(&negotiated, streaming, &wire, how, chunks);
    assert_eq!(Outcome { events: put_together(events), frames }, whole, "streaming tells the same");
}
