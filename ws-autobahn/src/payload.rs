//! What is sent in the cases about compression: five made-up data sets, each as large and as easy to compress as one of the original suite.

use bytes::Bytes;
use flate2::{Compress, Compression, FlushCompress};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// A body of data that messages are cut from, one after the other and over again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum DataSet {
    /// A list of records as JSON: compresses very well.
    Json,
    /// A grey picture with noise: hardly compresses.
    Picture,
    /// Words of a made-up language, some of them often: compresses to 40 %.
    Prose,
    /// A page with a large table: compresses very well.
    Html,
    /// Mostly compressed streams with some structure between them: hardly compresses.
    Document,
}

impl DataSet {
    /// Are its messages binary ones?
    pub(crate) const fn is_binary(self) -> bool {
        matches!(self, Self::Picture | Self::Prose | Self::Document)
    }

    /// Length in bytes: close to the original's, and a multiple of a large power of two, so that the messages of a case repeat soon.
    pub(crate) const fn len(self) -> usize {
        match self {
            Self::Json => 3 << 16,
            Self::Picture | Self::Html => 4 << 16,
            Self::Prose => 7 << 15,
            Self::Document => 16 << 16,
        }
    }

    /// In words.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Json => "records as JSON",
            Self::Picture => "a grey picture with noise",
            Self::Prose => "prose",
            Self::Html => "a page of HTML",
            Self::Document => "a document with compressed parts",
        }
    }

    /// The data, made when it is first asked for.
    pub(crate) fn bytes(self) -> &'static [u8] {
        static MADE: [OnceLock<Vec<u8>>; 5] = [const { OnceLock::new() }; 5];
        let slot = match self {
            Self::Json => &MADE[0],
            Self::Picture => &MADE[1],
            Self::Prose => &MADE[2],
            Self::Html => &MADE[3],
            Self::Document => &MADE[4],
        };
        slot.get_or_init(|| {
            let mut random = Random(0x9E37_79B9_7F4A_7C15 ^ self.len() as u64);
            let mut data = match self {
                Self::Json => json(&mut random),
                Self::Picture => picture(&mut random),
                Self::Prose => prose(&mut random, self.len()),
                Self::Html => html(&mut random),
                Self::Document => document(&mut random),
            };
            data.truncate(self.len());
            data
        })
    }

    /// The message with this number, counted from zero, in two pieces where it goes over the end of the data.
    pub(crate) fn message(self, len: usize, number: usize) -> (&'static [u8], &'static [u8]) {
        let data = self.bytes();
        let start = number.wrapping_mul(len) % data.len();
        let first = len.min(data.len() - start);
        let front = data.get(start..start + first).unwrap_or_default();
        (front, data.get(..len - first).unwrap_or_default())
    }

    /// After how many messages they repeat.
    fn period(self, len: usize) -> usize {
        let (mut a, mut b) = (self.len(), len.max(1));
        while b != 0 {
            (a, b) = (b, a % b);
        }
        self.len() / a
    }
}

/// The messages of a case in their compressed form, without the four bytes at the end of each (RFC 7692 §7.2.1).
///
/// Because the data repeats, so does what the receiver's window holds before a message, once the window is full. From then on the
/// compressed messages of one period serve for all that follow, and a thousand messages cost no more than one round of the data.
#[derive(Debug)]
pub(crate) struct Compressed {
    messages: Vec<Bytes>,
    /// Invariant: less than the number of messages; from here on they repeat.
    lead: usize,
}

impl Compressed {
    /// The messages for a window of this size, made once for all cases.
    pub(crate) fn messages(
        data: DataSet,
        len: usize,
        window_bits: u8,
        no_context_takeover: bool,
    ) -> Arc<Self> {
        type Key = (DataSet, usize, u8, bool);
        static MADE: Mutex<Option<HashMap<Key, Arc<Compressed>>>> = Mutex::new(None);
        let key = (data, len, window_bits, no_context_takeover);
        let lock = || MADE.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(made) = lock().as_ref().and_then(|made| made.get(&key)) {
            return Arc::clone(made);
        }
        let made = Arc::new(Self::make(data, len, window_bits, no_context_takeover));
        lock().get_or_insert_default().insert(key, Arc::clone(&made));
        made
    }

    fn make(data: DataSet, len: usize, window_bits: u8, no_context_takeover: bool) -> Self {
        // zlib makes no raw window of 8 bits; one of 9 would be larger than agreed on, so nothing is compressed then.
        let level = if window_bits < 9 { Compression::none() } else { Compression::new(6) };
        let mut compressor = Compress::new_with_window_bits(level, false, window_bits.clamp(9, 15));
        let lead = if no_context_takeover { 0 } else { WINDOW.div_ceil(len.max(1)) };
        let messages = (0..lead.saturating_add(data.period(len)).min(MOST_MESSAGES)).map(|number| {
            if no_context_takeover {
                compressor.reset();
            }
            let (front, back) = data.message(len, number);
            let mut message = Vec::with_capacity(len + len / 1000 + 64);
            feed(&mut compressor, front, &mut message, FlushCompress::None);
            feed(&mut compressor, back, &mut message, FlushCompress::Sync);
            message.truncate(message.len().saturating_sub(4));
            Bytes::from(message)
        });
        Self { messages: messages.collect(), lead }
    }

    pub(crate) fn get(&self, number: usize) -> Bytes {
        let index = match number.checked_sub(self.messages.len()) {
            None => number,
            Some(_) => self.lead + (number - self.lead) % (self.messages.len() - self.lead).max(1),
        };
        self.messages.get(index).cloned().unwrap_or_default()
    }
}

const WINDOW: usize = 32 << 10;
/// No case sends more.
const MOST_MESSAGES: usize = 1000;

fn feed(compressor: &mut Compress, mut input: &[u8], output: &mut Vec<u8>, flush: FlushCompress) {
    loop {
        if output.capacity() - output.len() < 64 {
            output.reserve(output.len().max(256));
        }
        let before = compressor.total_in();
        // An error would mean that the compressor was handed nonsense; what is left of the message is then missing, and no echo equals it.
        let Ok(_) = compressor.compress_vec(input, output, flush) else { return };
        let taken = usize::try_from(compressor.total_in() - before).unwrap_or(usize::MAX);
        input = input.get(taken..).unwrap_or_default();
        if input.is_empty() && output.len() < output.capacity() {
            return;
        }
    }
}

/// The same numbers in every run, so that runs can be compared.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from((self.next() >> 33) % bound.max(1) as u64).unwrap_or_default()
    }

    fn byte(&mut self) -> u8 {
        self.next().to_be_bytes()[0]
    }
}

fn json(random: &mut Random) -> Vec<u8> {
    let mut text = String::from("{\n  \"station\": \"north pier\",\n  \"readings\": [\n");
    let mut minute = 0;
    while text.len() < DataSet::Json.len() {
        minute += 10;
        let _ = write!(
            text,
            "    {{\n      \"minute\": {minute},\n      \"wind\": {{ \"direction\": \"{}\", \"knots\": {} }},\n      \
             \"pressure\": 10{:02},\n      \"valid\": true,\n      \"source\": \"buoy_{:02}_readings\"\n    }},\n",
            ["north", "east", "south", "west"].get(random.below(4)).unwrap_or(&""),
            random.below(8) + 10,
            random.below(8) + 8,
            random.below(4),
        );
    }
    text.into_bytes()
}

fn html(random: &mut Random) -> Vec<u8> {
    let mut text = String::from(
        "<!doctype html>\n<html>\n<head><title>Tides</title></head>\n<body>\n<table class=\"tides\">\n",
    );
    let mut row = 0;
    while text.len() < DataSet::Html.len() {
        row += 1;
        let _ = write!(
            text,
            "  <tr class=\"row\" id=\"row_{row}\">\n    <td class=\"place\"><a href=\"/places/{row}.html\">Harbour {row}</a></td>\n    \
             <td class=\"high\">{} cm</td><td class=\"low\">{} cm</td>\n  </tr>\n",
            300 + random.below(8),
            20 + random.below(8),
        );
    }
    text.into_bytes()
}

fn prose(random: &mut Random, len: usize) -> Vec<u8> {
    const SYLLABLES: [&str; 24] = [
        "an", "be", "cor", "del", "en", "fa", "gra", "hol", "in", "jor", "ka", "lim", "mer", "no", "or",
        "pel", "qui", "ra", "sen", "tu", "ul", "ver", "wi", "zan",
    ];
    let words: Vec<String> = (0..14000)
        .map(|_| {
            (0..=random.below(3))
                .filter_map(|_| SYLLABLES.get(random.below(SYLLABLES.len())))
                .copied()
                .collect()
        })
        .collect();
    let mut text = String::new();
    let mut line = 0;
    while text.len() < len {
        // Some words are much more frequent than others, as in every language.
        let rank = random.below(words.len()) * (random.below(words.len()) + words.len() / 3) / words.len();
        let word = words.get(rank).map_or("", String::as_str);
        text.push_str(word);
        line += word.len() + 1;
        match random.below(8) {
            0 => text.push_str(", "),
            1 => text.push_str(". "),
            _ => text.push(' '),
        }
        if line > 60 {
            line = 0;
            text.push_str("\r\n");
        }
    }
    text.into_bytes()
}

fn picture(random: &mut Random) -> Vec<u8> {
    let mut level = 128u8;
    (0..DataSet::Picture.len())
        .map(|_| {
            // Neighbours in a picture differ little.
            level = level.wrapping_add(random.byte() % 5).wrapping_sub(2).clamp(40, 216);
            level.wrapping_add(random.byte() % 80)
        })
        .collect()
}

fn document(random: &mut Random) -> Vec<u8> {
    let mut data = Vec::with_capacity(DataSet::Document.len() + 8192);
    let mut object = 0;
    while data.len() < DataSet::Document.len() {
        object += 1;
        data.extend_from_slice(
            format!("{object} 0 obj << /Length 3000 /Filter /Flate >>\nstream\n").as_bytes(),
        );
        data.extend((0..3000).map(|_| random.byte()));
        data.extend_from_slice(b"\nendstream endobj\n");
        for line in 0..28 {
            data.extend_from_slice(format!("{:010} 00000 n \n", object * 4000 + line * 17).as_bytes());
        }
    }
    data
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deflate::Inflater;

    const ALL: [DataSet; 5] =
        [DataSet::Json, DataSet::Picture, DataSet::Prose, DataSet::Html, DataSet::Document];

    #[test]
    fn the_data_compresses_about_as_the_original_suite_s_does() {
        let original = [0.048, 0.862, 0.398, 0.059, 0.847];
        for (data, original) in ALL.into_iter().zip(original) {
            assert_eq!(data.bytes().len(), data.len());
            let made = Compressed::messages(data, 4096, 15, false);
            let rounds = &made.messages[made.lead..];
            let ratio = rounds.iter().map(Bytes::len).sum::<usize>() as f64 / (4096 * rounds.len()) as f64;
            assert!(
                (ratio / original - 1.0).abs() < 0.2,
                "{}: {ratio:.3} instead of {original}",
                data.name()
            );
        }
    }

    #[test]
    fn text_is_ascii_so_that_it_may_be_cut_anywhere() {
        assert!(DataSet::Json.bytes().is_ascii() && DataSet::Html.bytes().is_ascii());
    }

    #[test]
    fn messages_that_repeat_are_still_understood_by_a_receiver_that_keeps_its_window() {
        for (data, len, bits, reset) in [
            (DataSet::Json, 8192, 15, false),
            (DataSet::Html, 65536, 15, false),
            (DataSet::Prose, 131_072, 9, false),
            (DataSet::Json, 1024, 15, true),
            (DataSet::Json, 256, 8, false),
        ] {
            let made = Compressed::messages(data, len, bits, reset);
            let mut inflater = Inflater::new(bits, reset);
            for number in 0..400 {
                let mut output = Vec::new();
                inflater.begin();
                inflater.inflate(&made.get(number), &mut output).unwrap();
                inflater.end(&mut output).unwrap();
                let (front, back) = data.message(len, number);
                assert!(output == [front, back].concat(), "{data:?} {len} {bits} {reset}: message {number}");
            }
        }
    }
}
