//! Encryption of values at rest: XChaCha20-Poly1305, each value with a nonce of its own.
//!
//! What is written is `f1:KEY:BASE64`: the key's id, then nonce and ciphertext. Table, column and row are
//! authenticated with it, so that a value that was moved to another row cannot be read there. Which key encrypts is
//! said by the database (see [`crate::rotation`]); a key's id is a hash of it, and tells nothing of the key.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use chacha20poly1305::{
    KeyInit as _, XChaCha20Poly1305, XNonce,
    aead::{Aead as _, Payload},
};
use flow_core::secret::Secret;
use sha2::{Digest as _, Sha256};

use crate::StoreError;

/// What every encrypted value begins with.
pub(crate) const FORMAT: &str = "f1";
/// Longest key file that is read.
const FILE_BYTES_MAX: u64 = 64 * 1024;
/// Bytes of a key.
const KEY: usize = 32;
/// Bytes of a nonce.
const NONCE: usize = 24;
/// Bytes of a hash that name a key.
const ID: usize = 6;
/// Bits of a file's mode that let others than its owner in.
const OTHERS: u32 = 0o077;

/// The variable that holds keys.
pub const VARIABLE: &str = "FLOW_SECRET_KEY";

/// The keys of this process. Cheap to clone; clones share.
#[derive(Clone)]
pub struct Keyring {
    inner: Arc<Inner>,
}

struct Inner {
    source: Source,
    /// Those that were read last.
    keys: Mutex<Vec<Key>>,
}

/// Where keys come from.
#[derive(Clone, Debug)]
enum Source {
    /// Nowhere: nothing can be read or written.
    Nowhere,
    /// The environment.
    Given,
    /// A file, which is made when a key is first needed, and read again when one is missing.
    File(PathBuf),
}

/// A key and its name.
#[derive(Clone)]
pub(crate) struct Key {
    bytes: [u8; KEY],
    pub(crate) id: String,
}

/// Where a value stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    pub(crate) table: &'static str,
    pub(crate) column: &'static str,
    pub(crate) row: &'a str,
}

impl Place<'_> {
    fn written(&self) -> String {
        // The row comes last: it alone may hold a slash.
        format!("{}/{}/{}", self.table, self.column, self.row)
    }
}

impl Key {
    fn new(bytes: [u8; KEY]) -> Self {
        let digest = Sha256::new().chain_update("flow secret key").chain_update(bytes).finalize();
        Self { bytes, id: digest[..ID].iter().map(|byte| format!("{byte:02x}")).collect() }
    }

    fn random() -> Result<Self, StoreError> {
        Ok(Self::new(random()?))
    }

    /// Reads the base64 of 32 bytes, with or without padding, in either alphabet.
    fn parse(text: &str) -> Option<Self> {
        let plain: String = text.trim().trim_end_matches('=').replace('-', "+").replace('_', "/");
        let padded = format!("{plain}{}", "=".repeat((4 - plain.len() % 4) % 4));
        Some(Self::new(BASE64.decode(padded).ok()?.try_into().ok()?))
    }

    fn written(&self) -> String {
        BASE64.encode(self.bytes)
    }

    /// Encrypts a text for its place.
    pub(crate) fn seal(&self, place: Place<'_>, text: &str) -> Result<String, StoreError> {
        let nonce: [u8; NONCE] = random()?;
        let place = place.written();
        let payload = Payload { msg: text.as_bytes(), aad: place.as_bytes() };
        let sealed = XChaCha20Poly1305::new(&self.bytes.into())
            .encrypt(&XNonce::from(nonce), payload)
            .map_err(|_| StoreError::Key("the value is too long to encrypt".to_owned()))?;
        Ok(format!("{FORMAT}:{}:{}", self.id, BASE64.encode([&nonce[..], &sealed].concat())))
    }

    fn open(&self, place: Place<'_>, sealed: &str) -> Option<Secret> {
        let bytes = BASE64.decode(sealed).ok()?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE)?;
        let nonce: [u8; NONCE] = nonce.try_into().ok()?;
        let place = place.written();
        let payload = Payload { msg: sealed, aad: place.as_bytes() };
        let plain = XChaCha20Poly1305::new(&self.bytes.into()).decrypt(&XNonce::from(nonce), payload).ok()?;
        String::from_utf8(plain).ok().map(Secret::from)
    }
}

fn random<const N: usize>() -> Result<[u8; N], StoreError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|error| StoreError::Key(format!("the system gives no random numbers: {error}")))?;
    Ok(bytes)
}

impl Keyring {
    /// No keys: values can neither be read nor written.
    pub fn none() -> Self {
        Self::of(Source::Nowhere, Vec::new())
    }

    /// Takes keys as `FLOW_SECRET_KEY` has them: base64 of 32 bytes each, with commas between them.
    ///
    /// # Errors
    ///
    /// A sentence that does not hold the text.
    pub fn given(text: &str) -> Result<Self, String> {
        let keys: Option<Vec<Key>> =
            text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(Key::parse).collect();
        match keys {
            Some(keys) if !keys.is_empty() => Ok(Self::of(Source::Given, keys)),
            Some(_) | None => Err(format!(
                "`{VARIABLE}` must be the base64 of 32 bytes, or several of them with commas between; \
                 make one with `openssl rand -base64 32`"
            )),
        }
    }

    /// Takes the keys of a file, which need not be there yet.
    pub fn in_file(path: impl Into<PathBuf>) -> Self {
        Self::of(Source::File(path.into()), Vec::new())
    }

    fn of(source: Source, keys: Vec<Key>) -> Self {
        Self { inner: Arc::new(Inner { source, keys: Mutex::new(keys) }) }
    }

    /// Says where its keys come from, for a sentence.
    pub fn origin(&self) -> String {
        match &self.inner.source {
            Source::Nowhere => "nowhere".to_owned(),
            Source::Given => format!("`{VARIABLE}`"),
            Source::File(path) => format!("`{}`", path.display()),
        }
    }

    /// Returns the ids of its keys, the one to encrypt with first.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub fn ids(&self) -> Result<Vec<String>, StoreError> {
        self.load()?;
        Ok(self.kept().iter().map(|key| key.id.clone()).collect())
    }

    /// Returns the keys themselves, as they are written, so that logs can hide them.
    pub fn written(&self) -> Vec<String> {
        // A file that cannot be read holds nothing that could be printed.
        let _ = self.load();
        self.kept().iter().map(Key::written).collect()
    }

    /// Returns a key; looks into the file again before it says that there is none.
    pub(crate) fn find(&self, id: &str) -> Result<Option<Key>, StoreError> {
        let known = |keys: &[Key]| keys.iter().find(|key| key.id == id).cloned();
        if let Some(key) = known(&self.kept()) {
            return Ok(Some(key));
        }
        self.load()?;
        Ok(known(&self.kept()))
    }

    /// Returns the key to begin with; makes it if there is none.
    pub(crate) fn first(&self) -> Result<Key, StoreError> {
        self.load()?;
        if let Some(key) = self.kept().first() {
            return Ok(key.clone());
        }
        let Source::File(path) = &self.inner.source else {
            return Err(StoreError::Key("this process has no key to encrypt with".to_owned()));
        };
        let _lock = lock(path)?;
        // Another process may have made it meanwhile.
        self.load()?;
        if let Some(key) = self.kept().first() {
            return Ok(key.clone());
        }
        let key = Key::random()?;
        self.write(path, vec![key.clone()])?;
        Ok(key)
    }

    /// Decrypts a value.
    pub(crate) fn open(&self, place: Place<'_>, text: &str) -> Result<Secret, Unreadable> {
        let what = || format!("`{}` of {} `{}`", place.column, place.table, place.row);
        let mut parts = text.splitn(3, ':');
        let (Some(FORMAT), Some(id), Some(sealed)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(Unreadable { why: format!("{} is not encrypted as this flow does it", what()), key: None });
        };
        let key = self.find(id).map_err(|error| Unreadable { why: error.to_string(), key: None })?;
        let Some(key) = key else {
            return Err(Unreadable { why: format!("{}: {}", what(), self.missing(id)), key: Some(id.to_owned()) });
        };
        key.open(place, sealed).ok_or_else(|| Unreadable {
            why: format!(
                "{} cannot be decrypted with its key `{id}`: it was changed from outside; set it again",
                what()
            ),
            key: None,
        })
    }

    /// Says that a key is missing, and what to do.
    pub(crate) fn missing(&self, id: &str) -> String {
        let here = match self.ids() {
            Ok(ids) if ids.is_empty() => format!("there is none in {}", self.origin()),
            Ok(ids) => format!("{} has only `{}`", self.origin(), ids.join("`, `")),
            Err(error) => error.to_string(),
        };
        format!(
            "it is encrypted with the key `{id}`, which this process does not have ({here}); set `{VARIABLE}` to that key, \
             or copy `secret.key` from the home of the flow that made it"
        )
    }

    /// Begins a change of the key: the one to change to, and whether the change had begun before. On a file, the
    /// new key stands there beside the old one from here on; nobody else changes the file while the lock is held.
    pub(crate) fn begin_change(&self) -> Result<(Key, bool, Option<File>), StoreError> {
        match &self.inner.source {
            Source::Nowhere => Err(StoreError::Key("this process has no key to encrypt with".to_owned())),
            Source::Given => Ok((self.first()?, false, None)),
            Source::File(path) => {
                let held = lock(path)?;
                self.load()?;
                let mut keys = self.kept().clone();
                if keys.len() > 1 {
                    return Ok((keys.swap_remove(0), true, Some(held)));
                }
                let key = Key::random()?;
                keys.insert(0, key.clone());
                self.write(path, keys)?;
                Ok((key, false, Some(held)))
            }
        }
    }

    /// Ends a change of the key: forgets all others that are in the file. Returns their ids.
    pub(crate) fn end_change(&self, to: &Key) -> Result<Vec<String>, StoreError> {
        let others = self.kept().iter().filter(|key| key.id != to.id).map(|key| key.id.clone()).collect();
        if let Source::File(path) = &self.inner.source {
            self.write(path, vec![to.clone()])?;
        }
        Ok(others)
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Vec<Key>> {
        self.inner.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the file, if there is one.
    fn load(&self) -> Result<(), StoreError> {
        let Source::File(path) = &self.inner.source else { return Ok(()) };
        let failed = |why: String| StoreError::Key(format!("the key file `{}` {why}", path.display()));
        let text = match fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(failed(format!("cannot be read: {error}"))),
            Ok(found) if found.len() > FILE_BYTES_MAX => return Err(failed("is too large".to_owned())),
            Ok(found) => {
                let mode = found.permissions().mode();
                if mode & OTHERS != 0 && self.kept().is_empty() {
                    tracing::warn!(
                        "others may use the key file `{0}` (mode {1:o}); keep them out: chmod 600 {0}",
                        path.display(),
                        mode & 0o777
                    );
                }
                fs::read_to_string(path).map_err(|error| failed(format!("cannot be read: {error}")))?
            }
        };
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let keys: Option<Vec<Key>> = lines.map(Key::parse).collect();
        let keys = keys.filter(|keys| !keys.is_empty());
        *self.kept() = keys.ok_or_else(|| failed("must hold the base64 of 32 bytes on each line".to_owned()))?;
        Ok(())
    }

    /// Writes the file: at once or not at all, whatever happens.
    fn write(&self, path: &Path, keys: Vec<Key>) -> Result<(), StoreError> {
        let beside = beside(path, "new");
        let write = || {
            let mut file = File::options().create(true).write(true).truncate(true).mode(0o600).open(&beside)?;
            writeln!(
                file,
                "# What Flow encrypts variables and connections with. Without it they are lost; keep a copy."
            )?;
            for key in &keys {
                writeln!(file, "{}", key.written())?;
            }
            file.sync_all()?;
            fs::rename(&beside, path)?;
            File::open(path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")))?
                .sync_all()
        };
        write().map_err(|error: io::Error| cannot_write(path, &error))?;
        *self.kept() = keys;
        Ok(())
    }
}

fn cannot_write(path: &Path, error: &io::Error) -> StoreError {
    StoreError::Key(format!("the key file `{}` cannot be written: {error}", path.display()))
}

fn beside(path: &Path, word: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!("-{word}"));
    name.into()
}

/// Waits until no other process changes the key file. Held until dropped; readers need no lock.
fn lock(path: &Path) -> Result<File, StoreError> {
    let file = File::options().create(true).write(true).truncate(false).mode(0o600).open(beside(path, "lock"));
    file.and_then(|file| file.lock().map(|()| file)).map_err(|error| cannot_write(path, &error))
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Keyring({:?})", self.inner.source)
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Key({})", self.id)
    }
}

/// Why an encrypted value cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Unreadable {
    why: String,
    /// The key that is missing.
    pub(crate) key: Option<String>,
}

impl From<Unreadable> for StoreError {
    fn from(unreadable: Unreadable) -> Self {
        Self::Key(unreadable.why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place<'static> = Place { table: "variable", column: "value", row: "a" };

    fn sealed(ring: &Keyring, text: &str) -> String {
        ring.first().unwrap().seal(PLACE, text).unwrap()
    }

    #[test]
    fn a_value_is_read_where_it_was_written_and_nowhere_else() {
        let ring = Keyring::given(&BASE64.encode([7; 32])).unwrap();
        let text = sealed(&ring, "hunter2 ü");
        assert!(text.starts_with(&format!("f1:{}:", ring.ids().unwrap()[0])) && !text.contains("hunter2"));
        assert_ne!(text, sealed(&ring, "hunter2 ü"), "the same nonce twice");
        assert_eq!(ring.open(PLACE, &text).unwrap().expose(), "hunter2 ü");
        for place in
            [Place { row: "b", ..PLACE }, Place { column: "extra", ..PLACE }, Place { table: "connection", ..PLACE }]
        {
            let problem = ring.open(place, &text).unwrap_err().to_string();
            assert!(problem.contains("was changed from outside"), "{problem}");
        }
        for text in ["", "plain", "f1:zz", "f1:zz:", &text[..text.len() - 4]] {
            assert!(ring.open(PLACE, text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_key_that_is_missing_is_named() {
        let (one, two) = (BASE64.encode([1; 32]), BASE64.encode([2; 32]));
        let ring = Keyring::given(&one).unwrap();
        let text = sealed(&ring, "x");
        let problem = Keyring::given(&two).unwrap().open(PLACE, &text).unwrap_err().to_string();
        assert!(
            problem.contains(&ring.ids().unwrap()[0]) && problem.contains("`FLOW_SECRET_KEY` has only"),
            "{problem}"
        );
        let both = Keyring::given(&format!("{two}, {one}")).unwrap();
        assert_eq!(both.open(PLACE, &text).unwrap().expose(), "x");
        assert_ne!(both.first().unwrap().id, ring.first().unwrap().id);
    }

    #[test]
    fn what_is_no_key_is_refused_without_being_repeated() {
        for text in ["", ",", "c2hvcnQ=", "no base64!"] {
            let problem = Keyring::given(text).unwrap_err();
            assert!(problem.contains("openssl rand") && (text.len() < 3 || !problem.contains(text)), "{problem}");
        }
        let unpadded = BASE64.encode([250; 32]).replace('=', "").replace('+', "-").replace('/', "_");
        assert!(Keyring::given(&unpadded).is_ok());
    }

    #[test]
    fn the_key_file_is_made_once_whoever_comes_first() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret.key");
        let ids: Vec<String> = std::thread::scope(|scope| {
            let made: Vec<_> = (0..8).map(|_| scope.spawn(|| Keyring::in_file(&path).first().unwrap().id)).collect();
            made.into_iter().map(|made| made.join().unwrap()).collect()
        });
        assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_key_file_that_is_damaged_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret.key");
        fs::write(&path, "# only words\nwords\n").unwrap();
        let problem = Keyring::in_file(&path).first().unwrap_err().to_string();
        assert!(problem.contains("must hold the base64"), "{problem}");
        fs::write(&path, "").unwrap();
        assert!(Keyring::in_file(&path).first().is_err());
    }

    #[test]
    fn keys_are_not_printed() {
        let written = BASE64.encode([7; 32]);
        let ring = Keyring::given(&written).unwrap();
        let text = format!("{ring:?} {:?}", ring.first().unwrap());
        assert!(!text.contains(&written) && !text.contains("7, 7"), "{text}");
        assert_eq!(ring.written(), [written]);
    }
}
