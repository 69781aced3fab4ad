//! Control frames that are too long (§5.5).

use super::*;

#[test]
fn a_ping_of_126_bytes_fails_with_1002() {
    both_roles_fail([RawFrame::ping([7; 126])], ProtocolError::ControlFrameTooLong);
}

#[test]
fn a_pong_of_126_bytes_fails_with_1002() {
    both_roles_fail([RawFrame::pong([7; 126])], ProtocolError::ControlFrameTooLong);
}

#[test]
fn a_close_frame_of_126_bytes_fails_with_1002() {
    both_roles_fail([RawFrame::close(1000, [b'r'; 124])], ProtocolError::ControlFrameTooLong);
}

#[test]
fn a_long_control_frame_fails_before_its_length_has_come() {
    for role in ROLES {
        let mut probe = Probe::new(role);
        probe.receive(&bytes_for(role, [RawFrame::ping([7; 126])])[..2]);
        assert_failed(&mut probe, ProtocolError::ControlFrameTooLong);
    }
}

#[test]
fn a_close_frame_of_one_byte_fails_with_1002() {
    both_roles_fail([RawFrame::new(8, [3])], ProtocolError::CloseFrameOfOneByte);
}
