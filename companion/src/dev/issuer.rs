//! An OpenID issuer: discovery, keys, client credentials, rotation, and a token for whoever asks. Its keys live as long
//! as the process.

use crate::{clock, server};
use axum::extract::rejection::FormRejection;
use axum::extract::{Form, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::{Engine, engine::general_purpose::STANDARD};
use firstsight_testkit::{Algorithm, TestIssuer};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::error::Error;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How the issuer is run.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Address and port to listen on; port 0 takes any that is free.
    #[arg(long, default_value = "127.0.0.1:9000")]
    listen: SocketAddr,
    /// The issuer's URL, exactly; by default http:// and the address. Its documents are below its path.
    #[arg(long)]
    issuer: Option<String>,
    /// What it signs with: RS256, PS256, ES256, ES384 or EdDSA.
    #[arg(long, default_value = "ES256")]
    algorithm: Algorithm,
    /// A client that may ask for tokens of its own, as ID=SECRET; may be given more than once.
    #[arg(long = "client", value_parser = client)]
    clients: Vec<(String, String)>,
}

/// The audience of a token that nobody named one for.
const AUDIENCE: &str = "orders-api";

#[derive(Clone)]
struct Shared {
    issuer: Arc<Mutex<TestIssuer>>,
    clients: Arc<HashMap<String, String>>,
}

impl Shared {
    fn issuer(&self) -> MutexGuard<'_, TestIssuer> {
        self.issuer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn client(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').ok_or("write ID=SECRET")?;
    Ok((pair.0.to_owned(), pair.1.to_owned()))
}

pub(super) async fn run(options: Options) -> Result<(), Box<dyn Error>> {
    tracing::warn!("this issuer gives anybody any token; it is for demos and tests only");
    let listener = server::listen(options.listen).await?;
    let url = match options.issuer {
        Some(url) => url,
        None => format!("http://{}", listener.local_addr()?),
    };
    let shared = Shared {
        issuer: Arc::new(Mutex::new(TestIssuer::new(&url, options.algorithm))),
        clients: Arc::new(options.clients.into_iter().collect()),
    };
    let path = url.parse::<http::Uri>().map_err(|error| format!("`{url}` is no URL: {error}"))?;
    let path = path.path().trim_end_matches('/');
    let app = Router::new()
        .route(&format!("{path}/.well-known/openid-configuration"), get(discovery))
        .route(&format!("{path}/jwks"), get(jwks))
        .route(&format!("{path}/token"), post(client_credentials))
        .route("/dev/token", post(any_token))
        .route("/dev/rotate", post(rotate))
        .with_state(shared);
    Ok(server::serve(listener, app, server::Terms::default(), |_| ()).await?)
}

async fn discovery(State(shared): State<Shared>) -> Json<Value> {
    Json(shared.issuer().discovery())
}

async fn jwks(State(shared): State<Shared>) -> impl IntoResponse {
    ([(header::CACHE_CONTROL, "public, max-age=300")], Json(shared.issuer().jwks()))
}

/// The form of a token request (RFC 6749 §4.4.2); the client may authenticate here or by Basic (§2.3.1).
#[derive(Deserialize)]
struct TokenRequest {
    grant_type: String,
    client_id: Option<String>,
    client_secret: Option<String>,
    audience: Option<String>,
    resource: Option<String>,
    scope: Option<String>,
}

async fn client_credentials(
    State(shared): State<Shared>,
    headers: HeaderMap,
    request: Result<Form<TokenRequest>, FormRejection>,
) -> Response {
    let Ok(Form(request)) = request else {
        return refused(StatusCode::BAD_REQUEST, "invalid_request");
    };
    if request.grant_type != "client_credentials" {
        return refused(StatusCode::BAD_REQUEST, "unsupported_grant_type");
    }
    let credentials = basic(&headers).or_else(|| request.client_id.zip(request.client_secret));
    let Some((id, _)) = credentials.filter(|(id, secret)| shared.clients.get(id) == Some(secret)) else {
        return refused(StatusCode::UNAUTHORIZED, "invalid_client");
    };
    let audience = request.audience.or(request.resource).unwrap_or_else(|| AUDIENCE.to_owned());
    let claims = json!({"client_id": id, "scope": request.scope});
    let token = shared.issuer().access_token(&id, &audience, clock::now().as_millis() / 1000, claims);
    let answer = json!({"access_token": token, "token_type": "Bearer", "expires_in": 3600});
    ([(header::CACHE_CONTROL, "no-store")], Json(answer)).into_response()
}

/// A token request that fails (RFC 6749 §5.2).
fn refused(status: StatusCode, error: &str) -> Response {
    let mut response = (status, Json(json!({"error": error}))).into_response();
    if status == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic"));
    }
    response
}

/// Client id and secret, each form-encoded before they were joined (RFC 6749 §2.3.1).
fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let encoded = headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Basic ")?;
    let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    let decoded = |part: &str| percent_decode_str(part).decode_utf8().ok().map(|text| text.into_owned());
    Some((decoded(id)?, decoded(secret)?))
}

/// Signs the claims that were sent; `iss`, `sub`, `aud`, `iat`, `exp` and `jti` are filled in unless they are there, and
/// `null` leaves one out.
async fn any_token(State(shared): State<Shared>, Json(claims): Json<Value>) -> Json<Value> {
    let token = shared.issuer().access_token("somebody", AUDIENCE, clock::now().as_millis() / 1000, claims);
    Json(json!({"access_token": token, "token_type": "Bearer", "expires_in": 3600}))
}

/// Whether the old keys stay published.
#[derive(Deserialize)]
struct Rotation {
    keep: Option<String>,
}

async fn rotate(State(shared): State<Shared>, Query(rotation): Query<Rotation>) -> Json<Value> {
    let mut issuer = shared.issuer();
    issuer.rotate(rotation.keep.is_some());
    Json(json!({"kid": issuer.key().kid()}))
}
