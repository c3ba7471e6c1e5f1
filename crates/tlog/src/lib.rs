//! Transparency log: an append-only list that can be verified without trust in its operator.
//!
//! Hashes and proofs follow RFC 6962, and their verification RFC 9162. Tiles, checkpoints and proof
//! files follow C2SP (`tlog-tiles`, `tlog-checkpoint`, `signed-note`, `tlog-proof`), so that any
//! client of these formats can read them. No I/O, and no knowledge of the contents of entries.
//! Tested against independent implementations (`tests/oracles/`).

mod checkpoint;
mod frontier;
mod hash;
mod note;
mod proof;
mod tile;

pub use checkpoint::Checkpoint;
pub use frontier::{Frontier, Node};
pub use hash::Hash;
pub use note::{InvalidKey, Note, NoteError, Signer, Verifier};
pub use proof::{
    ProofError, ProofFile, consistency, inclusion, verify_consistency, verify_inclusion,
};
pub use tile::{Bundle, Tile, TileError};
