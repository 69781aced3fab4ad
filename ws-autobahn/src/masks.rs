//! Are masking keys such as can be told beforehand ([RFC 6455 §10.3])?
//!
//! [RFC 6455 §10.3]: https://www.rfc-editor.org/rfc/rfc6455#section-10.3

/// What is wrong with the masking keys of a connection, if anything is: a sentence.
///
/// With keys of a good source each of these is less likely than 1 in 2^20.
pub(crate) fn predictable(keys: &[u32]) -> Option<String> {
    let mut sorted = keys.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let bytes = || keys.iter().map(|key| key.to_be_bytes());
    let all =
        |holds: fn(&[u8; 4], usize, usize) -> bool, one, other| bytes().all(|key| holds(&key, one, other));
    if keys.contains(&0) {
        return Some("A masking key is zero, so nothing was masked.".to_owned());
    }
    if sorted.len() < keys.len() {
        return Some("A masking key came twice.".to_owned());
    }
    if keys.len() < 8 {
        return None;
    }
    for one in 0..4 {
        for other in 0..one {
            if all(|key, one, other| key.get(one) == key.get(other), one, other) {
                return Some("Two bytes of each masking key are the same.".to_owned());
            }
        }
    }
    let constant = |bit: u32| {
        let ones = keys.iter().filter(|key| *key >> bit & 1 == 1).count();
        ones == 0 || ones == keys.len()
    };
    if keys.len() >= ENOUGH && (0..32).any(constant) {
        return Some("A bit is the same in all masking keys.".to_owned());
    }
    let linear = |bit: u32| {
        let bits: Vec<bool> = keys.iter().map(|key| key >> bit & 1 == 1).collect();
        linear_complexity(&bits) <= LINEAR
    };
    if keys.len() >= ENOUGH && (0..32).any(linear) {
        return Some(
            "The masking keys come from a generator that can be computed from them, such as a counter or xorshift.".to_owned(),
        );
    }
    None
}

/// From so many keys on the bits are looked at one by one.
pub(crate) const ENOUGH: usize = 96;
/// A generator with 32 bits of state that are shifted and added without carry has no more than this; so have the low bits of others. Of
/// random bits half of their number is to be expected, and the chance for so little is about 2^-30.
const LINEAR: usize = 33;

/// The length of the shortest linear feedback shift register that gives these bits (Berlekamp and Massey).
fn linear_complexity(bits: &[bool]) -> usize {
    let mut current = vec![false; bits.len() + 1];
    let mut previous = current.clone();
    if let (Some(current), Some(previous)) = (current.first_mut(), previous.first_mut()) {
        (*current, *previous) = (true, true);
    }
    let (mut length, mut since) = (0, 1);
    for at in 0..bits.len() {
        let taps = current.iter().take(length + 1).zip(bits.iter().take(at + 1).rev());
        if !taps.fold(false, |sum, (tap, bit)| sum ^ (*tap && *bit)) {
            since += 1;
            continue;
        }
        let before = current.clone();
        for (tap, other) in current.iter_mut().skip(since).zip(&previous) {
            *tap ^= other;
        }
        if 2 * length <= at {
            (length, since, previous) = (at + 1 - length, 1, before);
        } else {
            since += 1;
        }
    }
    length
}

#[cfg(test)]
mod tests {
    use super::*;
    use ws_proto::Entropy;

    fn keys(count: usize, mut next: impl FnMut(u32) -> u32) -> Vec<u32> {
        let mut key = 0x1234_5678;
        std::iter::repeat_with(|| {
            key = next(key);
            key
        })
        .take(count)
        .collect()
    }

    fn random() -> u32 {
        let mut key = [0; 4];
        Entropy::os().fill(&mut key);
        u32::from_be_bytes(key)
    }

    #[test]
    fn keys_of_a_good_source_are_not_predictable() {
        for count in [0, 1, 8, 33, 97, 200] {
            assert_eq!(predictable(&keys(count, |_| random())), None, "{count} keys");
        }
    }

    #[test]
    fn keys_of_bad_sources_are() {
        let xorshift = |mut key: u32| {
            key ^= key << 13;
            key ^= key >> 17;
            key ^ key << 5
        };
        let congruent = |key: u32| key.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let found = |keys: &[u32]| predictable(keys).is_some();
        assert!(found(&[0]) && found(&[7, 7]));
        assert!(found(&keys(97, |key| key + 1)), "a counter");
        assert!(found(&keys(97, |key| key.wrapping_add(0x9E37_79B9))), "a series");
        assert!(found(&keys(97, xorshift)));
        assert!(found(&keys(97, congruent)));
        assert!(found(&keys(97, |_| random() & 0x7FFF_FFFF)), "31 bits");
        assert!(found(&keys(40, |_| random() % 256 * 0x0101_0101)), "one byte");
    }

    #[test]
    fn the_linear_complexity_is_that_of_the_shortest_register() {
        let bits = |text: &str| text.bytes().map(|byte| byte == b'1').collect::<Vec<_>>();
        assert_eq!(linear_complexity(&bits("0000000000")), 0);
        assert_eq!(linear_complexity(&bits("1111111111")), 1);
        assert_eq!(linear_complexity(&bits("0101010101")), 2);
        assert_eq!(linear_complexity(&bits("0010111001011100101110")), 3);
        assert_eq!(linear_complexity(&bits("0000000001")), 10);
    }
}
