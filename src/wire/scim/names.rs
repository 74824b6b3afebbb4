//! Names of SCIM attributes (RFC 7643 §2.1, RFC 7644 §3.10): how an operator writes them, and how a path says them.

/// Attributes that no mapping writes: the directory's own, what the conversation itself is about, and what is never read
/// back. `groups` is one (RFC 7643 §4.1.2): memberships are kept at the groups.
const RESERVED: &[&str] = &["schemas", "id", "externalId", "meta", "active", "groups", "password"];

/// Attributes of a user that have many values, each with its `value` (RFC 7643 §4.1.2).
const PLURAL: &[&str] =
    &["emails", "phoneNumbers", "ims", "photos", "addresses", "entitlements", "roles", "x509Certificates"];

/// Splits an attribute's written name into the places at which it nests: `userName`, `name.givenName`. An attribute of an
/// extension follows the extension's URN and a dot, and as the version in a URN holds a dot itself, the URN reaches to the
/// first dot behind its last colon: `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User.department`.
///
/// # Errors
/// What is wrong with the name, in a few words.
pub fn steps(written: &str) -> Result<Vec<String>, &'static str> {
    let (schema, rest) = match written.rfind(':').and_then(|colon| written.split_at_checked(colon)) {
        Some((head, tail)) if is_urn(written) => {
            let (last, rest) =
                tail.split_once('.').ok_or("a URN is followed by a dot and the attribute's name")?;
            (Some(format!("{head}{last}")), rest)
        }
        Some(_) => return Err("only a URN holds colons"),
        None => (None, written),
    };
    let mut steps: Vec<String> = schema.into_iter().collect();
    let attribute = steps.len();
    steps.extend(rest.split('.').map(str::to_owned));
    let names = steps.get(attribute..).unwrap_or_default();
    if names.len() > 2 {
        return Err("an attribute has a name and one below it at the most, like name.givenName");
    }
    match names.iter().all(|name| is_name(name)) {
        true => Ok(steps),
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

    #[test]
    fn a_dotted_name_nests() {
        assert_eq!(steps("userName").unwrap(), ["userName"]);
        assert_eq!(steps("name.givenName").unwrap(), ["name", "givenName"]);
    }

    #[test]
    fn the_dot_in_the_version_of_a_urn_is_not_one_that_nests() {
        let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
        assert_eq!(steps(&format!("{enterprise}.department")).unwrap(), [enterprise, "department"]);
        assert_eq!(steps(&format!("{enterprise}.manager.value")).unwrap(), [enterprise, "manager", "value"]);
        assert_eq!(steps("urn:acme:2.0:a.b").unwrap(), ["urn:acme:2.0:a", "b"]);
    }

    #[test]
    fn a_name_that_would_mean_something_in_a_path_is_refused() {
        for bad in [
            "",
            ".",
            "a.",
            "a..b",
            "a.b.c",
            "emails[type eq \"work\"]",
            "a b",
            "1a",
            "ö",
            "https://x/groups",
            "urn:acme:2.0:User",
            "urn:acme:2.0:User:department",
            "urn:acme:2.0:User.a.b.c",
            "urn:acme:2.0:User.",
        ] {
            assert!(steps(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_a_mapping_does_not_write_is_told_in_any_case() {
        assert!(is_reserved("ExternalID") && is_reserved("groups") && !is_reserved("userName"));
    }
}
