//! An OpenID issuer's keys, documents and tokens.

use crate::{Algorithm, SigningKey};
use rand::{RngCore as _, rngs::OsRng};
use serde_json::{Map, Value, json};
use std::borrow::Borrow;

/// An issuer with one current key, and older ones that it still publishes.
pub struct TestIssuer {
    url: String,
    current: SigningKey,
    older: Vec<SigningKey>,
    keys_made: usize,
}

impl TestIssuer {
    /// An issuer whose exact `iss` is `url`, and that signs with `algorithm`. Its first key is `key-1`.
    pub fn new(url: &str, algorithm: Algorithm) -> Self {
        Self::signing_with(url, SigningKey::generate(algorithm, "key-1"))
    }

    /// The same with a key that is there already.
    pub fn signing_with(url: &str, key: SigningKey) -> Self {
        Self { url: url.to_owned(), current: key, older: Vec::new(), keys_made: 1 }
    }

    /// Its exact `iss`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The key it signs with now.
    pub fn key(&self) -> &SigningKey {
        &self.current
    }

    /// Its discovery document (OpenID Connect Discovery §3). Endpoints are below the issuer's URL: `/jwks`, `/token`.
    pub fn discovery(&self) -> Value {
        let base = self.url.trim_end_matches('/');
        json!({
            "issuer": self.url,
            "jwks_uri": format!("{base}/jwks"),
            "token_endpoint": format!("{base}/token"),
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "grant_types_supported": ["client_credentials"],
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [self.current.algorithm().to_string()],
        })
    }

    /// The keys it publishes (RFC 7517 §5), the current one first.
    pub fn jwks(&self) -> Value {
        let keys = std::iter::once(&self.current).chain(&self.older).map(SigningKey::public_jwk);
        json!({"keys": keys.collect::<Vec<_>>()})
    }

    /// A token with exactly these claims, signed with the current key. The header is that of an access token
    /// (RFC 9068 §2.1): `typ`, `alg`, `kid`.
    pub fn token(&self, claims: impl Borrow<Value>) -> String {
        let key = &self.current;
        let header = json!({"typ": "at+jwt", "alg": key.algorithm().to_string(), "kid": key.kid()});
        key.sign(&header, claims.borrow().to_string().as_bytes())
    }

    /// A usual access token of `sub` for `audience`, issued at `now_secs` (seconds since the epoch) and valid for an
    /// hour: `iss`, `sub`, `aud`, `iat`, `exp` and a random `jti`. Members of the object `extra` are added or replace
    /// others; `null` takes one out.
    pub fn access_token(
        &self,
        sub: &str,
        audience: &str,
        now_secs: u64,
        extra: impl Borrow<Value>,
    ) -> String {
        let mut claims = Map::new();
        claims.insert("iss".into(), json!(self.url));
        claims.insert("sub".into(), json!(sub));
        claims.insert("aud".into(), json!(audience));
        claims.insert("iat".into(), json!(now_secs));
        claims.insert("exp".into(), json!(now_secs + 3600));
        claims.insert("jti".into(), json!(format!("{:016x}", OsRng.next_u64())));
        for (name, value) in extra.borrow().as_object().into_iter().flatten() {
            match value {
                Value::Null => drop(claims.remove(name)),
                _ => drop(claims.insert(name.clone(), value.clone())),
            }
        }
        self.token(Value::Object(claims))
    }

    /// Signs with a new key (`key-2`, `key-3`, …) from now on, and goes on publishing the old ones only if told to.
    pub fn rotate(&mut self, keep_old: bool) {
        self.keys_made += 1;
        let new = SigningKey::generate(self.current.algorithm(), &format!("key-{}", self.keys_made));
        let old = std::mem::replace(&mut self.current, new);
        self.older.push(old);
        if !keep_old {
            self.older.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    use jsonwebtoken::{DecodingKey, Validation, decode, jwk::JwkSet};

    const NOW: u64 = 1_795_458_540;

    /// What a relying party that knows the issuer's JWKS makes of `token`.
    fn verified(issuer: &TestIssuer, token: &str) -> Option<Value> {
        let header = jsonwebtoken::decode_header(token).ok()?;
        let keys: JwkSet = serde_json::from_value(issuer.jwks()).unwrap();
        let key = DecodingKey::from_jwk(keys.find(&header.kid?)?).unwrap();
        let mut terms = Validation::new(header.alg);
        terms.validate_exp = false;
        terms.set_issuer(&[issuer.url()]);
        terms.set_audience(&["orders-api"]);
        decode::<Value>(token, &key, &terms).ok().map(|token| token.claims)
    }

    #[test]
    fn a_token_of_every_algorithm_verifies_against_the_published_keys() {
        let mut keys = SigningKey::of_every_algorithm();
        keys.retain(|key| key.algorithm() != Algorithm::ES512); // The relying party does not know it.
        for key in keys {
            let algorithm = key.algorithm();
            let issuer = TestIssuer::signing_with("https://idp.example.com/", key);
            let token = issuer.access_token("jane", "orders-api", NOW, json!({"email": "jane@example.com"}));
            let claims = verified(&issuer, &token).unwrap_or_else(|| panic!("{algorithm} does not verify"));
            assert_eq!(claims["iss"], "https://idp.example.com/");
            assert_eq!(claims["exp"], NOW + 3600);
            assert_eq!(claims["email"], "jane@example.com");
        }
    }

    #[test]
    fn an_es512_token_verifies_against_the_published_key() {
        use p521::ecdsa::{Signature, VerifyingKey, signature::Verifier as _};
        let issuer = TestIssuer::new("https://idp.example.com/", Algorithm::ES512);
        let token = issuer.access_token("jane", "orders-api", NOW, json!({}));
        let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
        let jwk = issuer.key().public_jwk();
        let [x, y] = ["x", "y"].map(|name| decode(jwk[name].as_str().unwrap()));
        let key = VerifyingKey::from_sec1_bytes(&[vec![4], x, y].concat()).unwrap();
        let (message, signature) = token.rsplit_once('.').unwrap();
        let signature = Signature::from_slice(&decode(signature)).unwrap();
        assert!(key.verify(message.as_bytes(), &signature).is_ok());
    }

    #[test]
    fn null_takes_a_claim_out_and_a_value_replaces_it() {
        let issuer = TestIssuer::new("https://idp", Algorithm::ES256);
        let token = issuer.access_token("jane", "orders-api", NOW, json!({"exp": null, "sub": "john"}));
        let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
        let claims: Value = serde_json::from_slice(&payload).unwrap();
        assert_eq!(claims["sub"], "john");
        assert_eq!(claims.get("exp"), None);
    }

    #[test]
    fn rotation_publishes_a_new_key_and_the_old_one_only_if_told_to() {
        let mut issuer = TestIssuer::new("https://idp", Algorithm::ES256);
        let before = issuer.access_token("jane", "orders-api", NOW, json!({}));
        issuer.rotate(true);
        assert_eq!(issuer.key().kid(), "key-2");
        assert!(verified(&issuer, &before).is_some());
        issuer.rotate(false);
        assert!(verified(&issuer, &before).is_none());
        let after = issuer.access_token("jane", "orders-api", NOW, json!({}));
        assert!(verified(&issuer, &after).is_some());
        assert_eq!(issuer.jwks()["keys"].as_array().unwrap().len(), 1);
    }
}
