//! Inclusion proofs (an entry is in a tree) and consistency proofs (a tree extends an older one):
//! created from complete nodes, and verified as in RFC 9162, 2.1.3 and 2.1.4.

use crate::hash::Hash;

/// Reason for which a proof cannot be created, parsed or verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    #[error("the index or size is out of range for the tree")]
    OutOfRange,
    #[error("the proof has a wrong number of hashes")]
    Length,
    #[error("the proof does not match the root hash")]
    Root,
    #[error("a node required by the proof is missing")]
    Missing,
    #[error("not a c2sp.org/tlog-proof@v1: {0}")]
    Malformed(&'static str),
}

/// Root of the entries from `begin` to before `end`, from complete nodes. `begin` must be a
/// multiple of the smallest power of two that is at least the length.
fn root_of<F: Fn(u8, u64) -> Option<Hash>>(
    node: &F,
    begin: u64,
    end: u64,
) -> Result<Hash, ProofError> {
    let length = end - begin;
    if length.is_power_of_two() {
        let level = u8::try_from(length.trailing_zeros()).expect("less than 64");
        return node(level, begin >> level).ok_or(ProofError::Missing);
    }
    let split = begin + largest_power_below(length);
    Ok(Hash::of_node(root_of(node, begin, split)?, root_of(node, split, end)?))
}

/// Largest power of two less than `length`, which must be at least 2.
const fn largest_power_below(length: u64) -> u64 {
    1 << (length - 1).ilog2()
}

/// Inclusion proof of entry `index` in the tree of `size` entries, from the leaf upwards. `node`
/// returns a complete node by level and index.
pub fn inclusion<F: Fn(u8, u64) -> Option<Hash>>(
    node: F,
    index: u64,
    size: u64,
) -> Result<Vec<Hash>, ProofError> {
    if index >= size {
        return Err(ProofError::OutOfRange);
    }
    let (mut begin, mut end, mut proof) = (0, size, Vec::new());
    while end - begin > 1 {
        let split = begin + largest_power_below(end - begin);
        if index < split {
            proof.push(root_of(&node, split, end)?);
            end = split;
        } else {
            proof.push(root_of(&node, begin, split)?);
            begin = split;
        }
    }
    proof.reverse();
    Ok(proof)
}

/// Consistency proof from the tree of the first `old` entries to the tree of `new` entries.
pub fn consistency<F: Fn(u8, u64) -> Option<Hash>>(
    node: F,
    old: u64,
    new: u64,
) -> Result<Vec<Hash>, ProofError> {
    if old > new {
        return Err(ProofError::OutOfRange);
    }
    if old == 0 || old == new {
        return Ok(Vec::new());
    }
    let (mut begin, mut end, mut proof) = (0, new, Vec::new());
    // Descend to the subtree that ends where the old tree ends.
    let mut whole = true;
    while end != old {
        let split = begin + largest_power_below(end - begin);
        if old <= split {
            proof.push(root_of(&node, split, end)?);
            end = split;
        } else {
            proof.push(root_of(&node, begin, split)?);
            begin = split;
            whole = false;
        }
    }
    // If this subtree is the whole old tree, the verifier knows its root.
    if !whole {
        proof.push(root_of(&node, begin, end)?);
    }
    proof.reverse();
    Ok(proof)
}

/// Verifies that `leaf` is entry `index` of the tree of `size` entries with this root (RFC 9162,
/// 2.1.3.2).
pub fn verify_inclusion(
    leaf: Hash,
    index: u64,
    size: u64,
    proof: &[Hash],
    root: Hash,
) -> Result<(), ProofError> {
    if index >= size {
        return Err(ProofError::OutOfRange);
    }
    let (mut index, mut last, mut hash) = (index, size - 1, leaf);
    for &sibling in proof {
        if last == 0 {
            return Err(ProofError::Length);
        }
        if index & 1 == 1 || index == last {
            hash = Hash::of_node(sibling, hash);
            while index & 1 == 0 && index != 0 {
                index >>= 1;
                last >>= 1;
            }
        } else {
            hash = Hash::of_node(hash, sibling);
        }
        index >>= 1;
        last >>= 1;
    }
    match (last, hash == root) {
        (0, true) => Ok(()),
        (0, false) => Err(ProofError::Root),
        _ => Err(ProofError::Length),
    }
}

/// Verifies that the tree of `new` entries extends the tree of `old` entries (RFC 9162, 2.1.4.2).
/// Every tree extends the empty tree.
pub fn verify_consistency(
    old: u64,
    new: u64,
    proof: &[Hash],
    old_root: Hash,
    new_root: Hash,
) -> Result<(), ProofError> {
    if old > new {
        return Err(ProofError::OutOfRange);
    }
    if old == 0 || old == new {
        let expected = if old == 0 { Hash::of_nothing() } else { new_root };
        return match (proof.is_empty(), old_root == expected) {
            (false, _) => Err(ProofError::Length),
            (true, false) => Err(ProofError::Root),
            (true, true) => Ok(()),
        };
    }
    let mut hashes = proof.iter().copied();
    let first =
        if old.is_power_of_two() { old_root } else { hashes.next().ok_or(ProofError::Length)? };
    let (mut old_index, mut last) = (old - 1, new - 1);
    while old_index & 1 == 1 {
        old_index >>= 1;
        last >>= 1;
    }
    let (mut of_old, mut of_new) = (first, first);
    for sibling in hashes {
        if last == 0 {
            return Err(ProofError::Length);
        }
        if old_index & 1 == 1 || old_index == last {
            of_old = Hash::of_node(sibling, of_old);
            of_new = Hash::of_node(sibling, of_new);
            while old_index & 1 == 0 && old_index != 0 {
                old_index >>= 1;
                last >>= 1;
            }
        } else {
            of_new = Hash::of_node(of_new, sibling);
        }
        old_index >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(ProofError::Length);
    }
    if of_old == old_root && of_new == new_root { Ok(()) } else { Err(ProofError::Root) }
}

/// Proof file (`c2sp.org/tlog-proof@v1`): an entry's index, its inclusion proof, and the signed
/// checkpoint with the root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProofFile {
    pub index: u64,
    pub hashes: Vec<Hash>,
    /// Checkpoint as a signed note, byte for byte.
    pub checkpoint: String,
}

const HEAD: &str = "c2sp.org/tlog-proof@v1";

impl ProofFile {
    #[must_use]
    pub fn to_text(&self) -> String {
        let hashes: String =
            self.hashes.iter().flat_map(|hash| [hash.to_base64(), "\n".to_owned()]).collect();
        format!("{HEAD}\nindex {}\n{hashes}\n{}", self.index, self.checkpoint)
    }

    pub fn parse(text: &str) -> Result<Self, ProofError> {
        let malformed = ProofError::Malformed;
        let (head, checkpoint) = text
            .split_once("\n\n")
            .ok_or(malformed("the empty line before the checkpoint is missing"))?;
        let mut lines = head.lines();
        if lines.next() != Some(HEAD) {
            return Err(malformed("the first line is not the format name"));
        }
        let index = lines
            .next()
            .and_then(|line| line.strip_prefix("index "))
            .ok_or(malformed("the index is missing"))?;
        let plain = !index.is_empty()
            && index.bytes().all(|b| b.is_ascii_digit())
            && (index == "0" || !index.starts_with('0'));
        let index =
            index.parse().ok().filter(|_| plain).ok_or(malformed("the index is not a number"))?;
        let hashes: Option<Vec<Hash>> = lines.map(Hash::from_base64).collect();
        let hashes = hashes
            .filter(|hashes| hashes.len() <= 63)
            .ok_or(malformed("a line is not a hash, or there are more than 63"))?;
        Ok(Self { index, hashes, checkpoint: checkpoint.to_owned() })
    }
}
