//! Flow's own messages: to stderr, for people or as JSON, and how much of them. SIGHUP reads `logging.level` again.

use std::io::IsTerminal as _;

use tokio::signal::unix::{SignalKind, signal};
use tracing::{info, warn};
use tracing_subscriber::EnvFilter;

use crate::{
    config::{Config, Surroundings, value::Levels},
    context::Cx,
};

/// Modules of others that say too much, unless they are named in the setting. That a connection to the database was
/// waited for is how lists and writers stand in line; who waits too long is told so by an error.
const QUIET: &str = "sqlx=warn,sqlx::pool::acquire=error,notify=warn,hyper=warn,hyper_util=warn,reqwest=warn,\
    object_store=warn";

/// Sends Flow's own messages to stderr; from then on SIGHUP changes how much is said, unless a person sits at a terminal,
/// where it means that the terminal is gone.
pub(crate) fn start(cx: &Cx) {
    let logging = &cx.config.settings.logging;
    let builder = tracing_subscriber::fmt().with_env_filter(filter(&logging.level)).with_writer(std::io::stderr);
    let is_terminal = std::io::stderr().is_terminal();
    let set: Box<dyn Fn(EnvFilter) -> bool + Send> = if logging.json {
        let builder = builder.json().with_filter_reloading();
        let handle = builder.reload_handle();
        builder.init();
        Box::new(move |filter| handle.reload(filter).is_ok())
    } else {
        let builder = builder.with_target(false).with_ansi(is_terminal && cx.out.colour).with_filter_reloading();
        let handle = builder.reload_handle();
        builder.init();
        Box::new(move |filter| handle.reload(filter).is_ok())
    };
    if !is_terminal {
        tokio::spawn(listen(cx.around.clone(), logging.level.clone(), set));
    }
}

fn filter(levels: &Levels) -> EnvFilter {
    EnvFilter::try_new(format!("{QUIET},{}", levels.0)).unwrap_or_else(|_| EnvFilter::new("info"))
}

/// Reads the setting again at each SIGHUP.
async fn listen(around: Surroundings, mut levels: Levels, set: Box<dyn Fn(EnvFilter) -> bool + Send>) {
    let mut hangups = match signal(SignalKind::hangup()) {
        Ok(hangups) => hangups,
        Err(error) => return warn!(%error, "SIGHUP cannot be taken over: levels stay as they are"),
    };
    while hangups.recv().await.is_some() {
        match Config::load(&around) {
            Err(error) => warn!(%error, "SIGHUP: the settings are wrong, `logging.level` stays as it is"),
            Ok(config) => {
                let wanted = config.settings.logging.level;
                if set(filter(&wanted)) {
                    info!(from = levels.0, to = wanted.0, "SIGHUP: `logging.level` was read again");
                    levels = wanted;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_quiet_can_be_read() {
        EnvFilter::try_new(QUIET).unwrap();
    }
}
