//! The terms an operator may write for an issuer, one by one.

use super::*;
use crate::domain::{ClaimPath, Pattern};

const JANE: &str = "jane";

fn at_terms(trust: &Trust, extra: &Value) -> Option<Reason> {
    let issuer = issuer(Signs::ES256);
    let token = issuer.access_token(JANE, AUDIENCE, NOW, extra);
    verify_at(&token, &issuer.jwks(), trust, NOW).err()
}

/// The same for a token with exactly this `typ`.
fn with_typ(kind: TokenKind, typ: Option<&str>, extra: &Value) -> Option<Reason> {
    let issuer = issuer(Signs::ES256);
    let mut header = json!({"alg": "ES256", "kid": "key-1"});
    if let Some(typ) = typ {
        header["typ"] = json!(typ);
    }
    let mut claims = json!({"iss": "https://idp.example.com", "sub": JANE, "aud": AUDIENCE, "exp": NOW + 60});
    for (name, value) in extra.as_object().into_iter().flatten() {
        claims[name] = value.clone();
    }
    let token = issuer.key().sign(&header, claims.to_string().as_bytes());
    verify_at(&token, &issuer.jwks(), &Trust { kind, ..trust() }, NOW).err()
}

const UNSUPPORTED: Option<Reason> = Some(Reason::TokenUnsupported);
const MALFORMED: Option<Reason> = Some(Reason::TokenMalformed);

#[test]
fn an_access_token_is_not_an_id_token_and_says_so_where_it_can() {
    use TokenKind::Access;
    for typ in [None, Some("JWT"), Some("at+jwt")] {
        assert_eq!(with_typ(Access, typ, &json!({"typ": "Bearer"})), None);
        for id in ["nonce", "at_hash", "c_hash", "s_hash"] {
            assert_eq!(with_typ(Access, typ, &json!({id: "x"})), UNSUPPORTED, "{id}");
        }
        for other in ["ID", "Refresh", "Offline", "Logout"] {
            assert_eq!(with_typ(Access, typ, &json!({"typ": other})), UNSUPPORTED, "{other}");
        }
    }
}

#[test]
fn an_access_token_of_rfc_9068_has_its_type_and_its_claims() {
    use TokenKind::Rfc9068;
    let all = json!({"client_id": "web", "iat": NOW, "jti": "1"});
    assert_eq!(with_typ(Rfc9068, Some("at+jwt"), &all), None);
    assert_eq!(with_typ(Rfc9068, Some("application/at+jwt"), &all), None);
    assert_eq!(with_typ(Rfc9068, Some("JWT"), &all), UNSUPPORTED);
    assert_eq!(with_typ(Rfc9068, None, &all), UNSUPPORTED);
    for claim in ["client_id", "iat", "jti"] {
        let mut fewer = all.clone();
        fewer.as_object_mut().unwrap().remove(claim);
        assert_eq!(with_typ(Rfc9068, Some("at+jwt"), &fewer), MALFORMED, "{claim}");
    }
}

#[test]
fn an_id_token_is_for_its_client_alone() {
    use TokenKind::Id;
    let with = |extra: Value| {
        let mut claims = json!({"iat": NOW, "nonce": "n"});
        for (name, value) in extra.as_object().unwrap() {
            claims[name] = value.clone();
        }
        with_typ(Id, Some("JWT"), &claims)
    };
    let mismatch = Some(Reason::AudienceMismatch);
    assert_eq!(with(json!({})), None);
    assert_eq!(with(json!({"azp": AUDIENCE})), None);
    assert_eq!(with(json!({"azp": "another"})), mismatch);
    assert_eq!(with(json!({"aud": [AUDIENCE, "another"], "azp": AUDIENCE})), mismatch);
    assert_eq!(with(json!({"aud": [AUDIENCE, AUDIENCE]})), mismatch);
    assert_eq!(with(json!({"aud": []})), mismatch);
    assert_eq!(with(json!({"typ": "Bearer"})), UNSUPPORTED);
    assert_eq!(with_typ(Id, Some("at+jwt"), &json!({"iat": NOW})), UNSUPPORTED);
    assert_eq!(with_typ(Id, None, &json!({})), MALFORMED);
}

#[test]
fn an_event_or_a_logout_token_is_no_credential_whatever_it_calls_itself() {
    for kind in [TokenKind::Access, TokenKind::Rfc9068, TokenKind::Id, TokenKind::Any] {
        let claims = json!({"events": {}, "iat": NOW, "client_id": "web", "jti": "1"});
        for typ in [None, Some("JWT"), Some("at+jwt")] {
            assert_eq!(with_typ(kind, typ, &claims), UNSUPPORTED, "{kind:?} {typ:?}");
        }
    }
    assert_eq!(with_typ(TokenKind::Any, None, &json!({"nonce": "n"})), None);
    assert_eq!(with_typ(TokenKind::Any, None, &json!({"typ": "Refresh"})), UNSUPPORTED);
}

#[test]
fn a_token_is_refused_when_it_is_older_than_the_terms_allow() {
    let trust = Trust { max_age: Some(Duration::from_secs(600)), ..trust() };
    let issued = |ago: u64| at_terms(&trust, &json!({"iat": NOW - ago}));
    assert_eq!(issued(629), None);
    assert_eq!(issued(630), Some(Reason::TokenOutdated));
    assert_eq!(at_terms(&trust, &json!({"iat": null})), MALFORMED);
}

#[test]
fn a_token_without_an_end_needs_an_age() {
    let endless = json!({"exp": null});
    assert_eq!(at_terms(&trust(), &endless), MALFORMED);
    let trust = Trust { require_exp: false, max_age: Some(Duration::from_secs(600)), ..trust() };
    assert_eq!(at_terms(&trust, &endless), None);
    assert_eq!(at_terms(&trust, &json!({"exp": NOW - 60})), Some(Reason::TokenExpired));
}

#[test]
fn a_token_made_to_live_longer_than_the_terms_allow_is_refused() {
    let trust = Trust { max_lifetime: Some(Duration::from_secs(3600)), ..trust() };
    assert_eq!(at_terms(&trust, &json!({})), None);
    assert_eq!(at_terms(&trust, &json!({"exp": NOW + 3601})), Some(Reason::TokenOutdated));
    assert_eq!(at_terms(&trust, &json!({"iat": null, "exp": NOW + 3600})), None);
    assert_eq!(at_terms(&trust, &json!({"iat": null, "exp": NOW + 4000})), Some(Reason::TokenOutdated));
}

#[test]
fn only_the_subjects_that_the_terms_name_are_served() {
    let patterns = |list: &[&str]| list.iter().map(|text| Pattern::parse(text).unwrap()).collect::<Vec<_>>();
    let rules = |allow: Option<&[&str]>, deny: &[&str]| {
        let subjects = SubjectRules { allow: allow.map(patterns), deny: patterns(deny) };
        at_terms(&Trust { subjects, ..trust() }, &json!({}))
    };
    assert_eq!(rules(Some(&["john", "ja*"]), &[]), None);
    assert_eq!(rules(Some(&["john"]), &[]), Some(Reason::SubjectForbidden));
    assert_eq!(rules(None, &["*"]), Some(Reason::SubjectForbidden));
    assert_eq!(rules(Some(&["*"]), &["regex:j.ne"]), Some(Reason::SubjectForbidden));
}

fn tenants(name: &str) -> Option<Tenants> {
    let claim = ClaimPath::parse(name).unwrap();
    Some(Tenants { name: name.to_owned(), claim, allow: vec!["acme".into(), "init".into()] })
}

#[test]
fn a_tenant_that_is_not_named_is_not_served() {
    let trust = Trust { tenants: tenants("hd"), ..trust() };
    assert_eq!(at_terms(&trust, &json!({"hd": "acme"})), None);
    for hd in [json!("evil"), json!(null), json!(["acme"]), json!("ACME")] {
        assert_eq!(at_terms(&trust, &json!({"hd": hd})), Some(Reason::TenantForbidden), "{hd}");
    }
}

#[test]
fn where_the_tenant_is_in_the_issuers_name_both_must_say_the_same() {
    let name = Issuer::parse("https://login.example.com/{tid}/v2.0").unwrap();
    let trust = Trust { issuer: name, tenants: tenants("tid"), ..trust() };
    let iss = |tenant: &str| format!("https://login.example.com/{tenant}/v2.0");
    let outcome = |tenant: &str, tid: &str| at_terms(&trust, &json!({"iss": iss(tenant), "tid": tid}));
    assert_eq!(outcome("acme", "acme"), None);
    assert_eq!(outcome("acme", "init"), Some(Reason::TenantForbidden));
    assert_eq!(outcome("evil", "evil"), Some(Reason::IssuerUnknown));
    assert_eq!(outcome("{tid}", "{tid}"), Some(Reason::IssuerUnknown));
    let issuer = TestIssuer::new(&iss("init"), Signs::ES256);
    let token = issuer.access_token(JANE, AUDIENCE, NOW, json!({"tid": "init"}));
    let claims = verify_at(&token, &issuer.jwks(), &trust, NOW).ok().unwrap();
    assert_eq!(claims.subject().issuer.as_str(), iss("init"), "two tenants' janes are two subjects");
}

fn demanded(demand: &Demand, extra: &Value) -> Option<Reason> {
    let issuer = issuer(Signs::ES256);
    let token = issuer.access_token(JANE, AUDIENCE, NOW, extra);
    let trust = trust();
    let keys = ring(&issuer.jwks());
    let claims =
        trust.verify(Jws::parse(&token).ok().unwrap(), &keys, Timestamp::from_secs(NOW)).ok().unwrap();
    trust.meets(demand, &claims).err()
}

#[test]
fn every_required_scope_is_there_in_whichever_way_the_issuer_writes_them() {
    let require = Require { scopes: vec!["a".into(), "b:c".into()], claims: vec![] };
    let demand = Demand { require, ..Demand::default() };
    for claims in
        [json!({"scope": "b:c x a"}), json!({"scp": ["a", "b:c"]}), json!({"scope": "a", "scp": "b:c"})]
    {
        assert_eq!(demanded(&demand, &claims), None, "{claims}");
    }
    for claims in [json!({}), json!({"scope": "a b"}), json!({"scope": "ab:c"}), json!({"scope": {"a": 1}})] {
        assert_eq!(demanded(&demand, &claims), Some(Reason::ScopeInsufficient), "{claims}");
    }
}

#[test]
fn a_required_claim_has_one_of_its_values() {
    let rule = |name: &str, any_of: Value| {
        let claim = ClaimPath::parse(name).unwrap();
        let require = Require {
            scopes: vec![],
            claims: vec![ClaimValue { claim, any_of: any_of.as_array().unwrap().clone() }],
        };
        Demand { require, ..Demand::default() }
    };
    let roles = rule("realm.roles", json!(["admin", "editor"]));
    assert_eq!(demanded(&roles, &json!({"realm": {"roles": ["x", "editor"]}})), None);
    assert_eq!(demanded(&roles, &json!({"realm": {"roles": "admin"}})), None);
    assert_eq!(demanded(&roles, &json!({"realm": {"roles": ["x"]}})), Some(Reason::ClaimMismatch));
    assert_eq!(demanded(&roles, &json!({})), Some(Reason::ClaimMismatch));
    let level = rule("level", json!([2.0, true]));
    assert_eq!(demanded(&level, &json!({"level": 2})), None);
    assert_eq!(demanded(&level, &json!({"level": true})), None);
    assert_eq!(demanded(&level, &json!({"level": "2"})), Some(Reason::ClaimMismatch));
}

#[test]
fn a_route_may_ask_for_another_audience_and_for_certain_issuers() {
    let audience = |name: &str| Demand { audiences: Some(vec![name.into()]), ..Demand::default() };
    assert_eq!(demanded(&audience("billing"), &json!({})), Some(Reason::AudienceMismatch));
    assert_eq!(demanded(&audience("billing"), &json!({"aud": "billing"})), None);
    let from = |url: &str| Demand { issuers: Some(vec![Issuer::parse(url).unwrap()]), ..Demand::default() };
    assert_eq!(demanded(&from("https://idp.example.com"), &json!({})), None);
    assert_eq!(demanded(&from("https://other.example.com"), &json!({})), Some(Reason::IssuerUnknown));
}
