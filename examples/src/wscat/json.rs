//! JSON over several lines.

use serde::de::IgnoredAny;

/// The same text with line breaks and indentation; `None` where it is no JSON, or nothing that has parts. Names keep their order, numbers
/// and strings their spelling.
pub(super) fn pretty(text: &str) -> Option<String> {
    if !text.trim_start().starts_with(['{', '[']) {
        return None;
    }
    serde_json::from_str::<IgnoredAny>(text).ok()?;
    let mut out = String::with_capacity(text.len() * 2);
    let mut depth = 0_usize;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' => {
                out.push('"');
                let mut escaped = false;
                for inside in characters.by_ref() {
                    out.push(inside);
                    if inside == '"' && !escaped {
                        break;
                    }
                    escaped = inside == '\\' && !escaped;
                }
            }
            '{' | '[' => {
                out.push(character);
                while characters.next_if(|next| next.is_ascii_whitespace()).is_some() {}
                if let Some(end) = characters.next_if(|&next| next == '}' || next == ']') {
                    out.push(end);
                } else {
                    depth += 1;
                    new_line(&mut out, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                new_line(&mut out, depth);
                out.push(character);
            }
            ',' => {
                out.push(',');
                new_line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            _ if character.is_ascii_whitespace() => {}
            _ => out.push(character),
        }
    }
    Some(out)
}

fn new_line(out: &mut String, depth: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n("  ", depth));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_numbers_and_strings_stay_as_they_were_written() {
        let text = r#"{"b":1.10,"a": [12345678901234567890, {}, [ ], "x,\"y\\",true],"c":{"d":null}}"#;
        let expected = r#"{
  "b": 1.10,
  "a": [
    12345678901234567890,
    {},
    [],
    "x,\"y\\",
    true
  ],
  "c": {
    "d": null
  }
}"#;
        assert_eq!(pretty(text).as_deref(), Some(expected));
    }

    #[test]
    fn what_is_no_json_or_has_no_parts_stays_as_it_is() {
        for text in ["", "hello", "{", "[1,]", "17", "\"a\"", "{} {}"] {
            assert_eq!(pretty(text), None, "{text}");
        }
    }
}
