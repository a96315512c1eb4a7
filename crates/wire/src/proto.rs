//! The generated messages, clients and servers of package `braid.v1`, and their descriptors for reflection.
//!
//! What each message means is written in the contracts themselves, under `proto/` in the repository.

#[expect(
    missing_docs,
    unused_qualifications,
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    clippy::large_enum_variant,
    reason = "generated code"
)]
mod generated {
    tonic::include_proto!("braid.v1");
}

pub use generated::*;

/// The encoded `FileDescriptorSet` of the whole contract.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/braid.v1.bin"));

/// Largest message that servers and clients of this contract take, in bytes: room for a full transaction of long paths
/// with some metadata each. tonic's own default is 4 MiB.
pub const MAX_MESSAGE_BYTES: usize = 64 << 20;

/// Room for the headers and trailers of a failure that names a path of the greatest length, in bytes: it is in there
/// several times, and encoded. HTTP/2's usual default is 16 KiB.
pub const MAX_HEADER_BYTES: u32 = 64 << 10;
