//! How single fields are read from messages and written to them.
//!
//! Reading checks, once: a value that was read is valid for good. Errors name the field, from the outside in:
//! `links: item 2: path: a path must not be empty`.

use std::collections::BTreeMap;

use braid_types::{
    BranchName, Code, CommitId, Error, ImportId, MetarangeId, ObjectPath, PathPrefix, PullId, RefExpression,
    RepositoryId, RepositoryName, TagName, Time,
};

/// A value with one representation in a message.
pub(crate) trait Field: Sized {
    /// The generated type.
    type Wire;

    /// Checks and takes what came in.
    fn read(wire: Self::Wire) -> Result<Self, Error>;

    /// What goes out.
    fn write(self) -> Self::Wire;
}

/// A value whose representation is a string, never empty unless the value itself can be.
pub(crate) trait Text: Sized {
    fn parse(text: String) -> Result<Self, Error>;
    fn text(self) -> String;
}

/// Puts the field's name before what is wrong with it.
pub(crate) fn in_field<T>(field: &str, read: Result<T, Error>) -> Result<T, Error> {
    read.map_err(|error| Error::new(error.code(), error.subject(), format!("{field}: {}", error.message())))
}

/// Reads a message that must be there.
pub(crate) fn required<T: Field>(wire: Option<T::Wire>) -> Result<T, Error> {
    let wire = wire.ok_or_else(|| Error::new(Code::InvalidArgument, "", "it must be given"))?;
    T::read(wire)
}

/// Reads a message that may be absent.
pub(crate) fn optional<T: Field>(wire: Option<T::Wire>) -> Result<Option<T>, Error> {
    wire.map(T::read).transpose()
}

macro_rules! text {
    ($($name:ty, $parse:expr, $text:expr;)*) => {$(
        impl Text for $name {
            fn parse(text: String) -> Result<Self, Error> {
                $parse(text)
            }

            fn text(self) -> String {
                $text(&self)
            }
        }

        impl Field for $name {
            type Wire = String;

            fn read(wire: String) -> Result<Self, Error> {
                Text::parse(wire)
            }

            fn write(self) -> String {
                self.text()
            }
        }
    )*};
}

text! {
    RepositoryName, RepositoryName::new, ToString::to_string;
    BranchName, BranchName::new, ToString::to_string;
    TagName, TagName::new, ToString::to_string;
    ObjectPath, ObjectPath::existing, ToString::to_string;
    PathPrefix, PathPrefix::new, ToString::to_string;
    RefExpression, |text: String| RefExpression::parse(&text), ToString::to_string;
    RepositoryId, |text: String| text.parse(), RepositoryId::to_hex;
    CommitId, |text: String| text.parse(), CommitId::to_hex;
    ImportId, |text: String| text.parse(), ImportId::to_hex;
    MetarangeId, |text: String| text.parse(), MetarangeId::to_hex;
    PullId, |text: String| text.parse(), ToString::to_string;
    String, Ok, |text: &String| text.clone();
}

/// An empty string is no value.
impl<T: Text> Field for Option<T> {
    type Wire = String;

    fn read(wire: String) -> Result<Self, Error> {
        if wire.is_empty() {
            return Ok(None);
        }
        T::parse(wire).map(Some)
    }

    fn write(self) -> String {
        self.map(T::text).unwrap_or_default()
    }
}

/// Zero is no value.
impl Field for Option<u32> {
    type Wire = u32;

    fn read(wire: u32) -> Result<Self, Error> {
        Ok(Some(wire).filter(|&number| number != 0))
    }

    fn write(self) -> u32 {
        self.unwrap_or(0)
    }
}

impl<T: Field> Field for Vec<T> {
    type Wire = Vec<T::Wire>;

    fn read(wire: Vec<T::Wire>) -> Result<Self, Error> {
        let items = wire.into_iter().enumerate();
        items.map(|(index, item)| in_field(&format!("item {index}"), T::read(item))).collect()
    }

    fn write(self) -> Vec<T::Wire> {
        self.into_iter().map(T::write).collect()
    }
}

macro_rules! plain {
    ($($name:ty),*) => {$(
        impl Field for $name {
            type Wire = $name;

            fn read(wire: $name) -> Result<Self, Error> {
                Ok(wire)
            }

            fn write(self) -> $name {
                self
            }
        }
    )*};
}

plain!(bool, i32, u32, u64, Option<u64>, BTreeMap<String, String>);

impl Field for Time {
    type Wire = prost_types::Timestamp;

    fn read(wire: prost_types::Timestamp) -> Result<Self, Error> {
        match u32::try_from(wire.nanos) {
            Ok(nanos) if nanos < 1_000_000_000 => Ok(Self { seconds: wire.seconds, nanos }),
            _ => {
                let message = format!("nanos are {}; they must be 0 to 999999999", wire.nanos);
                Err(Error::new(Code::InvalidArgument, wire.nanos.to_string(), message))
            }
        }
    }

    fn write(self) -> prost_types::Timestamp {
        let nanos = i32::try_from(self.nanos).expect("nanoseconds of a time are below one second");
        prost_types::Timestamp { seconds: self.seconds, nanos }
    }
}

/// Implements both conversions between a typed struct and the generated one with the same field names.
///
/// A field that holds another message is marked `required` or `optional`, one with a path that is about to be written
/// `new_path`: such paths are shorter than those that may exist. `mutation` after the fields is for requests
/// with a `request_id`, which is no field of the typed struct.
macro_rules! message {
    ($name:ident = $proto:ident { $($field:ident $(: $kind:ident)?),* $(,)? } $($mutation:ident)?) => {
        impl crate::field::Field for $name {
            type Wire = crate::proto::$proto;

            fn read(wire: Self::Wire) -> Result<Self, braid_types::Error> {
                Ok(Self {
                    $($field: crate::field::in_field(
                        stringify!($field),
                        crate::field::message!(@read $($kind)? wire.$field),
                    )?,)*
                })
            }

            fn write(self) -> Self::Wire {
                crate::proto::$proto {
                    $($field: crate::field::message!(@write $($kind)? self.$field),)*
                    $(request_id: crate::field::message!(@$mutation),)?
                }
            }
        }

        crate::field::conversions!($name = $proto);
        $(crate::field::message!(@$mutation $proto);)?
    };
    (@read $wire:ident.$field:ident) => { crate::field::Field::read($wire.$field) };
    (@read required $wire:ident.$field:ident) => { crate::field::required($wire.$field) };
    (@read new_path $wire:ident.$field:ident) => { braid_types::ObjectPath::new($wire.$field) };
    (@read optional $wire:ident.$field:ident) => { crate::field::optional($wire.$field) };
    (@write $value:ident.$field:ident) => { crate::field::Field::write($value.$field) };
    (@write required $value:ident.$field:ident) => { Some(crate::field::Field::write($value.$field)) };
    (@write new_path $value:ident.$field:ident) => { crate::field::Field::write($value.$field) };
    (@write optional $value:ident.$field:ident) => { $value.$field.map(crate::field::Field::write) };
    (@mutation) => { String::new() };
    (@mutation $proto:ident) => { crate::mutation::mutation!($proto); };
}
pub(crate) use message;

/// Offers a message's [`Field`] to other crates as `TryFrom` and `From`.
macro_rules! conversions {
    ($name:ident = $proto:ident) => {
        impl TryFrom<crate::proto::$proto> for $name {
            type Error = braid_types::Error;

            fn try_from(wire: crate::proto::$proto) -> Result<Self, braid_types::Error> {
                crate::field::Field::read(wire)
            }
        }

        impl From<$name> for crate::proto::$proto {
            fn from(value: $name) -> Self {
                crate::field::Field::write(value)
            }
        }
    };
}
pub(crate) use conversions;

/// Implements `Field` for an enum of the contract; what is not listed is refused.
macro_rules! enumeration {
    ($name:ident = $proto:ident { $($wire:ident => $value:ident),* $(,)? }) => {
        impl crate::field::Field for $name {
            type Wire = i32;

            fn read(wire: i32) -> Result<Self, braid_types::Error> {
                let known = [$((crate::proto::$proto::$wire, Self::$value)),*];
                let found = known.into_iter().find(|(number, _)| i32::from(*number) == wire);
                found.map(|(_, value)| value).ok_or_else(|| crate::field::unknown_value(wire))
            }

            fn write(self) -> i32 {
                match self {
                    $(Self::$value => crate::proto::$proto::$wire.into(),)*
                }
            }
        }
    };
}
pub(crate) use enumeration;

/// The refusal of a number that an enum of the contract does not have.
pub(crate) fn unknown_value(wire: i32) -> Error {
    Error::new(Code::InvalidArgument, wire.to_string(), format!("'{wire}' is not one of the known values"))
}
