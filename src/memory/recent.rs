//! What was told lately of a source that repeats itself: users that changed are listed again for a while. Knows nothing of why.

use super::{Change, Fate};
use crate::domain::{SubjectKey, Timestamp};
use std::collections::HashMap;

/// What one worker told, in the reading before and in the one under way.
pub struct Recent {
    limit: usize,
    before: HashMap<SubjectKey, (Fate, Timestamp)>,
    now: HashMap<SubjectKey, (Fate, Timestamp)>,
}

impl Recent {
    /// Nothing was told. At most `limit` are remembered of each reading; of others the same is told again.
    pub fn new(limit: usize) -> Self {
        Self { limit, before: HashMap::new(), now: HashMap::new() }
    }

    /// Whether that was not told in the reading before; it is from now on.
    pub fn is_news(&mut self, change: &Change) -> bool {
        let told = (change.fate, change.at);
        let is_news = [&self.before, &self.now].iter().all(|known| known.get(&change.key) != Some(&told));
        if self.now.len() < self.limit {
            self.now.insert(change.key, told);
        }
        is_news
    }

    /// The reading is over: what it did not list is forgotten.
    pub fn turn(&mut self) {
        self.before = std::mem::take(&mut self.now);
    }

    /// What was said was not heard.
    pub fn clear(&mut self) {
        self.before.clear();
        self.now.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::test_key;

    #[test]
    fn the_same_is_no_news_as_long_as_every_reading_has_it() {
        let change =
            |id, secs| Change { key: test_key(id), fate: Fate::Present, at: Timestamp::from_secs(secs) };
        let mut recent = Recent::new(2);
        let mut tells = |told: &[(&'static str, u64)]| {
            let news: Vec<_> = told.iter().map(|(id, secs)| recent.is_news(&change(id, *secs))).collect();
            recent.turn();
            news
        };
        assert_eq!(tells(&[("a", 1), ("a", 1), ("b", 1)]), [true, false, true]);
        assert_eq!(tells(&[("a", 1), ("b", 2)]), [false, true]);
        assert_eq!(tells(&[("b", 2)]), [false]);
        assert_eq!(
            tells(&[("a", 1), ("b", 2), ("c", 1), ("c", 1)]),
            [true, false, true, true],
            "there is no room for c"
        );
        recent.clear();
        assert!(recent.is_news(&change("b", 2)));
    }
}
