//! How deeply a JSON text is nested, without parsing it.

/// The deepest nesting that is parsed.
pub const JSON_DEPTH_MAX: usize = 64;

/// Returns true if `json` nests arrays and objects more deeply than [`JSON_DEPTH_MAX`]. Text that
/// is no JSON gets some answer: parsing will refuse it anyway.
pub(crate) fn is_too_deep(json: &[u8]) -> bool {
    let mut depth = 0_usize;
    let mut rest = json;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'[' | b'{' => {
                depth += 1;
                if depth > JSON_DEPTH_MAX {
                    return true;
                }
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            b'"' => rest = after_string(rest),
            _ => {}
        }
    }
    false
}

/// Returns the text after the string whose opening quote was just read.
fn after_string(mut rest: &[u8]) -> &[u8] {
    while let Some(at) = memchr::memchr2(b'"', b'\\', rest) {
        // A backslash takes the byte after it along.
        let taken = if rest.get(at) == Some(&b'"') { at + 1 } else { at + 2 };
        let is_end = taken == at + 1;
        rest = rest.get(taken..).unwrap_or_default();
        if is_end {
            return rest;
        }
    }
    &[]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nesting_is_counted_outside_strings_only() {
        let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
        let rows = [
            (nested(JSON_DEPTH_MAX), false),
            (nested(JSON_DEPTH_MAX + 1), true),
            ("{\"a\":".repeat(JSON_DEPTH_MAX + 1), true),
            (format!("[{}]", "[],".repeat(1000)), false),
            (format!("\"{}\"", "[".repeat(1000)), false),
            (format!("\"\\\"{}\"", "[".repeat(1000)), false),
            (format!("\"\\\\\"{}", "[".repeat(1000)), true),
            (format!("\"{}", "[".repeat(1000)), false),
            ("\"\\".to_owned(), false),
            ("]]]]".to_owned() + &nested(JSON_DEPTH_MAX), false),
            (String::new(), false),
        ];
        for (json, too_deep) in rows {
            assert_eq!(is_too_deep(json.as_bytes()), too_deep, "{json:.40}");
        }
    }
}
