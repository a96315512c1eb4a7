//! LEB128 varints, unsigned, least significant group first. Only the shortest form of a number is read: a flipped bit must
//! not go unnoticed because it makes a longer form of the same number.

/// Appends `value`.
pub(crate) fn put(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Reads a varint at the start of `bytes`: its value and length, or `None` if it is cut short, exceeds 64 bits or
/// is not the shortest form.
pub(crate) fn take(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut value = 0u64;
    for (index, &byte) in bytes.iter().enumerate().take(10) {
        let group = u64::from(byte & 0x7f);
        let overflows = index == 9 && group > 1;
        let is_longer_than_needed = index > 0 && byte == 0;
        if overflows || is_longer_than_needed {
            return None;
        }
        value |= group << (7 * index);
        if byte < 0x80 {
            return Some((value, index + 1));
        }
    }
    None
}

/// Reads a varint of at most 32 bits at the start of `bytes`.
#[inline]
pub(crate) fn take_u32(bytes: &[u8]) -> Option<(u32, usize)> {
    match bytes {
        [first, ..] if *first < 0x80 => Some((u32::from(*first), 1)),
        [first, second, ..] if (1..0x80).contains(second) => {
            Some((u32::from(first & 0x7f) | u32::from(*second) << 7, 2))
        }
        _ => take(bytes).and_then(|(value, len)| Some((u32::try_from(value).ok()?, len))),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_varint_reads_back(value: u64, shift in 0u32..64, rest: Vec<u8>) {
            let value = value >> shift;
            let mut bytes = Vec::new();
            put(&mut bytes, value);
            let len = bytes.len();
            bytes.extend(rest);
            prop_assert_eq!(take(&bytes), Some((value, len)));
            prop_assert_eq!(take_u32(&bytes), u32::try_from(value).ok().map(|value| (value, len)));
        }

        #[test]
        fn a_varint_cut_short_is_refused(value: u64) {
            let mut bytes = Vec::new();
            put(&mut bytes, value);
            bytes.pop();
            prop_assert_eq!(take(&bytes), None);
            prop_assert_eq!(take_u32(&bytes), None);
        }
    }

    #[test]
    fn a_longer_form_than_needed_is_refused() {
        for bytes in [[0x80, 0x00, 0x00], [0xff, 0x00, 0x01], [0xff, 0x80, 0x00]] {
            assert_eq!(take(&bytes), None);
            assert_eq!(take_u32(&bytes), None);
        }
    }

    #[test]
    fn more_than_64_bits_are_refused() {
        let mut bytes = vec![0xff; 9];
        bytes.push(0x01);
        assert_eq!(take(&bytes), Some((u64::MAX, 10)));
        bytes[9] = 0x02;
        assert_eq!(take(&bytes), None);
        assert_eq!(take(&[0x80; 11]), None);
    }
}
