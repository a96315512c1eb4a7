//! The words of Braid as types: names, ids, paths, entries, commits, refs and errors. No I/O.
