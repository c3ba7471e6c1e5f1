//! Every integration test, on both databases, in one binary.

mod identity;
