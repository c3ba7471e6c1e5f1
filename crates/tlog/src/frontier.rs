//! The right edge of a tree: all that is needed to append to it and to know its root, whatever its size. Of a tree with n
//! entries it keeps one hash for each bit that is set in n, the root of a perfect subtree.

use crate::Hash;

/// A tree as far as whoever appends to it has to know it. Appending costs O(log n), one node on average.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    /// The roots of the perfect subtrees, the largest first.
    roots: Vec<Hash>,
}

/// A node of the tree that is complete and will never change: `level` 0 are the leaves, and the `index`-th node of a level stands over the
/// leaves from `index << level` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Node {
    pub level: u8,
    pub index: u64,
    pub hash: Hash,
}

impl Frontier {
    /// The frontier of a tree of `size` entries from its perfect subtrees' roots, the largest first. None if they are not as many
    /// as there must be.
    #[must_use]
    pub fn resume(size: u64, roots: Vec<Hash>) -> Option<Self> {
        (roots.len() == size.count_ones() as usize).then_some(Self { size, roots })
    }

    /// How many entries the tree has.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The roots of the perfect subtrees, the largest first: what [`Frontier::resume`] takes.
    #[must_use]
    pub fn roots(&self) -> &[Hash] {
        &self.roots
    }

    /// Adds an entry by its leaf hash. Gives the nodes that became complete, from the leaf upwards.
    pub fn append(&mut self, leaf: Hash) -> Vec<Node> {
        let mut complete = vec![Node { level: 0, index: self.size, hash: leaf }];
        let mut hash = leaf;
        // Each bit that is set from the right is a subtree of the same height on the left: the two make one.
        for level in 0..self.size.trailing_ones() {
            let left = self.roots.pop().expect("a subtree for each bit that is set");
            hash = Hash::of_node(left, hash);
            let level = u8::try_from(level + 1).expect("a tree is less than 64 high");
            complete.push(Node { level, index: self.size >> level, hash });
        }
        self.roots.push(hash);
        self.size += 1;
        complete
    }

    /// Adds the `1 << level` entries under a perfect subtree by its root. False, and nothing is added, where such a subtree cannot stand next.
    pub fn append_subtree(&mut self, level: u8, root: Hash) -> bool {
        if level >= 63 || !self.size.is_multiple_of(1 << level) {
            return false;
        }
        let mut hash = root;
        for _ in 0..(self.size >> level).trailing_ones() {
            let left = self.roots.pop().expect("a subtree for each bit that is set");
            hash = Hash::of_node(left, hash);
        }
        self.roots.push(hash);
        self.size += 1 << level;
        true
    }

    /// The root of the tree.
    #[must_use]
    pub fn root(&self) -> Hash {
        let mut from_right = self.roots.iter().rev().copied();
        let Some(last) = from_right.next() else { return Hash::of_nothing() };
        from_right.fold(last, |right, left| Hash::of_node(left, right))
    }
}
