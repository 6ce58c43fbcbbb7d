//! The same comparison at an earlier time.
