//! Reading page by page (RFC 7644 §3.4.2) how users stand: all that are inactive, all that changed since a time, or all. Lists
//! change while they are read, and some servers ignore what they are asked. Knows nothing of what is done with it.

use super::reply::{self, Page, member};
use super::request::{ScimRequest, filter};
use super::resource::is_active;
use crate::domain::{Reply, Timestamp};
use serde_json::{Map, Value};
use std::time::Duration;

/// A list that is being read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    users: Users,
    /// The place of the page that is asked for, counted from one.
    start: u64,
    /// The id of the last user that was read. The next page has to show it again: if not, the list was shifted, and
    /// somebody may have been passed over.
    last: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Users {
    Inactive,
    ModifiedSince(Timestamp),
    All,
}

/// How a user stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// See [`Whose`](super::Whose).
    pub external_id: String,
    /// Whether its owner may use it. Where that cannot be told, nobody may.
    pub active: bool,
    /// When it was changed last, by the directory's clock; `None` if that cannot be read.
    pub modified: Option<Timestamp>,
}

/// What an answer brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The users on this page that have an external id. Others than were asked for may be among them.
    pub users: Vec<User>,
    /// What is left to read.
    pub next: Option<Listing>,
}

/// Why a list could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListingFailure {
    /// There was no answer.
    NoAnswer,
    /// The answer has another status, and it is no filter's fault.
    Status(u16),
    /// The answer is no page of users, or none of those that were asked for.
    Malformed,
    /// The list was shifted while it was read.
    Shifted,
}

/// How many are asked for at a time. Servers may show fewer.
const PAGE: u64 = 100;

impl Listing {
    /// All users that are inactive.
    pub fn inactive() -> Self {
        Self::of(Users::Inactive)
    }

    /// All users that were changed since `time`, by the directory's clock.
    pub fn modified_since(time: Timestamp) -> Self {
        Self::of(Users::ModifiedSince(time))
    }

    fn of(users: Users) -> Self {
        Self { users, start: 1, last: None }
    }

    /// The request for the next page. `base` is the path under which `/Users` is, without a slash at its end.
    pub fn request(&self, base: &str) -> ScimRequest {
        let filter = match &self.users {
            Users::Inactive => format!("{}&", filter("active eq false")),
            Users::ModifiedSince(time) => {
                format!("{}&", filter(&format!("meta.lastModified ge \"{}\"", whole_seconds(*time))))
            }
            Users::All => String::new(),
        };
        let start = self.start;
        ScimRequest::get(format!(
            "{base}/Users?{filter}attributes=externalId,active,meta&startIndex={start}&count={PAGE}"
        ))
    }

    /// Reads a page. A server that does not take the filter is asked for all users instead.
    ///
    /// # Errors
    /// `Shifted` is nobody's fault: the list is to be read from its beginning.
    pub fn hear(self, reply: &Reply) -> Result<Listed, ListingFailure> {
        match reply::status(reply) {
            None => return Err(ListingFailure::NoAnswer),
            Some(200) => {}
            // "More than the server is willing to return" (RFC 7644 §3.12): all of them would be more still.
            Some(400 | 501) if self.users != Users::All && !reply::says(reply, "tooMany") => {
                return Ok(Listed { users: Vec::new(), next: Some(Self::of(Users::All)) });
            }
            Some(status) => return Err(ListingFailure::Status(status)),
        }
        let page = Page::read(reply).ok_or(ListingFailure::Malformed)?;
        if page.start.is_some_and(|start| start != self.start) {
            return Err(ListingFailure::Malformed);
        }
        let shown = u64::try_from(page.resources.len()).unwrap_or(u64::MAX);
        let until = self.start.saturating_add(shown).saturating_sub(1);
        let is_over = until >= page.total;
        if let Some(last) = &self.last {
            let place = page.resources.iter().position(|user| id(user) == Some(last));
            let place = place.ok_or(ListingFailure::Shifted)?;
            // The same again, and more is promised: nothing leads on from here.
            if place + 1 >= page.resources.len() && !is_over {
                return Err(ListingFailure::Shifted);
            }
        }
        let next = (!is_over).then(|| {
            let last = page.resources.last().and_then(id).filter(|_| shown > 1).map(str::to_owned);
            // The last one is read twice, unless pages have but one.
            let start = until.saturating_add(u64::from(last.is_none()));
            Self { users: self.users, start, last }
        });
        Ok(Listed { users: page.resources.iter().filter_map(User::read).collect(), next })
    }
}

impl User {
    fn read(members: &Map<String, Value>) -> Option<Self> {
        let external_id = member(members, "externalId")?.as_str()?.to_owned();
        let meta = member(members, "meta").and_then(Value::as_object);
        let modified = meta.and_then(|meta| time(member(meta, "lastModified")?.as_str()?));
        Some(Self { external_id, active: is_active(members).unwrap_or(false), modified })
    }
}

fn id(members: &Map<String, Value>) -> Option<&str> {
    member(members, "id")?.as_str()
}

/// `xsd:dateTime` (RFC 7643 §2.3.5) as the RFC's examples have it, which every server understands.
fn whole_seconds(time: Timestamp) -> String {
    Timestamp::from_secs(time.as_millis() / 1000).rfc3339().replace(".000Z", "Z")
}

/// Reads `xsd:dateTime`, whose zone may be another one, or missing.
fn time(text: &str) -> Option<Timestamp> {
    let utc = |text: &str| Timestamp::parse_rfc3339(&format!("{text}Z"));
    if let Some(time) = text.strip_suffix(['Z', 'z']) {
        return utc(time);
    }
    let Some((time, zone)) = text.len().checked_sub(6).and_then(|at| text.split_at_checked(at)) else {
        return utc(text);
    };
    match (zone.get(..1), zone.get(1..).and_then(|zone| zone.split_once(':'))) {
        (Some(sign @ ("+" | "-")), Some((hours, minutes))) => {
            let minutes = hours.parse::<u64>().ok()? * 60 + minutes.parse::<u64>().ok()?;
            let ahead = Duration::from_secs(60 * minutes);
            utc(time).map(|time| if sign == "+" { time.before(ahead) } else { time.after(ahead) })
        }
        _ => utc(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use serde_json::json;

    const NOON: &str = "2026-11-23T12:00:00Z";

    fn user(number: usize, active: bool) -> Value {
        json!({"id": format!("id-{number}"), "externalId": format!("user-{number}"), "active": active,
               "meta": {"lastModified": NOON}})
    }

    fn answer(status: u16, body: &Value) -> Reply {
        Reply::Answer { status, headers: vec![], body: body.to_string().into_bytes() }
    }

    /// The page that a correct server shows of `all`, at most `cap` at a time.
    fn page(all: &[Value], listing: &Listing, cap: usize) -> Reply {
        let shown: Vec<_> = all.iter().skip(listing.start as usize - 1).take(cap).collect();
        let total = all.len();
        answer(200, &json!({"totalResults": total, "startIndex": listing.start, "Resources": shown}))
    }

    fn names(users: &[User]) -> Vec<String> {
        users.iter().map(|user| user.external_id.clone()).collect()
    }

    #[test]
    fn a_list_is_asked_for_by_a_filter_and_in_pages() {
        let path = |listing: Listing| listing.request("/v2").path;
        let rest = "attributes=externalId,active,meta&startIndex=1&count=100";
        assert_eq!(path(Listing::inactive()), format!("/v2/Users?filter=active%20eq%20false&{rest}"));
        let since = Timestamp::parse_rfc3339(NOON).unwrap().after(Duration::from_millis(999));
        assert_eq!(
            path(Listing::modified_since(since)),
            format!("/v2/Users?filter=meta.lastModified%20ge%20%222026-11-23T12%3A00%3A00Z%22&{rest}")
        );
    }

    #[test]
    fn a_time_may_be_written_in_any_zone() {
        let noon = Timestamp::parse_rfc3339(NOON);
        for text in
            [NOON, "2026-11-23T12:00:00", "2026-11-23T12:00:00.000+00:00", "2026-11-23T14:30:00+02:30"]
        {
            assert_eq!(time(text), noon, "{text}");
        }
        assert_eq!(time("2026-11-23T04:00:00-08:00"), noon);
        for odd in ["", "yesterday", "12:00", "2026-11-23", "+02:00", "2026-11-23T12:00:00+é:00", "é0:000"]
        {
            assert_eq!(time(odd), None, "{odd}");
        }
    }

    #[test]
    fn users_are_read_as_they_stand_and_those_of_others_are_left_out() {
        let resources = json!([
            user(1, false),
            {"id": "x", "active": false},
            {"id": "y", "externalId": 7},
            {"id": "z", "EXTERNALID": "z", "active": "perhaps", "meta": {"lastModified": 1}},
        ]);
        let listed =
            Listing::inactive().hear(&answer(200, &json!({"totalResults": 4, "Resources": resources})));
        let users = listed.unwrap().users;
        assert_eq!(names(&users), ["user-1", "z"]);
        assert_eq!(users.iter().map(|user| user.active).collect::<Vec<_>>(), [false, false]);
        assert_eq!(users.iter().map(|user| user.modified.is_some()).collect::<Vec<_>>(), [true, false]);
    }

    #[test]
    fn a_server_that_takes_no_filter_is_asked_for_all() {
        for refusal in [answer(400, &json!({"scimType": "invalidFilter"})), answer(501, &json!({}))] {
            let all = Listing::inactive().hear(&refusal).unwrap().next.unwrap();
            assert!(all.request("").path.starts_with("/Users?attributes="));
            assert!(matches!(all.hear(&refusal), Err(ListingFailure::Status(_))));
        }
        let too_many = answer(400, &json!({"scimType": "tooMany"}));
        assert_eq!(Listing::inactive().hear(&too_many), Err(ListingFailure::Status(400)));
        let lost = Reply::Failed(crate::domain::Failure::Broken);
        assert_eq!(Listing::inactive().hear(&lost), Err(ListingFailure::NoAnswer));
    }

    #[test]
    fn a_server_that_goes_in_circles_or_astray_is_not_followed() {
        let all: Vec<_> = (0..250).map(|number| user(number, false)).collect();
        let first = Listing::inactive();
        let second = first.clone().hear(&page(&all, &first, 100)).unwrap().next.unwrap();
        let same = json!({"totalResults": 250, "Resources": all[..100]});
        assert_eq!(second.clone().hear(&answer(200, &same)), Err(ListingFailure::Shifted));
        let astray = json!({"totalResults": 250, "startIndex": 1, "Resources": all[..100]});
        assert_eq!(second.hear(&answer(200, &astray)), Err(ListingFailure::Malformed));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn nobody_who_is_there_all_the_while_is_passed_over_without_word(
            count in 0..40_usize, cap in 2..9_usize, changes in vec((any::<bool>(), 0..40_usize), 0..12)
        ) {
            let mut all: Vec<_> = (0..count).map(|number| user(number, false)).collect();
            let mut staying: Vec<_> = (0..count).collect();
            let (mut listing, mut seen, mut changes) = (Listing::inactive(), vec![], changes.into_iter());
            loop {
                match listing.clone().hear(&page(&all, &listing, cap)) {
                    Ok(Listed { users, next }) => {
                        seen.extend(names(&users));
                        let Some(next) = next else { break };
                        listing = next;
                    }
                    Err(_) => return Ok(()),
                }
                match changes.next() {
                    Some((true, place)) => all.insert(place.min(all.len()), user(1000 + place, false)),
                    Some((false, place)) if place < all.len() => {
                        let gone = all.remove(place);
                        staying.retain(|number| gone["id"] != format!("id-{number}"));
                    }
                    _ => {}
                }
            }
            for number in staying {
                prop_assert!(seen.contains(&format!("user-{number}")), "user {} of {:?}", number, seen);
            }
        }

        #[test]
        fn whatever_a_server_says_a_list_goes_on_or_ends(
            bodies in vec(prop_oneof!["\\PC*", Just(r#"{"totalResults":9,"Resources":[{"id":"a","externalId":"b"}]}"#.to_owned())], 1..5)
        ) {
            let mut listing = Listing::modified_since(Timestamp::from_secs(1));
            for body in bodies.iter().cycle().take(50) {
                let reply = Reply::Answer { status: 200, headers: vec![], body: body.clone().into_bytes() };
                match listing.hear(&reply) {
                    Ok(Listed { next: Some(next), .. }) => listing = next,
                    _ => return Ok(()),
                }
            }
            prop_assert!(false, "it never ends");
        }
    }
}
