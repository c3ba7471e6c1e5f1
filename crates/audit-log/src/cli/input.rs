//! Input files of the commands. Errors name the file and, where there is one, the line.

use std::path::Path;

use postern_tlog::{Checkpoint, InvalidKey, Verifier};

use super::file_kind;
pub use super::source::{in_file, read};
use crate::checkpoint;

/// Source of the keys, for error messages.
const KEYS: &str = "Pass the public keys of the log, from `GET …/audit-log/keys`, one per line";

/// Reads a checkpoint. Its signatures are not verified.
pub fn read_checkpoint(path: &Path) -> Result<(String, Checkpoint), String> {
    let note = read(path)?.trim_start().to_owned();
    let checkpoint = checkpoint::parse(&note).map_err(|error| {
        let needed = "Pass a checkpoint, from `GET …/audit-log/checkpoint`";
        in_file(path, invalid(&note, "a checkpoint", &error, needed))
    })?;
    Ok((note, checkpoint))
}

/// Describes a file of the wrong kind or with an error.
pub fn invalid(text: &str, expected: &str, error: &dyn std::fmt::Display, needed: &str) -> String {
    match file_kind::describe(text) {
        Some(kind) if !kind.starts_with(expected) => format!("this is {kind}. {needed}"),
        _ => format!("{error}. {needed}"),
    }
}

/// Public keys, each as text or as a file with one key per line.
pub fn keys(arguments: &[String]) -> Result<Vec<Verifier>, String> {
    let mut keys = Vec::new();
    for argument in arguments {
        match Verifier::parse(argument.trim()) {
            Ok(key) => keys.push(key),
            Err(error) => keys.extend(keys_in_file(argument, &error)?),
        }
    }
    Ok(keys)
}

fn keys_in_file(argument: &str, not_a_key: &InvalidKey) -> Result<Vec<Verifier>, String> {
    let path = Path::new(argument);
    if argument != "-" && !path.exists() {
        return Err(format!(
            "{argument}: neither a key ({not_a_key}) nor an existing file. {KEYS}"
        ));
    }
    let text = read(path)?;
    let keys: Result<Vec<_>, _> = (1..)
        .zip(text.lines())
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(number, line)| {
            Verifier::parse(line.trim()).map_err(|error| {
                let error = format_args!("line {number}: not a key: {error}");
                in_file(path, invalid(&text, "a list of public keys", &error, KEYS))
            })
        })
        .collect();
    let keys = keys?;
    if keys.is_empty() { Err(format!("{argument}: the file has no key. {KEYS}")) } else { Ok(keys) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_the_file_and_the_line() {
        let error = keys(&["no-such-file".to_owned()]).expect_err("the file does not exist");
        assert!(error.starts_with("no-such-file: neither a key (a key is NAME+ID"), "{error}");
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        let error = keys(&[file.to_owned()]).expect_err("the file has no keys");
        assert!(error.starts_with(&format!("{file}: line 1: not a key: a key is")), "{error}");
        let error = read_checkpoint(Path::new(file)).expect_err("the file is not a checkpoint");
        assert!(error.starts_with(&format!("{file}: not a signed note")), "{error}");
    }

    #[test]
    fn an_invalid_key_is_explained() {
        for (key, reason) in [
            ("log+00000000+AWbaHjSOM9iPIcQYfbjyZOAIK+aB18lEFibhibOaI0Cu", "not 00000000"),
            ("log+00000000+AWba", "not an Ed25519 key"),
            ("log+00000000+x", "not base64"),
        ] {
            let error = keys(&[key.to_owned()]).expect_err("the key is invalid");
            assert!(error.contains(reason), "{error}");
        }
    }
}
