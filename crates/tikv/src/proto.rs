//! The generated messages and services of TiKV and PD, one module a protobuf package.
//!
//! What each message means is written in the contracts themselves, under `proto/`.

#[expect(
    unreachable_pub,
    unused_qualifications,
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    clippy::enum_variant_names,
    reason = "generated code"
)]
mod generated {
    pub(crate) mod deadlock {
        tonic::include_proto!("deadlock");
    }
    pub(crate) mod errorpb {
        tonic::include_proto!("errorpb");
    }
    pub(crate) mod keyspacepb {
        tonic::include_proto!("keyspacepb");
    }
    pub(crate) mod kvrpcpb {
        tonic::include_proto!("kvrpcpb");
    }
    pub(crate) mod metapb {
        tonic::include_proto!("metapb");
    }
    pub(crate) mod pdpb {
        tonic::include_proto!("pdpb");
    }
    pub(crate) mod tikvpb {
        tonic::include_proto!("tikvpb");
    }
}

#[cfg(any(test, feature = "testing"))]
pub(crate) use generated::deadlock;
pub(crate) use generated::{errorpb, keyspacepb, kvrpcpb, metapb, pdpb, tikvpb};
