//! A transparency log: an append-only list that can be checked by somebody who trusts nobody.
//!
//! Hashes and proofs are those of RFC 6962, and of RFC 9162 where it says how to verify them; tiles, checkpoints and proofs in
//! files are those of C2SP (`tlog-tiles`, `tlog-checkpoint`, `signed-note`, `tlog-proof`), so that any of their clients can read what is
//! made here. Nothing here does I/O, and nothing knows what an entry says. Tested against other people's implementations
//! (`tests/oracles.rs`).

mod checkpoint;
mod frontier;
mod hash;
mod note;
mod proof;
mod tile;

pub use checkpoint::Checkpoint;
pub use frontier::{Frontier, Node};
pub use hash::Hash;
pub use note::{Note, NoteError, Signer, Verifier};
pub use proof::{
    ProofError, ProofFile, consistency, inclusion, verify_consistency, verify_inclusion,
};
pub use tile::{Bundle, Tile, TileError};
