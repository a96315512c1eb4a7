//! The `url` encoding of names in listings: XML cannot hold every character that a key can.

/// Percent-encodes a name, but for what S3 leaves as it is.
pub(crate) fn encode_name(name: &str) -> String {
    let mut encoded = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'*' | b'/' => {
                encoded.push(char::from(byte));
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

/// The name that this is the encoding of; `+` stands for a space. `None` if it is none.
pub(crate) fn decode_name(encoded: &str) -> Option<String> {
    let mut name = Vec::with_capacity(encoded.len());
    let mut rest = encoded.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        match first {
            b'+' => name.push(b' '),
            b'%' => {
                let (digits, after) = after.split_at_checked(2)?;
                name.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
                rest = after;
            }
            byte => name.push(*byte),
        }
    }
    String::from_utf8(name).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn names_round_trip(name in any::<String>()) {
            prop_assert_eq!(decode_name(&encode_name(&name)), Some(name));
        }
    }

    #[test]
    fn what_s3_encodes_is_understood() {
        assert_eq!(decode_name("a+b%2B%E2%82%AC/c").as_deref(), Some("a b+€/c"));
        for broken in ["%", "%2", "%zz", "%ff"] {
            assert_eq!(decode_name(broken), None, "{broken}");
        }
    }
}
