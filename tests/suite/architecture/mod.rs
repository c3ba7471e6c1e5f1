//! Rules on the structure of the source code.

mod crates;
mod effects;
mod modules;
mod store_access;

use std::{
    fs,
    path::{Path, PathBuf},
};

/// All files in a directory and its subdirectories.
fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the directory is readable");
    entries
        .map(|entry| entry.expect("the entry is readable").path())
        .flat_map(|path| if path.is_dir() { files_in(&path) } else { vec![path] })
        .collect()
}
