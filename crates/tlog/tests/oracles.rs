//! Comparison with independent implementations of the same standards: `ct-merkle` (RFC 6962), and
//! Cloudflare's `tlog_tiles` and `signed_note` (C2SP), for small trees with all entries and all
//! older sizes.

use std::{collections::BTreeMap, sync::Arc};

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use postern_tlog::{
    Bundle, Checkpoint, Frontier, Hash, Note, ProofError, ProofFile, Signer, Tile, Verifier,
    consistency, inclusion, verify_consistency, verify_inclusion,
};
use ring::signature::Ed25519KeyPair;
use sha2::Sha256;
use signed_note::{StandardVerifier, VerifierList};
use tlog_tiles::tlog::{self as theirs, HashReader};

const MOST: u64 = 130;

fn entry(n: u64) -> Vec<u8> {
    format!("entry {n}").into_bytes()
}

/// A tree with all nodes, and the roots of all sizes.
#[derive(Default)]
struct Tree {
    frontier: Frontier,
    nodes: BTreeMap<(u8, u64), Hash>,
    roots: Vec<Hash>,
    /// All nodes in the numbering of `tlog_tiles`.
    stored: Vec<theirs::Hash>,
}

struct Stored<'a>(&'a [theirs::Hash]);

impl HashReader for Stored<'_> {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<theirs::Hash>, theirs::Error> {
        Ok(indexes.iter().map(|index| self.0[usize::try_from(*index).expect("small")]).collect())
    }
}

impl Tree {
    fn of(size: u64) -> Self {
        let mut tree = Self { roots: vec![Frontier::default().root()], ..Self::default() };
        for n in 0..size {
            for node in tree.frontier.append(Hash::of_leaf(&entry(n))) {
                tree.nodes.insert((node.level, node.index), node.hash);
            }
            tree.roots.push(tree.frontier.root());
            let hashes = theirs::stored_hashes(n, &entry(n), &Stored(&tree.stored))
                .expect("readable hashes");
            tree.stored.extend(hashes);
        }
        tree
    }

    fn node(&self) -> impl Fn(u8, u64) -> Option<Hash> {
        |level, index| self.nodes.get(&(level, index)).copied()
    }

    fn root(&self, size: u64) -> Hash {
        self.roots[usize::try_from(size).expect("small")]
    }
}

#[test]
fn the_well_known_values() {
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
    let hex =
        |hash: Hash| hash.0.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    let mut frontier = Frontier::default();
    assert_eq!(
        hex(frontier.root()),
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    );
    for (entry, root) in entries.iter().zip(roots) {
        frontier.append(Hash::of_leaf(entry));
        assert_eq!(hex(frontier.root()), root);
    }
}

#[test]
fn roots_are_what_others_compute() {
    let tree = Tree::of(MOST);
    let mut ct = MemoryBackedTree::<Sha256, Vec<u8>>::new();
    for size in 1..=MOST {
        ct.push(entry(size - 1));
        assert_eq!(tree.root(size).0.as_slice(), ct.root().as_bytes().as_slice(), "{size}");
        assert_eq!(
            theirs::tree_hash(size, &Stored(&tree.stored)).expect("computed").0,
            tree.root(size).0,
            "{size}"
        );
    }
}

#[test]
fn a_frontier_goes_on_where_it_was_left() {
    let whole = Tree::of(MOST);
    let mut frontier = Frontier::default();
    for n in 0..MOST {
        frontier =
            Frontier::resume(frontier.size(), frontier.roots().to_vec()).expect("consistent roots");
        frontier.append(Hash::of_leaf(&entry(n)));
        assert_eq!(frontier.root(), whole.root(n + 1));
    }
    assert_eq!(Frontier::resume(3, vec![Hash::of_nothing()]), None);
}

#[test]
fn inclusion_is_proved_as_others_prove_it() {
    let tree = Tree::of(MOST);
    let mut ct = MemoryBackedTree::<Sha256, Vec<u8>>::new();
    for size in 1..=MOST {
        ct.push(entry(size - 1));
        for index in 0..size {
            let proof = inclusion(tree.node(), index, size).expect("a proof");
            let bytes: Vec<u8> = proof.iter().flat_map(|hash| hash.0).collect();
            assert_eq!(
                bytes,
                ct.prove_inclusion(usize::try_from(index).expect("small")).as_bytes(),
                "{index} of {size}"
            );
            let leaf = Hash::of_leaf(&entry(index));
            assert_eq!(verify_inclusion(leaf, index, size, &proof, tree.root(size)), Ok(()));
            let expected =
                theirs::prove_record(size, index, &Stored(&tree.stored)).expect("a proof");
            assert_eq!(
                expected.iter().map(|hash| hash.0).collect::<Vec<_>>(),
                proof.iter().map(|hash| hash.0).collect::<Vec<_>>()
            );
            wrong_proofs_fail(
                &proof,
                |proof, root| verify_inclusion(leaf, index, size, proof, root),
                tree.root(size),
            );
            // A wrong entry, and a wrong index.
            assert!(
                verify_inclusion(Hash::of_leaf(b"another"), index, size, &proof, tree.root(size))
                    .is_err()
            );
            assert!(
                size == 1
                    || verify_inclusion(leaf, (index + 1) % size, size, &proof, tree.root(size))
                        .is_err()
            );
        }
        assert_eq!(inclusion(tree.node(), size, size), Err(ProofError::OutOfRange));
    }
}

#[test]
fn consistency_is_proved_as_others_prove_it() {
    let tree = Tree::of(MOST);
    let mut ct = MemoryBackedTree::<Sha256, Vec<u8>>::new();
    for new in 1..=MOST {
        ct.push(entry(new - 1));
        for old in 1..=new {
            let proof = consistency(tree.node(), old, new).expect("a proof");
            assert_eq!(
                verify_consistency(old, new, &proof, tree.root(old), tree.root(new)),
                Ok(()),
                "{old} {new}"
            );
            let expected = theirs::prove_tree(new, old, &Stored(&tree.stored)).expect("a proof");
            assert_eq!(
                expected.iter().map(|hash| hash.0).collect::<Vec<_>>(),
                proof.iter().map(|hash| hash.0).collect::<Vec<_>>()
            );
            if old < new {
                let bytes: Vec<u8> = proof.iter().flat_map(|hash| hash.0).collect();
                let additions = usize::try_from(new - old).expect("small");
                assert_eq!(bytes, ct.prove_consistency(additions).as_bytes(), "{old} {new}");
                assert!(
                    verify_consistency(old, new, &proof, tree.root(new), tree.root(old)).is_err()
                );
                assert!(
                    verify_consistency(old, new, &proof, Hash::of_leaf(b"forked"), tree.root(new))
                        .is_err()
                );
            }
            wrong_proofs_fail(
                &proof,
                |proof, root| verify_consistency(old, new, proof, tree.root(old), root),
                tree.root(new),
            );
        }
        assert_eq!(verify_consistency(0, new, &[], Hash::of_nothing(), tree.root(new)), Ok(()));
        assert!(verify_consistency(0, new, &[], tree.root(new), tree.root(new)).is_err());
        assert_eq!(
            verify_consistency(new + 1, new, &[], tree.root(new), tree.root(new)),
            Err(ProofError::OutOfRange)
        );
    }
}

/// Asserts that a proof with a changed, missing or additional hash, or for another root, fails.
fn wrong_proofs_fail(
    proof: &[Hash],
    verify: impl Fn(&[Hash], Hash) -> Result<(), ProofError>,
    root: Hash,
) {
    for n in 0..proof.len() {
        let mut changed = proof.to_vec();
        changed[n].0[0] ^= 1;
        assert!(verify(&changed, root).is_err());
        let mut shortened = proof.to_vec();
        shortened.remove(n);
        assert!(verify(&shortened, root).is_err());
    }
    let mut extended = proof.to_vec();
    extended.push(Hash::of_nothing());
    assert!(verify(&extended, root).is_err());
    assert!(verify(proof, Hash::of_leaf(b"another root")).is_err());
}

#[test]
fn tiles_are_named_and_cut_as_others_do() {
    for (old, size) in [
        (0, 1),
        (0, 255),
        (0, 256),
        (255, 257),
        (256, 256),
        (256, 70_000),
        (65_535, 65_537),
        (0, 200_000),
        (1_234_567, 1_300_000),
    ] {
        let ours: Vec<String> = Tile::since(old, size).into_iter().map(Tile::path).collect();
        let expected: Vec<String> = theirs_since(old, size)
            .into_iter()
            .map(|tile| tile.path().replacen("tile/8/", "tile/", 1))
            .collect();
        assert_eq!(ours, expected, "{old} to {size}");
    }
    for path in ["tile/0/000", "tile/0/x001/x234/067", "tile/3/005.p/255", "tile/7/x999/999.p/1"] {
        assert_eq!(Tile::parse(path).map(Tile::path).as_deref(), Ok(path));
    }
    for path in [
        "tile/0/1",
        "tile/8/000",
        "tile/00/000",
        "tile/0/x000/001",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/x001",
        "tile/0/",
        "tile/-1/000",
    ] {
        assert!(Tile::parse(path).is_err(), "{path}");
    }
    assert_eq!(Bundle { index: 1_234_067, width: 256 }.path(), "tile/entries/x001/x234/067");
    assert_eq!(Bundle::parse("tile/entries/000.p/7"), Ok(Bundle { index: 0, width: 7 }));
}

fn theirs_since(old: u64, size: u64) -> Vec<tlog_tiles::tile::Tile> {
    tlog_tiles::tile::Tile::new_tiles(8, old, size)
}

#[test]
fn nodes_are_found_in_tiles() {
    let size = 70_000;
    let tree = Tree::of(size);
    let hashes = |tile: Tile| -> Vec<Hash> {
        (0..u64::from(tile.width))
            .map(|n| tree.nodes[&(tile.level * 8, tile.index * 256 + n)])
            .collect()
    };
    for (&(level, index), hash) in tree.nodes.iter().step_by(97) {
        let (tile, first, count) = Tile::with_node(level, index, size).expect("a tile");
        assert_eq!(Tile::node(&hashes(tile), first, count), Some(*hash), "{level} {index}");
    }
    assert_eq!(Tile::with_node(0, size, size), None);
    assert_eq!(Tile::with_node(3, size >> 3, size), None);
}

#[test]
fn bundles_hold_what_was_put_in() {
    let longest = vec![7; 65_535];
    let entries: [&[u8]; 3] = [b"", b"one", &longest];
    let packed = Bundle::pack(entries).expect("entries within the limit");
    assert_eq!(Bundle::unpack(&packed).expect("a complete bundle"), entries);
    assert!(Bundle::unpack(&packed[..packed.len() - 1]).is_err() && Bundle::unpack(&[0]).is_err());
    assert!(Bundle::pack([&*vec![0; 65_536]]).is_err());
}

fn signer(name: &str, seed: u8) -> Signer {
    let key = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).expect("a seed");
    Signer::new(name, Arc::new(key)).expect("a name")
}

#[test]
fn notes_are_read_by_others_and_theirs_by_us() {
    let tree = Tree::of(10);
    let ours = signer("example.com/log/org_1", 1);
    let checkpoint =
        Checkpoint { origin: "example.com/log/org_1".to_owned(), size: 10, root: tree.root(10) };
    let note = ours.sign(&checkpoint.to_text()).expect("signed");
    let text = note.to_text();

    // `signed_note` reads our note.
    let vkey = ours.verifier().to_text();
    let known =
        VerifierList::new(vec![Box::new(StandardVerifier::new(&vkey).expect("a valid key"))]);
    let read = signed_note::Note::from_bytes(text.as_bytes()).expect("a valid note");
    let (accepted, unknown) = read.verify(&known).expect("a valid signature");
    assert_eq!((accepted.len(), unknown.len()), (1, 0));
    let parsed =
        tlog_tiles::checkpoint::Checkpoint::from_bytes(read.text()).expect("a valid checkpoint");
    assert_eq!(
        (parsed.origin(), parsed.size(), parsed.hash().0),
        (checkpoint.origin.as_str(), 10, checkpoint.root.0)
    );

    // We read it back.
    let read = Note::parse(&text).expect("a note");
    assert_eq!(Checkpoint::of(&read), Ok(checkpoint));
    let known = Verifier::parse(&vkey).expect("a key");
    assert_eq!(read.verify(&known), Ok(()));
    assert!(
        read.verify(&signer("example.com/log/org_1", 2).verifier()).is_err(),
        "another key with the same name"
    );
    assert!(
        read.verify(&signer("example.com/log/org_2", 1).verifier()).is_err(),
        "the same key with another name"
    );
    assert!(
        Note::parse(&text.replace("\n10\n", "\n11\n")).expect("a note").verify(&known).is_err(),
        "another text"
    );

    // With two keys during a rotation, each of them verifies the note.
    let newer = signer("example.com/log/org_1", 3);
    let both = Note::parse(&note.clone().with(&newer.sign(&note.text).expect("signed")).to_text())
        .expect("a note");
    assert_eq!((both.verify(&known), both.verify(&newer.verifier())), (Ok(()), Ok(())));
}

#[test]
fn what_is_no_note_is_refused() {
    let note = signer("log", 1).sign("text\n").expect("signed").to_text();
    for broken in [
        "",
        "text\n",
        "text\n\n",
        "text\n\n— log\n",
        "text\n\n— log !!!\n",
        "text\n\nlog AAAAAAAA\n",
        &note[..note.len() - 1],
        &note.replace("text", "te\0xt"),
    ] {
        assert!(Note::parse(broken).is_err(), "{broken:?}");
    }
    assert!(signer("log", 1).sign("no line feed").is_err());
    assert!(
        Signer::new(
            "a name",
            Arc::new(Ed25519KeyPair::from_seed_unchecked(&[1; 32]).expect("a seed"))
        )
        .is_none()
    );
    assert!(Verifier::parse("log+00000000+AQ==").is_none());
    let key = signer("log", 1).verifier().to_text();
    assert!(
        Verifier::parse(&key.replacen("log", "gol", 1)).is_none(),
        "the id depends on name and key"
    );
    for text in ["", "origin\n", "origin\n01\nAAAA\n", "origin\n1\nAAAA\n", "origin\n-1\nAAAA\n"] {
        let note =
            Note::parse(&signer("log", 1).sign(&format!("{text}\n")).expect("signed").to_text())
                .expect("a note");
        assert!(Checkpoint::of(&note).is_err(), "{text:?}");
    }
}

#[test]
fn a_proof_is_a_file() {
    let tree = Tree::of(20);
    let signer = signer("log", 1);
    let checkpoint = Checkpoint { origin: "log".to_owned(), size: 20, root: tree.root(20) };
    let file = ProofFile {
        index: 7,
        hashes: inclusion(tree.node(), 7, 20).expect("a proof"),
        checkpoint: signer.sign(&checkpoint.to_text()).expect("signed").to_text(),
    };
    let text = file.to_text();
    assert!(text.starts_with("c2sp.org/tlog-proof@v1\nindex 7\n"));
    let read = ProofFile::parse(&text).expect("a proof");
    assert_eq!(read, file);
    let note = Note::parse(&read.checkpoint).expect("a note");
    note.verify(&signer.verifier()).expect("signed");
    let checkpoint = Checkpoint::of(&note).expect("a checkpoint");
    assert_eq!(
        verify_inclusion(
            Hash::of_leaf(&entry(7)),
            read.index,
            checkpoint.size,
            &read.hashes,
            checkpoint.root
        ),
        Ok(())
    );
    for (original, replacement) in [
        ("tlog-proof@v1", "tlog-proof@v2"),
        ("index 7", "index 07"),
        ("index 7", "index seven"),
        ("index 7\n", ""),
        ("\n\n", "\n"),
    ] {
        assert!(ProofFile::parse(&text.replace(original, replacement)).is_err(), "{replacement:?}");
    }
}
