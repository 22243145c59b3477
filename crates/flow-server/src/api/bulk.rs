//! Many things made, changed or deleted by one request, as Airflow has it: all in one transaction. An action that is
//! refused is told in the answer, and the others go on.

use std::{collections::BTreeSet, future::Future};

use flow_store::{Signal, StoreError, Tx};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::{
    ApiError, App,
    said::{Words, count, said},
};

/// Longest note.
const NOTE_CHARS_MAX: usize = 1_000;

/// Something that can be handled in bulk. `check`, `put` and `change` get it as the request has it.
pub(crate) trait Entity: Send + Sync + Sized {
    /// `variables`
    const MANY: &'static str;
    /// What they are told apart by: `keys`
    const BY: &'static str;

    fn id(&self) -> &str;

    /// Says what is wrong with it. `place`: where it stands in the request.
    fn check(&self, place: &[&str]) -> Result<(), ApiError>;

    /// Keeps others from changing them, before any is looked at.
    fn lock(_tx: &mut Tx) -> impl Future<Output = Result<(), StoreError>> + Send {
        std::future::ready(Ok(()))
    }

    fn exists(tx: &mut Tx, id: &str) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Makes it, or writes it over the one that is there.
    fn put(&self, tx: &mut Tx) -> impl Future<Output = Result<(), ApiError>> + Send;

    /// Changes the one that is there. `mask`: only these fields; empty = those that were given.
    fn change(&self, tx: &mut Tx, mask: &[String]) -> impl Future<Output = Result<(), ApiError>> + Send;

    fn remove(tx: &mut Tx, id: &str) -> impl Future<Output = Result<(), ApiError>> + Send;
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BulkBody<T> {
    pub(crate) actions: Vec<BulkAction<T>>,
}

/// Most things of a request.
const ENTITIES_MAX: usize = 1_000;

impl<T> BulkBody<T> {
    /// Refuses too much at once.
    pub(crate) fn check_size(&self) -> Result<(), ApiError> {
        let number: usize = self.actions.iter().map(BulkAction::len).sum();
        if number > ENTITIES_MAX || self.actions.len() > ENTITIES_MAX {
            return Err(ApiError::invalid(&["body", "actions"], format!("at most {ENTITIES_MAX} entities at once")));
        }
        Ok(())
    }
}

#[derive(Deserialize, ToSchema)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum BulkAction<T> {
    Create {
        entities: Vec<T>,
        #[serde(default)]
        action_on_existence: BulkActionOnExistence,
    },
    Update {
        entities: Vec<T>,
        /// Only these fields
        #[serde(default)]
        update_mask: Option<Vec<String>>,
        #[serde(default)]
        action_on_non_existence: BulkActionNotOnExistence,
    },
    Delete {
        entities: Vec<Named<T>>,
        #[serde(default)]
        action_on_non_existence: BulkActionNotOnExistence,
    },
}

impl<T> BulkAction<T> {
    /// Returns how many things it names.
    fn len(&self) -> usize {
        match self {
            Self::Create { entities, .. } | Self::Update { entities, .. } => entities.len(),
            Self::Delete { entities, .. } => entities.len(),
        }
    }
}

/// A name, or the whole of which only the name counts.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum Named<T> {
    Name(String),
    Whole(T),
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum BulkActionOnExistence {
    #[default]
    Fail,
    Skip,
    Overwrite,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum BulkActionNotOnExistence {
    #[default]
    Fail,
    Skip,
}

/// What became of the actions; null = there was none of the kind
#[derive(Default, Serialize, ToSchema)]
pub(crate) struct BulkResponse {
    pub(crate) create: Option<BulkActionResponse>,
    pub(crate) update: Option<BulkActionResponse>,
    pub(crate) delete: Option<BulkActionResponse>,
}

#[derive(Default, Serialize, ToSchema)]
pub(crate) struct BulkActionResponse {
    /// Names of those that it was done to
    pub(crate) success: Vec<String>,
    /// `error` and `status_code` of what was refused
    #[schema(value_type = Vec<std::collections::HashMap<String, Value>>)]
    errors: Vec<Value>,
}

/// An answer, and what it says in the audit log.
pub(crate) type BulkDone = (Words, axum::Json<BulkResponse>);

impl BulkResponse {
    /// "changed 3 task instances, refused 1"
    pub(crate) fn done(self, what: &str) -> BulkDone {
        let kinds = [("made", &self.create), ("changed", &self.update), ("deleted", &self.delete)];
        let mut words: Vec<String> = kinds
            .into_iter()
            .filter_map(|(verb, kind)| Some((verb, kind.as_ref()?.success.len())))
            .filter(|(_, number)| *number > 0)
            .map(|(verb, number)| format!("{verb} {}", count(number, what)))
            .collect();
        let all = [&self.create, &self.update, &self.delete];
        let refused: usize = all.into_iter().flatten().map(|kind| kind.errors.len()).sum();
        if refused > 0 {
            words.push(format!("refused {refused}"));
        }
        let words = if words.is_empty() { format!("changed no {what}") } else { words.join(", ") };
        (said(words), axum::Json(self))
    }
}

impl BulkActionResponse {
    /// Keeps a refusal; what is wrong with the database ends the whole request.
    pub(crate) fn refused(&mut self, error: ApiError) -> Result<(), ApiError> {
        if error.status().is_server_error() {
            return Err(error);
        }
        let text = error.detail().as_str().map_or_else(|| error.detail().to_string(), str::to_owned);
        self.errors.push(json!({ "error": text, "status_code": error.status().as_u16() }));
        Ok(())
    }
}

/// Does all of it.
///
/// # Errors
///
/// When a thing makes no sense in itself, there are too many, or the database fails; then nothing has happened.
pub(crate) async fn run<T: Entity>(app: &App, body: BulkBody<T>) -> Result<BulkResponse, ApiError> {
    body.check_size()?;
    for (at, action) in body.actions.iter().enumerate() {
        let entities = match action {
            BulkAction::Create { entities, .. } | BulkAction::Update { entities, .. } => entities,
            BulkAction::Delete { .. } => continue,
        };
        for (index, entity) in entities.iter().enumerate() {
            entity.check(&["body", "actions", &at.to_string(), "entities", &index.to_string()])?;
        }
    }
    let mut response = BulkResponse::default();
    let mut tx = app.store.begin().await?;
    T::lock(&mut tx).await?;
    for action in body.actions {
        match action {
            BulkAction::Create { entities, action_on_existence } => {
                let done = response.create.get_or_insert_default();
                create(&mut tx, &entities, action_on_existence, done).await?;
            }
            BulkAction::Update { entities, update_mask, action_on_non_existence } => {
                let done = response.update.get_or_insert_default();
                let mask = update_mask.unwrap_or_default();
                update(&mut tx, &entities, &mask, action_on_non_existence, done).await?;
            }
            BulkAction::Delete { entities, action_on_non_existence } => {
                let done = response.delete.get_or_insert_default();
                delete::<T>(&mut tx, entities, action_on_non_existence, done).await?;
            }
        }
    }
    tx.announce(Signal::Look).await?;
    tx.commit().await?;
    Ok(response)
}

async fn create<T: Entity>(
    tx: &mut Tx,
    entities: &[T],
    on_existence: BulkActionOnExistence,
    done: &mut BulkActionResponse,
) -> Result<(), ApiError> {
    let known = existing::<T>(tx, entities.iter().map(T::id)).await?;
    if on_existence == BulkActionOnExistence::Fail && !known.is_empty() {
        let detail = format!("The {} with these {}: {} already exist.", T::MANY, T::BY, set(&known));
        return done.refused(ApiError::conflict(detail));
    }
    for entity in entities {
        if on_existence == BulkActionOnExistence::Skip && known.contains(entity.id()) {
            continue;
        }
        match entity.put(tx).await {
            Ok(()) => done.success.push(entity.id().to_owned()),
            Err(error) => return done.refused(error),
        }
    }
    Ok(())
}

async fn update<T: Entity>(
    tx: &mut Tx,
    entities: &[T],
    mask: &[String],
    on_non_existence: BulkActionNotOnExistence,
    done: &mut BulkActionResponse,
) -> Result<(), ApiError> {
    let known = existing::<T>(tx, entities.iter().map(T::id)).await?;
    let missing: BTreeSet<String> =
        entities.iter().map(T::id).filter(|id| !known.contains(*id)).map(str::to_owned).collect();
    if on_non_existence == BulkActionNotOnExistence::Fail && !missing.is_empty() {
        return done.refused(not_found::<T>(&missing));
    }
    for entity in entities.iter().filter(|entity| known.contains(entity.id())) {
        match entity.change(tx, mask).await {
            Ok(()) => done.success.push(entity.id().to_owned()),
            Err(error) => return done.refused(error),
        }
    }
    Ok(())
}

async fn delete<T: Entity>(
    tx: &mut Tx,
    entities: Vec<Named<T>>,
    on_non_existence: BulkActionNotOnExistence,
    done: &mut BulkActionResponse,
) -> Result<(), ApiError> {
    let ids: BTreeSet<String> = entities
        .into_iter()
        .map(|named| match named {
            Named::Name(name) => name,
            Named::Whole(entity) => entity.id().to_owned(),
        })
        .collect();
    let known = existing::<T>(tx, ids.iter().map(String::as_str)).await?;
    let missing: BTreeSet<String> = ids.difference(&known).cloned().collect();
    if on_non_existence == BulkActionNotOnExistence::Fail && !missing.is_empty() {
        return done.refused(not_found::<T>(&missing));
    }
    for id in known {
        match T::remove(tx, &id).await {
            Ok(()) => done.success.push(id),
            Err(error) => return done.refused(error),
        }
    }
    Ok(())
}

fn not_found<T: Entity>(ids: &BTreeSet<String>) -> ApiError {
    let detail = format!("The {} with these {}: {} were not found.", T::MANY, T::BY, set(ids));
    ApiError::new(axum::http::StatusCode::NOT_FOUND, detail)
}

async fn existing<T: Entity>(
    tx: &mut Tx,
    ids: impl Iterator<Item = &str> + Send,
) -> Result<BTreeSet<String>, ApiError> {
    let ids: BTreeSet<&str> = ids.collect();
    let mut found = BTreeSet::new();
    for id in ids {
        // No name holds NUL, and Postgres would refuse to look.
        if !id.contains('\0') && T::exists(tx, id).await? {
            found.insert(id.to_owned());
        }
    }
    Ok(found)
}

/// `{'a', 'b'}`
fn set(ids: &BTreeSet<String>) -> String {
    let quoted: Vec<String> = ids.iter().map(|id| format!("'{id}'")).collect();
    format!("{{{}}}", quoted.join(", "))
}

/// Reads a field that may be left out: `None` = it was; `Some(None)` = it is null.
pub(crate) fn given<'de, D, T>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::<T>::deserialize(deserializer).map(Some)
}

/// Says whether a field of a change counts: it is in the mask, or there is none.
pub(crate) fn counts(mask: &[String], field: &str) -> bool {
    mask.is_empty() || mask.iter().any(|name| name.trim() == field)
}

/// Refuses texts that no database keeps.
///
/// # Errors
///
/// 422 with the place.
pub(crate) fn check_text(place: &[&str], field: &str, text: Option<&str>) -> Result<(), ApiError> {
    if text.is_some_and(|text| text.contains('\0')) {
        return Err(ApiError::invalid(&[place, &[field]].concat(), "it holds the character NUL"));
    }
    Ok(())
}

/// Refuses a note that is too long. `place`: where it stands in the request.
///
/// # Errors
///
/// 422 with the place.
pub(crate) fn check_note(place: &[&str], note: Option<&str>) -> Result<(), ApiError> {
    if note.is_some_and(|note| note.chars().count() > NOTE_CHARS_MAX) {
        return Err(ApiError::invalid(place, format!("a note has at most {NOTE_CHARS_MAX} characters")));
    }
    Ok(())
}

/// Refuses teams, which Flow does not have. Airflow's words.
///
/// # Errors
///
/// 422 with the place.
pub(crate) fn check_team(place: &[&str], team: Option<&str>) -> Result<(), ApiError> {
    match team {
        None => Ok(()),
        Some(_) => Err(ApiError::invalid(
            &[place, &["team_name"]].concat(),
            "team_name cannot be set when multi_team mode is disabled: Flow has no teams",
        )),
    }
}
