//! Events as transmitters write them, and what is understood of them.

use super::*;
use crate::domain::{Issuer, Subject, SubjectId};
use serde_json::json;

fn members(claims: &Value) -> Map<String, Value> {
    claims.as_object().unwrap().clone()
}

fn meaning(event: &str, payload: &Value) -> Meaning {
    let claims = members(&json!({"sub_id": {"format": "opaque", "id": "x"}, "events": {event: payload}}));
    signals(&claims, &[]).remove(0).meaning
}

fn about(sub_id: &Value, critical: &[&str]) -> Option<Identifiers> {
    let claims = members(&json!({"sub_id": sub_id, "events": {"urn:x": {}}}));
    let critical: Vec<_> = critical.iter().map(|name| (*name).to_owned()).collect();
    signals(&claims, &critical).remove(0).about
}

fn jane() -> Subject {
    let issuer = Issuer::parse("https://idp.example.com").unwrap();
    Subject { issuer, id: SubjectId::parse("jane").unwrap() }
}

fn iss_sub() -> Value {
    json!({"format": "iss_sub", "iss": "https://idp.example.com", "sub": "jane"})
}

#[test]
fn every_event_has_one_meaning() {
    use Change::{Depart, Disable, Enable, Revoke};
    let risc = "https://schemas.openid.net/secevent/risc/event-type/";
    let caep = "https://schemas.openid.net/secevent/caep/event-type/";
    let scim = "urn:ietf:params:scim:event:";
    for (base, name, payload, change) in [
        (risc, "account-disabled", json!({"reason": "hijacking"}), Disable),
        (risc, "account-enabled", json!({}), Enable),
        (risc, "account-purged", json!({}), Depart),
        (risc, "sessions-revoked", json!({}), Revoke),
        (risc, "account-credential-change-required", json!({}), Revoke),
        (risc, "credential-compromise", json!({"credential_type": "password"}), Revoke),
        (caep, "session-revoked", json!({}), Revoke),
        (caep, "token-claims-change", json!({"claims": {"role": "ro-admin"}}), Revoke),
        (caep, "credential-change", json!({"change_type": "revoke"}), Revoke),
        ("https://schemas.openid.net/secevent/oauth/event-type/", "tokens-revoked", json!({}), Revoke),
        ("http://schemas.openid.net/event/", "backchannel-logout", json!({}), Revoke),
        (scim, "prov:deactivate", json!({}), Disable),
        (scim, "feed:remove", json!({}), Disable),
        (scim, "prov:activate", json!({}), Enable),
        (scim, "prov:delete", json!({}), Depart),
        ("urn:ietf:params:SCIM:event:", "prov:delete", json!({}), Depart),
        (scim, "prov:put:full", json!({"data": {"userName": "jane", "active": false}}), Disable),
        (
            scim,
            "prov:patch:full",
            json!({"data": {"Operations": [{"op": "replace", "value": {"active": false}}]}}),
            Disable,
        ),
        (
            scim,
            "prov:patch:full",
            json!({"data": {"Operations": [{"op": "Replace", "path": "active", "value": "False"}]}}),
            Disable,
        ),
    ] {
        assert_eq!(meaning(&format!("{base}{name}"), &payload), Meaning::Change(change), "{name}");
    }
}

#[test]
fn what_changes_no_account_means_nothing() {
    for (event, payload) in [
        ("https://schemas.openid.net/secevent/risc/event-type/opt-in", json!({})),
        ("https://schemas.openid.net/secevent/risc/event-type/identifier-recycled", json!({})),
        ("https://schemas.openid.net/secevent/risc/event-type/identifier-changed", json!({"new-value": 7})),
        ("https://schemas.openid.net/secevent/risc/event-type/", json!({})),
        (
            "https://schemas.openid.net/secevent/caep/event-type/credential-change",
            json!({"change_type": "create"}),
        ),
        ("https://schemas.openid.net/secevent/caep/event-type/device-compliance-change", json!({})),
        ("https://schemas.openid.net/secevent/oauth/event-type/token-revoked", json!({})),
        ("urn:ietf:params:scim:event:prov:put:notice", json!({"attributes": ["active"]})),
        (
            "urn:ietf:params:scim:event:prov:patch:full",
            json!({"data": {"Operations": [{"op": "replace", "path": "active", "value": true}]}}),
        ),
        ("urn:ietf:params:scim:event:feed:add", json!({})),
        ("urn:ietf:params:scim:event:misc:asyncresp", json!({})),
        ("urn:ietf:params:scim:event", json!({})),
        ("urn:example:unknown", json!({"subject": 7})),
    ] {
        assert_eq!(meaning(event, &payload), Meaning::Nothing, "{event}");
    }
}

#[test]
fn an_event_may_bring_an_identifier_attributes_or_word_of_its_stream() {
    let changed = meaning(
        "https://schemas.openid.net/secevent/risc/event-type/identifier-changed",
        &json!({"new-value": "jane@new.example.com"}),
    );
    assert_eq!(changed, Meaning::Identifier("jane@new.example.com".into()));
    let resource = json!({"schemas": ["x"], "id": "7", "userName": "jane", "active": true, "name": {"givenName": "J"},
                          "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {}, "meta": {}});
    let put = meaning("urn:ietf:params:scim:event:prov:put:full", &json!({"data": resource}));
    assert_eq!(put, Meaning::Attributes(members(&json!({"userName": "jane", "name": {"givenName": "J"}}))));
    let ssf = "https://schemas.openid.net/secevent/ssf/event-type/";
    let verified = meaning(&format!("{ssf}verification"), &json!({"state": "s"}));
    assert_eq!(verified, Meaning::Verification(Some("s".into())));
    let updated = meaning(&format!("{ssf}stream-updated"), &json!({"status": "paused"}));
    assert_eq!(updated, Meaning::StreamUpdated(Some("paused".into())));
}

#[test]
fn issuer_and_sub_are_found_in_every_place_and_format() {
    let certain = Identifiers { subjects: vec![jane()], ..Identifiers::default() };
    let complex = json!({"format": "complex", "user": iss_sub(), "device": {"format": "opaque", "id": "d"}});
    let unnamed = json!({"user": iss_sub(), "tenant": {"format": "opaque", "id": "t"}});
    let aliases = json!({"format": "aliases", "identifiers": [iss_sub(), iss_sub()]});
    for sub_id in
        [iss_sub(), complex, unnamed, aliases.clone(), json!({"format": "complex", "user": aliases})]
    {
        assert_eq!(about(&sub_id, &[]), Some(certain.clone()), "{sub_id}");
    }
    let old = json!({"subject_type": "iss-sub", "iss": "https://idp.example.com", "sub": "jane"});
    let inside = members(&json!({"events": {"urn:x": {"subject": old}}}));
    assert_eq!(signals(&inside, &[]).remove(0).about, Some(certain.clone()));
    let logout = members(&json!({"iss": "https://idp.example.com", "sub": "jane", "events": {"urn:x": {}}}));
    assert_eq!(signals(&logout, &[]).remove(0).about, Some(certain));
}

#[test]
fn an_email_address_names_nobody() {
    let alone = about(&json!({"format": "email", "email": "jane@example.com"}), &[]).unwrap();
    assert_eq!(alone.emails, ["jane@example.com"]);
    let every = [Alias::Opaque, Alias::ScimId, Alias::ScimExternalId];
    assert_eq!(alone.subjects(&every, &jane().issuer), []);
    let both = json!({"format": "aliases", "identifiers": [{"format": "email", "email": "a@b"}, iss_sub()]});
    let both = about(&both, &[]).unwrap();
    assert_eq!((both.subjects(&[], &jane().issuer), both.emails.len()), (vec![jane()], 1));
}

#[test]
fn another_name_means_somebody_only_if_the_operator_says_so() {
    let opaque = about(&json!({"format": "opaque", "id": "jane"}), &[]).unwrap();
    let scim =
        about(&json!({"format": "scim", "uri": "https://x/v2/Users/jane", "externalId": "j"}), &[]).unwrap();
    let of = |found: &Identifiers, means: &[Alias]| found.subjects(means, &jane().issuer);
    assert_eq!((of(&opaque, &[]), of(&opaque, &[Alias::Opaque])), (vec![], vec![jane()]));
    assert_eq!((of(&scim, &[Alias::Opaque]), of(&scim, &[Alias::ScimId])), (vec![], vec![jane()]));
    assert_eq!(of(&scim, &[Alias::ScimExternalId]).len(), 1);
    for uri in ["/Groups/jane", "/Users/", "jane", ""] {
        let other = about(&json!({"format": "scim", "uri": uri, "externalId": "jane"}), &[]).unwrap();
        assert_eq!(of(&other, &[Alias::ScimId, Alias::ScimExternalId]), [], "{uri}");
    }
}

#[test]
fn a_critical_member_that_is_not_understood_discards_the_event() {
    let subject = json!({"format": "complex", "user": iss_sub(), "tenant": {"format": "opaque", "id": "t"}});
    assert_eq!(about(&subject, &["tenant"]), None);
    assert!(about(&subject, &["user", "session"]).is_some());
    assert_eq!(about(&json!("jane"), &[]), None);
}

#[test]
fn what_is_no_subject_names_nobody() {
    for sub_id in [
        json!({}),
        json!({"format": "iss_sub"}),
        json!({"format": "iss_sub", "iss": "idp", "sub": "jane"}),
        json!({"format": "iss_sub", "iss": "https://idp", "sub": ""}),
        json!({"format": "jwt_id", "iss": "https://idp", "jti": "7"}),
        json!({"format": "aliases", "identifiers": [{"format": "aliases", "identifiers": [iss_sub()]}]}),
        json!({"format": "complex", "session": iss_sub()}),
    ] {
        assert_eq!(about(&sub_id, &[]), Some(Identifiers::default()), "{sub_id}");
    }
}

#[test]
fn a_reason_is_short_text_in_whatever_form_it_comes() {
    let reason = |payload: Value| {
        let claims = members(&json!({"events": {"urn:x": payload}}));
        signals(&claims, &[]).remove(0).reason
    };
    assert_eq!(reason(json!({"reason": "hijacking"})).as_deref(), Some("hijacking"));
    assert_eq!(reason(json!({"reason_admin": "left"})).as_deref(), Some("left"));
    assert_eq!(reason(json!({"reason_admin": {"de": "weg", "en": "left\n"}})).as_deref(), Some("left"));
    assert_eq!(reason(json!({"reason_admin": {"de": "weg"}})).as_deref(), Some("weg"));
    assert_eq!(reason(json!({"reason": "x".repeat(500)})).map(|text| text.len()), Some(200));
    assert_eq!((reason(json!({"reason": "\u{7}"})), reason(json!({}))), (None, None));
}
