//! The Rust client of a Braid server.
