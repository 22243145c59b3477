//! What a failure of TLS with a database says to a person.

use std::{error::Error, io};

use rustls::{AlertDescription, CertificateError, Error as TlsError};

/// Names in `extra` of a connection, by database.
struct Names {
    mode: &'static str,
    authority: &'static str,
    certificate: &'static str,
    any_host: &'static str,
}

const POSTGRES: Names = Names {
    mode: "`sslmode`",
    authority: "`sslrootcert`",
    certificate: "`sslcert` and `sslkey`",
    any_host: "`\"sslmode\": \"verify-ca\"`",
};

const MYSQL: Names = Names {
    mode: "`ssl_mode`",
    authority: "`ca` of `ssl`",
    certificate: "`cert` and `key` of `ssl`",
    any_host: "`\"ssl_mode\": \"VERIFY_CA\"`",
};

/// Returns what failed and what to do about it, if it was TLS that broke a connection.
pub(super) fn of_io(error: &io::Error, is_mysql: bool) -> Option<String> {
    let error = error.get_ref()?.downcast_ref::<TlsError>()?;
    // What it sends is no TLS at all.
    (!matches!(error, TlsError::InvalidMessage(_))).then(|| words(error, names(is_mysql)))
}

/// Returns the words for a server that has no TLS, and for what the driver finds out before it speaks.
pub(super) fn of_driver(error: &(dyn Error + 'static), is_mysql: bool) -> String {
    let names = names(is_mysql);
    match error.downcast_ref::<TlsError>() {
        Some(error) => words(error, names),
        None => format!("{error}; {}", settings(names)),
    }
}

fn names(is_mysql: bool) -> &'static Names {
    if is_mysql { &MYSQL } else { &POSTGRES }
}

fn words(error: &TlsError, names: &Names) -> String {
    format!("{error}; {}", advice(error, names))
}

fn settings(names: &Names) -> String {
    format!("see {} and {} in `extra` of the connection", names.mode, names.authority)
}

#[expect(clippy::wildcard_enum_match_arm, reason = "there are dozens, of which these come from how a server is set up")]
fn advice(error: &TlsError, names: &Names) -> String {
    let Names { authority, certificate, any_host, .. } = names;
    match error {
        // A wrong authority may have the right one's name.
        TlsError::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::BadSignature) => format!(
            "no authority known here has signed it: name the file with that authority's certificate in {authority} in \
             `extra` of the connection"
        ),
        TlsError::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => format!("write `host` of the connection as the certificate has it, or, to accept any name, {any_host}"),
        TlsError::InvalidCertificate(
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. },
        ) => "the server needs a new one, or a clock is wrong".to_owned(),
        TlsError::InvalidCertificate(CertificateError::Other(why)) if why.to_string().contains("CaUsedAsEndEntity") => {
            format!(
                "the server shows an authority's certificate: give it one of its own, which that authority has signed, \
                 and name the authority's in {authority}"
            )
        }
        TlsError::InvalidCertificate(CertificateError::Other(why))
            if why.to_string().contains("UnsupportedCertVersion") =>
        {
            "the server's certificate is of version 1: sign it anew as one of version 3, with a `subjectAltName`"
                .to_owned()
        }
        TlsError::InconsistentKeys(_) => format!("the key is not that of its certificate: {certificate}"),
        TlsError::AlertReceived(
            AlertDescription::CertificateRequired
            | AlertDescription::UnknownCA
            | AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateUnknown
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateRevoked
            | AlertDescription::HandshakeFailure,
        ) => format!(
            "the server may want a certificate from Flow, signed by an authority that the server knows: {certificate} in \
             `extra` of the connection"
        ),
        _ => settings(names),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rustls::{InconsistentKeys, InvalidMessage, OtherError};

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    struct Webpki(&'static str);

    fn other(why: &'static str) -> TlsError {
        CertificateError::Other(OtherError(Arc::new(Webpki(why)))).into()
    }

    #[test]
    fn each_failure_says_what_to_do() {
        let cases = [
            (CertificateError::UnknownIssuer.into(), "in `sslrootcert`", "in `ca` of `ssl`"),
            (CertificateError::BadSignature.into(), "in `sslrootcert`", "in `ca` of `ssl`"),
            (CertificateError::NotValidForName.into(), "verify-ca", "VERIFY_CA"),
            (CertificateError::Expired.into(), "a new one", "a new one"),
            (other("CaUsedAsEndEntity"), "one of its own", "one of its own"),
            (other("UnsupportedCertVersion"), "version 3", "version 3"),
            (InconsistentKeys::KeyMismatch.into(), "`sslcert` and `sslkey`", "`cert` and `key` of `ssl`"),
            (TlsError::AlertReceived(AlertDescription::UnknownCA), "`sslcert` and `sslkey`", "`cert` and `key`"),
            (TlsError::AlertReceived(AlertDescription::ProtocolVersion), "see `sslmode`", "see `ssl_mode`"),
        ];
        for (error, postgres, mysql) in cases {
            let io = io::Error::new(io::ErrorKind::InvalidData, error.clone());
            for (is_mysql, expected) in [(false, postgres), (true, mysql)] {
                let words = of_io(&io, is_mysql).unwrap();
                assert!(words.contains(expected), "{words}");
                assert_eq!(of_driver(&error, is_mysql), words);
            }
        }
        let no_tls = TlsError::InvalidMessage(InvalidMessage::InvalidContentType);
        assert_eq!(of_io(&io::Error::new(io::ErrorKind::InvalidData, no_tls), false), None);
        assert_eq!(of_io(&io::Error::other("broken"), false), None);
        assert!(of_driver(&Webpki("no TLS"), false).contains("no TLS; see `sslmode`"));
    }
}
