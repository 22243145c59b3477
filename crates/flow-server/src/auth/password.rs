//! Passwords: argon2id with OWASP's least costs, 19 MiB and two passes. Only few are hashed at once.

use std::sync::{Arc, LazyLock};

use argon2::{
    Argon2,
    password_hash::{PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash},
};
use tokio::sync::Semaphore;

use crate::ApiError;

/// Hashes at once: each takes 19 MiB and a core for some 20 ms.
const AT_ONCE: usize = 2;
/// How many may wait for their turn.
const WAITING_MAX: usize = 64;
/// Fewest characters of a password.
const LENGTH_MIN: usize = 8;
/// Most bytes of a password.
const BYTES_MAX: usize = 512;

/// Lets only few hash at once.
#[derive(Debug)]
pub(crate) struct Hasher {
    turns: Arc<Semaphore>,
    places: Arc<Semaphore>,
}

impl Default for Hasher {
    fn default() -> Self {
        let bounded = |most| Arc::new(Semaphore::new(most));
        Self { turns: bounded(AT_ONCE), places: bounded(AT_ONCE + WAITING_MAX) }
    }
}

impl Hasher {
    /// Returns the hash of a new password.
    pub(crate) async fn hash(&self, password: String) -> Result<String, ApiError> {
        self.work(move || hash_password(&password)).await?.map_err(ApiError::unavailable)
    }

    /// Says whether this is the password. Without a hash, because there is no such user, it takes as long.
    pub(crate) async fn is_right(&self, password: String, hash: Option<String>) -> Result<bool, ApiError> {
        static NOBODY: LazyLock<String> =
            LazyLock::new(|| hash_password("nobody has this password").unwrap_or_default());
        self.work(move || {
            let is_known = hash.is_some();
            is_password(&password, hash.as_deref().unwrap_or(&NOBODY)) && is_known
        })
        .await
    }

    async fn work<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, ApiError> {
        let busy = || ApiError::too_many(1, "too many log in at once; try again in a moment");
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| busy())?;
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|_| busy())?;
        // The thread hashes on when whoever asked is gone, so the turn is the thread's.
        let work = move || {
            let _held = (place, turn);
            work()
        };
        tokio::task::spawn_blocking(work).await.map_err(|_| ApiError::unavailable("a password could not be hashed"))
    }
}

/// Hashes a password, as a PHC string. Takes its time: in async code use a thread for it.
///
/// # Errors
///
/// When the system gives no random numbers.
pub fn hash_password(password: &str) -> Result<String, String> {
    let hash: PasswordHash = Argon2::default()
        .hash_password(password.as_bytes())
        .map_err(|error| format!("a password could not be hashed: {error}"))?;
    Ok(hash.to_string())
}

fn is_password(password: &str, hash: &str) -> bool {
    Argon2::default().verify_password(password.as_bytes(), hash).is_ok()
}

/// Says whether a password may be one.
///
/// # Errors
///
/// A sentence that says why not.
pub fn check_new_password(password: &str) -> Result<(), String> {
    if password.chars().count() < LENGTH_MIN {
        return Err(format!("a password has at least {LENGTH_MIN} characters"));
    }
    if password.len() > BYTES_MAX {
        return Err(format!("a password has at most {BYTES_MAX} bytes"));
    }
    if password.contains('\0') {
        return Err("a password has no NUL character".to_owned());
    }
    Ok(())
}

/// Says whether a user may be called so.
///
/// # Errors
///
/// A sentence that says why not.
pub fn check_user_name(name: &str) -> Result<(), String> {
    const LONGEST: usize = 100;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-@+".contains(c);
    if name.is_empty() || name.len() > LONGEST || !name.chars().all(is_plain) {
        return Err(format!("a user's name has 1 to {LONGEST} letters, digits and `.`, `_`, `-`, `@`, `+`"));
    }
    // `access_control` tells roles and users apart by name. `anonymous` is who has none.
    if ["Viewer", "User", "Op", "Admin", "anonymous"].contains(&name) {
        return Err(format!("no user can be called `{name}`"));
    }
    // A path such as `/users/..` would be another one.
    if [".", ".."].contains(&name) {
        return Err(format!("no user can be called `{name}`"));
    }
    Ok(())
}

/// Makes a password of letters and digits that do not look alike: 118 bits.
///
/// # Errors
///
/// When the system gives no random numbers.
pub fn random_password() -> Result<String, String> {
    const LETTERS: &[u8; 56] = b"abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ2345679";
    const LENGTH: usize = 20;
    let mut password = String::with_capacity(LENGTH);
    while password.len() < LENGTH {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|error| format!("no random numbers: {error}"))?;
        // What would make some letters likelier than others is left out.
        let fair = bytes.into_iter().filter(|byte| *byte < 224);
        password.extend(
            fair.map(|byte| char::from(LETTERS[usize::from(byte) % LETTERS.len()])).take(LENGTH - password.len()),
        );
    }
    Ok(password)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_known_by_its_hash() {
        let hasher = Hasher::default();
        let hash = hasher.hash("correct horse".to_owned()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert_ne!(hash, hasher.hash("correct horse".to_owned()).await.unwrap(), "salted");
        assert!(hasher.is_right("correct horse".to_owned(), Some(hash.clone())).await.unwrap());
        assert!(!hasher.is_right("correct hors".to_owned(), Some(hash)).await.unwrap());
        assert!(!hasher.is_right("x".to_owned(), Some(String::new())).await.unwrap());
        assert!(!hasher.is_right("nobody has this password".to_owned(), None).await.unwrap());
    }

    #[tokio::test]
    async fn only_so_many_wait() {
        let hasher = Hasher::default();
        let _all = hasher.places.acquire_many(66).await.unwrap();
        assert!(hasher.hash("x".to_owned()).await.is_err());
    }

    #[tokio::test]
    async fn who_leaves_does_not_free_the_turn() {
        let hasher = Hasher::default();
        let (go_on, wait) = std::sync::mpsc::channel::<()>();
        let (begun, has_begun) = tokio::sync::oneshot::channel();
        let work = hasher.work(move || {
            begun.send(()).unwrap();
            wait.recv().unwrap_err();
        });
        tokio::select! {
            _ = work => panic!("it ends when told"),
            done = has_begun => done.unwrap(),
        }
        // The request is dropped here, and the thread is at work.
        assert_eq!((hasher.turns.available_permits(), hasher.places.available_permits()), (1, 65));
        drop(go_on);
        let _both = hasher.turns.acquire_many(2).await.unwrap();
        let _all = hasher.places.acquire_many(66).await.unwrap();
    }

    #[test]
    fn names_and_passwords_have_their_bounds() {
        for name in ["ada", "ada.l@example.com", "User2", "admin", "a+b"] {
            assert_eq!(check_user_name(name), Ok(()), "{name}");
        }
        for name in ["", "a b", "a/b", "ä", "a\0", "Admin", "anonymous", "..", &"x".repeat(101)] {
            assert!(check_user_name(name).is_err(), "{name}");
        }
        assert!(check_new_password("1234567").is_err() && check_new_password("äöüäöüäö").is_ok());
        assert!(check_new_password(&"x".repeat(513)).is_err() && check_new_password("12345678\0").is_err());
    }

    #[test]
    fn random_passwords_differ() {
        let (a, b) = (random_password().unwrap(), random_password().unwrap());
        assert!(a != b && a.len() == 20 && check_new_password(&a).is_ok(), "{a} {b}");
    }
}
