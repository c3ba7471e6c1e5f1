//! Canonical JSON (RFC 8785): the same bytes for the same value, in every program.

use serde::Serialize;

/// Serializes a value of strings, integers, booleans, nulls, lists and objects of them.
pub fn canonical(value: &impl Serialize) -> Vec<u8> {
    serde_json_canonicalizer::to_vec(value)
        .expect("strings, integers and objects of them have a canonical form")
}
