//! The object store port: S3, local disk with its own S3 endpoint, memory; presigned URLs.
