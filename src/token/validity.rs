//! When a token may be used.

use super::{Jws, Trust};
use crate::domain::{Reason, Timestamp};
use serde_json::{Map, Value};
use std::time::Duration;

/// From when and until when a token may be used, clock skew included; checked again at every use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    from: Timestamp,
    until: Timestamp,
    /// What it is from `until` on: expired, or older than the terms allow.
    then: Reason,
}

#[cfg(test)]
impl Validity {
    pub(crate) const ENDLESS: Self = Self {
        from: Timestamp::from_millis(0),
        until: Timestamp::from_millis(u64::MAX),
        then: Reason::TokenExpired,
    };
}

impl Validity {
    /// Reads the times of a token: expired at or after `exp`, premature before `nbf` or before it was issued (RFC 7519
    /// §4.1.4 to §4.1.6), outdated when it is older than the terms allow, or was made to live longer.
    pub(super) fn of(trust: &Trust, jws: &Jws<'_>, now: Timestamp) -> Result<Self, Reason> {
        let date = |claim| numeric_date(&jws.payload, claim);
        let (exp, nbf, iat) = (date("exp")?, date("nbf")?, date("iat")?);
        let skew = trust.clock_skew.as_secs_f64();
        let mut until = exp.map_or(f64::INFINITY, |exp| exp + skew);
        let mut then = Reason::TokenExpired;
        if exp.is_none() && trust.require_exp {
            return Err(Reason::TokenMalformed);
        }
        if let Some(most) = trust.max_age {
            let end = iat.ok_or(Reason::TokenMalformed)? + most.as_secs_f64() + skew;
            if end < until {
                (until, then) = (end, Reason::TokenOutdated);
            }
        }
        if trust.max_lifetime.is_some_and(|most| lives_longer(most, exp, iat, now.as_secs_f64() + skew)) {
            return Err(Reason::TokenOutdated);
        }
        let start = nbf.into_iter().chain(iat).fold(0.0, f64::max) - skew;
        let validity = Self { from: ceiling(start), until: ceiling(until), then };
        validity.check(now).map(|()| validity)
    }

    /// Whether the token may be used now.
    ///
    /// # Errors
    /// `TokenPremature`, `TokenExpired`, or `TokenOutdated`.
    pub fn check(&self, now: Timestamp) -> Result<(), Reason> {
        if now >= self.until {
            Err(self.then)
        } else if now < self.from {
            Err(Reason::TokenPremature)
        } else {
            Ok(())
        }
    }
}

/// Whether a token was made to live longer than this, or would live longer from now on. Without an end it does.
fn lives_longer(most: Duration, exp: Option<f64>, iat: Option<f64>, latest_now: f64) -> bool {
    let most = most.as_secs_f64();
    exp.is_none_or(|exp| exp - latest_now > most || iat.is_some_and(|iat| exp - iat > most))
}

/// The first millisecond that is not before `secs`; times before the epoch are the epoch, endless ones the end of time.
pub(super) fn ceiling(secs: f64) -> Timestamp {
    // A cast from a float stops at the integer's bounds.
    Timestamp::from_millis((secs * 1000.0).ceil() as u64)
}

/// A NumericDate: seconds since the epoch, possibly with a fraction (RFC 7519 §2).
pub(super) fn numeric_date(claims: &Map<String, Value>, claim: &str) -> Result<Option<f64>, Reason> {
    match claims.get(claim) {
        None => Ok(None),
        Some(value) => value.as_f64().filter(|secs| secs.is_finite()).map(Some).ok_or(Reason::TokenMalformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_between_two_milliseconds_counts_from_the_later_one() {
        assert_eq!(ceiling(1.0005), Timestamp::from_millis(1001));
        assert_eq!(ceiling(-7.0), Timestamp::from_millis(0));
        assert_eq!(ceiling(f64::INFINITY), Timestamp::from_millis(u64::MAX));
    }
}
