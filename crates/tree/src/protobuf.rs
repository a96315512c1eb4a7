//! Reads protobuf's wire format in place. Source: <https://protobuf.dev/programming-guides/encoding/>.
//!
//! It takes and refuses the same bytes as the `prost` crate, whose types write what is read here; tests compare the two.

/// What is wrong with the bytes.
pub(crate) type Refusal = &'static str;

pub(crate) const VARINT: u8 = 0;
pub(crate) const LENGTH_DELIMITED: u8 = 2;
const SIXTY_FOUR_BITS: u8 = 1;
const START_GROUP: u8 = 3;
const END_GROUP: u8 = 4;
const THIRTY_TWO_BITS: u8 = 5;

/// How deep messages and groups may stand in each other.
const MAX_DEPTH: u32 = 100;

/// The fields of a message, read one after the other.
#[derive(Debug, Clone)]
pub(crate) struct Fields<'a> {
    rest: &'a [u8],
    /// How many messages this one stands in.
    depth: u32,
}

impl<'a> Fields<'a> {
    pub(crate) fn new(message: &'a [u8]) -> Self {
        Self { rest: message, depth: 0 }
    }

    /// What is not read yet.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The number and the wire type of the next field, whose content is to be read next; `None` at the end.
    #[inline]
    pub(crate) fn next(&mut self) -> Result<Option<(u32, u8)>, Refusal> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let key = u32::try_from(self.take_varint()?).map_err(|_| "a field's number is too large")?;
        match key >> 3 {
            0 => Err("a field has the number 0"),
            number => Ok(Some((number, key as u8 & 7))),
        }
    }

    /// The content of a field that is a number.
    #[inline]
    pub(crate) fn number(&mut self, wire_type: u8) -> Result<u64, Refusal> {
        expect_type(VARINT, wire_type)?;
        self.take_varint()
    }

    /// The content of a field that is text.
    #[inline]
    pub(crate) fn text(&mut self, wire_type: u8) -> Result<&'a str, Refusal> {
        expect_type(LENGTH_DELIMITED, wire_type)?;
        std::str::from_utf8(self.take_bytes()?).map_err(|_| "a text is not UTF-8")
    }

    /// The content of a field that is a message.
    pub(crate) fn message(&mut self, wire_type: u8) -> Result<Self, Refusal> {
        expect_type(LENGTH_DELIMITED, wire_type)?;
        self.map_entry()
    }

    /// The content of a field that is an entry of a map: `prost` does not look at its wire type.
    pub(crate) fn map_entry(&mut self) -> Result<Self, Refusal> {
        Ok(Self { rest: self.take_bytes()?, depth: self.depth + 1 })
    }

    /// Passes over the content of a field of any type.
    #[inline]
    pub(crate) fn skip(&mut self, number: u32, wire_type: u8) -> Result<(), Refusal> {
        match wire_type {
            VARINT => self.take_varint().map(|_| ()),
            LENGTH_DELIMITED => self.take_bytes().map(|_| ()),
            SIXTY_FOUR_BITS => self.take(8).map(|_| ()),
            THIRTY_TWO_BITS => self.take(4).map(|_| ()),
            START_GROUP => self.skip_group(number),
            END_GROUP => Err("a group ends that did not begin"),
            _ => Err("a field has an unknown wire type"),
        }
    }

    /// Passes over a group and those in it, without recursion.
    #[cold]
    fn skip_group(&mut self, number: u32) -> Result<(), Refusal> {
        let mut open = vec![number];
        while let Some(&innermost) = open.last() {
            let (number, wire_type) = self.next()?.ok_or("a group does not end")?;
            match wire_type {
                END_GROUP if number == innermost => {
                    open.pop();
                }
                END_GROUP => return Err("a group ends that did not begin"),
                _ if self.depth as usize + open.len() >= MAX_DEPTH as usize => {
                    return Err("groups stand too deep in each other");
                }
                START_GROUP => open.push(number),
                _ => self.skip(number, wire_type)?,
            }
        }
        Ok(())
    }

    #[inline]
    fn take_bytes(&mut self) -> Result<&'a [u8], Refusal> {
        let len = self.take_varint()?;
        self.take(usize::try_from(len).unwrap_or(usize::MAX))
    }

    #[inline]
    fn take(&mut self, len: usize) -> Result<&'a [u8], Refusal> {
        let (taken, rest) = self.rest.split_at_checked(len).ok_or("a field is cut short")?;
        self.rest = rest;
        Ok(taken)
    }

    #[inline]
    fn take_varint(&mut self) -> Result<u64, Refusal> {
        match self.rest {
            [byte @ 0..0x80, rest @ ..] => {
                self.rest = rest;
                Ok(u64::from(*byte))
            }
            _ => self.take_long_varint(),
        }
    }

    fn take_long_varint(&mut self) -> Result<u64, Refusal> {
        let mut value = 0;
        for (index, &byte) in self.rest.iter().enumerate().take(10) {
            value |= u64::from(byte & 0x7f) << (7 * index);
            if byte < 0x80 {
                // The tenth byte has room for one bit.
                if index == 9 && byte > 1 {
                    break;
                }
                self.rest = &self.rest[index + 1..];
                return Ok(value);
            }
        }
        Err("a number is cut short or too large")
    }
}

#[inline]
fn expect_type(expected: u8, found: u8) -> Result<(), Refusal> {
    if expected == found { Ok(()) } else { Err("a field has another type than it should") }
}
