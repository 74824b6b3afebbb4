//! The signature algorithms accepted here (RFC 7518 §3.1, RFC 8037 §3.1).

macro_rules! algorithms {
    ($($name:ident)+) => {
        /// A signature algorithm accepted here: asymmetric ones only, as a secret that every gateway holds is no proof of
        /// who signed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[expect(missing_docs, reason = "the names are the registry's")]
        pub enum Algorithm { $($name,)+ }

        /// Every algorithm there is, in the order they are written in configuration messages.
        pub const ALGORITHMS: &[Algorithm] = &[$(Algorithm::$name,)+];

        impl Algorithm {
            /// The name as it stands in `alg`.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)+ }
            }
        }
    };
}

algorithms! { RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA }

impl Algorithm {
    /// The same for jsonwebtoken, which does not know ES512.
    pub(super) const fn in_jsonwebtoken(self) -> Option<jsonwebtoken::Algorithm> {
        use jsonwebtoken::Algorithm as Theirs;
        Some(match self {
            Self::RS256 => Theirs::RS256,
            Self::RS384 => Theirs::RS384,
            Self::RS512 => Theirs::RS512,
            Self::PS256 => Theirs::PS256,
            Self::PS384 => Theirs::PS384,
            Self::PS512 => Theirs::PS512,
            Self::ES256 => Theirs::ES256,
            Self::ES384 => Theirs::ES384,
            Self::EdDSA => Theirs::EdDSA,
            Self::ES512 => return None,
        })
    }
}

impl std::str::FromStr for Algorithm {
    type Err = ();

    /// Exact, case-sensitive names (RFC 7515 §4.1.1).
    fn from_str(text: &str) -> Result<Self, ()> {
        ALGORITHMS.iter().copied().find(|algorithm| algorithm.name() == text).ok_or(())
    }
}
