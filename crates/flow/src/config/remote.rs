//! The server that commands are meant for, and the token they show it.
//!
//! Flags go before the environment, and a server that is named by a flag before the one in the environment. The
//! token is read when it is needed, is shown to nobody, and is taken from the most private place that has one named
//! on the command line, else from the environment.

use std::{fmt, path::PathBuf};

use super::{Origin, Surroundings, masked};
use crate::output::Refusal;

/// The environment variable that names the server whose API commands shall use.
const SERVER: &str = "FLOW_SERVER";

/// The environment variable that holds the token.
const TOKEN: &str = "FLOW_TOKEN";

/// A file longer than this holds no token.
const TOKEN_BYTES_MAX: u64 = 64 * 1024;

/// What the command line says about a server.
#[derive(Clone, Debug, Default)]
pub(crate) struct RemoteFlags {
    /// `--server`
    pub(crate) server: Option<String>,
    /// `--token`
    pub(crate) token: Option<Secret>,
    /// `--token-file`
    pub(crate) token_file: Option<PathBuf>,
}

/// A server, and where its token is.
#[derive(Clone, Debug)]
pub(crate) struct Remote {
    pub(crate) url: String,
    /// Where the server was named.
    pub(crate) origin: Origin,
    token: TokenPlace,
}

#[derive(Clone, Debug)]
enum TokenPlace {
    Nowhere,
    Given(Secret),
    File(PathBuf),
}

/// Text that is not shown.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

impl Secret {
    /// Returns it in the clear, for the request that it is sent with.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.trim().to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Remote {
    /// Returns the server that is named on the command line or in the environment, if any.
    pub(super) fn of(around: &Surroundings) -> Option<Self> {
        let flags = &around.remote;
        let (url, origin) = match (&flags.server, around.variable(SERVER)) {
            (Some(url), _) => (url.clone(), Origin::Flag("--server")),
            (None, Some(url)) => (url.to_owned(), Origin::Env(SERVER.to_owned())),
            (None, None) => return None,
        };
        let token = match (&flags.token, &flags.token_file) {
            (Some(token), _) => TokenPlace::Given(token.clone()),
            (None, Some(path)) => TokenPlace::File(around.folder.join(path)),
            (None, None) => around.variable(TOKEN).map_or(TokenPlace::Nowhere, |token| TokenPlace::Given(token.into())),
        };
        Some(Self { url, origin, token })
    }

    /// Returns the address as it may be shown.
    pub(crate) fn shown(&self) -> String {
        masked(&self.url)
    }

    /// Reads the token, if there is one.
    ///
    /// # Errors
    ///
    /// When its file cannot be read, or holds none.
    pub(crate) fn token(&self) -> Result<Option<Secret>, Refusal> {
        let path = match &self.token {
            TokenPlace::Nowhere => return Ok(None),
            TokenPlace::Given(token) => return Ok(Some(token.clone())),
            TokenPlace::File(path) => path,
        };
        let refused = |why: String| Refusal::usage(format!("`--token-file` {}: {why}", path.display()));
        // A pipe has no length; what is read is bounded all the same.
        let mut text = String::new();
        let file = std::fs::File::open(path).map_err(|error| refused(error.to_string()))?;
        std::io::Read::read_to_string(&mut std::io::Read::take(file, TOKEN_BYTES_MAX), &mut text)
            .map_err(|error| refused(error.to_string()))?;
        let token = Secret::from(text.as_str());
        if token.expose().is_empty() { Err(refused("it is empty".to_owned())) } else { Ok(Some(token)) }
    }
}
