//! Inclusion and consistency proofs, and proof files.

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use postern_tlog::{
    Checkpoint, Hash, Note, ProofError, ProofFile, Verifier, consistency, inclusion,
    verify_consistency, verify_inclusion,
};
use sha2::Sha256;
use tlog_tiles::tlog as theirs;

use crate::{
    notes::signer,
    tree::{MAX_SIZE, Tree, entry, to_usize},
};

#[test]
fn inclusion_proofs_match_other_implementations() {
    let tree = Tree::of(MAX_SIZE);
    let mut ct = MemoryBackedTree::<Sha256, Vec<u8>>::new();
    for size in 1..=MAX_SIZE {
        ct.push(entry(size - 1));
        for index in 0..size {
            let proof = inclusion(tree.node(), index, size).expect("the proof exists");
            assert_eq!(
                bytes(&proof),
                ct.prove_inclusion(to_usize(index)).as_bytes(),
                "the proof of {index} in {size} is that of ct-merkle"
            );
            let expected =
                theirs::prove_record(size, index, &tree.stored_hashes()).expect("the proof exists");
            assert_eq!(
                hashes(&proof),
                expected.iter().map(|hash| hash.0).collect::<Vec<_>>(),
                "the proof of {index} in {size} is that of tlog_tiles"
            );
        }
        assert_eq!(
            inclusion(tree.node(), size, size),
            Err(ProofError::OutOfRange),
            "no proof of an entry beyond {size}"
        );
    }
}

#[test]
fn only_right_inclusion_proofs_are_valid() {
    let tree = Tree::of(MAX_SIZE);
    for size in 1..=MAX_SIZE {
        let root = tree.root(size);
        for index in 0..size {
            let proof = inclusion(tree.node(), index, size).expect("the proof exists");
            let leaf = Hash::of_leaf(&entry(index));
            assert_eq!(
                verify_inclusion(leaf, index, size, &proof, root),
                Ok(()),
                "the proof of {index} in {size} is valid"
            );
            assert_wrong_proofs_fail(
                &proof,
                |proof, root| verify_inclusion(leaf, index, size, proof, root),
                root,
            );
            assert!(
                verify_inclusion(Hash::of_leaf(b"another"), index, size, &proof, root).is_err(),
                "the proof of {index} in {size} fails for another entry"
            );
            assert!(
                size == 1
                    || verify_inclusion(leaf, (index + 1) % size, size, &proof, root).is_err(),
                "the proof of {index} in {size} fails for another index"
            );
        }
    }
}

#[test]
fn consistency_proofs_match_other_implementations() {
    let tree = Tree::of(MAX_SIZE);
    let mut ct = MemoryBackedTree::<Sha256, Vec<u8>>::new();
    for new in 1..=MAX_SIZE {
        ct.push(entry(new - 1));
        for old in 1..=new {
            let proof = consistency(tree.node(), old, new).expect("the proof exists");
            let expected =
                theirs::prove_tree(new, old, &tree.stored_hashes()).expect("the proof exists");
            assert_eq!(
                hashes(&proof),
                expected.iter().map(|hash| hash.0).collect::<Vec<_>>(),
                "the proof from {old} to {new} is that of tlog_tiles"
            );
            // `ct-merkle` has no proofs of equal sizes.
            if old < new {
                assert_eq!(
                    bytes(&proof),
                    ct.prove_consistency(to_usize(new - old)).as_bytes(),
                    "the proof from {old} to {new} is that of ct-merkle"
                );
            }
        }
    }
}

#[test]
fn only_right_consistency_proofs_are_valid() {
    let tree = Tree::of(MAX_SIZE);
    for new in 1..=MAX_SIZE {
        let new_root = tree.root(new);
        for old in 1..=new {
            let old_root = tree.root(old);
            let proof = consistency(tree.node(), old, new).expect("the proof exists");
            assert_eq!(
                verify_consistency(old, new, &proof, old_root, new_root),
                Ok(()),
                "the proof from {old} to {new} is valid"
            );
            assert!(
                old == new || verify_consistency(old, new, &proof, new_root, old_root).is_err(),
                "the proof from {old} to {new} fails for exchanged roots"
            );
            let forked = Hash::of_leaf(b"forked");
            assert!(
                old == new || verify_consistency(old, new, &proof, forked, new_root).is_err(),
                "the proof from {old} to {new} fails for another old root"
            );
            assert_wrong_proofs_fail(
                &proof,
                |proof, root| verify_consistency(old, new, proof, old_root, root),
                new_root,
            );
        }
    }
}

#[test]
fn consistency_with_the_empty_tree_needs_no_proof() {
    let tree = Tree::of(MAX_SIZE);
    for size in 1..=MAX_SIZE {
        let root = tree.root(size);
        assert_eq!(
            verify_consistency(0, size, &[], Hash::of_nothing(), root),
            Ok(()),
            "{size} is consistent with the empty tree"
        );
        assert!(
            verify_consistency(0, size, &[], root, root).is_err(),
            "{size}: the empty tree has another root"
        );
        assert_eq!(
            verify_consistency(size + 1, size, &[], root, root),
            Err(ProofError::OutOfRange),
            "{size}: the older tree is not larger"
        );
    }
}

fn hashes(proof: &[Hash]) -> Vec<[u8; 32]> {
    proof.iter().map(|hash| hash.0).collect()
}

fn bytes(proof: &[Hash]) -> Vec<u8> {
    hashes(proof).concat()
}

/// Asserts that a proof with a changed, missing or additional hash, or for another root, fails.
fn assert_wrong_proofs_fail(
    proof: &[Hash],
    verify: impl Fn(&[Hash], Hash) -> Result<(), ProofError>,
    root: Hash,
) {
    for n in 0..proof.len() {
        let mut changed = proof.to_vec();
        changed[n].0[0] ^= 1;
        assert!(verify(&changed, root).is_err(), "changed hash {n} of {proof:?}");
        let mut shortened = proof.to_vec();
        shortened.remove(n);
        assert!(verify(&shortened, root).is_err(), "missing hash {n} of {proof:?}");
    }
    let mut extended = proof.to_vec();
    extended.push(Hash::of_nothing());
    assert!(verify(&extended, root).is_err(), "additional hash after {proof:?}");
    assert!(verify(proof, Hash::of_leaf(b"another root")).is_err(), "another root for {proof:?}");
}

/// A file with the proof of entry 7 of 20, and the verifier of its checkpoint.
fn proof_file() -> (ProofFile, Verifier) {
    let tree = Tree::of(20);
    let signer = signer("log", 1);
    let checkpoint = Checkpoint { origin: "log".to_owned(), size: 20, root: tree.root(20) };
    let note = signer.sign(&checkpoint.to_text()).expect("the checkpoint is signed");
    let file = ProofFile {
        index: 7,
        hashes: inclusion(tree.node(), 7, 20).expect("the proof exists"),
        checkpoint: note.to_text(),
    };
    (file, signer.verifier())
}

#[test]
fn proof_file_can_be_verified() {
    let (file, verifier) = proof_file();
    let text = file.to_text();
    assert!(
        text.starts_with("c2sp.org/tlog-proof@v1\nindex 7\n"),
        "the file has a header and the index: {text}"
    );
    let parsed = ProofFile::parse(&text).expect("the file is valid");
    assert_eq!(parsed, file, "the parsed file is the written one");
    let note = Note::parse(&parsed.checkpoint).expect("the checkpoint is a note");
    note.verify(&verifier).expect("the signature is valid");
    let checkpoint = Checkpoint::of(&note).expect("the note is a checkpoint");
    assert_eq!(
        verify_inclusion(
            Hash::of_leaf(&entry(7)),
            parsed.index,
            checkpoint.size,
            &parsed.hashes,
            checkpoint.root
        ),
        Ok(()),
        "the proof is valid"
    );
}

#[test]
fn invalid_proof_files_are_rejected() {
    let text = proof_file().0.to_text();
    for (original, replacement) in [
        ("tlog-proof@v1", "tlog-proof@v2"),
        ("index 7", "index 07"),
        ("index 7", "index seven"),
        ("index 7\n", ""),
        ("\n\n", "\n"),
    ] {
        assert!(
            ProofFile::parse(&text.replace(original, replacement)).is_err(),
            "a file with {replacement:?} instead of {original:?} is invalid"
        );
    }
}
