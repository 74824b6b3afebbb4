//! firstsight: a Proxy-Wasm filter that verifies OIDC tokens, provisions a subject the first time it is sighted,
//! reports when it was last seen, and refuses it once it has departed.
//!
//! The house has floors. A module imports from floors below its own, never from a neighbour or from above; the test
//! `tests/native/tidy.rs` holds this table to the code.
//!
//! | floor | module    | knows                                                                          |
//! |-------|-----------|--------------------------------------------------------------------------------|
//! | 0     | `domain`  | the words: subject, identity, HTTP as plain values, verdict, time              |
//! | 1     | `route`   | which of the operator's rules a request falls under                            |
//! | 1     | `token`   | bearer bytes become verified Claims                                            |
//! | 1     | `wire`    | what is exchanged with clients, issuers and the directory, as text             |
//! | 2     | `mapping` | Claims become an Identity                                                      |
//! | 3     | `config`  | the operator's Document becomes a Policy, or a list of Problems                |
//! | 3     | `memory`  | what is remembered, and its bounds                                             |
//! | 4     | `gate`    | the decision: a pure state machine                                             |
//! | 5     | `filter`  | drives a Gate over any Host                                                    |
//! | 6     | `envoy`   | the Host that is a Proxy-Wasm proxy; the only place that names the SDK         |
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::string_slice,
        clippy::unreachable
    )
)]

pub mod domain;

pub mod route;
pub mod token;
pub mod wire;

pub mod mapping;

pub mod config;
pub mod memory;

pub mod gate;

pub mod filter;

#[cfg(target_os = "wasi")]
pub mod envoy;
