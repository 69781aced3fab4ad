//! What the tests of several sections share.
#![allow(dead_code, clippy::allow_attributes, reason = "each test binary uses a part of it")]

use proptest::prelude::ProptestConfig;
use ws_proto::{ControlPayload, Failure, Message, Negotiated, Role, SendRefusal};
use ws_testkit::raw::{self, RawFrame};
use ws_testkit::{Observed, Probe, config};

/// Both roles of the connection under test.
pub(crate) const ROLES: [Role; 2] = [Role::Client, Role::Server];

/// The bytes of frames as the peer of `receiver` writes them.
pub(crate) fn bytes_for(receiver: Role, frames: impl IntoIterator<Item = RawFrame>) -> Vec<u8> {
    frames.into_iter().flat_map(|frame| frame.sent_by(receiver.peer()).to_bytes()).collect()
}

/// So many random cases; a failure is printed whole, and no file is kept.
pub(crate) fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// A probe that fails nothing by its default limits of messages and frames.
pub(crate) fn probe_with_limit(role: Role, max_message_bytes: usize) -> Probe {
    let config = config().max_message_bytes(max_message_bytes).build().unwrap();
    Probe::with(Negotiated::new(role), config)
}

/// The Close frame that tells a failure.
pub(crate) fn close_frame_of(failure: &Failure) -> RawFrame {
    let mut reason = failure.to_string();
    reason.truncate(ControlPayload::MAX_BYTES - 2);
    RawFrame::close(failure.close_code().get(), reason)
}

/// The probe has just been given a violation. Checks everything that must follow, however it was violated:
/// the event names the rule, once; exactly one Close frame leaves, with the right code, as its very bytes; later input is ignored;
/// nothing can be sent; and the failure goes on being told.
pub(crate) fn assert_failed(probe: &mut Probe, expected: impl Into<Failure>) {
    let expected = expected.into();
    let role = probe.connection.role();
    assert_eq!(
        probe.events.last(),
        Some(&Observed::Failed(expected.clone())),
        "{role:?}: the event names the rule"
    );
    assert_eq!(
        probe.events.iter().filter(|event| event.is_terminal()).count(),
        1,
        "{role:?}: one terminal event"
    );

    let wire = probe.wire();
    let frames = raw::read_all(&wire).unwrap();
    let close = frames.last().expect("a Close frame leaves");
    assert_eq!(frames.iter().filter(|frame| frame.opcode == 8).count(), 1, "{role:?}: one Close frame");
    let mut expected_close = close_frame_of(&expected);
    expected_close.mask = close.mask;
    assert_eq!(close.mask.is_some(), role == Role::Client, "{role:?}: masked as the role must");
    assert!(wire.ends_with(&expected_close.to_bytes()), "{role:?}: {close:?} is not {expected_close:?}");

    let told = probe.events.len();
    let later = [
        RawFrame::ping("later"),
        RawFrame::text("later"),
        RawFrame::close(1000, "later"),
        RawFrame::new(3, "later"),
    ];
    probe.receive(bytes_for(role, later));
    assert_eq!(probe.events.len(), told, "{role:?}: later input tells nothing");
    let refused = probe.connection.send(Message::from("later")).unwrap_err();
    assert_eq!(refused.refusal(), SendRefusal::Closed);
    assert_eq!(refused.into_rejected(), Message::from("later"), "what was refused is given back");
    probe.connection.close(ws_proto::CloseCode::NORMAL, "later", probe.clock.now()).unwrap();
    assert!(probe.wire().is_empty(), "{role:?}: nothing leaves behind the Close frame");
    assert_eq!(probe.connection.failure(), Some(&expected), "{role:?}: the failure goes on being told");
    probe.end_of_stream();
    probe.time_out();
    assert_eq!((probe.events.len(), probe.wire().len()), (told, 0), "{role:?}: nothing follows the end");
}

/// `frames` make a connection of each role fail like this.
pub(crate) fn both_roles_fail(
    frames: impl IntoIterator<Item = RawFrame> + Clone,
    expected: impl Into<Failure> + Clone,
) {
    for role in ROLES {
        let mut probe = Probe::new(role);
        probe.receive_frames(frames.clone());
        assert_failed(&mut probe, expected.clone());
    }
}
