//! Names of SCIM attributes (RFC 7643 §2.1, RFC 7644 §3.10): how an operator writes them, and how a path says them.

use crate::domain::ClaimPath;

/// Attributes that no mapping writes: the directory's own, what the conversation itself is about, and what is never read
/// back. `groups` is one (RFC 7643 §4.1.2): memberships are kept at the groups.
const RESERVED: &[&str] = &["schemas", "id", "externalId", "meta", "active", "groups", "password"];

/// Attributes of a user that have many values, each with its `value` (RFC 7643 §4.1.2).
const PLURAL: &[&str] =
    &["emails", "phoneNumbers", "ims", "photos", "addresses", "entitlements", "roles", "x509Certificates"];

/// Checks that an attribute may be at this place: a name, or a name and one below it; in an extension both below its URN.
///
/// # Errors
/// What is wrong with the place, in a few words.
pub fn check(place: &ClaimPath) -> Result<(), &'static str> {
    let names = match place.steps().split_first() {
        Some((root, rest)) if is_urn(root) => rest,
        _ => place.steps(),
    };
    if !(1..=2).contains(&names.len()) {
        return Err(
            "an attribute has a name and one below it at the most, within an extension's URN or without",
        );
    }
    match names.iter().all(|name| is_name(name)) {
        true => Ok(()),
        false => Err("a name is a letter, then letters, digits, - and _"),
    }
}

/// Whether an attribute of this name, written as a whole, is not for a mapping to write.
pub fn is_reserved(name: &str) -> bool {
    is_among(RESERVED, name)
}

/// Whether it has many values.
pub(super) fn is_plural(name: &str) -> bool {
    is_among(PLURAL, name)
}

/// Whether it is the URN of a schema, and what is in it are an extension's attributes.
pub(super) fn is_urn(name: &str) -> bool {
    name.split_at_checked(4).is_some_and(|(scheme, _)| scheme.eq_ignore_ascii_case("urn:"))
}

/// `ATTRNAME` (RFC 7643 §2.1; `$ref` is the one name that opens otherwise). Nothing in it means anything in a path.
pub(super) fn is_name(name: &str) -> bool {
    let mut characters = name.strip_prefix('$').unwrap_or(name).chars();
    characters.next().is_some_and(|first| first.is_ascii_alphabetic())
        && characters.all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

fn is_among(names: &[&str], name: &str) -> bool {
    names.iter().any(|other| other.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_sound(place: &str) -> bool {
        check(&ClaimPath::parse(place).unwrap()).is_ok()
    }

    #[test]
    fn an_attribute_has_a_name_and_perhaps_one_below_it_within_a_urn_or_without() {
        let enterprise = r#""urn:ietf:params:scim:schemas:extension:enterprise:2.0:User""#;
        for place in ["userName", "name.givenName", &format!("{enterprise}.department")] {
            assert!(is_sound(place), "{place}");
        }
        assert!(is_sound(&format!("{enterprise}.manager.value")));
    }

    #[test]
    fn a_name_that_would_mean_something_in_a_path_is_refused() {
        for place in [
            "a.b.c",
            "emails[type eq \"work\"]",
            "a b",
            "1a",
            "ö",
            "https://x/groups",
            "urn:acme:2.0:User.department",
            r#""urn:acme:2.0:User""#,
            r#""urn:acme:2.0:User".a.b.c"#,
        ] {
            let sound = ClaimPath::parse(place).is_ok_and(|place| check(&place).is_ok());
            assert!(!sound, "{place}");
        }
    }

    #[test]
    fn what_a_mapping_does_not_write_is_told_in_any_case() {
        assert!(is_reserved("ExternalID") && is_reserved("groups") && !is_reserved("userName"));
    }
}
