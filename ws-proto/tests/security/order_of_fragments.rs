//! Fragments out of order (§5.4).

use super::*;

#[test]
fn a_new_data_frame_inside_an_unfinished_message_fails_with_1002() {
    for second in [RawFrame::text("b"), RawFrame::binary("b"), RawFrame::text("b").unfinished()] {
        both_roles_fail([RawFrame::text("a").unfinished(), second], ProtocolError::DataFrameInsideMessage);
    }
}

#[test]
fn a_continuation_without_a_start_fails_with_1002() {
    for frame in
        [RawFrame::continuation("a"), RawFrame::continuation("a").unfinished(), RawFrame::continuation("")]
    {
        both_roles_fail([frame.clone()], ProtocolError::ContinuationWithoutStart);
    }
}

#[test]
fn a_continuation_behind_a_finished_message_fails_with_1002() {
    let frames = [RawFrame::text("a").unfinished(), RawFrame::continuation("b"), RawFrame::continuation("c")];
    both_roles_fail(frames, ProtocolError::ContinuationWithoutStart);
}
