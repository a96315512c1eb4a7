//! The check of one file, whose bytes are at hand.

use std::collections::BTreeMap;

use braid_sstable::{Corruption, RecordHasher, Table, verify_all};
use braid_types::MetarangeId;
use bytes::Bytes;

use super::Fault;
use crate::range_file::{self, hashed_properties};
use crate::value::{data, entry_size};
use crate::{EntryView, FileId, RangeDescriptor, ValueError, metarange};

/// What was found in a file.
pub(super) struct Report {
    file: FileId,
    /// In the order of the file; those about the file as a whole come last.
    pub(super) faults: Vec<Fault>,
    pub(super) bytes: u64,
    /// Records of a range.
    pub(super) records: u64,
    /// The ranges that a metarange names.
    pub(super) ranges: Vec<RangeDescriptor>,
}

impl Report {
    fn new(file: FileId, bytes: usize) -> Self {
        Self { file, faults: Vec::new(), bytes: bytes as u64, records: 0, ranges: Vec::new() }
    }

    /// The report of a file that cannot be read, because of what is at `offset` if that is known.
    pub(super) fn unread(file: FileId, offset: Option<u64>, what: impl Into<String>) -> Self {
        let mut report = Self::new(file, 0);
        report.fault(offset, what);
        report
    }

    fn fault(&mut self, offset: Option<u64>, what: impl Into<String>) {
        self.faults.push(Fault { file: self.file, offset, what: what.into() });
    }

    fn corruption(&mut self, corruption: &Corruption) {
        self.fault(Some(corruption.offset), corruption.what.to_string());
    }

    /// Compares what is said of something with what it is.
    fn compare<T: PartialEq>(&mut self, name: &str, said: &T, is: &T, show: impl Fn(&T) -> String) {
        if said != is {
            self.fault(None, format!("its {name} is said to be {}, and is {}", show(said), show(is)));
        }
    }

    fn in_order(mut self) -> Self {
        self.faults.sort_by_key(|fault| fault.offset.unwrap_or(u64::MAX));
        self
    }
}

/// Checks a range against what the metarange says of it.
pub(super) fn check_range(range: &RangeDescriptor, file: Bytes) -> Report {
    let mut report = Report::new(range.id.into(), file.len());
    let Some(table) = open(file, &mut report) else {
        return report;
    };
    let mut undecoded = Vec::new();
    let Some(content) = read(&table, range_file::KIND, &mut report, |at, key, value| {
        if let Err(what) = check_entry(value) {
            undecoded.push((at, format!("entry of '{}': {what}", key.escape_ascii())));
        }
    }) else {
        return report.in_order();
    };
    undecoded.into_iter().for_each(|(at, what)| report.fault(Some(at), what));
    if content.is_whole {
        content.check_properties(&table, range.data_bytes.is_some(), &mut report);
        content.check_descriptor(range, &mut report);
    }
    report.in_order()
}

/// Checks a metarange, and tells the ranges of its sound blocks.
pub(super) fn check_metarange(id: MetarangeId, file: Bytes) -> Report {
    let mut report = Report::new(id.into(), file.len());
    let Some(table) = open(file, &mut report) else {
        return report;
    };
    let (mut wrong, mut ranges) = (Vec::new(), Vec::<RangeDescriptor>::new());
    let content = read(&table, metarange::KIND, &mut report, |at, key, value| {
        match metarange::descriptor(key, Bytes::copy_from_slice(value)) {
            Ok(range) => {
                if ranges.last().is_some_and(|previous| previous.max_key >= range.min_key) {
                    wrong.push((
                        at,
                        format!("range up to '{}' overlaps the one before it", key.escape_ascii()),
                    ));
                }
                ranges.push(range);
            }
            Err(what) => wrong.push((at, format!("range up to '{}': {what}", key.escape_ascii()))),
        }
    });
    wrong.into_iter().for_each(|(at, what)| report.fault(Some(at), what));
    report.records = 0;
    if let Some(content) = content.filter(|content| content.is_whole) {
        let is_own = ranges.iter().any(|range| range.data_bytes.is_some());
        content.check_properties(&table, is_own, &mut report);
    }
    report.ranges = ranges;
    report.in_order()
}

fn open(file: Bytes, report: &mut Report) -> Option<Table> {
    Table::open(file).map_err(|corruption| report.corruption(&corruption)).ok()
}

/// Reads all blocks and hands on their records; compares the file's name with their hash if all of them could be read.
/// `None` if the file is not of this kind.
fn read(
    table: &Table,
    kind: &str,
    report: &mut Report,
    mut record: impl FnMut(u64, &[u8], &[u8]),
) -> Option<Content> {
    let properties = match hashed_properties(table.properties(), kind) {
        Ok(properties) => properties,
        Err(what) => {
            report.fault(None, what);
            return None;
        }
    };
    let mut content = Content::default();
    let mut corruptions = Vec::new();
    let visit = |at, key: &[u8], value: &[u8]| {
        content.add(key, value);
        record(at, key, value);
    };
    verify_all(table, visit, |corruption| corruptions.push(corruption));
    corruptions.iter().for_each(|corruption| report.corruption(corruption));
    content.is_whole = corruptions.is_empty();
    report.records = content.count;
    if content.is_whole {
        content.check_id(&properties, report);
    }
    Some(content)
}

fn check_entry(value: &[u8]) -> Result<(), ValueError> {
    EntryView::parse(data(value)?).map(|_| ())
}

/// What the records of a file come to.
#[derive(Default)]
struct Content {
    hasher: RecordHasher,
    min_key: Vec<u8>,
    max_key: Vec<u8>,
    count: u64,
    size: u64,
    /// The sum of the entries' sizes, if each record has one.
    data_bytes: Option<u64>,
    /// Whether all records could be read.
    is_whole: bool,
}

impl Content {
    fn add(&mut self, key: &[u8], value: &[u8]) {
        self.hasher.add(key, value);
        if self.count == 0 {
            self.min_key = key.to_vec();
            self.data_bytes = Some(0);
        }
        self.max_key.clear();
        self.max_key.extend_from_slice(key);
        self.count += 1;
        self.size += (key.len() + value.len()) as u64;
        self.data_bytes = self.data_bytes.and_then(|sum| sum.checked_add(entry_size(value)?));
    }

    fn check_id(&self, properties: &BTreeMap<String, String>, report: &mut Report) {
        let found = hex(&self.hasher.clone().finish(properties));
        if found != report.file.to_hex() {
            report.fault(None, format!("its records hash to '{found}'"));
        }
    }

    /// Compares what the file says of itself. Its size is an estimate in what lakeFS wrote.
    fn check_properties(&self, table: &Table, is_own: bool, report: &mut Report) {
        let count = self.count.to_string();
        let size = self.size.to_string();
        let mut said =
            vec![("min_key", &self.min_key[..]), ("max_key", &self.max_key[..]), ("count", count.as_bytes())];
        if is_own {
            said.push(("estimated_size_bytes", size.as_bytes()));
        }
        for (name, is) in said {
            let said = table.properties().get(name).map_or(&b""[..], |value| value);
            report.compare(&format!("property '{name}'"), &said, &is, quoted);
        }
    }

    /// Compares what the metarange says of the range. Of what lakeFS wrote, it knows no bytes of data, and its size is an
    /// estimate.
    fn check_descriptor(&self, range: &RangeDescriptor, report: &mut Report) {
        report.compare("first key in the metarange", &&range.min_key[..], &&self.min_key[..], quoted);
        report.compare("last key in the metarange", &&range.max_key[..], &&self.max_key[..], quoted);
        report.compare("count in the metarange", &range.count, &self.count, u64::to_string);
        if let Some(data_bytes) = range.data_bytes {
            report.compare("size in the metarange", &range.size, &self.size, u64::to_string);
            let said = Some(data_bytes);
            report.compare("data bytes in the metarange", &said, &self.data_bytes, |bytes| {
                format!("{bytes:?}")
            });
        }
    }
}

fn quoted(key: &&[u8]) -> String {
    format!("'{}'", key.escape_ascii())
}

fn hex(id: &[u8; 32]) -> String {
    MetarangeId::from_bytes(*id).to_hex()
}
