//! `postern-verify proof`: verifies an inclusion proof of one event.

use std::path::{Path, PathBuf};

use clap::{ArgGroup, Args};
use postern_tlog::{Checkpoint, Hash, ProofFile, Verifier};

use super::{
    input,
    verification::{EXIT_CODES, Verification, print},
};
use crate::{
    checkpoint,
    entry::LeafError,
    event::CanonicalEvent,
    proof::{self, ProofFault},
};

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
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
    let proof = read_proof(&args.proof)?;
    let stored = args.checkpoint.as_ref().map(|file| input::read_checkpoint(file)).transpose()?;
    let (subject, verified) = match (&args.event, &args.leaf) {
        (Some(file), _) => verify_event(file, &proof, &keys)?,
        (None, leaf) => verify_leaf(leaf.as_deref().unwrap_or_default(), &proof, &keys)?,
    };
    let verified = verified.and_then(|checkpoint| match &stored {
        Some((note, _)) => proof::verify_stored(checkpoint, note, &keys),
        None => Ok(checkpoint),
    });
    let verified = verified.map(|Checkpoint { origin, size, .. }| {
        format!("{subject} is entry {} of {origin} ({size} entries)", proof.index)
    });
    print(&verified, ProofFault::verdict)
}

fn read_proof(file: &Path) -> Result<ProofFile, String> {
    let text = input::read(file)?;
    let needed = "Pass a proof, from `GET …/audit-log/proof?event=…`";
    let error = |error: &dyn std::fmt::Display| {
        input::in_file(file, input::invalid(&text, "an inclusion proof", error, needed))
    };
    let proof = ProofFile::parse(text.trim_start()).map_err(|reason| error(&reason))?;
    checkpoint::parse(&proof.checkpoint).map_err(|reason| error(&reason))?;
    Ok(proof)
}

/// Name of the proven event or leaf, and the result.
type Proven = (String, Result<Checkpoint, ProofFault>);

fn verify_event(file: &Path, proof: &ProofFile, keys: &[Verifier]) -> Result<Proven, String> {
    let json = input::read(file)?;
    let needed = "Pass one event with its `opening`, from `GET …/audit-events/{event}`";
    let event = CanonicalEvent::parse(&json)
        .map_err(|error| input::in_file(file, input::invalid(&json, "an event", &error, needed)))?;
    match proof::verify_event(&event, proof, keys) {
        Err(ProofFault::Leaf(error @ LeafError::Opening { .. })) => {
            Err(input::in_file(file, format_args!("{error}. {needed}")))
        }
        verified => Ok((format!("event {}", event.id), verified)),
    }
}

fn verify_leaf(leaf: &str, proof: &ProofFile, keys: &[Verifier]) -> Result<Proven, String> {
    let hash = Hash::from_base64(leaf.trim())
        .ok_or_else(|| format!("{leaf}: not a SHA-256 hash in base64"))?;
    Ok((format!("leaf {leaf}"), proof::verify_leaf(hash, proof, keys)))
}
