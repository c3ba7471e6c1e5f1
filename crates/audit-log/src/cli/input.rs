//! Input files of the commands. Errors name the file and, where there is one, the line.

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, Read},
    path::Path,
};

use postern_tlog::{Checkpoint, Verifier};

use crate::checkpoint;

/// Opens a file; `-` is standard input.
pub fn open(path: &Path) -> Result<Box<dyn BufRead>, String> {
    if path.as_os_str() == "-" {
        return Ok(Box::new(BufReader::new(io::stdin())));
    }
    let file = File::open(path).map_err(|error| in_file(path, error))?;
    Ok(Box::new(BufReader::new(file)))
}

/// Reads a text file; `-` is standard input.
pub fn read(path: &Path) -> Result<String, String> {
    let mut text = String::new();
    open(path)?.read_to_string(&mut text).map_err(|error| in_file(path, error))?;
    Ok(text)
}

/// Reads a checkpoint. Its signatures are not verified.
pub fn read_checkpoint(path: &Path) -> Result<(String, Checkpoint), String> {
    let note = read(path)?;
    let checkpoint = checkpoint::parse(&note).map_err(|error| in_file(path, error))?;
    Ok((note, checkpoint))
}

/// An error in a file.
pub fn in_file(path: &Path, error: impl std::fmt::Display) -> String {
    format!("{}: {error}", path.display())
}

/// Public keys, each as text or as a file with one key per line.
pub fn keys(arguments: &[String]) -> Result<Vec<Verifier>, String> {
    let mut keys = Vec::new();
    for argument in arguments {
        if let Some(key) = Verifier::parse(argument) {
            keys.push(key);
            continue;
        }
        let text = fs::read_to_string(argument)
            .map_err(|error| format!("{argument}: neither a key nor a readable file ({error})"))?;
        let before = keys.len();
        for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
            let key = Verifier::parse(line.trim()).ok_or_else(|| {
                format!("{argument}: line {number}: not a C2SP signed-note key: {line}")
            })?;
            keys.push(key);
        }
        if keys.len() == before {
            return Err(format!("{argument}: the file has no key"));
        }
    }
    Ok(keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_the_file_and_the_line() {
        let error = keys(&["no-such-file".to_owned()]).expect_err("the file does not exist");
        assert!(error.starts_with("no-such-file: neither a key"), "{error}");
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        let error = keys(&[file.to_owned()]).expect_err("the file has no keys");
        assert!(error.starts_with(&format!("{file}: line 1: not a C2SP")), "{error}");
        let error = read_checkpoint(Path::new(file)).expect_err("the file is not a checkpoint");
        assert!(error.starts_with(&format!("{file}: not a signed note")), "{error}");
    }
}
