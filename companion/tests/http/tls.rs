//! `[tls]`: HTTPS, certificates that are changed while the directory runs, and clients that need one.

use crate::program::{Directory, Program, command};
use crate::stopping::with_settings;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, ServerName};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};

const BOTH: &[&SupportedProtocolVersion] = &[&TLS12, &TLS13];
const REQUEST: &[u8] = b"GET /healthz HTTP/1.1\r\nhost: directory\r\n\r\n";

type Authority = CertifiedIssuer<'static, KeyPair>;

/// Somebody who signs certificates.
fn authority() -> Authority {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A certificate for the directory's address, and its key, both in PEM.
fn certificate(authority: &Authority) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    (params.signed_by(&key, authority).unwrap().pem(), key.serialize_pem())
}

/// Puts a new certificate and key where the directory finds them.
fn install(folder: &Path, authority: &Authority) {
    let (certificate, key) = certificate(authority);
    std::fs::write(folder.join("certificate.pem"), certificate).unwrap();
    std::fs::write(folder.join("key.pem"), key).unwrap();
}

/// A directory with a certificate of this authority, and the folder that it is in.
fn directory(authority: &Authority, more: &str) -> (Directory, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    install(folder.path(), authority);
    let place = |name| folder.path().join(name).display().to_string();
    let text = format!(
        "[tls]\ncertificate = {:?}\nkey = {:?}\n{more}\n",
        place("certificate.pem"),
        place("key.pem")
    );
    (with_settings(&text).0, folder)
}

/// A client that trusts the authority, and has a certificate of another one if that is given.
async fn connect(
    directory: &Directory,
    trusted: &Authority,
    versions: &[&'static SupportedProtocolVersion],
    own: Option<&Authority>,
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.der().clone()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()));
    let config = config.with_protocol_versions(versions).unwrap().with_root_certificates(roots);
    let config = match own {
        None => config.with_no_client_auth(),
        Some(authority) => {
            let key = KeyPair::generate().unwrap();
            let params = CertificateParams::new(vec!["gateway".to_owned()]).unwrap();
            let certificate = params.signed_by(&key, authority).unwrap();
            let key = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).unwrap();
            config.with_client_auth_cert(vec![certificate.der().clone()], key).unwrap()
        }
    };
    let stream = TcpStream::connect(directory.address()).await?;
    let name = ServerName::try_from("127.0.0.1").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

/// Whether a request on this connection is answered.
async fn is_answered(stream: &mut TlsStream<TcpStream>) -> bool {
    let mut answer = Vec::new();
    stream.write_all(REQUEST).await.is_ok()
        && loop {
            match stream.read_buf(&mut answer).await {
                Ok(read) if read > 0 && !answer.ends_with(b"\r\n\r\nok\n") => {}
                _ => break answer.starts_with(b"HTTP/1.1 200 OK\r\n"),
            }
        }
}

#[tokio::test]
async fn the_directory_speaks_tls_1_2_and_1_3_and_nothing_else() {
    let (authority, other) = (authority(), authority());
    let (directory, _folder) = directory(&authority, "");
    assert!(directory.program.url.starts_with("https://"));
    for version in BOTH {
        let mut stream = connect(&directory, &authority, &[version], None).await.unwrap();
        assert!(is_answered(&mut stream).await);
    }
    assert!(connect(&directory, &other, BOTH, None).await.is_err());
    let mut plain = TcpStream::connect(directory.address()).await.unwrap();
    plain.write_all(REQUEST).await.unwrap();
    let mut answer = Vec::new();
    plain.read_to_end(&mut answer).await.ok();
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
}

#[tokio::test]
async fn a_new_certificate_is_used_without_a_restart_and_connections_stay() {
    let (before, after) = (authority(), authority());
    let (directory, folder) = directory(&before, "");
    let mut stream = connect(&directory, &before, BOTH, None).await.unwrap();
    // The second time it is left to the directory to look.
    for (authority, hangs_up) in [(&after, true), (&before, false)] {
        install(folder.path(), authority);
        if hangs_up {
            directory.program.signal("HUP");
        }
        let start = Instant::now();
        while connect(&directory, authority, BOTH, None).await.is_err() {
            let limit = Duration::from_secs(if hangs_up { 3 } else { 12 });
            assert!(start.elapsed() < limit, "the certificate is not used");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert!(is_answered(&mut stream).await);
    }
}

#[tokio::test]
async fn a_new_certificate_that_is_no_use_changes_nothing() {
    let authority = authority();
    let (directory, folder) = directory(&authority, "");
    // A key of another certificate: they are written one after the other, after all.
    std::fs::write(folder.path().join("key.pem"), certificate(&authority).1).unwrap();
    for _ in 0..2 {
        directory.program.signal("HUP");
        tokio::time::sleep(Duration::from_millis(200)).await;
        let mut stream = connect(&directory, &authority, BOTH, None).await.unwrap();
        assert!(is_answered(&mut stream).await);
        std::fs::remove_file(folder.path().join("key.pem")).ok();
    }
}

#[tokio::test]
async fn clients_need_a_certificate_of_the_right_authority_if_that_is_wanted() {
    let (server, clients) = (authority(), authority());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clients.pem");
    std::fs::write(&path, clients.pem()).unwrap();
    let (directory, _folder) = directory(&server, &format!("client_ca = {:?}", path.display().to_string()));
    for (own, expected) in [(Some(&clients), true), (Some(&server), false), (None, false)] {
        // With TLS 1.3 a client learns only afterwards that it was refused.
        let answered = match connect(&directory, &server, BOTH, own).await {
            Ok(mut stream) => is_answered(&mut stream).await,
            Err(_) => false,
        };
        assert_eq!(answered, expected);
    }
}

#[test]
fn everything_that_is_wrong_with_the_files_is_told_and_no_key_is_quoted() {
    let folder = tempfile::tempdir().unwrap();
    let (path, empty) = (folder.path().join("directory.toml"), folder.path().join("empty.pem"));
    std::fs::write(&empty, "not a key").unwrap();
    let mut told = Vec::new();
    for file in ["/no/such/file.pem", empty.to_str().unwrap()] {
        let text = format!("[tls]\ncertificate = {file:?}\nkey = {file:?}\nclient_ca = {file:?}\n");
        std::fs::write(&path, text).unwrap();
        let output = command(&["serve", "--config", path.to_str().unwrap()]).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        told.push(String::from_utf8(output.stderr).unwrap());
    }
    for setting in ["certificate", "key", "client_ca"] {
        assert!(told[0].contains(&format!("tls.{setting}: /no/such/file.pem cannot be read")), "{}", told[0]);
        assert!(told[1].contains(&format!("tls.{setting}: holds no ")), "{}", told[1]);
    }
    assert!(!told[1].contains("not a key"));
}

#[test]
fn plain_http_for_others_than_this_machine_is_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite:{}", folder.path().join("accounts.db").display());
    for (address, warns) in [("0.0.0.0:0", true), ("127.0.0.1:0", false)] {
        let mut serve = command(&["serve", "--listen", address, "--database", &database]);
        serve.stderr(Stdio::piped());
        let mut program = Program::run(serve);
        let errors = program.errors();
        program.terminate();
        let told: Vec<_> = BufReader::new(errors).lines().map(Result::unwrap).collect();
        assert_eq!(told.iter().any(|line| line.contains("as plain HTTP")), warns, "{told:?}");
        program.ended();
    }
}
