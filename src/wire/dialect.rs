//! What a client speaks.

/// The protocol a client of the gateway understands answers in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// HTTP: the status and the body say everything.
    Http,
    /// gRPC: the status is in `grpc-status`, and there is no body. The proxy makes a trailers-only answer of what it is
    /// given: it sets `:status` 200 and the content type, and the body becomes `grpc-message`, escaped.
    Grpc,
}

impl Dialect {
    /// The dialect of a request with this `content-type`: `application/grpc`, `application/grpc+proto` and the like are
    /// gRPC. gRPC-Web (`application/grpc-web`) is what a browser sends; its answers are HTTP's.
    pub fn of(content_type: Option<&[u8]>) -> Self {
        const GRPC: &[u8] = b"application/grpc";
        let is_grpc =
            content_type.and_then(|value| value.split_at_checked(GRPC.len())).is_some_and(|(start, rest)| {
                start.eq_ignore_ascii_case(GRPC) && matches!(rest.first(), None | Some(b'+' | b';'))
            });
        if is_grpc { Self::Grpc } else { Self::Http }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grpc_is_told_by_its_content_type() {
        for grpc in [
            "application/grpc",
            "application/grpc+proto",
            "application/grpc;charset=utf-8",
            "Application/gRPC",
        ] {
            assert_eq!(Dialect::of(Some(grpc.as_bytes())), Dialect::Grpc, "{grpc}");
        }
        for http in [
            "",
            "application/json",
            "application/grpc-web",
            "application/grpc-web+proto",
            "application/grpcx",
        ] {
            assert_eq!(Dialect::of(Some(http.as_bytes())), Dialect::Http, "{http}");
        }
        assert_eq!(Dialect::of(Some(b"application/\xff\xff\xff\xff\xff")), Dialect::Http);
        assert_eq!(Dialect::of(None), Dialect::Http);
    }
}
