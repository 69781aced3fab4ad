//! The number of a case.

use std::fmt;
use std::str::FromStr;

/// The number of a case: one to three numbers, as in `7.13.2`. Ordered as numbers, so 5.9 comes before 5.10.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CaseId {
    numbers: [u16; 3],
    /// Invariant: 1 to 3, and the numbers behind it are zero.
    len: u8,
}

impl CaseId {
    /// A case of a section without parts, as `2.10`.
    #[must_use]
    pub const fn two(section: u16, case: u16) -> Self {
        Self { numbers: [section, case, 0], len: 2 }
    }

    /// A case of a part of a section, as `6.22.3`.
    #[must_use]
    pub const fn three(section: u16, part: u16, case: u16) -> Self {
        Self { numbers: [section, part, case], len: 3 }
    }

    /// The first number: the section.
    #[must_use]
    pub const fn section(self) -> u16 {
        self.numbers[0]
    }

    /// The first two numbers, where there are three: the part of the section.
    #[must_use]
    pub const fn part(self) -> Option<(u16, u16)> {
        if self.len == 3 { Some((self.numbers[0], self.numbers[1])) } else { None }
    }

    /// Is it one of the cases that the original suite has?
    #[must_use]
    pub const fn is_original(self) -> bool {
        self.section() < 100
    }
}

impl fmt::Display for CaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, second, third] = self.numbers;
        match self.len {
            1 => write!(f, "{first}"),
            2 => write!(f, "{first}.{second}"),
            _ => write!(f, "{first}.{second}.{third}"),
        }
    }
}

impl FromStr for CaseId {
    type Err = InvalidCaseId;

    fn from_str(text: &str) -> Result<Self, InvalidCaseId> {
        let mut numbers = [0; 3];
        let mut len = 0u8;
        for part in text.split('.') {
            let slot = numbers.get_mut(usize::from(len)).ok_or(InvalidCaseId)?;
            *slot = part.parse().map_err(|_| InvalidCaseId)?;
            len += 1;
        }
        Ok(Self { numbers, len })
    }
}

/// Not the number of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidCaseId;

impl fmt::Display for InvalidCaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the number of a case is one to three numbers with dots between them")
    }
}

impl std::error::Error for InvalidCaseId {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_ordered_as_numbers_and_read_as_they_are_written() {
        let mut ids: Vec<CaseId> =
            ["10.1.1", "5.10", "5.9", "6.22.3"].iter().map(|id| id.parse().unwrap()).collect();
        ids.sort();
        assert_eq!(
            ids.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["5.9", "5.10", "6.22.3", "10.1.1"]
        );
        for wrong in ["", "1.", "1.2.3.4", "a", "1.-2", "70000"] {
            assert_eq!(wrong.parse::<CaseId>(), Err(InvalidCaseId), "{wrong}");
        }
    }
}
