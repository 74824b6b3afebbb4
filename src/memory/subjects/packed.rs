//! What is known of a subject, packed. Anybody may have written the bytes, so nothing in them is believed to be ours.

use crate::domain::is_header_text;
use crate::domain::{Account, Fingerprint, Reason, Refusal, Timestamp};
use crate::memory::{Known, Standing, Told};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

/// A longer message to a person is not handed on, in bytes.
const LONGEST_MESSAGE: usize = 600;

#[derive(Serialize, Deserialize)]
struct Packed<'a> {
    until: Timestamp,
    asked_at: Timestamp,
    told: Option<([u8; 8], Timestamp)>,
    #[serde(borrow)]
    standing: PackedStanding<'a>,
}

#[derive(Serialize, Deserialize)]
enum PackedStanding<'a> {
    Present(Option<Cow<'a, Account>>),
    Refused { slug: &'a str, message: Option<&'a str>, retry_after: Option<Duration> },
}

/// Packs what is known of somebody.
pub(super) fn bytes(known: &Known) -> Vec<u8> {
    let standing = match &known.standing {
        Standing::Present(account) => PackedStanding::Present(account.as_deref().map(Cow::Borrowed)),
        Standing::Refused(refusal) => PackedStanding::Refused {
            slug: refusal.reason.slug(),
            message: refusal.message.as_deref().filter(|message| message.len() <= LONGEST_MESSAGE),
            retry_after: refusal.retry_after,
        },
    };
    let Known { until, asked_at, told, .. } = *known;
    let told = told.map(|told| (told.fingerprint.0.to_le_bytes(), told.issued_at));
    // Numbers and texts always serialise.
    postcard::to_extend(&Packed { until, asked_at, told, standing }, Vec::new()).unwrap_or_default()
}

/// What was packed; `None` if it was not, or has an account that would break a header.
pub(super) fn read(bytes: &[u8]) -> Option<Known> {
    let Packed { until, asked_at, told, standing } = postcard::from_bytes(bytes).ok()?;
    let standing = match standing {
        PackedStanding::Present(account) => {
            let is_sound = account.iter().flat_map(|account| account.texts()).all(is_header_text);
            Standing::Present(is_sound.then_some(account)?.map(|account| Arc::new(account.into_owned())))
        }
        PackedStanding::Refused { slug, message, retry_after } => {
            let reason = *Reason::ALL.iter().find(|reason| reason.slug() == slug)?;
            let message = message.map(str::to_owned);
            Standing::Refused(Box::new(Refusal { message, retry_after, ..Refusal::of(reason) }))
        }
    };
    let told = told.map(|(fingerprint, issued_at)| {
        let fingerprint = Fingerprint(u64::from_le_bytes(fingerprint));
        Told { fingerprint, issued_at }
    });
    Some(Known { standing, until, told, asked_at })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::option::of;
    use proptest::prelude::*;
    use proptest::sample::select;

    fn standing(standing: Standing) -> Known {
        let (until, asked_at) = (Timestamp::from_secs(1_795_462_140), Timestamp::from_secs(1_795_458_540));
        Known { standing, until, told: None, asked_at }
    }

    fn present(id: &str) -> Known {
        let account = Account { id: Some(id.into()), headers: Box::new([]) };
        standing(Standing::Present(Some(Arc::new(account))))
    }

    #[test]
    fn an_account_with_a_uuid_takes_little() {
        let known = present("0193f5a1-7f2e-7cc3-98c5-4d8a2b1e6f70");
        let told = Some(Told { fingerprint: Fingerprint(u64::MAX), issued_at: known.asked_at });
        assert_eq!([bytes(&known).len(), bytes(&Known { told, ..known }).len()], [54, 68]);
    }

    #[test]
    fn a_message_that_is_too_long_is_left_out_and_the_refusal_stays() {
        for (length, is_kept) in [(600, true), (601, false)] {
            let message = Some("x".repeat(length));
            let refusal = Refusal { message, ..Refusal::of(Reason::AccountDenied) };
            let read = read(&bytes(&standing(Standing::Refused(Box::new(refusal)))));
            let Some(Known { standing: Standing::Refused(refusal), .. }) = read else { panic!("{read:?}") };
            assert_eq!((refusal.reason, refusal.message.is_some()), (Reason::AccountDenied, is_kept));
        }
    }

    #[test]
    fn an_account_that_would_break_a_header_is_none() {
        for text in ["a\r\nx-admin: 1", "", " padded"] {
            assert_eq!(read(&bytes(&present(text))), None, "{text:?}");
        }
    }

    fn anything() -> impl Strategy<Value = Known> {
        let text = || of("[!-~]{1,40}".prop_map(String::into_boxed_str));
        let account = (text(), vec(text(), 0..4));
        let account = account.prop_map(|(id, headers)| Arc::new(Account { id, headers: headers.into() }));
        let wait = of(any::<u32>().prop_map(|secs| Duration::from_secs(secs.into())));
        let refusal =
            (select(Reason::ALL), of(".{0,150}"), wait).prop_map(|(reason, message, retry_after)| {
                Box::new(Refusal { message, retry_after, ..Refusal::of(reason) })
            });
        let standing =
            prop_oneof![of(account).prop_map(Standing::Present), refusal.prop_map(Standing::Refused)];
        let time = || any::<u64>().prop_map(Timestamp::from_millis);
        let told = of((any::<u64>().prop_map(Fingerprint), time()));
        let told = told.prop_map(|told| told.map(|(fingerprint, issued_at)| Told { fingerprint, issued_at }));
        (standing, time(), told, time()).prop_map(|(standing, until, told, asked_at)| Known {
            standing,
            until,
            told,
            asked_at,
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_one_worker_writes_another_reads(known in anything()) {
            prop_assert_eq!(read(&bytes(&known)), Some(known));
        }

        #[test]
        fn whatever_stands_there_can_be_read(bytes in vec(any::<u8>(), 0..300)) {
            if let Some(Known { standing: Standing::Present(Some(account)), .. }) = read(&bytes) {
                prop_assert!(account.texts().all(is_header_text));
            }
        }
    }
}
