//! Who vouches for the servers of a cluster and for those that call them.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use super::TlsIdentity;

/// An authority with a key of its own, which nobody trusts who is not told to.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key, both in PEM.
pub struct Certified {
    /// The certificate.
    pub certificate: String,
    /// Its private key.
    pub key: String,
}

impl Authority {
    /// Makes one with a fresh key.
    #[must_use]
    pub fn generate() -> Self {
        let mut params = params(&[]);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, fresh_key());
        Self(issuer.expect("an authority signs its own certificate"))
    }

    /// Its certificate, in PEM.
    #[must_use]
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// Certifies a fresh key for a name: a host's, an address, or any word for a client.
    #[must_use]
    pub fn issue(&self, name: &str) -> Certified {
        let key = fresh_key();
        let signed = params(&[name]).signed_by(&key, &self.0).expect("an authority signs certificates");
        Certified { certificate: signed.pem(), key: key.serialize_pem() }
    }

    /// How servers of this name show who they are, to callers that `client_ca` vouches for, or to all.
    #[must_use]
    pub fn server(&self, name: &str, client_ca: Option<&Self>) -> TlsIdentity {
        let Certified { certificate, key } = self.issue(name);
        TlsIdentity { certificate, key, client_ca: client_ca.map(Self::pem) }
    }
}

fn params(names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    CertificateParams::new(names).expect("names of tests are names or addresses")
}

fn fresh_key() -> KeyPair {
    KeyPair::generate().expect("a key can be made")
}
