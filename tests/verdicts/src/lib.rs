//! A module for tests: it judges the signatures that its configuration holds, by the proxy and by pure Rust, logs both
//! verdicts and what they took, and refuses the configuration, so that a proxy runs it once and ends.
#![cfg(target_os = "wasi")]

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use firstsight::envoy::ProxySignatures;
use firstsight::token::{Algorithm, Crypto, Keyring};
use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, RootContext};
use proxy_wasm::types::{BufferType, LogLevel};
use serde_json::{Value, json};
use std::time::{Duration, UNIX_EPOCH};

mod entry {
    use super::{LogLevel, Root, RootContext};

    proxy_wasm::main! {{
        proxy_wasm::set_log_level(LogLevel::Info);
        proxy_wasm::set_root_context(|_| -> Box<dyn RootContext> { Box::new(Root) });
    }}
}

struct Root;

impl Context for Root {}

impl RootContext for Root {
    fn on_configure(&mut self, size: usize) -> bool {
        let text = hostcalls::get_buffer(BufferType::PluginConfiguration, 0, size).ok().flatten();
        let groups: Vec<Group> = serde_json::from_slice(&text.unwrap_or_default()).expect("a list of groups");
        let host = Crypto::by_host::<ProxySignatures>();
        tell(&json!({"host_is_asked": host.asks_host()}));
        for (number, group) in groups.iter().enumerate() {
            let (by_host, in_pure_rust) = (group.judge(host), group.judge(Crypto::pure()));
            tell(&json!({"group": number, "host": by_host, "pure": in_pure_rust}));
        }
        tell(&json!({"done": groups.len()}));
        false
    }
}

/// Signatures of one key.
#[derive(serde::Deserialize)]
struct Group {
    algorithm: String,
    jwk: Value,
    /// Messages and signatures, base64url.
    signatures: Vec<(String, String)>,
    /// How often each is judged.
    times: u32,
}

impl Group {
    /// `+` or `-` for each signature, and the nanoseconds of the quickest judgement, which whatever else the machine does
    /// falls on least; `null` if the key cannot be used.
    fn judge(&self, crypto: Crypto) -> Value {
        let algorithm: Algorithm = self.algorithm.parse().expect("an algorithm");
        let Ok(keys) = Keyring::from_value(&json!({"keys": [self.jwk]}), crypto) else { return Value::Null };
        let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).expect("base64url");
        let (mut verdicts, mut quickest) = (String::new(), Duration::MAX);
        for (message, signature) in &self.signatures {
            let (message, signature) = (decode(message), decode(signature));
            let accepted = (0..self.times).all(|_| {
                let start = now();
                let accepted = keys.verifies(algorithm, &message, &signature);
                quickest = quickest.min(now().saturating_sub(start));
                accepted
            });
            verdicts.push(if accepted { '+' } else { '-' });
        }
        json!({"verdicts": verdicts, "nanoseconds": quickest.as_nanos() as u64})
    }
}

fn now() -> Duration {
    hostcalls::get_current_time().ok().and_then(|now| now.duration_since(UNIX_EPOCH).ok()).unwrap_or_default()
}

fn tell(what: &Value) {
    hostcalls::log(LogLevel::Info, &format!("verdicts: {what}")).expect("a line is taken");
}
