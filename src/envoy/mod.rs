//! The Host that is a Proxy-Wasm proxy (ABI 0.2.1, as Envoy speaks it), and the entry points the proxy calls. The only
//! module that names the SDK, and the only one with a clock and an environment.

#[cfg(feature = "module")]
mod callbacks;
#[cfg(feature = "module")]
mod contexts;
#[cfg(feature = "module")]
mod entry;
#[cfg(feature = "module")]
mod host;
mod signature;

pub use signature::ProxySignatures;
