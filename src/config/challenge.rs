//! The `realm` and `resource_metadata` of a configuration: what challenges say.

use super::issuers::absolute;
use super::problem::Problems;
use crate::wire::{ChallengeTerms, is_quotable};

/// The realm unless the operator names another.
const REALM: &str = "firstsight";

/// Both end up between quotes in a header, so they keep to the characters that need no escape there.
pub(super) fn compile(
    realm: Option<String>,
    resource_metadata: Option<String>,
    problems: &Problems,
) -> ChallengeTerms {
    let realm = realm.unwrap_or_else(|| REALM.to_owned());
    if realm.is_empty() || !is_quotable(&realm) {
        problems.add("realm", "it is no realm", "use visible ASCII characters and blanks, without \" and \\");
    }
    let sound = |text: &String| is_quotable(text) && !text.contains(['#', ' ']) && absolute(text).is_ok();
    if !resource_metadata.as_ref().is_none_or(sound) {
        problems.add(
            "resource_metadata",
            "it is no absolute URL",
            "write the address of the resource's metadata (RFC 9728), https://…/.well-known/oauth-protected-resource",
        );
    }
    ChallengeTerms { realm, resource_metadata }
}
