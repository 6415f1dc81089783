//! Imports the key files of older servers, which had no keys in the database.
//!
//! What this module does not know: that it is used only while the database has no key. The files are not deleted.

use super::token_key::TokenKey;
use crate::{
    keys::{Key, KeyEntry, KeyError, MAX_KEYS},
    time::UnixSeconds,
};
use std::{
    fs,
    io::{self, Read},
    os::unix::fs::PermissionsExt,
    path::Path,
};
use zeroize::Zeroizing;

/// Maximum size of a key file: a 4096-bit key has about 2,400 bytes.
const MAX_FILE_BYTES: u64 = 8_192;
const EXTENSION: &str = "pk8";

/// The keys in `folder`, oldest first; empty if the folder does not exist. Blocking.
pub(crate) fn key_files(folder: &Path) -> Result<Vec<KeyEntry<TokenKey>>, KeyError> {
    let at = |source| KeyError::File { path: folder.to_owned(), source };
    let listed = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        listed => listed.map_err(at)?,
    };
    let mut files = Vec::new();
    for entry in listed {
        let path = entry.map_err(at)?.path();
        if path.extension().is_some_and(|extension| extension == EXTENSION) {
            files.push(path);
        }
        if files.len() > MAX_KEYS {
            return Err(KeyError::TooMany);
        }
    }
    // Names begin with the creation time in a fixed number of digits: sorting by name sorts by age.
    files.sort();
    let entries = files.iter().map(|file| load(file)).collect::<Result<Vec<_>, _>>()?;
    if !entries.is_empty() {
        tracing::info!(folder = %folder.display(), keys = entries.len(), "imported the signing keys into the database");
    }
    Ok(entries)
}

fn load(path: &Path) -> Result<KeyEntry<TokenKey>, KeyError> {
    let at = |source| KeyError::File { path: path.to_owned(), source };
    let file = fs::File::open(path).map_err(at)?;
    let mode = file.metadata().map_err(at)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(KeyError::Exposed { path: path.to_owned(), mode });
    }
    let mut bytes = Zeroizing::new(Vec::new());
    file.take(MAX_FILE_BYTES).read_to_end(&mut bytes).map_err(at)?;
    let key = TokenKey::read(&bytes).ok_or_else(|| KeyError::NotAKey { path: path.to_owned() })?;
    let made = made(path);
    // A key of unknown age signs before all others.
    Ok(KeyEntry { key, created: made, active: made.unwrap_or(UnixSeconds::EPOCH) })
}

/// The creation time in a file name; `None` for other names.
fn made(path: &Path) -> Option<UnixSeconds> {
    let name = path.file_name()?.to_str()?;
    name.split('-').next()?.parse().ok().map(UnixSeconds::new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::OpenOptionsExt;

    fn write(folder: &Path, name: &str, mode: u32) -> TokenKey {
        let key = TokenKey::make().unwrap();
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(folder.join(name)).unwrap();
        io::Write::write_all(&mut file, &key.write().unwrap()).unwrap();
        key
    }

    #[test]
    fn keys_are_sorted_by_age() {
        let folder = tempfile::tempdir().unwrap();
        assert!(key_files(&folder.path().join("none")).unwrap().is_empty());
        let newer = write(folder.path(), "000000002000-b.pk8", 0o600);
        let undated = write(folder.path(), "+.pk8", 0o600);
        let older = write(folder.path(), "000000001000-c.pk8", 0o600);
        fs::write(folder.path().join("000000003000-a.unfinished"), "half").unwrap();
        let found = key_files(folder.path()).unwrap();
        let found: Vec<_> = found.iter().map(|entry| (entry.key.kid(), entry.created, entry.active)).collect();
        let (first, second) = (UnixSeconds::new(1_000), UnixSeconds::new(2_000));
        let expected = [(undated.kid(), None, UnixSeconds::EPOCH), (older.kid(), Some(first), first)];
        assert_eq!(found[..2], expected);
        assert_eq!(found[2], (newer.kid(), Some(second), second));
    }

    #[test]
    fn a_key_that_other_users_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "000000001000-a.pk8", 0o644);
        let error = key_files(folder.path()).err().unwrap();
        assert!(error.to_string().contains("chmod 600"), "{error}");
    }

    #[test]
    fn a_damaged_key_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "000000001000-a.pk8", 0o600);
        fs::write(folder.path().join("000000001000-a.pk8"), [0x30; 100]).unwrap();
        assert!(matches!(key_files(folder.path()), Err(KeyError::NotAKey { .. })));
    }
}
