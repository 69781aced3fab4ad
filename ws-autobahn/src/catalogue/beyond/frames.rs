//! Sections 102 to 104: frames, compressed messages, floods, and ends of the connection.

use super::super::{HELLO, secs};
use super::rule;
use crate::case::{
    Audience, Case, CaseId, ExpectedClose, Frame, Length, Masking, Opening, Payload, Received, Rules, Step,
};
use crate::deflate::Offer;
use bytes::Bytes;
use flate2::{Compress, Compression, FlushCompress};

pub(super) fn cases() -> Vec<Case> {
    let groups = [wrong_headers(), compressed_messages(), floods(), endings()];
    groups.into_iter().flatten().collect()
}

fn wrong_headers() -> Vec<Case> {
    let text = || Frame::new(1, HELLO);
    let wrong: [(Frame, &str, &'static str); 7] = [
        (text().length(Length::Bits16), "whose length of 13 is written in 16 bits", "RFC 6455 §5.2"),
        (text().length(Length::Bits64), "whose length of 13 is written in 64 bits", "RFC 6455 §5.2"),
        (
            Frame::new(2, vec![0; 300]).length(Length::Bits64),
            "whose length of 300 is written in 64 bits",
            "RFC 6455 §5.2",
        ),
        (text().length(Length::Claimed(1 << 63)), "whose length has its highest bit set", "RFC 6455 §5.2"),
        (text().masking(Masking::Wrong), "that is masked as only the other end's may be", "RFC 6455 §5.1"),
        (
            Frame::new(9, HELLO).length(Length::Bits16),
            "of a ping whose length is written in 16 bits",
            "RFC 6455 §5.5",
        ),
        (Frame::new(8, b"\x03\xe8").unfinished(), "of a Close frame that is not the last", "RFC 6455 §5.5"),
    ];
    (1..)
        .zip(wrong)
        .map(|(number, (frame, what, reference))| {
            let steps = [text().into(), frame.into(), Step::FailAfter(secs(1))];
            let case = Case::steps(CaseId::three(102, 1, number), steps)
                .ok([Received::text(HELLO)])
                .non_strict([])
                .close(ExpectedClose::by_endpoint(1002))
                .text(
                    format!("Sends a text message, then a frame {what}."),
                    "The message comes back, then the connection is failed at once.",
                );
            rule(case, reference)
        })
        .collect()
}

/// One raw deflate stream, flushed, without the four bytes at its end.
fn deflated(data: &[u8]) -> Vec<u8> {
    // Room for what does not compress.
    let mut output = Vec::with_capacity(data.len() + 256);
    let _ = Compress::new(Compression::best(), false).compress_vec(data, &mut output, FlushCompress::Sync);
    output.truncate(output.len().saturating_sub(4));
    output
}

fn compressed(id: CaseId, steps: Vec<Step>) -> Case {
    let mut case = Case::steps(id, steps);
    case.rules = Rules { needs_deflate: true, ..Rules::NONE };
    case.opening = Opening { offers: vec![Offer::default()], accepts: vec![Offer::default()], probe: None };
    case
}

fn compressed_messages() -> Vec<Case> {
    let id = |number| CaseId::three(102, 2, number);
    let hello = || deflated(HELLO.as_bytes());
    let (front, back) = {
        let all = Bytes::from(hello());
        (all.slice(..4), all.slice(4..))
    };
    let failing = |number, frames: Vec<Frame>| {
        let steps = frames.into_iter().map(Step::Frame).chain([Step::FailAfter(secs(1))]);
        compressed(id(number), steps.collect()).ok([]).close(ExpectedClose::by_endpoint(1002))
    };
    let echoed = |number, frames: Vec<Frame>, payload: Payload| {
        let steps = frames.into_iter().map(Step::Frame).chain([Step::FailAfter(secs(1))]);
        compressed(id(number), steps.collect()).ok([Received::text(payload)])
    };
    let failed = "The connection is failed at once.";
    let back_it_comes = "The message comes back. The connection closes cleanly with 1000.";
    let front_frame = || Frame::new(1, front.clone()).rsv(4).unfinished();
    vec![
        rule(
            failing(1, vec![front_frame(), Frame::new(0, back.clone()).rsv(4)])
                .text("Sends a compressed message in two fragments, both marked as compressed.", failed),
            "RFC 7692 §6.1",
        ),
        rule(
            failing(2, vec![Frame::new(9, hello()).rsv(4)])
                .text("Sends a ping that is marked as compressed.", failed),
            "RFC 7692 §6.1",
        ),
        rule(
            echoed(3, vec![front_frame(), Frame::new(9, "ping"), Frame::new(0, back.clone())], HELLO.into())
                .text("Sends a compressed message in two fragments with a ping between them.", back_it_comes),
            "RFC 7692 §6.1",
        )
        .rules(Rules { needs_deflate: true, ignore_pongs: true, ..Rules::NONE }),
        rule(
            echoed(4, vec![Frame::new(1, HELLO)], HELLO.into()).text(
                "Sends a message that is not compressed, where compression was agreed on.",
                back_it_comes,
            ),
            "RFC 7692 §6",
        ),
        rule(
            echoed(5, vec![Frame::new(1, b"\0").rsv(4)], "".into())
                .text("Sends a compressed message without contents.", back_it_comes),
            "RFC 7692 §7.2.3.6",
        ),
        rule(
            // The example of the section: "Hello" in a block with BFINAL set, then an empty byte.
            echoed(6, vec![Frame::new(1, b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00").rsv(4)], "Hello".into()).text(
                "Sends a compressed message whose block is marked as the last of its stream.",
                back_it_comes,
            ),
            "RFC 7692 §7.2.3.4",
        ),
        rule(
            echoed(
                7,
                vec![Frame::new(1, b"\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00").rsv(4)],
                "Hello".into(),
            )
            .text("Sends a compressed message whose block is stored as it is.", back_it_comes),
            "RFC 7692 §7.2.3.3",
        ),
        rule(
            failing(8, vec![Frame::new(1, b"\xff\xff\xff\xff").rsv(4)])
                .close(ExpectedClose {
                    codes: vec![1002, 1007, 1011, 1003],
                    ..ExpectedClose::by_endpoint(1007)
                })
                .text("Sends a compressed message that cannot be decompressed.", failed),
            "RFC 7692 §7.2.2",
        ),
        rule(
            failing(9, vec![Frame::new(1, deflated(b"\xce\xba\xed\xa0\x80")).rsv(4)])
                .close(ExpectedClose::by_endpoint(1007).fatal())
                .text(
                    "Sends a compressed text message that is not UTF-8.",
                    "The connection is failed, with 1007 or without a closing handshake.",
                ),
            "RFC 6455 §8.1",
        ),
        small_window(),
        rule(
            echoed(11, vec![Frame::new(1, hello()).rsv(4)], HELLO.into())
                .rules(Rules { needs_deflate: true, cut_tail: true, ..Rules::NONE })
                .text(
                    "Sends a compressed message, and looks at the last bytes of what comes back.",
                    "The message comes back, and does not end with 00 00 FF FF where it was compressed.",
                ),
            "RFC 7692 §7.2.1",
        ),
    ]
}

/// Twice the same that does not compress, so far apart that a window of 9 bits does not reach from one to the other.
fn twice() -> Vec<u8> {
    let mut state = 1u32;
    let once: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    })
    .take(700)
    .collect();
    [once.as_slice(), &once].concat()
}

fn small_window() -> Case {
    let message = twice();
    let steps = vec![Frame::new(2, deflated(&message)).rsv(4).into(), Step::FailAfter(secs(2))];
    let mut case = compressed(CaseId::three(102, 2, 10), steps)
        .ok([Received::binary(message)])
        .rules(Rules { needs_deflate: true, least_wire: 1300, ..Rules::NONE })
        .text(
            "Asks for a window of 9 bits, and sends a message that is 700 bytes twice, which do not compress.",
            "The message comes back, and the second half is not expressed by the first, which is out of the window.",
        );
    case.opening.offers = vec![Offer::new(false, Some(9))];
    case.opening.accepts = vec![Offer::new(false, Some(9))];
    rule(case, "RFC 7692 §7.1.2")
}

/// 64 MiB of zeros, compressed: one MiB whose compressed form is repeated, so that nobody has to compress them all.
fn bomb() -> Payload {
    let mut unit = Vec::with_capacity(4096);
    let zeros = vec![0; 1 << 20];
    let _ = Compress::new(Compression::best(), false).compress_vec(&zeros, &mut unit, FlushCompress::Sync);
    // The last repetition, too, ends with the four bytes that the others need, which add nothing.
    let len = unit.len() * 64;
    Payload { unit: unit.into(), repeated_to: Some(len) }
}

fn floods() -> Vec<Case> {
    let id = |number| CaseId::three(103, 1, number);
    let bomb = compressed(id(1), vec![Frame::new(2, bomb()).rsv(4).into(), Step::FailAfter(secs(10))])
        .ok([])
        .close(ExpectedClose { codes: vec![1009, 1008, 1002, 1007], ..ExpectedClose::by_endpoint(1009) })
        .text(
            "Sends 64 KiB that decompress to 64 MiB.",
            "The connection is failed with 1009, before all of it is in memory.",
        );
    let mut fragments = vec![Step::Frame(Frame::new(1, "a").unfinished())];
    fragments.extend((0..100_000).map(|_| Step::Frame(Frame::new(0, "").unfinished())));
    fragments.extend([Frame::new(0, "").into(), Step::FailAfter(secs(10))]);
    let fragments = Case::steps(id(2), fragments)
        .ok([])
        .close(ExpectedClose { codes: vec![1008, 1009, 1002], ..ExpectedClose::by_endpoint(1008) })
        .text(
            "Sends a message in 100,000 empty fragments.",
            "The connection is failed with 1008 or 1009: fragments cost memory, however small they are.",
        );
    let pings = (0..500)
        .map(|_| Step::Frame(Frame::new(9, "flood")))
        .chain([Frame::new(1, HELLO).into(), Step::FailAfter(secs(5))]);
    let pings = Case::steps(id(3), pings)
        .ok([Received::text(HELLO)])
        .rules(Rules { ignore_pongs: true, ..Rules::NONE })
        .text(
            "Sends 500 pings at once, then a text message.",
            "The message comes back; how many pongs come is left to the endpoint.",
        );
    let claimed = Frame::new(2, b"\0").length(Length::Claimed(1 << 40));
    let claimed = Case::steps(id(4), [claimed.into(), Step::FailAfter(secs(2))])
        .ok([])
        .close(ExpectedClose { codes: vec![1009, 1008, 1002], ..ExpectedClose::by_endpoint(1009) })
        .text(
            "Begins a frame that claims to have 1 TiB.",
            "The connection is failed with 1009, and nothing of that size is allocated.",
        );
    vec![
        rule(bomb, "decompression bomb (CWE-409)"),
        rule(fragments, "memory by empty fragments (CWE-770)"),
        rule(pings, "RFC 6455 §5.5.3, control frame flood (CWE-770)"),
        rule(claimed, "allocation by a declared length (CWE-789)"),
    ]
}

fn endings() -> Vec<Case> {
    let id = |number| CaseId::three(104, 1, number);
    let half = Case::steps(
        id(1),
        [Frame::new(1, HELLO).into(), Step::ShutdownWrite, Step::FailAfter(secs(5))],
    )
    .ok([Received::text(HELLO)])
    .non_strict([])
    .close(ExpectedClose::by_endpoint(1006))
    .rules(Rules { suppress_close: true, ..Rules::NONE })
    .text(
        "Sends a text message, then ends its side of the stream without a Close frame.",
        "The message may come back; then the endpoint ends the connection too, and does not wait for ever.",
    );
    let mut masks =
        Case::steps(id(2), (0..100).map(|_| Frame::new(1, HELLO).into()).chain([Step::FailAfter(secs(2))]))
            .ok((0..100).map(|_| Received::text(HELLO)))
            .rules(Rules { fresh_masks: true, ..Rules::NONE })
            .text(
                "Sends 100 text messages, and looks at the masking keys of what comes back.",
                "No key comes twice, none is zero, and none can be computed from those before it.",
            );
    masks.audience = Audience::Clients;
    vec![rule(half, "RFC 6455 §7.1.5, half-open connections"), rule(masks, "RFC 6455 §5.3, §10.3")]
}
