//! HTTP servers.

use flow_core::connection::Connection;

use crate::{ClientError, Result};

/// Connects and logs in; says what was tried.
pub(crate) async fn test(connection: &Connection) -> Result<String> {
    match crate::reach::reach(connection).await {
        (true, words) => Ok(words),
        (false, words) => Err(ClientError::unavailable(words)),
    }
}
