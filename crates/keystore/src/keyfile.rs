//! Key files: accessible only to their owner and groups of this process, and written completely or
//! not at all. Each family of keys has a suffix. Names of key pairs contain the creation time, so
//! that they sort by age.

use std::{
    fs, io,
    io::Write,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
};

use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretSlice};

use crate::{
    access::{self, read_private},
    key_error::KeyError,
    mac::MacKey,
    random,
    signing::SigningKey,
};

const MOMENT: &str = "%Y%m%dT%H%M%S%.6fZ";

/// Creates the folder with mode 0700 if it does not exist. Fails if others can write to it.
pub fn make_folder(folder: &Path) -> Result<(), KeyError> {
    let created = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    created.map_err(KeyError::io(folder))?;
    access::check_folder(folder)
}

/// Validates every file of a key folder as the server does on start, without creating any.
pub fn check_folder(folder: &Path) -> Result<(), KeyError> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(()) };
    access::check_folder(folder)?;
    for path in entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| !path.is_dir())
    {
        let bytes = read_private(&path)?;
        if path.extension().is_some_and(|extension| extension == "pk8") {
            parse_key(&path, &bytes)?;
        }
    }
    Ok(())
}

/// Key pair with its creation time.
pub struct KeyFile {
    pub created_at: DateTime<Utc>,
    pub key: SigningKey,
}

/// Creates a key pair in a file named after `now`.
pub fn make_key(folder: &Path, suffix: &str, now: DateTime<Utc>) -> Result<(), KeyError> {
    let path = folder.join(format!("{}{suffix}", now.format(MOMENT)));
    write_private(&path, SigningKey::generate()?.expose_pkcs8())
}

/// Creates a key pair if the family has none. Replicas that start together create one.
pub fn make_first_key(folder: &Path, suffix: &str, now: DateTime<Utc>) -> Result<(), KeyError> {
    if !read_keys(folder, suffix)?.is_empty() {
        return Ok(());
    }
    let lock = fs::File::open(folder).map_err(KeyError::io(folder))?;
    // Not all network file systems can lock a folder. Then each replica may create a key.
    let _ = lock.lock();
    if read_keys(folder, suffix)?.is_empty() { make_key(folder, suffix, now) } else { Ok(()) }
}

/// Reads the key pairs of a family, oldest first.
pub fn read_keys(folder: &Path, suffix: &str) -> Result<Vec<KeyFile>, KeyError> {
    let entries = fs::read_dir(folder).map_err(KeyError::io(folder))?;
    let mut keys = Vec::new();
    for path in entries.filter_map(|entry| entry.ok().map(|entry| entry.path())) {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if let Some(created_at) = name.strip_suffix(suffix) {
            let created_at =
                DateTime::parse_from_str(&format!("{created_at}+0000"), &format!("{MOMENT}%z"));
            let created_at = created_at.map_err(|_| KeyError::NotAKey(path.clone()))?.to_utc();
            let key = parse_key(&path, &read_private(&path)?)?;
            keys.push(KeyFile { created_at, key });
        }
    }
    keys.sort_by_key(|file| file.created_at);
    Ok(keys)
}

fn parse_key(path: &Path, bytes: &SecretSlice<u8>) -> Result<SigningKey, KeyError> {
    SigningKey::from_pkcs8(bytes.expose_secret()).map_err(|_| KeyError::NotAKey(path.to_owned()))
}

/// Reads a secret of 32 bytes, or creates it if the file does not exist.
pub fn secret(path: &Path) -> Result<MacKey, KeyError> {
    if !path.exists() {
        match write_private(path, &random::bytes::<32>()?) {
            // Another replica created the secret first; that one is used.
            Err(KeyError::Io { source, .. }) if source.kind() == io::ErrorKind::AlreadyExists => {}
            result => result?,
        }
    }
    read_secret(path)
}

/// Reads a secret of 32 bytes.
pub fn read_secret(path: &Path) -> Result<MacKey, KeyError> {
    let secret = read_private(path)?;
    if secret.expose_secret().len() == 32 {
        Ok(MacKey::new(secret.expose_secret()))
    } else {
        Err(KeyError::NotASecret(path.to_owned()))
    }
}

/// Writes a new file with mode 0600, completely or not at all. Fails if the file exists.
pub fn write_private(path: &Path, bytes: &[u8]) -> Result<(), KeyError> {
    let failed = KeyError::io(path);
    let unfinished =
        path.with_extension(format!("{}.unfinished", hex::encode(random::bytes::<8>()?)));
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&unfinished)
        .map_err(&failed)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(&failed)?;
    // Unlike a rename, a hard link does not replace a file that was created in the meantime.
    let linked = fs::hard_link(&unfinished, path);
    fs::remove_file(&unfinished).map_err(&failed)?;
    linked.map_err(failed)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    const SUFFIX: &str = ".test.pk8";

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("the folder is readable");
        let name = |entry: io::Result<fs::DirEntry>| entry.expect("an entry").file_name();
        entries.map(|entry| name(entry).into_string().expect("UTF-8")).collect()
    }

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("the mode is set");
    }

    #[test]
    fn keys_are_read_in_order_of_age() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let (older, newer) = (DateTime::UNIX_EPOCH, DateTime::from_timestamp_micros(1_500_000));
        let newer = newer.expect("a time");
        make_key(folder.path(), SUFFIX, newer).expect("the key is created");
        make_key(folder.path(), SUFFIX, older).expect("the key is created");
        make_key(folder.path(), SUFFIX, older).expect_err("a key file is not replaced");
        let keys = read_keys(folder.path(), SUFFIX).expect("the keys are valid");
        assert_eq!(
            keys.iter().map(|file| file.created_at).collect::<Vec<_>>(),
            [older, newer],
            "the oldest key is first"
        );
        let mut names = names(folder.path());
        names.sort();
        assert_eq!(names, ["19700101T000000.000000Z.test.pk8", "19700101T000001.500000Z.test.pk8"]);
        assert!(
            read_keys(folder.path(), ".log.pk8").expect("no keys").is_empty(),
            "keys of other kinds are not read"
        );
    }

    #[test]
    fn secret_is_created_once() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let path = folder.path().join("audit.secret");
        let created = secret(&path).expect("the secret is created");
        let read = secret(&path).expect("the secret is read");
        assert_eq!(
            created.sign(b"message"),
            read.sign(b"message"),
            "the second call reads the same secret"
        );
        assert_eq!(names(folder.path()), ["audit.secret"], "no temporary file is left");
        let mode = fs::metadata(&path).expect("the file exists").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "only the owner can read the file");
        fs::write(&path, [0; 31]).expect("the file is written");
        assert!(
            matches!(secret(&path), Err(KeyError::NotASecret(_))),
            "a secret of the wrong length is rejected"
        );
    }

    /// A secret as Kubernetes mounts it: links to a folder that is replaced as a whole.
    #[test]
    fn mounted_secrets_are_read() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let mounted = folder.path().join("..2026_11_27");
        make_folder(&mounted).expect("the folder is created");
        make_key(&mounted, SUFFIX, DateTime::UNIX_EPOCH).expect("the key is created");
        secret(&mounted.join("audit.secret")).expect("the secret is created");
        symlink("..2026_11_27", folder.path().join("..data")).expect("the link is created");
        for name in names(&mounted) {
            // The group of a new file is that of the process.
            set_mode(&mounted.join(&name), 0o440);
            symlink(Path::new("..data").join(&name), folder.path().join(&name))
                .expect("the link is created");
        }
        check_folder(folder.path()).expect("the folder has no faults");
        assert_eq!(read_keys(folder.path(), SUFFIX).expect("the key is valid").len(), 1);
        secret(&folder.path().join("audit.secret")).expect("the secret is read");
        set_mode(&mounted.join("audit.secret"), 0o444);
        assert!(
            matches!(check_folder(folder.path()), Err(KeyError::Readable(_))),
            "a secret that all users can read is reported"
        );
    }

    #[test]
    fn invalid_key_folders_are_reported() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        check_folder(&folder.path().join("missing")).expect("a missing folder has no faults");
        make_key(folder.path(), SUFFIX, DateTime::UNIX_EPOCH).expect("the key is created");
        check_folder(folder.path()).expect("the key is valid");
        let path = folder.path().join(&names(folder.path())[0]);
        set_mode(&path, 0o604);
        assert!(
            matches!(check_folder(folder.path()), Err(KeyError::Readable(_))),
            "a key that others can read is reported"
        );
        assert!(
            matches!(read_keys(folder.path(), SUFFIX), Err(KeyError::Readable(_))),
            "a key that others can read is not used"
        );
        set_mode(&path, 0o600);
        fs::write(&path, b"damaged").expect("the file is written");
        assert!(
            matches!(check_folder(folder.path()), Err(KeyError::NotAKey(_))),
            "a damaged key is reported"
        );
        assert!(
            matches!(read_keys(folder.path(), SUFFIX), Err(KeyError::NotAKey(_))),
            "a damaged key is not used"
        );
    }

    #[test]
    fn folders_that_others_can_write_to_are_rejected() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        make_key(folder.path(), SUFFIX, DateTime::UNIX_EPOCH).expect("the key is created");
        for (mode, is_safe) in [
            (0o700, true),
            (0o755, true),
            (0o775, true),
            // A persistent volume with an `fsGroup`, and a mounted secret, in Kubernetes.
            (0o2775, true),
            (0o1777, true),
            (0o777, false),
            (0o703, false),
        ] {
            set_mode(folder.path(), mode);
            for result in [make_folder(folder.path()), check_folder(folder.path())] {
                assert_eq!(result.is_ok(), is_safe, "{mode:o}: {result:?}");
                let error = result.err().map(|error| error.to_string());
                assert!(
                    error.as_ref().is_none_or(|error| error.contains("chmod go-w")),
                    "{mode:o}: {error:?}"
                );
            }
        }
    }
}
