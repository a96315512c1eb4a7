//! The transactional key-value port, its backends, and the conformance suite that they share.
