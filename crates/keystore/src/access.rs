//! Access to keys by other users of the machine.

use std::{
    fs::{self, Metadata},
    io::{self, Read},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::Path,
};

use rustix::{
    fs::OFlags,
    process::{Gid, getegid, geteuid, getgroups},
};
use secrecy::SecretSlice;

use crate::key_error::KeyError;

/// Permission bits of the group, and of all other users.
const GROUP: u32 = 0o070;
const OTHERS: u32 = 0o007;
/// Permission bits for writing, and the one that lets users remove only their own files.
const WRITE: u32 = 0o222;
const STICKY: u32 = 0o1000;

const ROOT: u32 = 0;

/// Checks that no other users can add or replace files in a directory.
///
/// With the sticky bit, they can only add files, which belong to them and are rejected. The
/// directories of secrets that Kubernetes mounts have it (mode 1777).
pub fn check_folder(folder: &Path) -> Result<(), KeyError> {
    let metadata = fs::metadata(folder).map_err(KeyError::io(folder))?;
    let groups = own_groups().map_err(KeyError::io(folder))?;
    let (mode, group) = (metadata.mode(), metadata.gid());
    if mode & STICKY != 0 || is_private_to(mode & WRITE, group, &groups) {
        Ok(())
    } else {
        Err(KeyError::Writable(folder.to_owned()))
    }
}

/// Reads a file, or the file that a link leads to. Fails if others than its owner and groups of
/// this process have access, or if the file or the link belongs to another user.
pub fn read_private(path: &Path) -> Result<SecretSlice<u8>, KeyError> {
    let failed = KeyError::io(path);
    check_owner(path, &fs::symlink_metadata(path).map_err(&failed)?)?;
    // Opening a FIFO would wait for a writer.
    let flags = i32::try_from(OFlags::NONBLOCK.bits()).expect("the flag is one of the low bits");
    let mut file =
        fs::OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(&failed)?;
    let metadata = file.metadata().map_err(&failed)?;
    if !metadata.is_file() {
        return Err(KeyError::NotAFile(path.to_owned()));
    }
    check_owner(path, &metadata)?;
    // Secrets that Kubernetes mounts have a group of the process (`fsGroup`).
    if !is_private_to(metadata.mode(), metadata.gid(), &own_groups().map_err(&failed)?) {
        return Err(KeyError::Readable(path.to_owned()));
    }
    // With its final capacity: growing would leave copies of the secret in memory.
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or_default());
    file.read_to_end(&mut bytes).map_err(failed)?;
    Ok(SecretSlice::from(bytes))
}

/// Checks that a file belongs to the user of this process, to root, or to the owner of its
/// directory, who can replace it anyway.
fn check_owner(path: &Path, file: &Metadata) -> Result<(), KeyError> {
    let owner = file.uid();
    if owner == ROOT || owner == geteuid().as_raw() {
        return Ok(());
    }
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    let folder = folder.unwrap_or_else(|| Path::new("."));
    if fs::metadata(folder).map_err(KeyError::io(folder))?.uid() == owner {
        return Ok(());
    }
    Err(KeyError::Owner { path: path.to_owned(), owner })
}

fn own_groups() -> io::Result<Vec<u32>> {
    let mut groups = vec![getegid().as_raw()];
    groups.extend(getgroups()?.into_iter().map(Gid::as_raw));
    Ok(groups)
}

fn is_private_to(mode: u32, group: u32, own_groups: &[u32]) -> bool {
    mode & OTHERS == 0 && (mode & GROUP == 0 || own_groups.contains(&group))
}

#[cfg(test)]
mod tests {
    use std::{
        os::unix::fs::{PermissionsExt, chown, lchown, symlink},
        path::PathBuf,
        process::Command,
    };

    use tempfile::TempDir;

    use super::*;

    #[test]
    fn own_groups_may_have_access() {
        for (mode, group, is_private) in [
            (0o400, 7, true),
            (0o600, 7, true),
            (0o440, 1000, true),
            (0o640, 2000, true),
            // Kubernetes adds this to the files of a persistent volume with an `fsGroup`.
            (0o660, 2000, true),
            (0o440, 7, false),
            (0o420, 7, false),
            (0o444, 1000, false),
            (0o604, 1000, false),
            (0o601, 1000, false),
        ] {
            assert_eq!(
                is_private_to(mode, group, &[1000, 2000]),
                is_private,
                "mode {mode:o}, group {group}"
            );
        }
    }

    /// Directory with a private file of this process.
    fn folder_with_file() -> (TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let path = folder.path().join("audit.secret");
        fs::write(&path, [7; 32]).expect("the file is written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("the mode is set");
        (folder, path)
    }

    fn error(path: &Path) -> String {
        read_private(path).map(drop).expect_err("the file is rejected").to_string()
    }

    #[test]
    fn special_files_are_rejected_without_waiting() {
        let (folder, path) = folder_with_file();
        let (fifo, link) = (folder.path().join("fifo"), folder.path().join("link"));
        let made = Command::new("mkfifo").args(["-m", "600"]).arg(&fifo).status();
        assert!(made.expect("mkfifo runs").success(), "the FIFO is created");
        symlink("fifo", &link).expect("the link is created");
        for path in [&fifo, &link] {
            assert_eq!(error(path), format!("{}: not a regular file", path.display()));
        }
        crate::check_folder(folder.path()).expect_err("the FIFO is reported");
        assert!(error(folder.path()).ends_with(": not a regular file"), "nor is a directory");
        fs::remove_file(&link).expect("the link is removed");
        symlink(&path, &link).expect("the link is created");
        read_private(&link).expect("a link to a file is accepted");
    }

    /// Only root can give files away.
    #[test]
    fn files_of_other_users_are_rejected() {
        if !geteuid().is_root() {
            return;
        }
        let (folder, path) = folder_with_file();
        let link = folder.path().join("link");
        symlink("audit.secret", &link).expect("the link is created");
        read_private(&link).expect("a file of this process is accepted");
        lchown(&link, Some(8), None).expect("the owner is set");
        assert!(error(&link).contains("belongs to the user 8"), "links have an owner, too");
        chown(&path, Some(7), None).expect("the owner is set");
        assert!(error(&path).contains("belongs to the user 7"), "{}", error(&path));
        crate::check_folder(folder.path()).expect_err("the file is reported");
        chown(folder.path(), Some(7), None).expect("the owner is set");
        read_private(&path).expect("the owner of the directory may own files");
        chown(&path, Some(ROOT), None).expect("the owner is set");
        read_private(&path).expect("root may own files");
    }
}
