//! Operations on two connections that talk to each other.

use super::choose::Choices;
use crate::{Observed, SimPair, raw};
use std::sync::Arc;
use std::time::Duration;
use ws_proto::{
    CloseCode, ConfigBuilder, ControlPayload, Delivery, Message, MessageKind, Negotiated, Prepared, Role,
};

/// What was done to the line, which decides what may be expected of it.
#[derive(Default)]
struct Line {
    spoilt: bool,
    /// Messages that each end was allowed to send: the client, the server.
    sent: [Vec<Message>; 2],
    /// What each end sent of a message piece by piece.
    open: [Option<(MessageKind, Vec<u8>)>; 2],
}

/// Sends, fragments, pings, closes, time, stalls, reads and writes of any size, and sometimes bytes that nobody sent: both ends close in
/// time, what each wrote is legal, nothing is lost, doubled or reordered, and each tells one end.
///
/// # Panics
/// Where one of these does not hold.
pub fn pair(data: &[u8]) {
    let mut choices = Choices::new(data);
    let mut pair = new(&mut choices);
    let mut line = Line::default();
    for _ in 0..200 {
        if choices.is_empty() {
            break;
        }
        let role = choices.role();
        operate(&mut choices, &mut pair, &mut line, role);
    }
    finish(&mut pair, &mut line);
    check(&mut pair, &line);
}

fn new(choices: &mut Choices<'_>) -> SimPair {
    let params = choices.any::<bool>().then(|| choices.params());
    let negotiated = [Role::Client, Role::Server].map(|role| {
        let negotiated = Negotiated::new(role);
        if let Some(params) = params { negotiated.with_deflate(params) } else { negotiated }
    });
    let mut config = || match settings(choices).build() {
        Ok(config) => Arc::new(config),
        Err(error) => panic!("settings of a target are valid: {error}"),
    };
    let configs = [config(), config()];
    let mut pair = SimPair::with(negotiated, configs);
    pair.latency = Duration::from_millis(choices.any::<u8>().into());
    pair
}

fn settings(choices: &mut Choices<'_>) -> ConfigBuilder {
    let mut settings = crate::config().deflate(choices.deflate_config());
    if choices.any() {
        settings = settings.fragment_bytes(Some(choices.up_to(300) + 1));
    }
    if choices.any() {
        settings = settings.max_send_queue_bytes(choices.up_to(2_000) + 1);
    }
    if choices.any() {
        settings = settings.idle_timeout(Some(Duration::from_secs(60)));
    }
    if choices.any() { settings.delivery(Delivery::Streaming) } else { settings }
}

fn operate(choices: &mut Choices<'_>, pair: &mut SimPair, line: &mut Line, role: Role) {
    let now = pair.clock.now();
    let i = usize::from(role == Role::Server);
    match choices.up_to(15) {
        0..=2 => {
            let message = message(choices);
            let end = pair.end(role);
            let sent = match choices.up_to(2) {
                0 => end.connection.send(message.clone()).is_ok(),
                1 => end.connection.send_uncompressed(message.clone()).is_ok(),
                _ => end.connection.send_prepared(&Prepared::new(message.clone())).is_ok(),
            };
            if sent && let Some(sent) = line.sent.get_mut(i) {
                sent.push(message);
            }
        }
        3 | 4 => fragment(choices, pair, line, role),
        5 => {
            let payload = ControlPayload::try_from(choices.bytes(125)).unwrap_or_default();
            let _refused = pair.end(role).connection.ping(payload, now).is_err();
        }
        6 => {
            let code = CloseCode::new(choices.any()).unwrap_or(CloseCode::NO_STATUS);
            let reason = String::from_utf8_lossy(choices.bytes(200)).into_owned();
            assert!(pair.end(role).connection.close(code, &reason, now).is_ok());
        }
        7 => pair.end(role).reads = choices.chunks(),
        8 => pair.end(role).writes = choices.chunks(),
        9 => pair.end(role).write_room = Some(choices.up_to(3_000)),
        10 => pair.end(role).write_room = None,
        11 => pair.end(role).is_busy = choices.any(),
        12 => pair.settle(),
        13 | 14 => pair.run_for(Duration::from_millis(u64::from(choices.any::<u16>()) * 4)),
        _ => spoil(choices, pair, line, role),
    }
}

fn message(choices: &mut Choices<'_>) -> Message {
    let bytes = choices.bytes(400).repeat(choices.up_to(20) + 1);
    match String::from_utf8(bytes) {
        Ok(text) => Message::from(text),
        Err(error) => Message::from(error.into_bytes()),
    }
}

fn fragment(choices: &mut Choices<'_>, pair: &mut SimPair, line: &mut Line, role: Role) {
    let i = usize::from(role == Role::Server);
    let kind = if choices.any() { MessageKind::Text } else { MessageKind::Binary };
    let (payload, fin) = (choices.bytes(400), choices.any());
    let sent = pair.end(role).connection.send_fragment(kind, payload.to_vec().into(), fin);
    let (Ok(()), Some(open), Some(whole)) = (sent, line.open.get_mut(i), line.sent.get_mut(i)) else {
        return;
    };
    let (_, bytes) = open.get_or_insert_with(|| (kind, Vec::new()));
    bytes.extend_from_slice(payload);
    if fin && let Some((kind, bytes)) = open.take() {
        whole.push(match (kind, String::from_utf8(bytes)) {
            (MessageKind::Text, Ok(text)) => Message::from(text),
            (MessageKind::Text, Err(_)) => panic!("a text was sent that is not UTF-8"),
            (MessageKind::Binary, Ok(text)) => Message::from(text.into_bytes()),
            (MessageKind::Binary, Err(error)) => Message::from(error.into_bytes()),
        });
    }
}

/// Something happens to the line, after which less can be expected.
fn spoil(choices: &mut Choices<'_>, pair: &mut SimPair, line: &mut Line, role: Role) {
    match choices.up_to(3) {
        0 => pair.cut(),
        1 => pair.inject_end(role),
        2 => pair.inject(role, choices.bytes(300)),
        _ => pair.inject(role, choices.frame().sent_by(role.peer()).to_bytes()),
    }
    line.spoilt = true;
}

/// Nothing holds the ends back any more, and one of them closes.
fn finish(pair: &mut SimPair, line: &mut Line) {
    for role in [Role::Client, Role::Server] {
        let end = pair.end(role);
        (end.is_busy, end.write_room) = (false, None);
    }
    pair.settle();
    let now = pair.clock.now();
    assert!(pair.client.connection.close(CloseCode::NORMAL, "", now).is_ok());
    if line.spoilt {
        // The other end may never hear of it.
        pair.run_for(Duration::from_secs(60));
        let now = pair.clock.now();
        assert!(pair.server.connection.close(CloseCode::NORMAL, "", now).is_ok());
    }
    pair.run_until_closed();
}

fn check(pair: &mut SimPair, line: &Line) {
    let deflate = pair.client.connection.negotiated().deflate().is_some();
    for (end, sent) in [(&mut pair.client, &line.sent[1]), (&mut pair.server, &line.sent[0])] {
        let role = end.connection.role();
        let terminal = end.events.iter().filter(|event| event.is_terminal()).count();
        assert_eq!(terminal, 1, "{role:?} tells one end");
        // Where the other end took too little until the time was over, the last frame may be written in part.
        let cut_short = !end.connection.transmit().is_empty();
        match raw::read_legal(&end.sent, role, deflate) {
            Ok(_) => {}
            Err(raw::Fault::Truncated) if line.spoilt || cut_short => {}
            Err(fault) => panic!("what {role:?} wrote is not legal: {fault}"),
        }
        if line.spoilt {
            continue;
        }
        let received: Vec<Message> = crate::put_together(end.events.iter().cloned())
            .into_iter()
            .filter_map(|event| if let Observed::Message(message) = event { Some(message) } else { None })
            .collect();
        assert!(sent.starts_with(&received), "{role:?} received what was sent, in its order");
        if end.connection.close_info().is_some() {
            assert_eq!(received.len(), sent.len(), "{role:?} received all before a clean close");
        }
    }
}
