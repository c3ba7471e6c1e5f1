//! Roots of trees.

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use postern_tlog::{Frontier, Hash};
use sha2::Sha256;
use tlog_tiles::tlog as theirs;

use crate::tree::{MAX_SIZE, Tree, entry};

#[test]
fn roots_match_published_values() {
    // Entries and roots of the Certificate Transparency tests, used by many implementations.
    let entries: [&[u8]; 8] = [
        b"",
        b"\x00",
        b"\x10",
        b"\x20\x21",
        b"\x30\x31",
        b"\x40\x41\x42\x43",
        b"\x50\x51\x52\x53\x54\x55\x56\x57",
        b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
    ];
    let roots = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    let hex = |hash: Hash| hex::encode(hash.0);
    let mut frontier = Frontier::default();
    assert_eq!(
        hex(frontier.root()),
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "the root of the empty tree"
    );
    for (entry, root) in entries.iter().zip(roots) {
        frontier.append(Hash::of_leaf(entry));
        assert_eq!(hex(frontier.root()), root, "the root of {} entries", frontier.size());
    }
}

#[test]
fn roots_match_other_implementations() {
    let tree = Tree::of(MAX_SIZE);
    let mut ct = MemoryBackedTree::<Sha256, Vec<u8>>::new();
    for size in 1..=MAX_SIZE {
        ct.push(entry(size - 1));
        assert_eq!(
            tree.root(size).0.as_slice(),
            ct.root().as_bytes().as_slice(),
            "the root of {size} entries is that of ct-merkle"
        );
        assert_eq!(
            theirs::tree_hash(size, &tree.stored_hashes()).expect("the root is computed").0,
            tree.root(size).0,
            "the root of {size} entries is that of tlog_tiles"
        );
    }
}

#[test]
fn frontier_can_be_resumed_at_each_size() {
    let whole = Tree::of(MAX_SIZE);
    let mut frontier = Frontier::default();
    for n in 0..MAX_SIZE {
        frontier = Frontier::resume(frontier.size(), frontier.roots().to_vec())
            .expect("the roots are consistent");
        frontier.append(Hash::of_leaf(&entry(n)));
        assert_eq!(frontier.root(), whole.root(n + 1), "the root of {} entries", n + 1);
    }
    assert_eq!(Frontier::resume(3, vec![Hash::of_nothing()]), None, "three entries have two roots");
}
