//! Entries read in place from their stored form, without a copy.

use braid_types::{AddressType, Entry, Time};

use crate::ValueError;
use crate::protobuf::{Fields, Refusal};
use crate::stored_entry::{ADDRESS, ADDRESS_TYPE, CONTENT_TYPE, E_TAG, LAST_MODIFIED, METADATA, SIZE};

/// An entry whose texts are those of its stored form.
#[derive(Debug, Clone, Copy)]
pub struct EntryView<'a> {
    /// As [`Entry::address`].
    pub address: &'a str,
    /// As [`Entry::address_type`].
    pub address_type: AddressType,
    /// Bytes of the object.
    pub size: u64,
    /// As [`Entry::checksum`].
    pub checksum: &'a str,
    /// As [`Entry::content_type`].
    pub content_type: &'a str,
    /// As [`Entry::mtime`].
    pub mtime: Time,
    /// As [`Entry::metadata`].
    pub metadata: MetadataView<'a>,
}

/// The user metadata of an [`EntryView`].
#[derive(Debug, Clone, Copy, Default)]
pub struct MetadataView<'a> {
    /// The message from its first field of metadata to its last; they have been read once, so they can be read.
    fields: &'a [u8],
}

impl<'a> EntryView<'a> {
    /// Reads stored data ([`Value::data`](crate::Value::data)) in one pass. Nothing is allocated.
    ///
    /// # Errors
    /// [`ValueError::NotAnEntry`].
    pub fn parse(data: &'a [u8]) -> Result<Self, ValueError> {
        parse(data).map_err(|what| ValueError::NotAnEntry { what })
    }

    /// The entry, which owns its texts.
    pub fn to_entry(&self) -> Entry {
        Entry {
            address: self.address.to_owned(),
            address_type: self.address_type,
            size: self.size,
            checksum: self.checksum.to_owned(),
            content_type: self.content_type.to_owned(),
            metadata: self.metadata.iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
            mtime: self.mtime,
        }
    }
}

impl<'a> MetadataView<'a> {
    /// Whether there is no metadata.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// Keys and values as they are stored: in key order in what Braid wrote, in any order in what lakeFS wrote. Of equal
    /// keys, the last one counts.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        let mut fields = Fields::new(self.fields);
        std::iter::from_fn(move || {
            next_pair(&mut fields).expect("the fields were read when the view was made")
        })
    }
}

fn parse(data: &[u8]) -> Result<EntryView<'_>, String> {
    let mut parts = Parts::default();
    parts.read(data).map_err(str::to_owned)?;
    Ok(EntryView {
        address: parts.address,
        address_type: address_type(parts.address_type)?,
        size: u64::try_from(parts.size).map_err(|_| format!("size {} is negative", parts.size))?,
        checksum: parts.e_tag,
        content_type: parts.content_type,
        mtime: time(parts.seconds, parts.nanos)?,
        metadata: parts.metadata,
    })
}

/// The fields as they are stored. Those that are not stored are empty or zero; of those stored twice, the last one counts.
#[derive(Default)]
struct Parts<'a> {
    address: &'a str,
    seconds: i64,
    nanos: i32,
    size: i64,
    e_tag: &'a str,
    metadata: MetadataView<'a>,
    address_type: i32,
    content_type: &'a str,
}

impl<'a> Parts<'a> {
    fn read(&mut self, data: &'a [u8]) -> Result<(), Refusal> {
        let mut fields = Fields::new(data);
        let mut metadata = None;
        loop {
            let before = fields.rest();
            let Some((number, wire_type)) = fields.next()? else {
                return Ok(());
            };
            match number {
                ADDRESS => self.address = fields.text(wire_type)?,
                LAST_MODIFIED => self.read_time(fields.message(wire_type)?)?,
                SIZE => self.size = fields.number(wire_type)?.cast_signed(),
                E_TAG => self.e_tag = fields.text(wire_type)?,
                METADATA => {
                    pair(fields.map_entry()?)?;
                    let start: &[u8] = metadata.get_or_insert(before);
                    self.metadata = MetadataView { fields: &start[..start.len() - fields.rest().len()] };
                }
                ADDRESS_TYPE => self.address_type = fields.number(wire_type)? as i32,
                CONTENT_TYPE => self.content_type = fields.text(wire_type)?,
                _ => fields.skip(number, wire_type)?,
            }
        }
    }

    /// `google.protobuf.Timestamp`.
    fn read_time(&mut self, mut fields: Fields<'_>) -> Result<(), Refusal> {
        while let Some((number, wire_type)) = fields.next()? {
            match number {
                1 => self.seconds = fields.number(wire_type)?.cast_signed(),
                2 => self.nanos = fields.number(wire_type)? as i32,
                _ => fields.skip(number, wire_type)?,
            }
        }
        Ok(())
    }
}

/// The next pair of metadata among the fields of an entry.
fn next_pair<'a>(fields: &mut Fields<'a>) -> Result<Option<(&'a str, &'a str)>, Refusal> {
    while let Some((number, wire_type)) = fields.next()? {
        if number == METADATA {
            return pair(fields.map_entry()?).map(Some);
        }
        fields.skip(number, wire_type)?;
    }
    Ok(None)
}

/// An entry of a map from text to text.
fn pair(mut fields: Fields<'_>) -> Result<(&str, &str), Refusal> {
    let mut pair = ("", "");
    while let Some((number, wire_type)) = fields.next()? {
        match number {
            1 => pair.0 = fields.text(wire_type)?,
            2 => pair.1 = fields.text(wire_type)?,
            _ => fields.skip(number, wire_type)?,
        }
    }
    Ok(pair)
}

fn address_type(stored: i32) -> Result<AddressType, String> {
    match stored {
        0 => Ok(AddressType::ByPrefix),
        1 => Ok(AddressType::Relative),
        2 => Ok(AddressType::Full),
        _ => Err(format!("address type {stored} is not 0, 1 or 2")),
    }
}

fn time(seconds: i64, nanos: i32) -> Result<Time, String> {
    match u32::try_from(nanos) {
        Ok(nanos) if nanos < 1_000_000_000 => Ok(Time { seconds, nanos }),
        _ => Err(format!("{nanos} nanoseconds are not part of a second")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_less_than_a_second_of_nanoseconds() {
        assert_eq!(time(3, 999_999_999), Ok(Time { seconds: 3, nanos: 999_999_999 }));
        assert!(time(0, 1_000_000_000).is_err());
        assert!(time(0, -1).is_err());
    }

    #[test]
    fn metadata_is_found_between_other_fields_and_the_last_of_equal_keys_counts() {
        let data = b"\x2a\x06\x0a\x01x\x12\x011\x18\x07\x2a\x06\x0a\x01x\x12\x012\x0a\x01a";
        let view = EntryView::parse(data).unwrap();
        assert_eq!(view.metadata.iter().collect::<Vec<_>>(), [("x", "1"), ("x", "2")]);
        let entry = view.to_entry();
        assert_eq!((entry.metadata["x"].as_str(), entry.size, entry.address.as_str()), ("2", 7, "a"));
        assert!(EntryView::parse(b"\x18\x07").unwrap().metadata.is_empty());
    }
}
