//! TLS to mail servers.

use std::sync::Arc;

use rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::Settings;
use crate::{ClientError, Result};

/// Most bytes of a file of certificates.
const CA_MAX: u64 = 1 << 20;

/// Puts TLS on a line.
pub(super) async fn wrap(settings: &Settings, line: TcpStream) -> Result<TlsStream<TcpStream>> {
    let name = ServerName::try_from(settings.host.clone())
        .map_err(|_| ClientError::settings(format!("`{}` is no name of a host", settings.host)))?;
    let config = config(settings).await?;
    TlsConnector::from(Arc::new(config)).connect(name, line).await.map_err(|error| {
        let help = if error.to_string().contains("certificate") {
            "name the file of its certificate authority as `ca_file` in the connection's `extra`"
        } else {
            "does it speak TLS on this port? `\"disable_ssl\": true` in `extra` begins in the clear, with STARTTLS"
        };
        ClientError::refused(format!("no TLS with {}:{}: {error}; {help}", settings.host, settings.port))
    })
}

async fn config(settings: &Settings) -> Result<ClientConfig> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| ClientError::settings(format!("TLS cannot be set up: {error}")))?;
    if !settings.checks_certificate {
        let verifier = Arc::new(Anyone { provider });
        return Ok(builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth());
    }
    let mut roots = RootCertStore::empty();
    match &settings.ca_file {
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Some(path) => {
            let wrong = |why: String| ClientError::settings(format!("`ca_file` {}: {why}", path.display()));
            let size = tokio::fs::metadata(path).await.map_err(|error| wrong(error.to_string()))?.len();
            if size > CA_MAX {
                return Err(wrong(format!("it has more than {} KiB", CA_MAX >> 10)));
            }
            let text = tokio::fs::read(path).await.map_err(|error| wrong(error.to_string()))?;
            for certificate in CertificateDer::pem_slice_iter(&text) {
                let certificate = certificate.map_err(|error| wrong(error.to_string()))?;
                roots.add(certificate).map_err(|error| wrong(error.to_string()))?;
            }
            if roots.is_empty() {
                return Err(wrong("there is no certificate in it (PEM, `BEGIN CERTIFICATE`)".to_owned()));
            }
        }
    }
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

/// Believes every certificate, because the connection says `"ssl_context": "none"`.
#[derive(Debug)]
struct Anyone {
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> std::result::Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
