//! The Host that is a Proxy-Wasm proxy (ABI 0.2.1, as Envoy speaks it), and the entry points the proxy calls. The only
//! module that names the SDK, and the only one with a clock and an environment.

mod contexts;
mod host;
mod signature;

use contexts::Root;
use proxy_wasm::traits::RootContext;
use proxy_wasm::types::LogLevel;

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Info);
    proxy_wasm::set_root_context(|_| -> Box<dyn RootContext> { Box::new(Root::default()) });
}}
