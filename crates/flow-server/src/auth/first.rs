//! The first user: without one nobody could log in to make others.

use std::io;

use flow_core::Timestamp;
use flow_store::{NewUser, Store, StoreError};

use super::{hash_password, random_password};

/// What the first user is called.
const NAME: &str = "admin";

/// Makes the Admin `admin` with a random password when there is no user at all, and returns the password. `keep` writes
/// it down before the user is there, so that it cannot be lost; of processes that do it at once only one gets so far.
///
/// # Errors
///
/// When the database does, there are no random numbers, or the password cannot be kept; then there is no user.
pub async fn make_first_admin(
    store: &Store,
    now: Timestamp,
    keep: impl FnOnce(&str) -> io::Result<()>,
) -> Result<Option<String>, StoreError> {
    if store.has_users().await? {
        return Ok(None);
    }
    let password = random_password().map_err(StoreError::Unusable)?;
    let hash = hash_password(&password).map_err(StoreError::Unusable)?;
    let user = NewUser { name: NAME, role: "Admin", password: &hash, is_active: true };
    let mut tx = store.begin().await?;
    if tx.add_first_user(&user, now).await?.is_none() {
        return Ok(None);
    }
    keep(&password).map_err(|error| StoreError::Unusable(format!("cannot keep the password of `{NAME}`: {error}")))?;
    tx.commit().await?;
    Ok(Some(password))
}
