//! Access keys: who calls, with secrets sealed under a master key.
