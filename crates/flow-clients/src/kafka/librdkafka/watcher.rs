//! Hears what a client says by itself: brokers down, logins refused.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use rdkafka::{
    client::ClientContext, config::RDKafkaLogLevel, error::KafkaError, statistics::Statistics,
    types::RDKafkaErrorCode as Code,
};

use super::errors;
use crate::{ClientError, kafka::Notes};

/// Most sentences that are remembered, so as not to be said again and again.
const SAID_MAX: usize = 16;

/// What was heard so long ago may be over; what is not, the library says every 30 seconds.
const LATELY: Duration = Duration::from_secs(60);

/// Longest sentence.
const LONGEST: usize = 1_000;

/// What a client said, and who listens.
#[derive(Default)]
pub(super) struct Watcher {
    heard: Mutex<Heard>,
}

#[derive(Default)]
struct Heard {
    listeners: Vec<(u64, Notes)>,
    next: u64,
    last: Option<(Code, String)>,
    /// No broker is left, and nothing has worked since.
    is_down: bool,
    /// Why a connection broke, where the library takes it for no error: the other side hung up.
    broke: Option<String>,
    /// When each was heard last.
    said: VecDeque<(String, Instant)>,
}

impl Watcher {
    /// Listens from now on, after what is wrong already: the library does not say that again for a while. Returns what
    /// to give to [`Watcher::leave`].
    pub(super) fn listen(&self, notes: Notes) -> u64 {
        let mut heard = self.lock();
        heard.next += 1;
        let id = heard.next;
        heard.listeners.push((id, notes.clone()));
        let before = heard.said.clone();
        drop(heard);
        for (reason, _) in before.iter().filter(|(_, at)| at.elapsed() < LATELY) {
            tell(&notes, reason);
        }
        id
    }

    /// Listens no more.
    pub(super) fn leave(&self, id: u64) {
        self.lock().listeners.retain(|(listener, _)| *listener != id);
    }

    /// Nobody listens any more.
    pub(super) fn hush(&self) {
        self.lock().listeners.clear();
    }

    /// Forgets what went wrong: a broker has answered, or a message went through.
    pub(super) fn is_well(&self) {
        let mut heard = self.lock();
        if heard.last.is_none() && heard.broke.is_none() {
            return;
        }
        heard.last = None;
        heard.is_down = false;
        heard.broke = None;
        heard.said.clear();
    }

    /// Whether something is wrong that has not mended yet.
    pub(super) fn is_ill(&self) -> bool {
        self.lock().last.is_some()
    }

    /// Whether anything is wrong that has not mended yet, a connection that broke too.
    pub(super) fn has_trouble(&self) -> bool {
        let heard = self.lock();
        heard.last.is_some() || heard.broke.is_some()
    }

    /// Whether nothing listens where the brokers are said to be.
    pub(super) fn is_refused(&self) -> bool {
        let heard = self.lock();
        heard.is_down && heard.last.as_ref().is_some_and(|(_, said)| said.contains("Connection refused"))
    }

    /// What went wrong last, when waiting cannot mend it. What is wrong with one broker (its name, TLS, the login) is
    /// said of each by itself: while another is left, the library goes on with that one.
    pub(super) fn hopeless(&self, doing: &str) -> Option<ClientError> {
        let heard = self.lock();
        let (code, said) = heard.last.as_ref()?;
        let is_hopeless = errors::is_hopeless(*code) && (heard.is_down || errors::is_forbidden(*code));
        is_hopeless.then(|| errors::of_code(doing, Some(*code), said))
    }

    /// The error for something that failed: with the reason heard last, where that says more.
    pub(super) fn explain(&self, doing: &str, error: &KafkaError) -> ClientError {
        let is_vague = error.rdkafka_error_code().is_none_or(errors::may_pass);
        let heard = self.lock();
        match (&heard.last, &heard.broke) {
            (Some((code, said)), _) if is_vague && *code != Code::AllBrokersDown => {
                errors::of_code(doing, Some(*code), said)
            }
            (_, Some(said)) if is_vague => errors::of_code(doing, Some(Code::BrokerTransportFailure), said),
            (Some(_) | None, Some(_) | None) => errors::explain(doing, error),
        }
    }

    fn hear(&self, code: Code, reason: &str) {
        let reason = plain(reason);
        let code = if errors::wants_certificate(&reason) { Code::SSL } else { code };
        let mut heard = self.lock();
        heard.is_down |= code == Code::AllBrokersDown;
        // "All brokers are down" says less than the reason before it, and a reason to give up outlives both.
        let is_news = match &heard.last {
            None => true,
            Some((before, _)) => {
                code != Code::AllBrokersDown && (!errors::is_hopeless(*before) || errors::is_hopeless(code))
            }
        };
        if is_news {
            heard.last = Some((code, reason.clone()));
        }
        if let Some((_, at)) = heard.said.iter_mut().find(|(said, _)| *said == reason) {
            *at = Instant::now();
            return;
        }
        if heard.said.len() >= SAID_MAX {
            heard.said.pop_front();
        }
        heard.said.push_back((reason.clone(), Instant::now()));
        let listeners: Vec<Notes> = heard.listeners.iter().map(|(_, notes)| notes.clone()).collect();
        drop(heard);
        for notes in listeners {
            tell(&notes, &reason);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn tell(notes: &Notes, reason: &str) {
    notes(&format!("Kafka: {reason}"));
}

/// Drops what differs each time: the client's name in front, and "(after 3ms in state CONNECT)".
fn plain(reason: &str) -> String {
    let reason = reason.split(" (after ").next().unwrap_or(reason);
    let reason = match reason.split_once("]: ") {
        Some((front, rest)) if front.starts_with("[thrd:") => rest,
        Some(_) | None => reason,
    };
    let mut plain: String = reason.chars().take(LONGEST).collect();
    if plain.len() < reason.len() {
        plain.push('…');
    }
    plain
}

impl ClientContext for Watcher {
    fn log(&self, _: RDKafkaLogLevel, facility: &str, message: &str) {
        tracing::debug!(target: "librdkafka", facility, "{message}");
        if facility == "FAIL" {
            self.lock().broke = Some(plain(message));
        }
    }

    fn stats(&self, _: Statistics) {}

    fn error(&self, error: KafkaError, reason: &str) {
        let Some(code) = error.rdkafka_error_code() else { return };
        // The end of a partition is no error, though it comes as one.
        if code != Code::PartitionEOF && code != Code::NoError {
            self.hear(code, reason);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn notes_to(said: &Arc<Mutex<Vec<String>>>) -> Notes {
        let said = said.clone();
        Arc::new(move |note: &str| said.lock().unwrap().push(note.to_owned()))
    }

    #[test]
    fn who_comes_later_is_told_what_is_wrong_still() {
        let watcher = Watcher::default();
        watcher.error(KafkaError::Global(Code::Resolve), "kafka-1: Failed to resolve");
        watcher.is_well();
        watcher.error(KafkaError::Global(Code::Resolve), "kafka-2: Failed to resolve");
        let said = Arc::new(Mutex::new(Vec::new()));
        watcher.listen(notes_to(&said));
        watcher.error(KafkaError::Global(Code::Resolve), "kafka-2: Failed to resolve");
        assert_eq!(*said.lock().unwrap(), ["Kafka: kafka-2: Failed to resolve"]);
    }

    #[test]
    fn a_certificate_that_is_missing_is_no_broker_that_is_down() {
        let watcher = Watcher::default();
        let refused = "ssl://b:1/bootstrap: Receive failed: error:0A00045C:SSL routines::tlsv13 alert certificate required: SSL alert number 116";
        watcher.error(KafkaError::Global(Code::BrokerTransportFailure), refused);
        assert_eq!(watcher.hopeless("read"), None);
        watcher.error(KafkaError::Global(Code::AllBrokersDown), "1/1 brokers are down");
        watcher.error(KafkaError::Global(Code::BrokerTransportFailure), "ssl://b:1/bootstrap: Disconnected");
        let error = watcher.hopeless("read").unwrap();
        assert!(
            error.message.contains("TLS failed") && error.message.contains("`ssl.certificate.location`"),
            "{error}"
        );
    }

    #[test]
    fn it_says_each_thing_once_and_keeps_the_best_reason() {
        let watcher = Watcher::default();
        let said = Arc::new(Mutex::new(Vec::new()));
        let id = watcher.listen(notes_to(&said));
        let refused = "127.0.0.1:1/bootstrap: Connect to ipv4#127.0.0.1:1 failed: Connection refused";
        for at in 0..3 {
            watcher.error(
                KafkaError::Global(Code::BrokerTransportFailure),
                &format!("{refused} (after {at}ms in state CONNECT)"),
            );
            watcher.error(KafkaError::Global(Code::AllBrokersDown), "1/1 brokers are down");
        }
        assert_eq!(*said.lock().unwrap(), [format!("Kafka: {refused}"), "Kafka: 1/1 brokers are down".to_owned()]);
        let error = watcher.explain("read", &KafkaError::MetadataFetch(Code::OperationTimedOut));
        assert!(error.message.contains("Connection refused"), "{error}");
        assert_eq!(watcher.hopeless("read"), None);
        assert!(watcher.is_refused());
        watcher.error(KafkaError::Global(Code::Authentication), "wrong password");
        watcher.error(KafkaError::Global(Code::BrokerTransportFailure), "gone");
        assert!(watcher.hopeless("read").unwrap().message.contains("refuses the login: wrong password"));
        watcher.leave(id);
        watcher.is_well();
        assert!(!watcher.is_ill() && !watcher.is_refused());
        watcher.listen(notes_to(&said));
        let before = said.lock().unwrap().len();
        watcher.hush();
        watcher.error(KafkaError::Global(Code::Resolve), "kafka-3: Failed to resolve");
        assert_eq!(said.lock().unwrap().len(), before);
    }

    #[test]
    fn what_is_wrong_with_one_broker_is_not_the_end_while_another_is_left() {
        let watcher = Watcher::default();
        watcher.error(KafkaError::Global(Code::Resolve), "kafka-2: Failed to resolve");
        assert_eq!(watcher.hopeless("write"), None);
        watcher.error(KafkaError::Global(Code::AllBrokersDown), "2/2 brokers are down");
        assert!(watcher.hopeless("write").unwrap().message.contains("is the broker's name right?"));
        watcher.is_well();
        assert_eq!(watcher.hopeless("write"), None);
        watcher.error(KafkaError::Global(Code::SSL), "kafka-2: handshake");
        assert_eq!(watcher.hopeless("write"), None);
        watcher.error(KafkaError::Global(Code::TopicAuthorizationFailed), "no");
        assert!(watcher.hopeless("write").is_some());
    }
}
