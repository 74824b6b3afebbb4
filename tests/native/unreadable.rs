//! Headers that a proxy cannot hand over.

use crate::host::FakeProxy;
use crate::support::config::usual;
use crate::support::message::get;
use crate::support::world::Upstreams;
use crate::worker::configured;
use crate::world::BEGINNING;
use firstsight::filter::Flow;
use serde_json::json;

#[test]
fn a_request_whose_headers_cannot_be_read_goes_nowhere_whatever_the_mode_and_the_route() {
    let open = usual().set("/mode", json!("report")).set("/routes", json!([{"access": "public"}]));
    let proxy = FakeProxy::new(Upstreams::default(), BEGINNING);
    let filter = configured(&proxy, &open, 1).unwrap_or_else(|problems| panic!("{problems}"));
    let spoofed = get("/").header("x-user-id", "admin-0815");
    let stream = proxy.0.borrow_mut().accept(&spoofed);
    proxy.0.borrow_mut().unreadable = true;
    let flow = proxy.within(Some(stream), || filter.on_request(stream));
    assert_eq!(flow, Flow::Pause);
    let (_, answer) = proxy.0.borrow_mut().take_finished().expect("it is answered");
    answer.refused(400, "request-unreadable");
}
