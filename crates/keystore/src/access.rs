//! Access to key files by other users of the machine.

use std::{fs::Metadata, io, os::unix::fs::MetadataExt};

use rustix::process::{Gid, getegid, getgroups};

/// Permission bits of the group, and of all other users.
const GROUP: u32 = 0o070;
const OTHERS: u32 = 0o007;

/// Checks that only the owner and groups of this process have access to a file. Secrets that
/// Kubernetes mounts belong to root, and the group (`fsGroup`) is one of the process.
pub fn is_private(file: &Metadata) -> io::Result<bool> {
    let mut groups = vec![getegid().as_raw()];
    groups.extend(getgroups()?.into_iter().map(Gid::as_raw));
    Ok(is_private_to(file.mode(), file.gid(), &groups))
}

fn is_private_to(mode: u32, group: u32, own_groups: &[u32]) -> bool {
    mode & OTHERS == 0 && (mode & GROUP == 0 || own_groups.contains(&group))
}

#[cfg(test)]
mod tests {
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
}
