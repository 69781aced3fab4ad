//! Messages that are too long or in too many pieces (§10.4).

use super::*;

#[test]
fn a_message_of_100_000_empty_fragments_fails_with_1008() {
    for role in ROLES {
        let first = bytes_for(role, [RawFrame::binary("").unfinished()]);
        let fragment = bytes_for(role, [RawFrame::continuation("").unfinished()]);
        let mut probe = Probe::new(role);
        probe.receive([first, fragment.repeat(99_999)].concat());
        assert_failed(&mut probe, LimitError::TooManyFragments { limit: 65_536, actual: 65_537 });
    }
}

#[test]
fn a_message_of_65_536_fragments_of_64_bytes_is_legal_and_one_more_is_not() {
    for role in ROLES {
        let first = bytes_for(role, [RawFrame::binary([7; 64]).unfinished()]);
        let middle = bytes_for(role, [RawFrame::continuation([7; 64]).unfinished()]);
        let last = bytes_for(role, [RawFrame::continuation([7; 64])]);
        let mut probe = Probe::new(role);
        probe.receive([&first[..], &middle.repeat(65_534), &last].concat());
        assert_eq!(probe.events, [Observed::Message(vec![7; 65_536 * 64].into())]);
        let mut probe = Probe::new(role);
        probe.receive([&first[..], &middle.repeat(65_535), &last].concat());
        assert_failed(&mut probe, LimitError::TooManyFragments { limit: 65_536, actual: 65_537 });
    }
}

/// What a probe of `role` says to a message of 80 MiB whose frames are so long.
fn after_80_mib(role: Role, frame_bytes: usize) -> Probe {
    let first = RawFrame::binary(vec![7; frame_bytes]).unfinished();
    let middle = RawFrame::continuation(vec![7; frame_bytes]).unfinished();
    let middle = bytes_for(role, [middle]);
    let mut probe = Probe::new(role);
    probe.receive(bytes_for(role, [first]));
    let frames = (80 << 20) / frame_bytes;
    for _ in 1..frames {
        probe.receive(&middle);
    }
    probe
}

#[test]
fn eighty_mib_assembled_from_frames_of_one_mib_fail_with_1009_as_the_17th_begins() {
    for role in ROLES {
        let mut probe = after_80_mib(role, 1 << 20);
        assert_failed(&mut probe, LimitError::MessageTooBig { limit: 16 << 20, actual: 17 << 20 });
    }
}

#[test]
fn eighty_mib_in_one_frame_fail_with_1009_when_the_header_came() {
    for role in ROLES {
        let mut probe = Probe::new(role);
        let header = RawFrame::binary("").length(Length::Declared(80 << 20));
        probe.receive(bytes_for(role, [header]));
        let failure = probe.connection.failure().cloned();
        assert!(matches!(failure, Some(Failure::Limit(_))), "{failure:?}");
        assert_failed(&mut probe, failure.unwrap());
        assert_eq!(probe.connection.failure().unwrap().close_code().get(), 1009);
    }
}
