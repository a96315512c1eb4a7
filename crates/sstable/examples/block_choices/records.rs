//! Records of a data lake, the same in each run: what a table of uploads looks like once it is committed.

use std::collections::BTreeMap;

/// Records by key.
pub(crate) type Records = BTreeMap<Vec<u8>, Vec<u8>>;

/// How many paths a directory has.
pub(crate) const PARTS_A_DAY: u64 = 10_000;
/// Parts are numbered with gaps.
const PART_GAP: u64 = 100;
/// How many addresses share a partition, as the service gives them out.
const BATCH_ADDRESSES: u64 = 50_000;
const UPLOADS_A_SECOND: u64 = 100;
/// 2025-01-01T00:00:00Z.
const FIRST_SECOND: u64 = 1_735_689_600;
const DIGITS: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";

/// A sequence of numbers without pattern. Source: `SplitMix64`, Steele, Lea and Flood, "Fast splittable pseudorandom number
/// generators", 2014.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// `count` records: paths of 46 bytes, entries whose addresses were given out in the order of the paths.
pub(crate) fn records(count: u64) -> Records {
    (0..count).map(|number| (path(number).into_bytes(), value(1, number))).collect()
}

/// The same with a change of one path in `one_in`, without pattern: of ten changes, eight put other content, one deletes, and one
/// puts a path that is new.
pub(crate) fn changed(records: &Records, one_in: u64) -> Records {
    let mut dice = Dice::new(2);
    let mut changed = records.clone();
    for (number, key) in (0..).zip(records.keys()) {
        if !dice.roll().is_multiple_of(one_in) {
            continue;
        }
        match dice.roll() % 10 {
            0 => changed.remove(key),
            1 => changed.insert([key, &b".crc"[..]].concat(), value(2, number)),
            _ => changed.insert(key.clone(), value(2, number)),
        };
    }
    changed
}

fn path(number: u64) -> String {
    let (day, part) = (number / PARTS_A_DAY, number % PARTS_A_DAY);
    let (month, day) = (day / 28, day % 28 + 1);
    let (year, month) = (2020 + month / 12, month % 12 + 1);
    let part = part * PART_GAP + Dice::new(number).roll() % PART_GAP;
    format!("lake/events/day={year}-{month:02}-{day:02}/part-{part:06}.parquet")
}

/// A value as lakeFS stores it: the identity and the entry, each with its length in front as a zigzag varint.
fn value(seed: u64, number: u64) -> Vec<u8> {
    let mut dice = Dice::new(seed << 40 ^ number);
    let entry = entry(seed, number, &mut dice);
    let mut value = vec![0x40];
    value.extend((0..4).flat_map(|_| dice.roll().to_le_bytes()));
    put_varint(&mut value, (entry.len() as u64) << 1);
    value.extend(entry);
    value
}

/// lakeFS's protobuf `Entry`: address, time, size, entity tag, address type, content type.
fn entry(seed: u64, number: u64, dice: &mut Dice) -> Vec<u8> {
    let second = FIRST_SECOND + (seed << 20) + number / UPLOADS_A_SECOND;
    let etag = format!("{:016x}{:016x}", dice.roll(), dice.roll());
    let mut time = vec![1 << 3];
    put_varint(&mut time, second);
    let mut entry = Vec::new();
    put_bytes(&mut entry, 1, address(seed, number, second).as_bytes());
    put_bytes(&mut entry, 2, &time);
    entry.push(3 << 3);
    put_varint(&mut entry, dice.roll() % (64 << 20));
    put_bytes(&mut entry, 4, etag.as_bytes());
    entry.extend([6 << 3, 1]);
    put_bytes(&mut entry, 7, b"application/vnd.apache.parquet");
    entry
}

/// `data/<partition>/<time, mark of the batch, number>`, both of 12 bytes in base32.
fn address(seed: u64, number: u64, second: u64) -> String {
    let mut batch = Dice::new(seed << 32 ^ (number / BATCH_ADDRESSES));
    let partition = u128::from(batch.roll()) << 32 | u128::from(batch.roll() >> 32);
    let mark = u128::from(batch.roll() >> 24);
    let timed = u128::from(second as u32) << 64 | mark << 24 | u128::from(number % BATCH_ADDRESSES);
    format!("data/{}/{}", base32(partition), base32(timed))
}

/// The lowest 96 bits.
fn base32(bits: u128) -> String {
    (0..20).map(|index| char::from(DIGITS[((bits << 32) >> (123 - 5 * index)) as usize & 31])).collect()
}

fn put_bytes(out: &mut Vec<u8>, field: u8, bytes: &[u8]) {
    out.push(field << 3 | 2);
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}
