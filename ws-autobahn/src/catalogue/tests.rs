//! What holds for the catalogue as a whole.

use super::*;
use crate::case::Script;

#[test]
fn there_are_517_cases_in_order_and_each_is_described() {
    let cases = original();
    assert_eq!(cases.len(), 517);
    assert!(cases.windows(2).all(|pair| pair[0].id < pair[1].id), "each once, in order");
    for case in cases {
        assert!(!case.description.is_empty() && !case.expectation.is_empty(), "{}", case.id);
        assert!(!section_name(case.id.section()).is_empty(), "{}", case.id);
        if let Some((section, part)) = case.id.part() {
            assert!(!part_name(section, part).is_empty(), "{}", case.id);
        }
    }
}

#[test]
fn the_sections_have_as_many_cases_as_the_original() {
    let sections = [
        (1, 16),
        (2, 11),
        (3, 7),
        (4, 10),
        (5, 20),
        (6, 145),
        (7, 37),
        (9, 54),
        (10, 1),
        (12, 90),
        (13, 126),
    ];
    for (section, count) in sections {
        let found = original().iter().filter(|case| case.id.section() == section).count();
        assert_eq!(found, count, "section {section}");
    }
    assert_eq!(index(CaseId::three(1, 1, 1)), 1);
    assert_eq!(index(CaseId::three(13, 7, 18)), 517);
}

#[test]
fn only_cases_about_compression_offer_it() {
    for case in original() {
        let compressed = matches!(case.script, Script::Compressed { .. });
        assert_eq!(!case.opening.offers.is_empty(), compressed, "{}", case.id);
        assert_eq!(!case.opening.accepts.is_empty(), compressed, "{}", case.id);
    }
}
