//! `postern-verify consistency`: verifies that a checkpoint is consistent with an older one.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use clap::{ArgGroup, Args};
use postern_tlog::{Hash, Tile};

use super::{
    input,
    verification::{EXIT_CODES, Verification, print},
};
use crate::consistency::{Checkpoints, ConsistencyFault};

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
#[command(group = ArgGroup::new("source").required(true).args(["proof", "tiles"]))]
pub struct ConsistencyArgs {
    /// File with the older checkpoint; `-` for standard input.
    old: PathBuf,
    /// File with the newer checkpoint, from `GET …/audit-log/checkpoint`.
    new: PathBuf,
    /// Public key, such as `postern.example/org_…+1234abcd+AQ…`, or a file with one key per line.
    /// Both checkpoints must be signed by one of them. Repeatable.
    #[arg(long, required = true, value_name = "KEY|FILE")]
    key: Vec<String>,
    /// File with a consistency proof (RFC 6962): one hash in base64 per line.
    #[arg(long, value_name = "FILE")]
    proof: Option<PathBuf>,
    /// Directory with the tiles of the newer tree, from `GET …/audit-log/tile/…`, under the same
    /// paths. If tiles are missing, the command lists those that it needs.
    #[arg(long, value_name = "DIR")]
    tiles: Option<PathBuf>,
}

/// Verifies the consistency of two checkpoints and prints the result.
pub fn verify_consistency(args: &ConsistencyArgs) -> Verification {
    let keys = input::keys(&args.key)?;
    let (old, _) = input::read_checkpoint(&args.old)?;
    let (new, _) = input::read_checkpoint(&args.new)?;
    let proof = args.proof.as_ref().map(|file| read_proof(file)).transpose()?;
    let checkpoints = match Checkpoints::verify(&old, &new, &keys) {
        Ok(checkpoints) => checkpoints,
        Err(fault) => return print(&Err(fault), ConsistencyFault::verdict),
    };
    let proof = match (proof, &args.tiles) {
        (Some(proof), _) => proof,
        (None, directory) => {
            proof_from_tiles(&checkpoints, directory.as_deref().unwrap_or(Path::new(".")))?
        }
    };
    let verified = checkpoints.verify_proof(&proof).map(|()| {
        let Checkpoints { old, new } = &checkpoints;
        format!(
            "the log {} of {} entries begins with the {} entries of the older checkpoint",
            new.origin, new.size, old.size
        )
    });
    print(&verified, ConsistencyFault::verdict)
}

fn read_proof(file: &Path) -> Result<Vec<Hash>, String> {
    (1..)
        .zip(input::read(file)?.lines())
        .map(|(number, line)| {
            Hash::from_base64(line.trim()).ok_or_else(|| {
                let error = format_args!("line {number}: not a SHA-256 hash in base64: {line}");
                input::in_file(file, error)
            })
        })
        .collect()
}

/// Computes the proof from the tiles in a directory. Fails with a list of the missing tiles.
fn proof_from_tiles(checkpoints: &Checkpoints, directory: &Path) -> Result<Vec<Hash>, String> {
    let (mut tiles, mut missing) = (BTreeMap::new(), Vec::new());
    for tile in checkpoints.tiles() {
        let file = directory.join(tile.path());
        match fs::read(&file) {
            Ok(bytes) => drop(tiles.insert(tile, hashes(tile, &file, &bytes)?)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => missing.push(tile.path()),
            Err(error) => return Err(input::in_file(&file, error)),
        }
    }
    checkpoints.proof_from(&tiles).ok_or_else(|| {
        let missing = missing.join(", ");
        input::in_file(directory, format_args!("download the missing tiles: {missing}"))
    })
}

fn hashes(tile: Tile, file: &Path, bytes: &[u8]) -> Result<Vec<Hash>, String> {
    let (hashes, rest) = bytes.as_chunks::<32>();
    if rest.is_empty() && hashes.len() == usize::from(tile.width) {
        return Ok(hashes.iter().copied().map(Hash).collect());
    }
    let (bytes, expected) = (bytes.len(), usize::from(tile.width) * 32);
    Err(input::in_file(file, format_args!("the tile has {bytes} bytes instead of {expected}")))
}
