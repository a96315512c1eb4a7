//! Entries as a writer's uploads leave them, one after the other.
//!
//! Their addresses are laid out as the service gives them out: a batch of uploads shares a partition, and what follows
//! begins with the time and ends with the number of the upload. Without batches, every address is 160 bits of chance.

use std::collections::BTreeMap;

use braid_types::{AddressType, Entry, Time};

use super::dice::Dice;

/// How many addresses share a partition, as in the service.
const BATCH_ADDRESSES: u32 = 50_000;
/// Uploads of one writer in a second.
const UPLOADS_A_SECOND: u32 = 100;
const DIGITS: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";
/// 2025-01-01T00:00:00Z.
const FIRST_SECOND: u32 = 1_735_689_600;

/// How addresses are given out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Addresses {
    /// In batches, as the service does.
    Batched,
    /// Each by chance: what batches are measured against.
    Random,
}

/// Gives one entry after the other, for ever, the same ones for the same seed.
pub(crate) struct Uploads {
    dice: Dice,
    addresses: Addresses,
    partition: [u8; 12],
    /// Tells batches apart in the second part as well.
    mark: [u8; 5],
    done: u32,
}

impl Uploads {
    pub(crate) fn new(seed: u64, addresses: Addresses) -> Self {
        Self { dice: Dice::new(seed), addresses, partition: [0; 12], mark: [0; 5], done: 0 }
    }

    pub(crate) fn next_entry(&mut self) -> Entry {
        let address = self.address();
        let mtime = Time::from_seconds(i64::from(self.second()));
        self.done += 1;
        Entry {
            address,
            address_type: AddressType::Relative,
            size: self.dice.roll() % (64 << 20),
            checksum: format!("{:016x}{:016x}", self.dice.roll(), self.dice.roll()),
            content_type: "application/vnd.apache.parquet".to_owned(),
            metadata: BTreeMap::new(),
            mtime,
        }
    }

    fn address(&mut self) -> String {
        let number = self.done % BATCH_ADDRESSES;
        if number == 0 || self.addresses == Addresses::Random {
            self.partition = self.random();
            self.mark = self.random();
        }
        let mut timed = [0; 12];
        timed[..4].copy_from_slice(&self.second().to_be_bytes());
        timed[4..9].copy_from_slice(&self.mark);
        timed[9..].copy_from_slice(&number.to_be_bytes()[1..]);
        if self.addresses == Addresses::Random {
            timed[4..].copy_from_slice(&self.random::<8>());
        }
        let mut address = String::with_capacity(46);
        address.push_str("data/");
        push_base32(&mut address, self.partition);
        address.push('/');
        push_base32(&mut address, timed);
        address
    }

    fn second(&self) -> u32 {
        FIRST_SECOND.wrapping_add(self.done / UPLOADS_A_SECOND)
    }

    fn random<const N: usize>(&mut self) -> [u8; N] {
        let rolls = [self.dice.roll().to_be_bytes(), self.dice.roll().to_be_bytes()];
        std::array::from_fn(|index| rolls[index / 8][index % 8])
    }
}

/// Base32 with the extended hexadecimal digits (RFC 4648, section 7) in lower case, without padding.
fn push_base32(text: &mut String, bytes: [u8; 12]) {
    let mut value = [0; 16];
    value[..12].copy_from_slice(&bytes);
    let bits = u128::from_be_bytes(value);
    text.extend((0..20_u32).map(|digit| char::from(DIGITS[(bits >> (123 - 5 * digit)) as usize & 31])));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(kind: Addresses, count: usize) -> Vec<String> {
        let mut uploads = Uploads::new(1, kind);
        (0..count).map(|_| uploads.next_entry().address).collect()
    }

    #[test]
    fn a_batch_shares_its_partition_and_its_addresses_ascend() {
        let batch = BATCH_ADDRESSES as usize;
        let given = addresses(Addresses::Batched, batch + 1);
        assert!(given.iter().all(|address| address.len() == 46 && address.starts_with("data/")));
        assert!(given[..batch].is_sorted_by(|one, next| one < next));
        assert!(given[..batch].iter().all(|address| address[..25] == given[0][..25]));
        assert_ne!(given[batch][..25], given[0][..25]);
    }

    #[test]
    fn addresses_of_chance_share_nothing_but_the_time() {
        let given = addresses(Addresses::Random, 2);
        assert_eq!((given[0].len(), &given[0][26..32]), (46, &given[1][26..32]));
        assert_ne!(given[0][5..25], given[1][5..25]);
        assert_ne!(given[0][33..], given[1][33..]);
    }

    #[test]
    fn the_encoding_is_that_of_xid() {
        // The example of the xid format's own documentation.
        let mut text = String::new();
        push_base32(&mut text, [0x4d, 0x88, 0xe1, 0x5b, 0x60, 0xf4, 0x86, 0xe4, 0x28, 0x41, 0x2d, 0xc9]);
        assert_eq!(text, "9m4e2mr0ui3e8a215n4g");
    }
}
