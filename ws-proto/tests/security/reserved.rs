//! Reserved bits and opcodes (§5.2).

use super::*;

#[test]
fn reserved_bits_without_an_extension_fail_with_1002() {
    for bits in 1..=7 {
        for frame in
            [RawFrame::text("a"), RawFrame::binary(""), RawFrame::ping("a"), RawFrame::close(1000, "")]
        {
            both_roles_fail([frame.rsv(bits)], ProtocolError::ReservedBits { bits });
        }
        let frames = [RawFrame::text("a").unfinished(), RawFrame::continuation("b").rsv(bits)];
        both_roles_fail(frames, ProtocolError::ReservedBits { bits });
    }
}

#[test]
fn reserved_opcodes_fail_with_1002() {
    for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
        both_roles_fail([RawFrame::new(opcode, "")], ProtocolError::ReservedOpcode { opcode });
        both_roles_fail([RawFrame::new(opcode, "with a payload")], ProtocolError::ReservedOpcode { opcode });
    }
}
