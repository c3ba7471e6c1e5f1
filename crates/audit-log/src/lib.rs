//! Format of the audit log, and its verification without trust in the server.
//!
//! Start with [`entry`]: it defines the log entry of an event, the leaf of the Merkle tree.
//! [`commitment`] covers the personal fields, which an entry only commits to. [`verify`] verifies a
//! whole export, [`proof`] a single event, and [`consistency`] two checkpoints.
//!
//! Of the workspace this crate needs `postern-tlog` only, so that an auditor can build its program
//! `postern-verify` without the server. No I/O, except in `cli`.

mod canonical;
pub mod checkpoint;
#[cfg(feature = "cli")]
pub mod cli;
pub mod commitment;
pub mod consistency;
pub mod entry;
pub mod event;
pub mod export;
pub mod json;
pub mod position;
pub mod proof;
pub mod report;
pub mod string_enum;
#[cfg(test)]
mod testing;
mod unique_keys;
pub mod verdict;
pub mod verify;
