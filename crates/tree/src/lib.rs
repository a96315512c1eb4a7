//! Versioned trees: lookup, scan, diff, merge and fold over ranges and metaranges.
