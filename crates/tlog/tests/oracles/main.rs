//! Comparison with independent implementations of the same standards: `ct-merkle` (RFC 6962), and
//! Cloudflare's `tlog_tiles` and `signed_note` (C2SP), for small trees with all entries and all
//! older sizes.

mod notes;
mod proofs;
mod roots;
mod tiles;
mod tree;
