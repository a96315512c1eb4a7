//! Certificates, read anew for each connection.

use std::path::Path;

use tonic::transport::{Certificate, ClientTlsConfig, Identity};

use crate::settings::Security;

/// What a new connection needs to be encrypted; an error says which file cannot be read.
pub(crate) async fn config(security: &Security) -> Result<ClientTlsConfig, String> {
    let authorities = Certificate::from_pem(read(&security.authorities).await?);
    let mut config = ClientTlsConfig::new().ca_certificate(authorities);
    if let Some(identity) = &security.identity {
        let (certificate, key) = (read(&identity.certificate).await?, read(&identity.key).await?);
        config = config.identity(Identity::from_pem(certificate, key));
    }
    if let Some(name) = &security.server_name {
        config = config.domain_name(name);
    }
    Ok(config)
}

async fn read(path: &Path) -> Result<Vec<u8>, String> {
    tokio::fs::read(path).await.map_err(|error| format!("'{}' cannot be read: {error}", path.display()))
}
