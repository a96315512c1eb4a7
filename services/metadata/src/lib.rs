//! The metadata service: gRPC over the catalog.
