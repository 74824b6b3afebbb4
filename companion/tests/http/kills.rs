//! `kill -9` at random points while people arrive: what was answered is there. `make bench-directory` runs it longer.

use crate::audit::audit;
use crate::program::{Directory, TOKEN, answer, arrival, client};
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashMap};
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::JoinHandle;

/// So many gateways ask at the same time, so that several arrivals share a commit.
const GATEWAYS: usize = 8;

/// Who is still to arrive, and who has an answer.
struct Arrivals {
    waiting: Mutex<Vec<u64>>,
    /// Subject → account.
    answered: Mutex<HashMap<u64, String>>,
    asked_again: AtomicU64,
}

impl Arrivals {
    /// One gateway: asks about one after the other, until nobody is left or there is no answer.
    async fn go_on(self: Arc<Self>, url: String) {
        let client = client();
        while let Some(number) = self.next() {
            let body = arrival(&format!("sub-{number}"), json!({})).to_string();
            let sent = client.post(&url).bearer_auth(TOKEN).body(body).send().await;
            let answer = match sent {
                Ok(response) => response.json::<Value>().await,
                Err(error) => Err(error),
            };
            let Ok(answer) = answer else {
                self.asked_again.fetch_add(1, Ordering::Relaxed);
                self.waiting.lock().unwrap().push(number);
                return;
            };
            let account = answer["account"]["id"].as_str().expect("an account").to_owned();
            self.answered.lock().unwrap().insert(number, account);
        }
    }

    fn next(&self) -> Option<u64> {
        self.waiting.lock().unwrap().pop()
    }

    fn count(&self) -> usize {
        self.answered.lock().unwrap().len()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_outlives_kills_once_and_with_its_record() {
    let (kills, arrivals) = (asked("FIRSTSIGHT_KILLS", 5), asked("FIRSTSIGHT_ARRIVALS", 250));
    let mut points: Vec<_> = (0..kills).map(|_| random(arrivals) as usize).collect();
    points.sort_unstable();
    let people = Arc::new(Arrivals {
        waiting: Mutex::new((0..arrivals).rev().collect()),
        answered: Mutex::default(),
        asked_again: AtomicU64::new(0),
    });
    let mut directory = Directory::start();
    for point in points.into_iter().map(Some).chain([None]) {
        let url = format!("{}/v1/arrivals", directory.program.url);
        let gateways: Vec<_> =
            (0..GATEWAYS).map(|_| tokio::spawn(Arc::clone(&people).go_on(url.clone()))).collect();
        if let Some(point) = point {
            while people.count() < point && !gateways.iter().all(JoinHandle::is_finished) {
                tokio::time::sleep(Duration::from_micros(100)).await;
            }
            // Anywhere between two commits, or within one.
            tokio::time::sleep(Duration::from_micros(random(5000))).await;
            let database = directory.database.clone();
            directory.program.kill();
            directory = Directory::on(database, &[]);
        }
        for gateway in gateways {
            gateway.await.unwrap();
        }
    }

    let accounts = all(&directory, "accounts", "accounts", "id").await;
    let records = all(&directory, "audit", "records", "sequence").await;
    let told = people.answered.lock().unwrap();
    let answered: BTreeSet<_> =
        told.iter().map(|(number, id)| (format!("sub-{number}"), id.clone())).collect();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let found = accounts.iter().map(|account| (text(&account["subject"]["id"]), text(&account["id"])));
    assert_eq!(accounts.len() as u64, arrivals, "each is there once");
    assert_eq!(found.collect::<BTreeSet<_>>(), answered, "each is the account that was answered");
    assert!(records.iter().all(|record| record["event"] == "arrival"));
    assert_eq!(records.len() as u64, arrivals, "each has one record");
    let recorded: BTreeSet<_> = records.iter().map(|record| text(&record["account"])).collect();
    assert_eq!(recorded, answered.iter().map(|(_, id)| id.clone()).collect(), "each has its record");
    assert!(audit(&directory.database, &["verify"]).0);
    let asked_again = people.asked_again.load(Ordering::Relaxed);
    eprintln!("{}", json!({"kills": kills, "found": accounts.len(), "asked_again": asked_again}));
}

/// How much of it: the usual, unless somebody wants more.
fn asked(variable: &str, usual: u64) -> u64 {
    std::env::var(variable).map_or(usual, |number| number.parse().expect("a number"))
}

fn random(below: u64) -> u64 {
    RandomState::new().hash_one(0) % below
}

/// Everything of a list, page by page.
async fn all(directory: &Directory, place: &str, list: &str, next: &str) -> Vec<Value> {
    let (mut found, mut after) = (Vec::<Value>::new(), String::new());
    loop {
        let (status, page) = answer(directory.get(&format!("/v1/{place}?limit=1000{after}"))).await;
        assert_eq!(status, 200, "{page}");
        found.extend(page[list].as_array().unwrap().iter().cloned());
        if page["next"].is_null() {
            return found;
        }
        let last = &found.last().unwrap()[next];
        after = format!("&after={}", last.as_str().map_or_else(|| last.to_string(), str::to_owned));
    }
}
