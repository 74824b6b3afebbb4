//! Users and groups over HTTP (RFC 7644 §3): making, reading, replacing, changing, removing and looking for them.

use super::body::{self, LIMIT};
use super::failure::Failure;
use super::patch::Patch;
use super::query::Written;
use super::reply::{Conditions, Scim, not_modified};
use super::schema::ResourceType;
use super::selection::Selection;
use super::site::Site;
use super::{groups, listing, users};
use crate::directory::Directory;
use crate::directory::access::Caller;
use crate::directory::store::{Store, Write};
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{self, DefaultBodyLimit, Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use http::{HeaderMap, StatusCode};
use scim_v2::Context;
use serde_json::{Map, Value};
use sqlx::AnyConnection;

/// Who writes, and where.
pub(super) struct Writer<'a> {
    pub(super) site: &'a Site,
    pub(super) actor: &'a str,
}

/// Everything that a request says beside its body.
struct Request {
    site: Site,
    store: Store,
    conditions: Conditions,
    selection: Selection,
    actor: String,
}

type Body = Result<Bytes, BytesRejection>;
type Asked = Result<extract::Query<Written>, QueryRejection>;

pub(super) fn routes() -> Router<Directory> {
    let one = get(read).put(replace).patch(change).delete(remove);
    Router::new()
        .route("/.search", post(search_all))
        .route("/{endpoint}", get(list).post(create))
        .route("/{endpoint}/.search", post(search))
        .route("/{endpoint}/{id}", one)
        .layer(DefaultBodyLimit::max(LIMIT))
}

async fn list(
    State(store): State<Store>,
    site: Site,
    Path(endpoint): Path<String>,
    asked: Asked,
) -> Result<Scim, Failure> {
    let kind = ResourceType::at(&endpoint).ok_or_else(Failure::not_found)?;
    found(&store, &site, &[kind], query(asked)?).await
}

async fn search(
    State(store): State<Store>,
    site: Site,
    Path(endpoint): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Scim, Failure> {
    let kind = ResourceType::at(&endpoint).ok_or_else(Failure::not_found)?;
    found(&store, &site, &[kind], Written::of_search(body::read(&headers, body)?)?).await
}

async fn search_all(
    State(store): State<Store>,
    site: Site,
    headers: HeaderMap,
    body: Body,
) -> Result<Scim, Failure> {
    found(&store, &site, &ResourceType::ALL, Written::of_search(body::read(&headers, body)?)?).await
}

async fn found(store: &Store, site: &Site, kinds: &[ResourceType], asked: Written) -> Result<Scim, Failure> {
    let query = asked.meant(kinds)?;
    let mut snapshot = store.snapshot().await?;
    listing::list(&mut snapshot, site, kinds, &query).await.map(Scim::ok)
}

async fn read(
    State(store): State<Store>,
    site: Site,
    Path((endpoint, id)): Path<(String, String)>,
    headers: HeaderMap,
    asked: Asked,
) -> Result<Response, Failure> {
    let kind = ResourceType::at(&endpoint).ok_or_else(Failure::not_found)?;
    let selection = query(asked)?.selection()?;
    let mut snapshot = store.snapshot().await?;
    let resource = one(&mut snapshot, &site, kind, &id, &selection).await?.ok_or_else(Failure::not_found)?;
    let version = version(&resource);
    if Conditions::of(&headers).has(&version) {
        return Ok(not_modified(&version));
    }
    let shown = selection.of_resource(kind, resource);
    Ok(Scim::resource(StatusCode::OK, version, shown).into_response())
}

async fn create(
    State(store): State<Store>,
    Extension(caller): Extension<Caller>,
    site: Site,
    Path(endpoint): Path<String>,
    headers: HeaderMap,
    asked: Asked,
    body: Body,
) -> Result<Scim, Failure> {
    let kind = ResourceType::at(&endpoint).ok_or_else(Failure::not_found)?;
    let resource = body::resource(kind, body::read(&headers, body)?, &Map::new(), Context::CreateRequest)?;
    let request = Request::of(store, site, &headers, asked, caller)?;
    let mut write = request.store.write().await?;
    let id = match kind {
        ResourceType::User => users::create(&mut write, &request.writer(), resource).await?,
        ResourceType::Group => groups::create(&mut write, &request.writer(), resource).await?,
    };
    let location = request.site.location(kind.endpoint(), &id);
    Ok(request.answer(write, kind, &id, StatusCode::CREATED).await?.at(location))
}

async fn replace(
    State(store): State<Store>,
    Extension(caller): Extension<Caller>,
    site: Site,
    Path((endpoint, id)): Path<(String, String)>,
    headers: HeaderMap,
    asked: Asked,
    body: Body,
) -> Result<Scim, Failure> {
    let kind = ResourceType::at(&endpoint).ok_or_else(Failure::not_found)?;
    let whole = body::read(&headers, body)?;
    let request = Request::of(store, site, &headers, asked, caller)?;
    let mut write = request.store.write().await?;
    let before = request.checked(&mut write, kind, &id).await?;
    let resource = body::resource(kind, whole, &before, Context::ReplaceRequest)?;
    request.put(&mut write, kind, &id, resource).await?;
    request.answer(write, kind, &id, StatusCode::OK).await
}

async fn change(
    State(store): State<Store>,
    Extension(caller): Extension<Caller>,
    site: Site,
    Path((endpoint, id)): Path<(String, String)>,
    headers: HeaderMap,
    asked: Asked,
    body: Body,
) -> Result<Scim, Failure> {
    let kind = ResourceType::at(&endpoint).ok_or_else(Failure::not_found)?;
    let patch = Patch::read(body::read(&headers, body)?)?;
    let request = Request::of(store, site, &headers, asked, caller)?;
    let mut write = request.store.write().await?;
    let before = request.checked(&mut write, kind, &id).await?;
    let mut resource = before.clone();
    patch.apply(kind, &mut resource)?;
    // An extension that came or went is named or not, whatever the client did about it.
    let extensions = kind.extensions().into_iter().map(|schema| schema.urn);
    let named: Vec<_> = extensions.filter(|urn| resource.contains_key(*urn)).collect();
    let schemas = std::iter::once(kind.schema().urn).chain(named).collect();
    resource.insert("schemas".to_owned(), schemas);
    let resource = body::resource(kind, resource.into(), &before, Context::ReplaceRequest)?;
    request.put(&mut write, kind, &id, resource).await?;
    request.answer(write, kind, &id, StatusCode::OK).await
}

async fn remove(
    State(store): State<Store>,
    Extension(caller): Extension<Caller>,
    site: Site,
    Path((endpoint, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<StatusCode, Failure> {
    let kind = ResourceType::at(&endpoint).ok_or_else(Failure::not_found)?;
    let request = Request::of(store, site, &headers, Ok(extract::Query(Written::default())), caller)?;
    let mut write = request.store.write().await?;
    request.checked(&mut write, kind, &id).await?;
    match kind {
        ResourceType::User => users::depart(&mut write, &request.writer(), &id).await?,
        ResourceType::Group => groups::remove(&mut write, &request.writer(), &id).await?,
    }
    write.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

fn query(asked: Asked) -> Result<Written, Failure> {
    let wrong = |_| Failure::value("query", "startIndex and count are numbers, and nothing is there twice");
    asked.map(|extract::Query(written)| written).map_err(wrong)
}

async fn one(
    database: &mut AnyConnection,
    site: &Site,
    kind: ResourceType,
    id: &str,
    selection: &Selection,
) -> Result<Option<Map<String, Value>>, Failure> {
    Ok(match kind {
        ResourceType::User => users::one(database, site, id).await?,
        ResourceType::Group => groups::one(database, site, id, selection.shows(kind, "members")).await?,
    })
}

fn version(resource: &Map<String, Value>) -> String {
    let version = resource.get("meta").and_then(|meta| meta.get("version"));
    version.and_then(Value::as_str).unwrap_or_default().to_owned()
}

impl Request {
    fn of(
        store: Store,
        site: Site,
        headers: &HeaderMap,
        asked: Asked,
        caller: Caller,
    ) -> Result<Self, Failure> {
        let selection = query(asked)?.selection()?;
        Ok(Self { site, store, conditions: Conditions::of(headers), selection, actor: caller.name })
    }

    fn writer(&self) -> Writer<'_> {
        Writer { site: &self.site, actor: &self.actor }
    }

    /// The resource as it is, if the client may change this version of it.
    async fn checked(
        &self,
        write: &mut Write,
        kind: ResourceType,
        id: &str,
    ) -> Result<Map<String, Value>, Failure> {
        let found = one(write, &self.site, kind, id, &Selection::All).await?;
        let resource = found.ok_or_else(Failure::not_found)?;
        self.conditions.allow_change(&version(&resource))?;
        Ok(resource)
    }

    async fn put(
        &self,
        write: &mut Write,
        kind: ResourceType,
        id: &str,
        resource: Map<String, Value>,
    ) -> Result<(), Failure> {
        match kind {
            ResourceType::User => {
                let before = users::find(write, id).await?.ok_or_else(Failure::not_found)?;
                users::change(write, &self.writer(), &before, resource).await
            }
            ResourceType::Group => {
                let before = groups::find(write, id).await?.ok_or_else(Failure::not_found)?;
                groups::change(write, &self.writer(), &before, resource).await
            }
        }
    }

    /// Makes it happen, and shows what became of it.
    async fn answer(
        &self,
        mut write: Write,
        kind: ResourceType,
        id: &str,
        status: StatusCode,
    ) -> Result<Scim, Failure> {
        let resource = one(&mut write, &self.site, kind, id, &self.selection).await?;
        write.commit().await?;
        let resource = resource.ok_or_else(Failure::not_found)?;
        let version = version(&resource);
        Ok(Scim::resource(status, version, self.selection.of_resource(kind, resource)))
    }
}
