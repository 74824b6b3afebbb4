//! The application behind the proxy: it answers with the request that it saw.

use crate::support::behaviour::{Behaviour, Heard, Upstream};
use crate::support::switch::Switch;

/// The header that marks its answers.
pub(crate) const MARK: &str = "x-application";

#[derive(Default)]
pub(crate) struct App(Switch);

impl Upstream for App {
    fn hear(&self, heard: &Heard) -> Behaviour {
        let mut body = format!("{} {} HTTP/1.1\r\n", heard.method, heard.path).into_bytes();
        for (name, value) in &heard.headers {
            body.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
        }
        body.extend(b"\r\n");
        body.extend(&heard.body);
        Behaviour::text(200, body).with_header(MARK, b"yes")
    }

    fn switch(&self) -> &Switch {
        &self.0
    }
}
