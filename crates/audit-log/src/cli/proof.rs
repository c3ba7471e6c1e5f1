//! `postern-verify proof`: verifies an inclusion proof of one event.

use std::path::{Path, PathBuf};

use clap::{ArgGroup, Args};
use postern_tlog::{Checkpoint, Hash, ProofFile, Verifier};

use super::{
    input,
    verification::{Verification, print},
};
use crate::{
    checkpoint,
    entry::LeafError,
    event::CanonicalEvent,
    proof::{self, ProofFault},
};

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("subject").required(true).args(["event", "leaf"]))]
pub struct ProofArgs {
    /// Proof file (`c2sp.org/tlog-proof@v1`), from `GET …/audit-log/proof?event=…`; `-` for
    /// standard input.
    proof: PathBuf,
    /// Public key, such as `postern.example/org_…+1234abcd+AQ…`, or a file with one key per line.
    /// The checkpoint must be signed by one of them. Repeatable.
    #[arg(long, required = true, value_name = "KEY|FILE")]
    key: Vec<String>,
    /// File with the event and its `opening` as JSON, from `GET …/audit-events/{event}` or a line
    /// of an export. Its log entry must be the proven entry.
    #[arg(long, value_name = "FILE")]
    event: Option<PathBuf>,
    /// Leaf hash of the proven entry (base64), if you computed it yourself.
    #[arg(long, value_name = "HASH")]
    leaf: Option<String>,
    /// File with a checkpoint stored earlier, of the same size as the proof's: the roots must be
    /// equal. Verify checkpoints of other sizes with the command for consistency.
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
}

/// Verifies a proof and prints the result.
pub fn verify_proof(args: &ProofArgs) -> Verification {
    let keys = input::keys(&args.key)?;
    let text = input::read(&args.proof)?;
    let proof = ProofFile::parse(&text).map_err(|error| input::in_file(&args.proof, error))?;
    let checkpoint =
        checkpoint::parse(&proof.checkpoint).map_err(|error| input::in_file(&args.proof, error))?;
    let stored = args.checkpoint.as_ref().map(|file| read_stored(file, &checkpoint)).transpose()?;
    let (subject, verified) = match (&args.event, &args.leaf) {
        (Some(file), _) => verify_event(file, &proof, &keys)?,
        (None, leaf) => verify_leaf(leaf.as_deref().unwrap_or_default(), &proof, &keys)?,
    };
    let verified = verified.and_then(|checkpoint| match &stored {
        Some(stored) => proof::verify_stored(checkpoint, stored, &keys),
        None => Ok(checkpoint),
    });
    print(&verified.map(|Checkpoint { origin, size, .. }| {
        format!("{subject} is entry {} of {origin} ({size} entries)", proof.index)
    }))
}

/// Reads a stored checkpoint. Fails if it is not of the log and size of the proof's checkpoint.
fn read_stored(file: &Path, checkpoint: &Checkpoint) -> Result<String, String> {
    let (note, stored) = input::read_checkpoint(file)?;
    if (&stored.origin, stored.size) == (&checkpoint.origin, checkpoint.size) {
        return Ok(note);
    }
    let Checkpoint { origin, size, .. } = stored;
    Err(input::in_file(
        file,
        format_args!(
            "{origin} with {size} entries cannot be compared with the proof's checkpoint, {} with \
             {} entries: verify that the two are consistent",
            checkpoint.origin, checkpoint.size
        ),
    ))
}

/// Name of the proven event or leaf, and the result.
type Proven = (String, Result<Checkpoint, ProofFault>);

fn verify_event(file: &Path, proof: &ProofFile, keys: &[Verifier]) -> Result<Proven, String> {
    let json = input::read(file)?;
    let event = CanonicalEvent::parse(&json).map_err(|error| input::in_file(file, error))?;
    match proof::verify_event(&event, proof, keys) {
        Err(ProofFault::Leaf(error @ LeafError::Opening { .. })) => {
            Err(input::in_file(file, error))
        }
        verified => Ok((format!("event {}", event.id), verified)),
    }
}

fn verify_leaf(leaf: &str, proof: &ProofFile, keys: &[Verifier]) -> Result<Proven, String> {
    let hash =
        Hash::from_base64(leaf).ok_or_else(|| format!("{leaf}: not a SHA-256 hash in base64"))?;
    Ok((format!("leaf {leaf}"), proof::verify_leaf(hash, proof, keys)))
}
