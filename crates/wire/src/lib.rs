//! Generated protobuf and its only conversions.
