//! Clients that ask all the time, each over a connection that it keeps.

use crate::client::Kept;
use crate::support::message::Request;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// However busy the machine is.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Load {
    clients: Vec<JoinHandle<()>>,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    over: AtomicBool,
    served: AtomicUsize,
    refused: AtomicUsize,
    lost: AtomicUsize,
}

impl Load {
    /// Each of these requests is sent by a client of its own, over and over.
    pub(crate) fn of(requests: Vec<Request>, port: u16) -> Self {
        let shared = Arc::<Shared>::default();
        let client = |request| {
            let shared = shared.clone();
            thread::spawn(move || shared.ask(port, &request))
        };
        let clients = requests.into_iter().map(client).collect();
        Self { clients, shared }
    }

    /// Returns when so many more were served.
    pub(crate) fn goes_on(&self, count: usize) {
        let (start, before) = (Instant::now(), self.shared.served.load(Ordering::Relaxed));
        while self.shared.served.load(Ordering::Relaxed) < before + count {
            assert!(start.elapsed() < PATIENCE, "nobody is served any more");
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Ends it; every request must have been served. Returns how many there were.
    #[track_caller]
    pub(crate) fn lost_nothing(self) -> usize {
        self.shared.over.store(true, Ordering::Relaxed);
        for client in self.clients {
            client.join().expect("a client gets an answer");
        }
        let [served, refused, lost] = [&self.shared.served, &self.shared.refused, &self.shared.lost]
            .map(|count| count.load(Ordering::Relaxed));
        assert_eq!((refused, lost), (0, 0), "refused and lost, beside {served} served");
        served
    }
}

impl Shared {
    fn ask(&self, port: u16, request: &Request) {
        let mut connection = Kept::open(port);
        while !self.over.load(Ordering::Relaxed) {
            let count = match connection.ask(request) {
                Some(answer) if answer.seen.is_some() => &self.served,
                Some(_) => &self.refused,
                None => {
                    connection = Kept::open(port);
                    &self.lost
                }
            };
            count.fetch_add(1, Ordering::Relaxed);
        }
    }
}
