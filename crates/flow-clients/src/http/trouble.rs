//! Why a server could not be asked, in words: the name, the network, TLS, or an answer that is none.

use std::{error::Error, io, time::Duration};

use reqwest::Url;
use rustls::{AlertDescription, CertificateError};

use crate::ClientError;

/// Longest that opening a connection may take.
pub(super) const CONNECT: Duration = Duration::from_secs(10);

/// Says what failed. Holds no more of the address than its host and port.
pub(super) fn told(error: &reqwest::Error, url: &Url) -> ClientError {
    let host = place(url);
    let causes: Vec<&(dyn Error + 'static)> = causes(error);
    if let Some(tls) = causes.iter().find_map(|cause| tls_error(*cause)) {
        return ClientError::unavailable(tls_words(tls, &host));
    }
    let texts: Vec<String> = causes.iter().map(ToString::to_string).collect();
    let says = |part: &str| texts.iter().any(|text| text.contains(part));
    let innermost = texts.last().cloned().unwrap_or_default();
    let refused = causes.iter().any(|cause| {
        cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
    });
    let words = if says("dns error") {
        format!("the name of `{}` cannot be resolved: is it right? ({innermost})", url.host_str().unwrap_or_default())
    } else if refused {
        format!("nothing answers at {host} (connection refused): is the server running, is the port right?")
    } else if error.is_timeout() && error.is_connect() {
        format!(
            "no connection to {host} within {} seconds: does a firewall stand between, or is the port another server's?",
            CONNECT.as_secs()
        )
    } else if says("proxy") || says("tunnel") {
        format!("the proxy on the way to {host} does not let through: {innermost}")
    } else if says("HTTP version") || says("invalid HTTP") {
        format!("{host} does not answer with HTTP: must the address begin with `https://`?")
    } else if says("connection closed before message completed") || says("end of file before message length") {
        format!("{host} broke off before its answer was complete")
    } else if error.is_connect() {
        format!("could not connect to {host}: {innermost}")
    } else if error.is_builder() {
        return ClientError::settings(format!("the request to {host} cannot be made: {innermost}"));
    } else {
        format!("asking {host} failed: {innermost}")
    };
    ClientError::unavailable(words)
}

/// Host and port.
pub(super) fn place(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port_or_known_default().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// An error's causes, the error itself left out: its words hold the address.
fn causes<'a>(error: &'a reqwest::Error) -> Vec<&'a (dyn Error + 'static)> {
    let mut found: Vec<&'a (dyn Error + 'static)> = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        found.push(cause);
        // An I/O error passes over what it wraps.
        let wrapped = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = wrapped.map(|inner| inner as &(dyn Error + 'static)).or_else(|| cause.source());
    }
    found
}

fn tls_error<'a>(cause: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    cause.downcast_ref()
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the library adds kinds of errors; each has words of its own")]
fn tls_words(error: &rustls::Error, host: &str) -> String {
    use rustls::Error as Tls;
    match error {
        Tls::InvalidCertificate(why) => match why {
            CertificateError::UnknownIssuer => format!(
                "the certificate of {host} comes from nobody who is trusted here: name the file with the authority's certificate as `ca_file` in `extra` of the connection"
            ),
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                format!("the certificate of {host} is for another name: is the host right? ({why})")
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                format!("the certificate of {host} has expired")
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                format!("the certificate of {host} is not valid yet: is the clock of this machine right?")
            }
            _ => format!("the certificate of {host} is not good: {why}"),
        },
        Tls::InvalidMessage(_) => format!("{host} does not speak TLS: must the address begin with `http://`?"),
        Tls::AlertReceived(
            AlertDescription::CertificateRequired | AlertDescription::BadCertificate | AlertDescription::UnknownCA,
        ) => format!(
            "{host} does not accept the certificate of this client: name one as `cert_file` and `key_file` in `extra` of the connection ({error})"
        ),
        _ => format!("TLS with {host} failed: {error}"),
    }
}
