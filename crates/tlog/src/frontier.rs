//! Right edge of a tree: the data needed to append entries and to compute the root. For a tree with
//! n entries it has one hash for each set bit of n, the root of a perfect subtree.

use crate::hash::Hash;

/// The right edge of a tree. Appending takes O(log n) hashes, and amortized one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    /// Roots of the perfect subtrees, largest first.
    roots: Vec<Hash>,
}

/// A complete node of the tree, which never changes. `level` 0 are the leaves; the node covers the
/// leaves from `index << level` to before `(index + 1) << level`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Node {
    pub level: u8,
    pub index: u64,
    pub hash: Hash,
}

impl Frontier {
    /// Frontier of a tree of `size` entries from the roots of its perfect subtrees, largest first.
    /// `None` if the number of roots is wrong.
    #[must_use]
    pub fn resume(size: u64, roots: Vec<Hash>) -> Option<Self> {
        (roots.len() == size.count_ones() as usize).then_some(Self { size, roots })
    }

    /// Number of entries.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Roots of the perfect subtrees, largest first, as accepted by [`Frontier::resume`].
    #[must_use]
    pub fn roots(&self) -> &[Hash] {
        &self.roots
    }

    /// Appends an entry by its leaf hash. Returns the nodes that this completes, leaf first.
    pub fn append(&mut self, leaf: Hash) -> Vec<Node> {
        let mut complete = vec![Node { level: 0, index: self.size, hash: leaf }];
        let mut hash = leaf;
        // Each trailing one bit of the size is a left subtree of the same height: merge the two.
        for level in 0..self.size.trailing_ones() {
            let left = self.roots.pop().expect("a subtree for each set bit");
            hash = Hash::of_node(left, hash);
            let level = u8::try_from(level + 1).expect("less than 64 levels");
            complete.push(Node { level, index: self.size >> level, hash });
        }
        self.roots.push(hash);
        self.size += 1;
        complete
    }

    /// Appends a perfect subtree of `1 << level` entries by its root. Returns `false` and appends
    /// nothing if the size is not a multiple of `1 << level`, or if `level` is 63 or more.
    pub fn append_subtree(&mut self, level: u8, root: Hash) -> bool {
        if level >= 63 || !self.size.is_multiple_of(1 << level) {
            return false;
        }
        let mut hash = root;
        for _ in 0..(self.size >> level).trailing_ones() {
            let left = self.roots.pop().expect("a subtree for each set bit");
            hash = Hash::of_node(left, hash);
        }
        self.roots.push(hash);
        self.size += 1 << level;
        true
    }

    /// Root hash of the tree.
    #[must_use]
    pub fn root(&self) -> Hash {
        let mut from_right = self.roots.iter().rev().copied();
        let Some(last) = from_right.next() else { return Hash::of_nothing() };
        from_right.fold(last, |right, left| Hash::of_node(left, right))
    }
}
