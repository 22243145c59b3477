//! The library's errors in words that say what to do.

use rdkafka::{error::KafkaError, types::RDKafkaErrorCode as Code};

use crate::{ClientError, Kind};

/// No broker answers, or not enough of them.
const UNREACHABLE: [Code; 9] = [
    Code::BrokerTransportFailure,
    Code::AllBrokersDown,
    Code::OperationTimedOut,
    Code::RequestTimedOut,
    Code::MessageTimedOut,
    Code::NetworkException,
    Code::BrokerNotAvailable,
    Code::CoordinatorNotAvailable,
    Code::NotEnoughReplicas,
];
/// A broker that is busy with taking something over.
const BUSY: [Code; 9] = [
    Code::CoordinatorLoadInProgress,
    Code::NotCoordinator,
    Code::WaitingForCoordinator,
    Code::LeaderNotAvailable,
    Code::NotLeaderForPartition,
    Code::UnstableOffsetCommit,
    Code::ReplicaNotAvailable,
    Code::WaitCache,
    Code::ThrottlingQuotaExceeded,
];
const LOGIN: [Code; 5] = [
    Code::Authentication,
    Code::SaslAuthenticationFailed,
    Code::UnsupportedSASLMechanism,
    Code::IllegalSASLState,
    Code::SecurityDisabled,
];
const FORBIDDEN: [Code; 4] = [
    Code::TopicAuthorizationFailed,
    Code::GroupAuthorizationFailed,
    Code::ClusterAuthorizationFailed,
    Code::TransactionalIdAuthorizationFailed,
];
const UNKNOWN_TOPIC: [Code; 3] = [Code::UnknownTopicOrPartition, Code::UnknownTopic, Code::UnknownPartition];
/// Somebody else has taken over.
const FENCED: [Code; 4] = [Code::Fenced, Code::ProducerFenced, Code::InvalidProducerEpoch, Code::FencedInstanceId];
/// The group gave the partitions to others meanwhile.
const OUT_OF_GROUP: [Code; 7] = [
    Code::IllegalGeneration,
    Code::UnknownMemberId,
    Code::RebalanceInProgress,
    Code::PollExceeded,
    Code::AssignmentLost,
    Code::FencedMemberEpoch,
    Code::StaleMemberEpoch,
];

/// An error while doing something, with what the library said last.
pub(super) fn explain(doing: &str, error: &KafkaError) -> ClientError {
    let code = error.rdkafka_error_code();
    of_code(doing, code, &words(error))
}

/// The library's words for an error, without its kind.
fn words(error: &KafkaError) -> String {
    if let KafkaError::Transaction(error) = error {
        return error.to_string();
    }
    error.rdkafka_error_code().map_or_else(|| error.to_string(), |code| code.to_string())
}

/// An error of this code while doing something.
pub(super) fn of_code(doing: &str, code: Option<Code>, said: &str) -> ClientError {
    let is = |group: &[Code]| code.is_some_and(|code| group.contains(&code));
    // What speaks another protocol, or none at all; the library's advice leads astray.
    let strange = ["Invalid response size", "ApiVersionRequest failed", "api.version.request"];
    if strange.iter().any(|words| said.contains(words)) {
        let at = said.split("/bootstrap").next().filter(|at| at.len() < said.len()).unwrap_or("what is there");
        return ClientError::unavailable(format!(
            "could not {doing}: {at} does not answer as a broker does: is it one, and does `security.protocol` of the \
             connection fit (TLS, login)?"
        ));
    }
    if is(&[Code::Resolve]) {
        return ClientError::unavailable(format!("could not {doing}: {said}; is the broker's name right?"));
    }
    // A broker that hangs up in the middle of it is no error of TLS to the library.
    let is_tls = is(&[Code::SSL]) || (is(&UNREACHABLE) && said.contains("SSL handshake"));
    if is_tls || wants_certificate(said) {
        let advice = if wants_certificate(said) {
            "the broker wants a certificate of an authority that it knows: set `ssl.certificate.location` and \
             `ssl.key.location` of the connection"
        } else {
            "check `security.protocol` and `ssl.ca.location` of the connection"
        };
        return ClientError::unavailable(format!("could not {doing}: TLS failed: {said}; {advice}"));
    }
    if is(&LOGIN) {
        return ClientError::refused(format!(
            "could not {doing}: the broker refuses the login: {said}; check login, password, `security.protocol` and \
             `sasl.mechanisms` of the connection"
        ));
    }
    if is(&FORBIDDEN) {
        return ClientError::refused(format!("could not {doing}: the login may not do this ({said})"));
    }
    if is(&FENCED) {
        let words = format!("could not {doing}: somebody else has taken over this transaction's name ({said})");
        return ClientError::new(Kind::Fenced, words);
    }
    if is(&OUT_OF_GROUP) {
        let words = format!(
            "could not {doing}: the group has given the partitions to another consumer meanwhile ({said}); what was \
             read is read again"
        );
        return ClientError::new(Kind::Fenced, words);
    }
    if is(&[Code::MessageSizeTooLarge, Code::InvalidMessageSize]) {
        return ClientError::settings(format!(
            "could not {doing}: the message is too large ({said}); raise `message.max.bytes` of the connection and \
             `max.message.bytes` of the topic, or write less"
        ));
    }
    if is(&UNKNOWN_TOPIC) {
        return ClientError::refused(format!("could not {doing}: there is no such topic or partition ({said})"));
    }
    if is(&BUSY) {
        return ClientError::unavailable(format!(
            "could not {doing}: the broker is not ready ({said}); try again later"
        ));
    }
    if is(&UNREACHABLE) {
        let advice = if said.contains("Disconnected") {
            "is it a broker, and does `security.protocol` of the connection fit (TLS, login)?"
        } else {
            "is the broker up, and the address right?"
        };
        return ClientError::unavailable(format!("could not {doing}: {said}; {advice}"));
    }
    if is(&[
        Code::InvalidArgument,
        Code::InvalidConfig,
        Code::InvalidTopic,
        Code::InvalidPartitions,
        Code::PolicyViolation,
        Code::InvalidReplicationFactor,
    ]) {
        return ClientError::settings(format!("could not {doing}: {said}"));
    }
    ClientError::refused(format!("could not {doing}: {said}"))
}

/// Whether a broker has refused our certificate, or that we have none. With TLS 1.3 that comes behind the handshake, and
/// is none of its errors to the library.
pub(super) fn wants_certificate(said: &str) -> bool {
    let alerts = ["alert bad certificate", "alert certificate", "alert unsupported certificate", "alert unknown ca"];
    said.contains("SSL alert number") && alerts.iter().any(|alert| said.contains(alert))
}

/// Errors that waiting does not mend: the name, TLS, the login.
pub(super) fn is_hopeless(code: Code) -> bool {
    code == Code::SSL || code == Code::Resolve || LOGIN.contains(&code) || FORBIDDEN.contains(&code)
}

/// What the login may not do, whichever broker answers.
pub(super) fn is_forbidden(code: Code) -> bool {
    FORBIDDEN.contains(&code)
}

/// Errors that may pass while the library goes on trying by itself.
pub(super) fn may_pass(code: Code) -> bool {
    UNREACHABLE.contains(&code) || BUSY.contains(&code) || code == Code::Resolve
}

pub(super) fn is_unknown_topic(code: Code) -> bool {
    UNKNOWN_TOPIC.contains(&code)
}
