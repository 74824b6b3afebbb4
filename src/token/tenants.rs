//! Issuers that many tenants share: which tenants are served, and where the tenant's name stands.

use crate::domain::{ClaimPath, Issuer, Reason};
use serde_json::{Map, Value};

/// The tenants that are served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenants {
    /// The claim that names the tenant (`tid`, `hd`, `org_id`), as it is written in the configuration.
    pub name: String,
    /// Where it is.
    pub claim: ClaimPath,
    /// The tenants, exactly as tokens name them. At least one: whoever signs up at a shared issuer makes a tenant.
    pub allow: Vec<String>,
}

impl Tenants {
    /// Whether the issuer's name has the tenant's in it: `https://login.example.com/{tid}/v2.0`.
    pub fn are_in(&self, issuer: &Issuer) -> bool {
        issuer.as_str().contains(&self.place())
    }

    /// The `iss` of that tenant's tokens.
    pub(super) fn name_in(&self, issuer: &Issuer, tenant: &str) -> String {
        issuer.as_str().replace(&self.place(), tenant)
    }

    /// Whether the token's tenant is served, and is the one whose name stands in `iss`: a tenant's own administrator
    /// decides what its tokens say.
    pub(super) fn admit(
        &self,
        pattern: &Issuer,
        issuer: &Issuer,
        claims: &Map<String, Value>,
    ) -> Result<(), Reason> {
        let tenant = self.claim.find(claims).and_then(Value::as_str).ok_or(Reason::TenantForbidden)?;
        let is_served = self.allow.iter().any(|allowed| allowed == tenant);
        let is_named = !self.are_in(pattern) || self.name_in(pattern, tenant) == issuer.as_str();
        if is_served && is_named { Ok(()) } else { Err(Reason::TenantForbidden) }
    }

    fn place(&self) -> String {
        format!("{{{}}}", self.name)
    }
}
