//! Which request headers belong to this filter.

use super::HeaderRule;

/// The headers that the mapping owns. A client's own headers of these names never reach the application.
#[derive(Debug, Clone)]
pub struct Managed(Vec<String>);

impl Managed {
    /// The headers that `rules` write.
    pub fn by(rules: &[HeaderRule]) -> Self {
        Self(rules.iter().map(|rule| rule.header.as_str().to_owned()).collect())
    }

    /// Whether a client's header `name` would be read as one of ours. Case and `_` for `-` make no difference, as many
    /// application servers (CGI's `HTTP_X_USER_ID`) cannot tell them apart.
    pub fn owns(&self, name: &[u8]) -> bool {
        let fold = |byte: u8| {
            if byte == b'_' { b'-' } else { byte.to_ascii_lowercase() }
        };
        self.0
            .iter()
            .any(|own| own.len() == name.len() && own.bytes().map(fold).eq(name.iter().copied().map(fold)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::AccountMember;
    use crate::mapping::HeaderSourceRule;

    #[test]
    fn a_managed_header_is_known_in_every_spelling() {
        let rule = HeaderRule {
            header: "x-user_id".parse().unwrap(),
            source: HeaderSourceRule::Account(AccountMember::Id),
        };
        let managed = Managed::by(&[rule]);
        for name in ["x-user_id", "x-user-id", "X-User-Id", "x_user_id", "X_USER-ID"] {
            assert!(managed.owns(name.as_bytes()), "{name}");
        }
        for name in ["x-user", "x-user-id2", "x.user.id", "authorization", ""] {
            assert!(!managed.owns(name.as_bytes()), "{name}");
        }
    }
}
