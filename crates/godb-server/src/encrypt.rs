//! The certificate, and what TLS is spoken with.

use crate::error::ServeError;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::path::Path;
use std::sync::Arc;

/// Reads a certificate chain and its key.
///
/// # Errors
/// A file cannot be read, is not PEM, or key and certificate do not belong together.
pub(crate) fn configuration(certificate: &Path, key: &Path) -> Result<Arc<ServerConfig>, ServeError> {
    let problem = |file: &Path, why: String| ServeError::Certificate {
        file: file.display().to_string(),
        why,
    };
    let chain = CertificateDer::pem_file_iter(certificate).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let chain = chain.map_err(|error| problem(certificate, error.to_string()))?;
    if chain.is_empty() {
        return Err(problem(certificate, "there is no certificate in it".to_owned()));
    }
    let secret = PrivateKeyDer::from_pem_file(key).map_err(|error| problem(key, error.to_string()))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| problem(certificate, error.to_string()))?
        .with_no_client_auth()
        .with_single_cert(chain, secret)
        .map_err(|error| problem(certificate, error.to_string()))?;
    Ok(Arc::new(config))
}
