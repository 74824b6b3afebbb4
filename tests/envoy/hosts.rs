//! Envoys that are older, or offer less, than the newest one. What else this suite says is held by several versions of
//! Envoy, too: `make test-versions`.

use crate::process::{Folder, module, program};
use crate::support::config::{ISSUER, usual};
use crate::support::issuer::AUDIENCE;
use crate::support::message::get;
use crate::support::world::World;
use crate::world::EnvoyWorld;
use firstsight_testkit::{Algorithm, SigningKey};
use serde_json::json;
use std::path::Path;
use std::process::Command;

#[test]
fn the_configuration_to_copy_is_accepted() {
    let folder = Folder::new();
    std::fs::create_dir(folder.file("dist")).expect("a folder can be made");
    std::fs::copy(module(), folder.file("dist/firstsight.wasm")).expect("a file can be copied");
    let mut envoy = Command::new(program());
    envoy.args(["--mode", "validate", "--config-path"]);
    envoy.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("envoy/envoy.yaml"));
    envoy.current_dir(folder.file("")).env("DIRECTORY_TOKEN", "directory-token");
    let told = envoy.output().expect("Envoy runs");
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
}

#[test]
fn where_the_proxy_checks_no_signatures_tokens_are_verified_all_the_same_and_forged_ones_refused() {
    let keys = SigningKey::of_every_algorithm();
    let jwks: Vec<_> = keys.iter().map(SigningKey::public_jwk).collect();
    let config = usual().set("/issuers/0/jwks", json!({"keys": jwks}));
    let mut world = EnvoyWorld::without("proxy_call_foreign_function", &config)
        .unwrap_or_else(|log| panic!("it does not start: {log}"));
    assert!(world.log().contains("the proxy does not check signatures for its modules"));
    let exp = world.now().as_millis() / 1000 + 60;
    for key in keys {
        let sign = |sub: &str| {
            let claims = json!({"iss": ISSUER, "sub": sub, "aud": AUDIENCE, "exp": exp});
            let header = json!({"alg": key.algorithm().to_string(), "kid": key.kid()});
            key.sign(&header, claims.to_string().as_bytes())
        };
        let (token, admins) = (sign("jane-4711"), sign("admin-0815"));
        let (signed, _) = admins.rsplit_once('.').expect("three parts");
        let (_, signature) = token.rsplit_once('.').expect("three parts");
        let forged = world.send(get("/orders").bearer(&format!("{signed}.{signature}")));
        let answer = world.send(get("/orders").bearer(&token));
        if key.algorithm() == Algorithm::ES512 {
            forged.refused(401, "token-unsupported");
            answer.refused(401, "token-unsupported");
        } else {
            forged.refused(401, "signature-invalid");
            let seen = answer.forwarded();
            assert_eq!(seen.header("x-user-id").as_deref(), Some("jane-4711"), "{}", key.algorithm());
        }
    }
}
