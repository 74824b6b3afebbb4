//! A filter that reads the header with the token and replaces three, and nothing else: the least that a filter with
//! firstsight's task has to do for a request.
#![cfg(target_os = "wasi")]

use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType, MapType};

/// As long as those that firstsight writes.
const HEADERS: [(&str, &str); 3] = [
    ("x-user-id", "6f1c0f0e-53a1-4b8e-9d3b-000000000000"),
    ("x-user-email", "person-0@example.com"),
    ("x-account-id", "0199a3b4-7c1e-7d8f-9a2b-3c4d5e6f7081"),
];

mod entry {
    proxy_wasm::main! {{
        proxy_wasm::set_root_context(|_| Box::new(super::Root));
    }}
}

struct Root;

impl Context for Root {}

impl RootContext for Root {
    fn create_http_context(&self, _context_id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Stream))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

struct Stream;

impl Context for Stream {}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _headers: usize, _end_of_stream: bool) -> Action {
        let token = hostcalls::get_map_value_bytes(MapType::HttpRequestHeaders, "authorization");
        if !matches!(token, Ok(Some(_))) {
            let _ = hostcalls::send_http_response(401, Vec::new(), None);
            return Action::Pause;
        }
        for (name, value) in HEADERS {
            let _ = hostcalls::set_map_value(MapType::HttpRequestHeaders, name, Some(value));
        }
        Action::Continue
    }
}
