//! What a client speaks.

/// The protocol a client of the gateway understands answers in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// HTTP: the status and the body say everything.
    Http,
    /// gRPC: the status is in `grpc-status`, and there is no body. The proxy makes a trailers-only answer of what it is
    /// given: it sets `:status` 200 and the content type, and the body becomes `grpc-message`, escaped. One that does not
    /// sends the HTTP status and the body as they are, so a refusal never reads as a success.
    Grpc,
}

impl Dialect {
    /// The dialect of a request with this `content-type`: `application/grpc`, `application/grpc+proto` and the like are
    /// gRPC. The rule is the proxy's, who makes the answer: whatever it does not convert stays a whole HTTP answer. That
    /// goes for gRPC-Web (`application/grpc-web`), which browsers send, too.
    pub fn of(content_type: Option<&[u8]>) -> Self {
        let rest = content_type.and_then(|value| value.strip_prefix(b"application/grpc"));
        let is_grpc = rest.is_some_and(|rest| matches!(rest.first(), None | Some(b'+')));
        if is_grpc { Self::Grpc } else { Self::Http }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grpc_is_told_by_its_content_type() {
        for grpc in ["application/grpc", "application/grpc+proto", "application/grpc+json"] {
            assert_eq!(Dialect::of(Some(grpc.as_bytes())), Dialect::Grpc, "{grpc}");
        }
        for http in [
            "",
            "application/json",
            "application/grpc-web",
            "application/grpc-web+proto",
            "application/grpcx",
            "application/grpc;x=y",
            "Application/gRPC",
        ] {
            assert_eq!(Dialect::of(Some(http.as_bytes())), Dialect::Http, "{http}");
        }
        assert_eq!(Dialect::of(Some(b"application/\xff")), Dialect::Http);
        assert_eq!(Dialect::of(None), Dialect::Http);
    }
}
