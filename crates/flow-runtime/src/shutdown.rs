//! Orderly shutdown: the first signal asks for a drain, the second for an end at once.
//!
//! Knows nothing of what is drained; each loop looks at its [`Stop`].

use std::{future::Future, io, ops::ControlFlow};

use tokio_util::sync::CancellationToken;

/// Whether the process should go on, drain, or end. Cheap to clone; clones share what was asked.
#[derive(Clone, Debug, Default)]
pub struct Stop {
    drain: CancellationToken,
    now: CancellationToken,
}

impl Stop {
    /// Returns a stop that nobody has asked for.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks for a drain: no more work is taken, what runs gets time to finish.
    pub fn drain(&self) {
        self.drain.cancel();
    }

    /// Asks for an end at once. Implies [`Stop::drain`].
    pub fn now(&self) {
        self.drain.cancel();
        self.now.cancel();
    }

    /// Says whether a drain, or an end at once, was asked for.
    pub fn is_draining(&self) -> bool {
        self.drain.is_cancelled()
    }

    /// Says whether an end at once was asked for.
    pub fn is_now(&self) -> bool {
        self.now.is_cancelled()
    }

    /// Waits until a drain is asked for.
    pub async fn draining(&self) {
        self.drain.cancelled().await;
    }

    /// Waits until an end at once is asked for.
    pub async fn ending(&self) {
        self.now.cancelled().await;
    }

    /// Returns a token that fires when an end at once is asked for; its children can be cancelled alone.
    pub fn end_token(&self) -> CancellationToken {
        self.now.child_token()
    }

    /// Waits for `work`, or breaks as soon as a drain is asked for. When both are ready, the stop wins.
    pub async fn or<T>(&self, work: impl Future<Output = T>) -> ControlFlow<(), T> {
        tokio::select! {
            biased;
            () = self.draining() => ControlFlow::Break(()),
            done = work => ControlFlow::Continue(done),
        }
    }

    /// Takes over SIGTERM and SIGINT, at the call; the future returned turns the first into a drain and each
    /// later one into an end at once. It never ends by itself.
    pub fn listen(&self) -> io::Result<impl Future<Output = ()> + Send + 'static> {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let stop = self.clone();
        Ok(async move {
            loop {
                let name = tokio::select! {
                    heard = terminate.recv() => heard.map(|()| "SIGTERM"),
                    heard = interrupt.recv() => heard.map(|()| "SIGINT"),
                };
                let Some(name) = name else { return std::future::pending().await };
                if stop.is_draining() {
                    tracing::warn!("{name} again: ending at once");
                    stop.now();
                } else {
                    tracing::info!("{name}: finishing what runs; send it again to end at once");
                    stop.drain();
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use nix::sys::signal::{Signal, raise};

    use super::*;

    const SOON: Duration = Duration::from_secs(10);

    #[tokio::test]
    async fn the_first_signal_drains_and_the_second_ends_at_once() {
        let stop = Stop::new();
        let heard = tokio::spawn(stop.listen().expect("signals can be taken over"));
        assert!(!stop.is_draining());
        raise(Signal::SIGTERM).expect("a signal");
        tokio::time::timeout(SOON, stop.draining()).await.expect("drains");
        assert!(!stop.is_now());
        raise(Signal::SIGINT).expect("a signal");
        tokio::time::timeout(SOON, stop.ending()).await.expect("ends");
        heard.abort();
    }

    #[test]
    fn ending_at_once_is_a_drain_too() {
        let stop = Stop::new();
        let token = stop.clone().end_token();
        stop.now();
        assert!(stop.is_draining() && stop.is_now() && token.is_cancelled());
    }

    #[test]
    fn cancelling_a_handed_out_token_stops_nobody_else() {
        let stop = Stop::new();
        stop.end_token().cancel();
        assert!(!stop.is_now() && !stop.is_draining());
    }

    #[tokio::test]
    async fn waiting_for_work_ends_when_a_drain_is_asked_for() {
        let stop = Stop::new();
        assert_eq!(stop.or(async { 7 }).await, ControlFlow::Continue(7));
        let waiting = stop.or(std::future::pending::<()>());
        stop.drain();
        assert_eq!(tokio::time::timeout(SOON, waiting).await.expect("ends"), ControlFlow::Break(()));
        assert_eq!(stop.or(async { 7 }).await, ControlFlow::Break(()));
    }
}
