//! Whom an event is about: the formats of RFC 9493 and of the Shared Signals Framework, and those of before.

use super::text;
use crate::domain::{Issuer, Subject, SubjectId};
use serde_json::{Map, Value};

/// What an event calls its subject; several names of one and the same are possible (`aliases`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identifiers {
    /// Issuer and `sub`: the only ones that name somebody for certain.
    pub subjects: Vec<Subject>,
    /// Names that mean somebody only if the operator says what they are.
    pub aliases: Vec<(Alias, String)>,
    /// E-mail addresses, which change hands: nobody is found by one.
    pub emails: Vec<String>,
    /// Telephone numbers, likewise.
    pub phones: Vec<String>,
}

/// What may be the `sub` of a subject under another name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alias {
    /// `opaque` (RFC 9493 §3.2.4).
    Opaque,
    /// The last segment of the `uri` of `scim` (RFC 9967 §2.1): the id of a user at the transmitter.
    ScimId,
    /// The `externalId` of `scim`.
    ScimExternalId,
}

/// The members of a complex subject that are understood. An event about somebody's session or device is taken to be about
/// all that is theirs, which shuts more rather than less.
const UNDERSTOOD: &[&str] = &["format", "user", "session", "device"];
/// More names than one subject has; the rest is not read.
const MOST: usize = 20;

impl Identifiers {
    /// Reads `sub_id`, or the `subject` of an event as it was before. `None` if a member is `critical` and not understood.
    pub(super) fn read(subject: &Value, critical: &[String]) -> Option<Self> {
        let mut found = Self::default();
        let members = subject.as_object()?;
        // Before it had a name, the complex format had none.
        if format(subject).is_some_and(|format| format != "complex") {
            found.add_one(subject, true);
            return Some(found);
        }
        let odd = |name: &&String| !UNDERSTOOD.contains(&name.as_str()) && critical.contains(name);
        if members.keys().any(|name| odd(&name)) {
            return None;
        }
        if let Some(user) = members.get("user") {
            found.add_one(user, true);
        }
        Some(found)
    }

    /// The subject of a logout token: `iss` and `sub`.
    pub(super) fn of_sub(claims: &Map<String, Value>) -> Self {
        let mut found = Self::default();
        found.add_pair(claims.get("iss"), claims.get("sub"));
        found
    }

    /// The subjects that are meant if each of `means` is the `sub` of somebody at `issuer`, those named for certain first.
    pub fn subjects(&self, means: &[Alias], issuer: &Issuer) -> Vec<Subject> {
        let meant = self.aliases.iter().filter(|(alias, _)| means.contains(alias));
        let meant =
            meant.filter_map(|(_, id)| Some(Subject { issuer: issuer.clone(), id: SubjectId::parse(id)? }));
        let mut subjects = self.subjects.clone();
        for subject in meant {
            if !subjects.contains(&subject) {
                subjects.push(subject);
            }
        }
        subjects
    }

    fn add_one(&mut self, value: &Value, may_be_aliases: bool) {
        let keep = |to: &mut Vec<String>, name| to.extend(text(value, name).map(str::to_owned));
        match format(value).as_deref() {
            Some("iss_sub" | "id_token_claims") => self.add_pair(value.get("iss"), value.get("sub")),
            Some("email") => keep(&mut self.emails, "email"),
            Some("phone_number" | "phone") => {
                keep(&mut self.phones, "phone_number");
                keep(&mut self.phones, "phone");
            }
            Some("opaque") => self.add_alias(Alias::Opaque, text(value, "id")),
            Some("scim") => {
                let id = text(value, "uri").and_then(|uri| uri.rsplit('/').next());
                self.add_alias(Alias::ScimId, id.filter(|_| is_user(value)));
                self.add_alias(Alias::ScimExternalId, text(value, "externalId").filter(|_| is_user(value)));
            }
            Some("aliases") if may_be_aliases => {
                let list = value.get("identifiers").and_then(Value::as_array);
                list.into_iter().flatten().take(MOST).for_each(|one| self.add_one(one, false));
            }
            _ => {}
        }
    }

    fn add_pair(&mut self, iss: Option<&Value>, sub: Option<&Value>) {
        let iss = iss.and_then(Value::as_str).and_then(|iss| Issuer::parse(iss).ok());
        let sub = sub.and_then(Value::as_str).and_then(SubjectId::parse);
        let subject = iss.zip(sub).map(|(issuer, id)| Subject { issuer, id });
        self.subjects.extend(subject.filter(|subject| !self.subjects.contains(subject)));
    }

    fn add_alias(&mut self, alias: Alias, name: Option<&str>) {
        self.aliases.extend(name.filter(|name| !name.is_empty()).map(|name| (alias, name.to_owned())));
    }
}

/// `format` (RFC 9493 §3), or `subject_type` with hyphens, as RISC had it before.
fn format(subject: &Value) -> Option<String> {
    let name = text(subject, "format").or_else(|| text(subject, "subject_type"))?;
    Some(name.replace('-', "_"))
}

/// Groups have events too, and ids.
fn is_user(scim: &Value) -> bool {
    let mut segments = text(scim, "uri").unwrap_or_default().rsplit('/');
    segments.next().is_some_and(|id| !id.is_empty()) && segments.next() == Some("Users")
}
