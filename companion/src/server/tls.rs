//! TLS 1.2 and 1.3: the certificate, its key, and whose certificates clients need, read from files, and read again when
//! these change. Connections that are there keep what they began with.

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio_rustls::{TlsAcceptor, rustls};

/// How often the files are looked at, beside SIGHUP: whatever renews a certificate need not know of us.
const LOOK: Duration = Duration::from_secs(5);

/// Where everything is; the `[tls]` of the settings.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Files {
    /// The server's certificate in PEM, and after it those that lead to its root.
    certificate: PathBuf,
    /// Its private key, in PEM: PKCS#8, PKCS#1 or SEC1.
    key: PathBuf,
    /// If it is given, clients need a certificate of one of these roots, beside their token.
    client_ca: Option<PathBuf>,
}

/// What is used for new connections; clones are the same.
#[derive(Clone)]
pub(crate) struct Tls(watch::Receiver<Arc<ServerConfig>>);

/// What is wrong: the name of a setting, and why the file is no use.
pub(crate) type Problem = (&'static str, String);

/// What the files hold, unread.
struct Contents {
    certificate: Vec<u8>,
    key: Vec<u8>,
    client_ca: Option<Vec<u8>>,
}

impl Tls {
    /// Reads the files, and from then on again whenever they changed, or at SIGHUP. If they are no use then, those before
    /// stay, and the log says why.
    ///
    /// # Errors
    /// Everything that is wrong with them, if they are no use now.
    pub(crate) fn open(files: Files) -> Result<Self, Vec<Problem>> {
        let contents = files.read()?;
        let mut seen = contents.digest();
        let (told, used) = watch::channel(Arc::new(contents.config()?));
        let mut hangup = signal(SignalKind::hangup()).map_err(|error| vec![("", error.to_string())])?;
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    _ = hangup.recv() => {}
                    () = tokio::time::sleep(LOOK) => {}
                    () = told.closed() => return,
                }
                // A file that is not there is about to be, most likely.
                let Ok(contents) = files.read() else { continue };
                let digest = contents.digest();
                if digest == seen {
                    continue;
                }
                seen = digest;
                match contents.config() {
                    Ok(config) => {
                        told.send_replace(Arc::new(config));
                        tracing::info!("new TLS certificates are used");
                    }
                    Err(problems) => {
                        for (setting, why) in problems {
                            tracing::error!("new TLS certificates are no use: tls.{setting}: {why}");
                        }
                    }
                }
            }
        });
        Ok(Self(used))
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        self.0.borrow().clone().into()
    }
}

impl Files {
    fn read(&self) -> Result<Contents, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut read = |setting, path: &Path| {
            let told = |error: io::Error| {
                problems.push((setting, format!("{} cannot be read: {error}", path.display())));
            };
            std::fs::read(path).map_err(told).unwrap_or_default()
        };
        let certificate = read("certificate", &self.certificate);
        let key = read("key", &self.key);
        let client_ca = self.client_ca.as_ref().map(|path| read("client_ca", path));
        if problems.is_empty() { Ok(Contents { certificate, key, client_ca }) } else { Err(problems) }
    }
}

impl Contents {
    fn digest(&self) -> [u8; 32] {
        let all = [&self.certificate, &self.key, self.client_ca.as_ref().unwrap_or(&Vec::new())]
            .map(Sha256::digest);
        Sha256::digest(all.concat()).into()
    }

    fn config(&self) -> Result<ServerConfig, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut chain = |setting, pem: &[u8]| {
            let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
            let chain = read.unwrap_or_default();
            if chain.is_empty() {
                problems.push((setting, "holds no certificate in PEM".to_owned()));
            }
            chain
        };
        let certificates = chain("certificate", &self.certificate);
        let roots = self.client_ca.as_ref().map(|pem| chain("client_ca", pem));
        // Why not is not told: it could quote the key.
        let key = PrivateKeyDer::from_pem_slice(&self.key);
        let key = key.map_err(|_| {
            problems.push(("key", "holds no private key in PEM, without a password".to_owned()))
        });
        let (Ok(key), true) = (key, problems.is_empty()) else { return Err(problems) };

        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config =
            ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions();
        let config = config.map_err(|error| problem("certificate", error))?;
        let config = match roots {
            None => config.with_no_client_auth(),
            Some(roots) => {
                let mut store = RootCertStore::empty();
                for root in roots {
                    store.add(root).map_err(|error| problem("client_ca", error))?;
                }
                let verifier = WebPkiClientVerifier::builder_with_provider(store.into(), provider).build();
                config.with_client_cert_verifier(verifier.map_err(|error| problem("client_ca", error))?)
            }
        };
        let mut config =
            config.with_single_cert(certificates, key).map_err(|error| problem("certificate", error))?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }
}

fn problem(setting: &'static str, error: impl std::error::Error) -> Vec<Problem> {
    vec![(setting, error.to_string())]
}
