//! Signed notes and checkpoints.

use std::sync::Arc;

use postern_tlog::{Checkpoint, Note, Signer, Verifier};
use ring::signature::Ed25519KeyPair;
use signed_note::{StandardVerifier, VerifierList};

use crate::tree::Tree;

pub fn signer(name: &str, seed: u8) -> Signer {
    let key = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).expect("the seed has 32 bytes");
    Signer::new(name, Arc::new(key)).expect("the name is valid")
}

const ORIGIN: &str = "example.com/log/org_1";

fn checkpoint() -> Checkpoint {
    Checkpoint { origin: ORIGIN.to_owned(), size: 10, root: Tree::of(10).root(10) }
}

fn sign(signer: &Signer, text: &str) -> Note {
    signer.sign(text).expect("the text is signed")
}

fn parse(text: &str) -> Note {
    Note::parse(text).expect("the text is a note")
}

#[test]
fn signed_checkpoints_are_read_by_other_implementations() {
    let (signer, checkpoint) = (signer(ORIGIN, 1), checkpoint());
    let text = sign(&signer, &checkpoint.to_text()).to_text();
    let key = StandardVerifier::new(&signer.verifier().to_text()).expect("the key is valid");
    let note = signed_note::Note::from_bytes(text.as_bytes()).expect("the text is a note");
    let (accepted, unknown) =
        note.verify(&VerifierList::new(vec![Box::new(key)])).expect("the signature is valid");
    assert_eq!((accepted.len(), unknown.len()), (1, 0), "the only signature is accepted");
    let parsed = tlog_tiles::checkpoint::Checkpoint::from_bytes(note.text())
        .expect("the note is a checkpoint");
    assert_eq!(
        (parsed.origin(), parsed.size(), parsed.hash().0),
        (checkpoint.origin.as_str(), 10, checkpoint.root.0),
        "tlog_tiles reads the same checkpoint"
    );
}

#[test]
fn signatures_are_verified() {
    let signer = signer(ORIGIN, 1);
    let text = sign(&signer, &checkpoint().to_text()).to_text();
    let note = parse(&text);
    assert_eq!(Checkpoint::of(&note), Ok(checkpoint()), "the checkpoint is read back");
    let verifier =
        Verifier::parse(&signer.verifier().to_text()).expect("the verifier is read back");
    assert_eq!(note.verify(&verifier), Ok(()), "the signature is valid");
    assert!(
        note.verify(&self::signer(ORIGIN, 2).verifier()).is_err(),
        "another key with the same name is rejected"
    );
    assert!(
        note.verify(&self::signer("example.com/log/org_2", 1).verifier()).is_err(),
        "the same key with another name is rejected"
    );
    assert!(
        parse(&text.replace("\n10\n", "\n11\n")).verify(&verifier).is_err(),
        "another text is rejected"
    );
}

/// During a rotation of keys, each of two keys verifies the note.
#[test]
fn note_can_have_two_signatures() {
    let (older, newer) = (signer(ORIGIN, 1), signer(ORIGIN, 3));
    let note = sign(&older, &checkpoint().to_text());
    let both = parse(&note.clone().with(&sign(&newer, &note.text)).to_text());
    assert_eq!(
        (both.verify(&older.verifier()), both.verify(&newer.verifier())),
        (Ok(()), Ok(())),
        "both signatures are valid"
    );
}

#[test]
fn invalid_notes_are_rejected() {
    let note = sign(&signer("log", 1), "text\n").to_text();
    for invalid in [
        "",
        "text\n",
        "text\n\n",
        "text\n\n— log\n",
        "text\n\n— log !!!\n",
        "text\n\nlog AAAAAAAA\n",
        &note[..note.len() - 1],
        &note.replace("text", "te\0xt"),
    ] {
        assert!(Note::parse(invalid).is_err(), "{invalid:?} is no note");
    }
    assert!(
        signer("log", 1).sign("no line feed").is_err(),
        "a text without a final line feed is not signed"
    );
}

#[test]
fn invalid_keys_are_rejected() {
    let key = Ed25519KeyPair::from_seed_unchecked(&[1; 32]).expect("the seed has 32 bytes");
    assert!(Signer::new("a name", Arc::new(key)).is_none(), "a name has no spaces");
    assert!(Verifier::parse("log+00000000+AQ==").is_err(), "the id is not that of the key");
    let key = signer("log", 1).verifier().to_text();
    assert!(
        Verifier::parse(&key.replacen("log", "gol", 1)).is_err(),
        "the id depends on name and key"
    );
}

#[test]
fn invalid_checkpoints_are_rejected() {
    for text in ["", "origin\n", "origin\n01\nAAAA\n", "origin\n1\nAAAA\n", "origin\n-1\nAAAA\n"] {
        let note = parse(&sign(&signer("log", 1), &format!("{text}\n")).to_text());
        assert!(Checkpoint::of(&note).is_err(), "{text:?} is no checkpoint");
    }
}
