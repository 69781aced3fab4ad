//! Sections 12 and 13: permessage-deflate with different data and different parameters ([RFC 7692]).
//!
//! [RFC 7692]: https://www.rfc-editor.org/rfc/rfc7692

use super::secs;
use crate::case::{Case, CaseId, Opening, Script};
use crate::deflate::Offer;
use crate::payload::DataSet;

pub(super) fn cases() -> Vec<Case> {
    let data = (1..).zip(DATA).flat_map(|(part, data)| {
        let opening =
            Opening { offers: vec![Offer::default()], accepts: vec![Offer::default()], probe: None };
        part_cases(12, part, data, &opening)
    });
    let parameters = (1..).zip(parameters()).flat_map(|(part, offers)| {
        let opening = Opening { offers: offers.clone(), accepts: offers, probe: None };
        part_cases(13, part, DataSet::Json, &opening)
    });
    data.chain(parameters).collect()
}

pub(super) fn part_name(section: u16, part: u16) -> String {
    let index = usize::from(part.saturating_sub(1));
    if section == 12 {
        return DATA.get(index).map_or_else(String::new, |data| format!("Messages cut from {}", data.name()));
    }
    parameters().get(index).map_or_else(String::new, |offers| {
        let offers: Vec<String> = offers.iter().map(words).collect();
        format!("Each end asks of the other {}", offers.join(", else "))
    })
}

const DATA: [DataSet; 5] =
    [DataSet::Json, DataSet::Picture, DataSet::Prose, DataSet::Html, DataSet::Document];

fn parameters() -> [Vec<Offer>; 7] {
    let nothing = Offer::default();
    [
        vec![nothing],
        vec![Offer::new(true, None)],
        vec![Offer::new(false, Some(9))],
        vec![Offer::new(false, Some(15))],
        vec![Offer::new(true, Some(9))],
        vec![Offer::new(true, Some(15))],
        vec![Offer::new(true, Some(9)), Offer::new(true, None), nothing],
    ]
}

fn words(offer: &Offer) -> String {
    match (offer.no_context_takeover, offer.max_window_bits) {
        (false, None) => "nothing".to_owned(),
        (true, None) => "a new context for each message".to_owned(),
        (false, Some(bits)) => format!("a window of {bits} bits"),
        (true, Some(bits)) => format!("a new context for each message and a window of {bits} bits"),
    }
}

/// Length of the messages, time for all of them in seconds, length of the fragments.
const SIZES: [(usize, u64, Option<usize>); 18] = [
    (16, 60, None),
    (64, 60, None),
    (256, 120, None),
    (1024, 240, None),
    (4096, 480, None),
    (8192, 480, None),
    (16_384, 480, None),
    (32_768, 480, None),
    (65_536, 480, None),
    (131_072, 480, None),
    (8192, 480, Some(256)),
    (16_384, 480, Some(256)),
    (32_768, 480, Some(256)),
    (65_536, 480, Some(256)),
    (131_072, 480, Some(256)),
    (131_072, 480, Some(1024)),
    (131_072, 480, Some(4096)),
    (131_072, 480, Some(32_768)),
];

fn part_cases(section: u16, part: u16, data: DataSet, opening: &Opening) -> Vec<Case> {
    let asks: Vec<String> = opening.offers.iter().map(words).collect();
    let asks = asks.join(", else ");
    let case = |(number, (len, wait, fragment)): (u16, (usize, u64, Option<usize>))| {
        let cut = fragment.map_or_else(String::new, |size| format!(", in fragments of {size} bytes"));
        let script = Script::Compressed { data, len, count: 1000, wait: secs(wait), fragment };
        let mut case = Case::new(CaseId::three(section, part, number), script).text(
            format!(
                "Sends 1000 compressed messages of {len} bytes cut from {}, each when the last has come back{cut}. Asks of the other end's compression: {asks}.",
                data.name()
            ),
            format!("All messages come back as they were sent, within {wait} s."),
        );
        case.opening = opening.clone();
        case
    };
    (1..).zip(SIZES).map(case).collect()
}
