//! One Keycloak for every test: a process that ends with this one, or one that runs elsewhere; and its administrator's API.

use crate::client;
use crate::support::message::{Request, get, post};
use serde_json::Value;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

/// Its first start makes it ready, and its first realm warms it up: a minute on a machine that has much else to do.
const PATIENCE: Duration = Duration::from_secs(300);
const PASSWORD: &str = "administrator-of-tests";

pub(crate) struct Keycloak {
    pub(crate) port: u16,
    password: String,
    process: Option<Child>,
}

/// The one there is.
pub(crate) fn keycloak() -> &'static Keycloak {
    static KEYCLOAK: OnceLock<Keycloak> = OnceLock::new();
    let find = || {
        let place = std::env::var("FIRSTSIGHT_KEYCLOAK").expect("FIRSTSIGHT_KEYCLOAK says where Keycloak is");
        match place.strip_prefix("http://") {
            Some(address) => Keycloak::at(address),
            None => Keycloak::start(&place),
        }
    };
    KEYCLOAK.get_or_init(find)
}

impl Keycloak {
    fn at(address: &str) -> Self {
        let port = address.trim_end_matches('/').rsplit_once(':').and_then(|(_, port)| port.parse().ok());
        let port = port.expect("FIRSTSIGHT_KEYCLOAK is http://HOST:PORT");
        let password = std::env::var("KEYCLOAK_ADMIN_PASSWORD").expect("KEYCLOAK_ADMIN_PASSWORD is set");
        Self { port, password, process: None }
    }

    fn start(distribution: &str) -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
        let port = socket.local_addr().expect("it has an address").port();
        drop(socket);
        // What waits for the end of its input ends with this process, and then so does Keycloak: a static is never dropped.
        let process = Command::new("sh")
            .args(["-c", r#""$@" & child=$!; cat; kill $child"#, "keeper"])
            .arg(format!("{distribution}/bin/kc.sh"))
            .args(["start-dev", "--db=dev-mem", "--cache=local", "--features=ssf"])
            .args([format!("--http-port={port}"), format!("--hostname=http://127.0.0.1:{port}")])
            .arg("--spi-ssf-transmitter--default--allow-insecure-push-targets=true")
            .arg("--spi-ssf-transmitter--default--outbox-drainer-interval=1s")
            .env("KC_BOOTSTRAP_ADMIN_USERNAME", "admin")
            .env("KC_BOOTSTRAP_ADMIN_PASSWORD", PASSWORD)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("there is a shell");
        let keycloak = Self { port, password: PASSWORD.to_owned(), process: Some(process) };
        let start = Instant::now();
        while !keycloak.is_up() {
            assert!(start.elapsed() < PATIENCE, "{distribution} does not come up; does `java` run?");
            thread::sleep(Duration::from_millis(200));
        }
        keycloak
    }

    /// Whether it is a process of this one's.
    pub(crate) const fn is_own(&self) -> bool {
        self.process.is_some()
    }

    /// What the issuers of its realms begin with.
    pub(crate) fn url(&self) -> String {
        let (_, discovery) = self.ask(&get("/realms/master/.well-known/openid-configuration"));
        let issuer = discovery["issuer"].as_str().expect("it says who it is");
        issuer.trim_end_matches("/realms/master").to_owned()
    }

    fn is_up(&self) -> bool {
        let listens = std::net::TcpStream::connect(("127.0.0.1", self.port)).is_ok();
        listens && self.ask(&get("/realms/master")).0 == 200
    }

    /// Status, and the JSON of the answer.
    pub(crate) fn ask(&self, request: &Request) -> (u16, Value) {
        let request = request.clone().host(&format!("127.0.0.1:{}", self.port));
        let answer =
            client::receive(client::send(self.port, &request).patiently(PATIENCE)).expect("it answers");
        (answer.status, serde_json::from_slice(&answer.body).unwrap_or_default())
    }

    /// The answer of a realm's token endpoint.
    pub(crate) fn token(&self, realm: &str, form: &[(&str, &str)]) -> Value {
        let form: Vec<_> = form.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let path = format!("/realms/{realm}/protocol/openid-connect/token");
        let request = post(&path, form.join("&").into_bytes());
        self.ask(&request.header("content-type", "application/x-www-form-urlencoded")).1
    }

    /// What the administrator does: gives back the JSON of the answer, which is a success.
    #[track_caller]
    pub(crate) fn administer(&self, method: &'static str, path: &str, body: &Value) -> Value {
        let login = [("grant_type", "password"), ("client_id", "admin-cli"), ("username", "admin")];
        let answer = self.token("master", &[&login[..], &[("password", &*self.password)]].concat());
        let token = answer["access_token"].as_str().unwrap_or_else(|| panic!("no administrator: {answer}"));
        let body = if body.is_null() { vec![] } else { body.to_string().into_bytes() };
        let request = Request { method, ..post(&format!("/admin/realms{path}"), body) };
        let (status, answer) = self.ask(&request.bearer(token).header("content-type", "application/json"));
        assert!((200..300).contains(&status), "{method} {path}: {status} {answer}");
        answer
    }
}
