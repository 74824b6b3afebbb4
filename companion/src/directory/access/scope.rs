//! What a token may be used for.

/// One use of the API. A token has one or more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::directory) enum Scope {
    /// What gateways do: arrivals, sightings, departures.
    Gateway,
    /// Accounts through SCIM.
    Scim,
    /// Handing in security events.
    Signals,
    /// Accounts, their states and the audit.
    Admin,
    /// Reading accounts and the audit.
    Auditor,
}

impl Scope {
    pub(in crate::directory) const ALL: [Self; 5] =
        [Self::Gateway, Self::Scim, Self::Signals, Self::Admin, Self::Auditor];
}
