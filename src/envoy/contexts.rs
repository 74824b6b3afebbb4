//! The SDK's contexts: one root per plugin configuration and worker, one stream per request. They translate and hold
//! nothing but a [`Filter`].

use super::callbacks::Callbacks;
use super::host::{self, Proxy};
use super::signature::ProxySignatures;
use crate::config::{Surroundings, compile};
use crate::domain::Ticket;
use crate::filter::{CallToken, Filter, Flow, Level, Removal};
use crate::token::Crypto;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, BufferType, ContextType};
use std::rc::Rc;

/// What an operator is to know of a proxy older than Envoy 1.30, or of one that does not let its modules ask.
const WITHOUT_HOST: &str = "the proxy does not check signatures for its modules: a new token costs milliseconds, \
     and ES512 is not supported";

/// One configuration of the plugin in one worker. Two of them may live in one VM (an update, another listener), so
/// nothing is kept outside of it.
#[derive(Default)]
pub(super) struct Root {
    /// Absent until the plugin is configured; without it no request is let through.
    filter: Option<Rc<Filter<Proxy>>>,
    callbacks: Rc<Callbacks>,
}

impl RootContext for Root {
    fn on_configure(&mut self, size: usize) -> bool {
        let bytes = host::buffer(BufferType::PluginConfiguration, size);
        let text = String::from_utf8_lossy(&bytes);
        let crypto = Crypto::by_host::<ProxySignatures>();
        if !crypto.asks_host() {
            host::log(Level::Warn, WITHOUT_HOST);
        }
        let surroundings = Surroundings { env: &host::environment, node: &host::node(), crypto };
        match compile(&text, &surroundings) {
            Ok(policy) => {
                let filter = Filter::new(Proxy::watching(&self.callbacks), policy, host::nonce());
                filter.on_start();
                self.callbacks.configured();
                self.filter = Some(Rc::new(filter));
                true
            }
            Err(problems) => {
                host::log(
                    Level::Error,
                    &format!("the configuration is refused: {} problem(s)", problems.len()),
                );
                for problem in problems {
                    host::log(Level::Error, &problem.to_string());
                }
                false
            }
        }
    }

    fn on_tick(&mut self) {
        self.callbacks.ticked();
        if let Some(filter) = &self.filter {
            filter.on_tick();
        }
    }

    fn create_http_context(&self, context_id: u32) -> Option<Box<dyn HttpContext>> {
        if self.filter.is_none() {
            self.callbacks.begins_unconfigured();
        } else if !self.callbacks.begins() {
            host::respond_unusable();
        }
        let (filter, callbacks) = (self.filter.clone(), self.callbacks.clone());
        Some(Box::new(Stream { id: context_id, filter, callbacks }))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

impl Context for Root {
    fn on_http_call_response(&mut self, token: u32, headers: usize, body: usize, _trailers: usize) {
        self.callbacks.replied();
        if let Some(filter) = &self.filter {
            filter.on_reply(None, CallToken(token), &host::reply(headers, body));
        }
    }

    fn on_done(&mut self) -> bool {
        match self.filter.as_ref().map(|filter| filter.on_removal()) {
            Some(Removal::Flushing) => false,
            Some(Removal::Done) | None => true,
        }
    }
}

/// One request.
struct Stream {
    id: u32,
    /// Absent without a configuration, and once the request is over.
    filter: Option<Rc<Filter<Proxy>>>,
    callbacks: Rc<Callbacks>,
}

impl Stream {
    fn end(&mut self) {
        if let Some(filter) = self.filter.take() {
            filter.on_end(Ticket(self.id));
        }
    }
}

/// The SDK drops it in `proxy_on_delete`.
impl Drop for Stream {
    fn drop(&mut self) {
        self.callbacks.deleted();
        self.end();
    }
}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _headers: usize, _end_of_stream: bool) -> Action {
        self.callbacks.shows_headers();
        match self.filter.as_ref().map(|filter| filter.on_request(Ticket(self.id))) {
            Some(Flow::Continue) => Action::Continue,
            Some(Flow::Pause) => Action::Pause,
            None => {
                host::respond_unusable();
                Action::Pause
            }
        }
    }

    fn on_http_request_trailers(&mut self, _trailers: usize) -> Action {
        if let Some(filter) = &self.filter {
            filter.on_request_trailers();
        }
        Action::Continue
    }
}

impl Context for Stream {
    fn on_http_call_response(&mut self, token: u32, headers: usize, body: usize, _trailers: usize) {
        self.callbacks.replied();
        if let Some(filter) = &self.filter {
            filter.on_reply(Some(Ticket(self.id)), CallToken(token), &host::reply(headers, body));
        }
    }

    fn on_done(&mut self) -> bool {
        self.callbacks.done();
        self.end();
        true
    }
}
