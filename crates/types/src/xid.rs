//! Twelve bytes as 20 characters, the way `xid` writes them: base32 with the extended hexadecimal digits (RFC 4648, section 7) in lower
//! case, without padding. The texts are in the order of the bytes.

const DIGITS: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";

/// How many characters there are.
const CHARS: u32 = 20;

/// The bytes as text.
pub fn encode(bytes: [u8; 12]) -> String {
    let mut value = [0; 16];
    value[..12].copy_from_slice(&bytes);
    let bits = u128::from_be_bytes(value);
    let digit = |index: u32| usize::try_from((bits >> (123 - 5 * index)) & 31).expect("five bits fit");
    (0..CHARS).map(|index| char::from(DIGITS[digit(index)])).collect()
}

/// The bytes that are written as `text`; nothing if none are.
pub fn decode(text: &str) -> Option<[u8; 12]> {
    let digit = |byte: u8| DIGITS.iter().position(|&digit| digit == byte).map(|value| value as u128);
    if text.len() != CHARS as usize {
        return None;
    }
    let bits = text.bytes().try_fold(0, |bits, byte| Some((bits << 5) | digit(byte)?))?;
    // Of the 100 bits the last four are none of the bytes'.
    let bytes = (bits << 28).to_be_bytes().first_chunk().copied();
    bytes.filter(|_| bits & 15 == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_encoding_is_that_of_xid() {
        // The example of the xid format's own documentation.
        let bytes = [0x4d, 0x88, 0xe1, 0x5b, 0x60, 0xf4, 0x86, 0xe4, 0x28, 0x41, 0x2d, 0xc9];
        assert_eq!(encode(bytes), "9m4e2mr0ui3e8a215n4g");
        assert_eq!(decode("9m4e2mr0ui3e8a215n4g"), Some(bytes));
    }

    #[test]
    fn bytes_round_trip_and_nothing_else_is_read() {
        for bytes in [[0; 12], [0xff; 12], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]] {
            assert_eq!(decode(&encode(bytes)), Some(bytes));
        }
        for wrong in [
            "",
            "9m4e2mr0ui3e8a215n4",
            "9m4e2mr0ui3e8a215n4h",
            "9m4e2mr0ui3e8a215n4gg",
            "9M4e2mr0ui3e8a215n4g",
        ] {
            assert_eq!(decode(wrong), None, "{wrong}");
        }
        assert_eq!(decode(&"w".repeat(20)), None);
        assert_eq!(decode(&"0".repeat(40)), None, "what no 128 bits hold");
    }
}
