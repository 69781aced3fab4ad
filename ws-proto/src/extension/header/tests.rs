//! The grammar of RFC 6455 §9.1, by what it takes and what it refuses.

use super::*;
use proptest::prelude::*;

fn one(line: &str) -> Result<Vec<Extension<'_>>, Malformed> {
    parse([line.as_bytes()])
}

/// The list written back in its plainest form.
fn plain(lines: &[&str]) -> Option<String> {
    let extensions = parse(lines.iter().map(|line| line.as_bytes())).ok()?;
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let written = extensions.iter().map(|extension| {
        let params = extension.params.iter().map(|param| match &param.value {
            Some(value) => format!(";{}={}", text(param.name), text(value)),
            None => format!(";{}", text(param.name)),
        });
        text(extension.name) + &params.collect::<String>()
    });
    Some(written.collect::<Vec<_>>().join(","))
}

#[test]
fn the_examples_of_the_rfc_are_read() {
    // RFC 6455 §9.1
    assert_eq!(plain(&["foo", "bar; baz=2"]).unwrap(), "foo,bar;baz=2");
    assert_eq!(plain(&["foo, bar; baz=2"]).unwrap(), "foo,bar;baz=2");
    assert_eq!(plain(&["deflate-stream"]).unwrap(), "deflate-stream");
    assert_eq!(
        plain(&["mux; max-channels=4; flow-control, deflate-stream"]).unwrap(),
        "mux;max-channels=4;flow-control,deflate-stream"
    );
    assert_eq!(plain(&["private-extension"]).unwrap(), "private-extension");
}

#[test]
fn a_quoted_value_is_the_same_as_a_token() {
    assert_eq!(one("a;b=\"10\""), one("a;b=10"));
    assert_eq!(one(r#"a;b="1\0""#), one("a;b=10"));
    assert_eq!(one(r#"a;b="\1\0";c"#), one("a;b=10;c"));
}

#[test]
fn a_quoted_value_that_is_no_token_is_refused() {
    for line in [
        r#"a;b="""#,
        r#"a;b="1 0""#,
        r#"a;b="1,0""#,
        r#"a;b="1;0""#,
        r#"a;b="\"""#,
        r#"a;b="\\""#,
        r#"a;b="é""#,
        "a;b=\"\t\"",
    ] {
        assert_eq!(one(line), Err(Malformed), "{line}");
    }
}

#[test]
fn a_quoted_value_must_end() {
    for line in [r#"a;b=""#, r#"a;b="1"#, r#"a;b="1\"#, r#"a;b="1\""#, r#"a;b="1"2"#] {
        assert_eq!(one(line), Err(Malformed), "{line}");
    }
    assert_eq!(plain(&[r#"a;b="1"#, r#"2""#]), None);
}

#[test]
fn whitespace_may_stand_around_delimiters_only() {
    assert_eq!(plain(&[" a ;\tb = 1 ; c , d\t"]).unwrap(), "a;b=1;c,d");
    assert_eq!(one("a b"), Err(Malformed));
    assert_eq!(one("a;b c"), Err(Malformed));
    assert_eq!(one("a;b=1 2"), Err(Malformed));
    assert_eq!(one("a\u{a0}"), Err(Malformed));
}

#[test]
fn empty_elements_are_ignored_but_one_element_there_must_be() {
    assert_eq!(plain(&[",, a,,b ,"]).unwrap(), "a,b");
    assert_eq!(plain(&["", "a"]).unwrap(), "a");
    assert_eq!(plain(&[""]), None);
    assert_eq!(plain(&[" , ,"]), None);
    assert_eq!(plain(&[]), None);
}

#[test]
fn names_and_values_are_never_empty() {
    for line in [";", "=", "a;", "a;;b", "a;=1", "a;b=", "a;b=;c", "a=1", "\"a\"", "a;\"b\"=1"] {
        assert_eq!(one(line), Err(Malformed), "{line}");
    }
}

#[test]
fn parameters_keep_their_order_and_repetitions() {
    assert_eq!(plain(&["a;c;b=1;c;constructor=__proto__"]).unwrap(), "a;c;b=1;c;constructor=__proto__");
}

#[test]
fn bytes_beyond_ascii_are_refused() {
    for line in [&b"\xff"[..], b"a\xe9", b"a;b=\xc3\xa9", b"a;b=\"\xff\"", b"\xc2\xa0a"] {
        assert_eq!(parse([line]), Err(Malformed));
    }
}

#[test]
fn a_megabyte_of_delimiters_or_quotes_takes_one_pass() {
    // Anything worse than linear would not come to an end here.
    for pattern in [",", ";", "\"", "a;b=\"", "a,", "a;b=\"\\", " "] {
        let _ = one(&pattern.repeat((1 << 20) / pattern.len()));
    }
    let escapes = format!("a;b=\"{}\"", "\\x".repeat(1 << 19));
    assert_eq!(one(&escapes).unwrap()[0].params[0].value.as_ref().unwrap().len(), 1 << 19);
}

/// A parameter: its name, its value if it has one, and whether that is to be quoted.
fn param() -> impl Strategy<Value = (String, Option<String>, bool)> {
    ("[a-z_]{1,8}", prop::option::of("[!#$%&'*+.^_`|~0-9A-Za-z-]{1,6}"), any::<bool>())
}

proptest! {
    #[test]
    fn garbage_never_panics(lines in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..4)) {
        let _ = parse(lines.iter().map(Vec::as_slice));
    }

    #[test]
    fn what_was_written_is_read_back(
        list in prop::collection::vec(("[a-z0-9-]{1,8}", prop::collection::vec(param(), 0..4)), 1..4),
    ) {
        let mut wire = Vec::new();
        let mut expected = Vec::new();
        for (name, params) in &list {
            let (mut element, mut bare) = (name.clone(), name.clone());
            for (param, value, quoted) in params {
                let Some(value) = value else {
                    element += &format!(" ; {param}");
                    bare += &format!(";{param}");
                    continue;
                };
                let escaped: String = value.chars().flat_map(|c| ['\\', c]).collect();
                element += &if *quoted { format!("; {param} = \"{escaped}\"") } else { format!("; {param}={value}") };
                bare += &format!(";{param}={value}");
            }
            wire.push(element);
            expected.push(bare);
        }
        let joined = wire.join(" , ");
        let lines: Vec<&str> = wire.iter().map(String::as_str).collect();
        prop_assert_eq!(plain(&[&joined]).unwrap(), expected.join(","));
        prop_assert_eq!(plain(&lines).unwrap(), expected.join(","));
    }
}
