//! Signatures that somebody else made, judged by pure Rust and by a host's stand-in.

use crate::host::FakeProxy;
use crate::support::vectors::{Group, wycheproof};
use firstsight::token::{Crypto, Keyring};
use serde_json::json;

/// What is said otherwise than it should be, and how much was judged.
fn judge(groups: &[Group], crypto: Crypto) -> (Vec<String>, usize) {
    let (mut wrong, mut judged) = (vec![], 0);
    for group in groups.iter().filter(|group| crypto.supports(group.algorithm)) {
        let keys = Keyring::from_value(&json!({"keys": [group.jwk]}), crypto).ok();
        for one in &group.signatures {
            let verified =
                keys.as_ref().is_some_and(|keys| keys.verifies(group.algorithm, &one.message, &one.bytes));
            if one.verdict.is_some_and(|verdict| verdict != verified) {
                wrong.push(format!("{} {}: {verified}", group.name, one.number));
            }
            judged += 1;
        }
    }
    (wrong, judged)
}

#[test]
fn pure_rust_judges_signatures_of_wycheproof_as_it_should() {
    let (wrong, judged) = judge(&wycheproof(), Crypto::pure());
    assert_eq!(wrong, Vec::<String>::new());
    assert!(judged > 3000, "only {judged} were judged");
}

/// Where the proxy checks, it does so itself in the suite with a real one; here its stand-in shows that it is asked right.
#[test]
fn a_host_is_asked_so_that_it_judges_signatures_of_wycheproof_as_it_should() {
    let mut groups = wycheproof();
    groups.retain(|group| ["Rsa2048", "EcdsaSecp"].iter().any(|kind| group.name.starts_with(kind)));
    let (wrong, judged) = judge(&groups, Crypto::by_host::<FakeProxy>());
    assert_eq!(wrong, Vec::<String>::new());
    assert!(judged > 1500, "only {judged} were judged");
}
