//! Trailers, which the scenarios' clients do not send.

use crate::host::FakeProxy;
use crate::support::config::usual;
use crate::support::world::Upstreams;
use crate::worker::configured;
use crate::world::BEGINNING;
use firstsight::domain::Ticket;

#[test]
fn managed_names_are_removed_from_trailers_too() {
    let proxy = FakeProxy::new(Upstreams::default(), BEGINNING);
    let filter = configured(&proxy, &usual(), 1).unwrap_or_else(|problems| panic!("{problems}"));
    let trailers = ["x-user-id", "x_user_id", "grpc-status", "x-account-id", "x-other"];
    proxy.0.borrow_mut().trailers = trailers.map(str::to_owned).to_vec();
    proxy.within(Some(Ticket(2)), || filter.on_request_trailers());
    assert_eq!(proxy.0.borrow().trailers, ["grpc-status", "x-other"]);
}
