//! UTF-8 that comes in pieces.

/// Checks text piece by piece, and finds the fault as soon as a byte cannot be right any more.
#[derive(Debug, Default)]
pub(super) struct Utf8 {
    /// The beginning of a character whose rest is still to come: at most three bytes.
    partial: Vec<u8>,
    failed: bool,
}

impl Utf8 {
    /// Takes the next piece. `false`: it is not UTF-8, and will not be again.
    pub(super) fn push(&mut self, mut bytes: &[u8]) -> bool {
        while !self.failed && !self.partial.is_empty() {
            let Some((&byte, rest)) = bytes.split_first() else { return true };
            bytes = rest;
            self.partial.push(byte);
            match std::str::from_utf8(&self.partial) {
                Ok(_) => self.partial.clear(),
                Err(error) => self.failed = error.error_len().is_some(),
            }
        }
        if let Err(error) = std::str::from_utf8(bytes) {
            match error.error_len() {
                Some(_) => self.failed = true,
                None => self.partial.extend_from_slice(bytes.get(error.valid_up_to()..).unwrap_or_default()),
            }
        }
        !self.failed
    }

    /// Did it end between characters?
    pub(super) const fn is_complete(&self) -> bool {
        !self.failed && self.partial.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_found_at_its_first_byte_at_any_split() {
        let text = "κόσμε".as_bytes();
        let wrong = [text, b"\xf4\x90\x80\x80edited"].concat();
        let fault = text.len() + 1;
        for cut in 0..wrong.len() {
            let mut utf8 = Utf8::default();
            assert_eq!(utf8.push(&wrong[..cut]), cut <= fault, "{cut}");
            assert!(!utf8.push(&wrong[cut..]));
            assert!(!utf8.is_complete());
        }
        for cut in 0..=text.len() {
            let mut utf8 = Utf8::default();
            assert!(utf8.push(&text[..cut]));
            assert!(utf8.push(&text[cut..]) && utf8.is_complete());
        }
        let mut utf8 = Utf8::default();
        assert!(utf8.push(b"\xe2\x82") && !utf8.is_complete());
    }
}
