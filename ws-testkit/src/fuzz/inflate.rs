//! Compressed messages: what arrives has limits, what we compress is read back.

use super::choose::Choices;
use super::outcome::outcome;
use crate::{Chunks, Feed, Observed, Probe, strategies};
use ws_proto::{Config, Message, Negotiated, Role};

/// Either what a peer may call compressed, which ends within the limits and the same however it is cut, or messages that one end of ours
/// compresses and the other reads back.
///
/// # Panics
/// Where one of these does not hold.
pub fn inflate(data: &[u8]) {
    let mut choices = Choices::new(data);
    let role = choices.role();
    let params = choices.params();
    if choices.any() {
        let [from, to] = [role, role.peer()].map(|role| Negotiated::new(role).with_deflate(params));
        round_trip(choices, from, to);
    } else {
        hostile(choices, &Negotiated::new(role).with_deflate(params));
    }
}

fn hostile(mut choices: Choices<'_>, negotiated: &Negotiated) {
    let (how, chunks) = (choices.feed(), choices.chunks());
    let limit = choices.up_to(1 << 21);
    let deflate = choices.deflate_config();
    let settings = || crate::config().max_message_bytes(limit).deflate(deflate.clone());
    let mut wire = Vec::new();
    while !choices.is_empty() && wire.len() < 1 << 15 {
        let opcode = if choices.any() { 1 } else { 2 };
        let sizes = [choices.up_to(20), choices.up_to(200)];
        let fragments = choices.up_to(2);
        let payload = choices.bytes(2_000);
        let mut frames = strategies::fragmented(opcode, payload, sizes.get(..fragments).unwrap_or_default());
        if let Some(first) = frames.first_mut() {
            first.rsv = 4;
        }
        wire.extend(frames.into_iter().flat_map(|frame| frame.sent_by(negotiated.role().peer()).to_bytes()));
    }
    let whole = outcome(negotiated, settings(), &wire, Feed::Borrowed, Chunks::whole());
    for event in &whole.events {
        if let Observed::Message(message) = event {
            assert!(message.len() <= limit, "the limit holds");
        }
    }
    assert!(outcome(negotiated, settings(), &wire, how, chunks) == whole, "the same however it arrives");
}

fn round_trip(mut choices: Choices<'_>, from: Negotiated, to: Negotiated) {
    let fragment_bytes = Some(choices.up_to(100) + 1).filter(|_| choices.any());
    let settings = crate::config().deflate(choices.deflate_config()).fragment_bytes(fragment_bytes);
    let config = build(settings.max_send_queue_bytes(usize::MAX));
    let mut from = Probe::with(from, config);
    // A ratio that no text of ours reaches, because repetition is what a fuzzer likes.
    let deflate = ws_proto::deflate::DeflateConfig { max_ratio: u32::MAX, ..Default::default() };
    let mut to = Probe::with(to, build(crate::config().deflate(deflate)));
    let mut expected = Vec::new();
    while !choices.is_empty() && expected.len() < 50 {
        let bytes = choices.bytes(2_000).repeat(choices.up_to(30) + 1);
        let message = match String::from_utf8(bytes) {
            Ok(text) => Message::from(text),
            Err(error) => Message::from(error.into_bytes()),
        };
        expected.push(Observed::Message(message.clone()));
        send(&mut choices, &mut from, message);
    }
    to.receive_in(from.wire(), choices.feed(), choices.chunks());
    assert!(to.events == expected, "what was sent arrives");
}

/// Sends `message` in one of the ways there are.
fn send(choices: &mut Choices<'_>, from: &mut Probe, message: Message) {
    let sent = match choices.up_to(3) {
        0 => from.connection.send(message).is_ok(),
        1 => from.connection.send_uncompressed(message).is_ok(),
        2 => from.connection.send_prepared(&ws_proto::Prepared::new(message)).is_ok(),
        _ => {
            let kind = message.kind();
            let mut rest = message.into_bytes();
            let mut sent = true;
            for _ in 0..choices.up_to(3) {
                // Fragments of a text may split a character.
                let front = rest.split_to(choices.up_to(rest.len()));
                sent &= from.connection.send_fragment(kind, front, false).is_ok();
            }
            sent && from.connection.send_fragment(kind, rest, true).is_ok()
        }
    };
    assert!(sent, "an open connection with an endless queue takes it");
    if from.connection.role() == Role::Server && choices.any() {
        // Contexts come from a pool, and go back to it.
        let mut pool = ws_proto::Pool::new();
        from.connection.lend(&mut pool);
        from.connection.reclaim(&mut pool);
    }
}

fn build(settings: ws_proto::ConfigBuilder) -> Config {
    match settings.build() {
        Ok(config) => config,
        Err(error) => panic!("settings of a target are valid: {error}"),
    }
}
