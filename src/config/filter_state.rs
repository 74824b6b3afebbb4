//! The `filter_state` of a configuration: what the proxy's other filters and its log are told.

use super::document::{FilterStateDocument, HeaderDocument};
use super::headers::{self, AccountHeaders};
use super::problem::Problems;
use crate::domain::REASON_KEY;
use crate::mapping::FilterStateRule;

pub(super) fn compile(
    documents: Vec<FilterStateDocument>,
    account: &AccountHeaders,
    problems: &Problems,
) -> Vec<FilterStateRule> {
    let mut rules: Vec<FilterStateRule> = Vec::new();
    for (index, document) in documents.into_iter().enumerate() {
        let path = format!("filter_state[{index}]");
        let key = document.key.clone().filter(|key| is_key(key)).ok_or("it is no key");
        let key = problems.take(key, &format!("{path}.key"), "use letters, digits, and - _ .");
        let source = headers::source(&as_header(document), account, &path, problems);
        let (Some(key), Some(source)) = (key, source) else { continue };
        if *key == *REASON_KEY || rules.iter().any(|rule| *rule.key == *key) {
            problems.add(
                format!("{path}.key"),
                format!("`{key}` is written already"),
                "give each key one rule",
            );
        }
        rules.push(FilterStateRule { key: key.into(), source });
    }
    rules
}

fn is_key(key: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (1..=100).contains(&key.len()) && key.bytes().all(fits)
}

/// Its value comes from where a header's comes from.
fn as_header(document: FilterStateDocument) -> HeaderDocument {
    let FilterStateDocument { key: _, claim, account, payload, format, non_ascii, .. } = document;
    let FilterStateDocument { map, map_others, when_missing, when_malformed, max_bytes, .. } = document;
    HeaderDocument {
        header: None,
        claim,
        account,
        payload,
        format,
        non_ascii,
        map,
        map_others,
        when_missing,
        when_malformed,
        max_bytes,
    }
}
