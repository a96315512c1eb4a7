//! A TiKV cluster in memory, answering on loopback: for tests.
