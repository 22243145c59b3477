//! Variables: values for templates.

use axum::{extract::State, http::StatusCode};
use flow_core::secret::{self, Secret};
use flow_store::{StoreError, Tx, Variable, VariableFilter, VariableOrder};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Refusals,
    bulk::{self, BulkBody, BulkDone, BulkResponse, Entity, check_team, check_text, counts},
};
use crate::{
    ApiError, App,
    error::ErrorBody,
    extract::{Json, Path, Query},
    page::{self, Paging},
    said::{Words, said},
};

/// Longest key, as in Airflow.
const KEY_MAX: usize = 250;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Filter {
    #[serde(default)]
    order_by: Vec<String>,
    variable_key_pattern: Option<String>,
    variable_key_prefix_pattern: Option<String>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Mask {
    /// Change only these fields
    #[serde(default)]
    update_mask: Vec<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct VariableBody {
    #[schema(min_length = 1, max_length = 250)]
    key: String,
    /// A text; anything else is kept as JSON
    value: Value,
    #[serde(default, deserialize_with = "bulk::given")]
    #[schema(value_type = Option<String>)]
    description: Option<Option<String>>,
    /// There are no teams
    #[serde(default)]
    team_name: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct VariableResponse {
    key: String,
    /// Secrets are `***`; null = this process does not have the key to decrypt it
    value: Option<String>,
    description: Option<String>,
    is_encrypted: bool,
    team_name: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct VariableCollectionResponse {
    variables: Vec<VariableResponse>,
    total_entries: u64,
}

impl From<Variable> for VariableResponse {
    fn from(row: Variable) -> Self {
        let value = match row.value {
            Ok(value) => Some(secret::redact_variable(&row.key, value.expose())),
            Err(error) => {
                tracing::warn!(%error, "a variable cannot be read");
                None
            }
        };
        Self { value, key: row.key, description: row.description, is_encrypted: true, team_name: None }
    }
}

impl VariableBody {
    fn text(&self) -> String {
        self.value.as_str().map_or_else(|| self.value.to_string(), str::to_owned)
    }
}

impl Entity for VariableBody {
    const MANY: &'static str = "variables";
    const BY: &'static str = "keys";

    fn id(&self) -> &str {
        &self.key
    }

    fn check(&self, place: &[&str]) -> Result<(), ApiError> {
        let length = self.key.chars().count();
        if self.key.trim().is_empty() || length > KEY_MAX || self.key.chars().any(char::is_control) {
            let words = format!("it must have 1 to {KEY_MAX} characters, none of them a control character");
            return Err(ApiError::invalid(&[place, &["key"]].concat(), words));
        }
        check_text(place, "description", self.description.as_ref().and_then(|text| text.as_deref()))?;
        check_team(place, self.team_name.as_deref())
    }

    async fn exists(tx: &mut Tx, id: &str) -> Result<bool, StoreError> {
        Ok(tx.variable(id).await?.is_some())
    }

    async fn put(&self, tx: &mut Tx) -> Result<(), ApiError> {
        let description = self.description.clone().flatten();
        let text = match tx.variable(&self.key).await? {
            Some(Variable { value: Ok(old), .. }) => secret::restore_variable(&self.key, &self.text(), old.expose()),
            Some(_) | None => self.text(),
        };
        Ok(tx.set_variable(&self.key, &Secret::from(text), description.as_deref()).await?)
    }

    async fn change(&self, tx: &mut Tx, mask: &[String]) -> Result<(), ApiError> {
        let old = tx.variable(&self.key).await?.ok_or_else(|| missing(&self.key))?;
        let description = match &self.description {
            Some(new) if counts(mask, "description") => new.clone(),
            Some(_) | None => old.description,
        };
        if !counts(mask, "value") {
            return Ok(tx.describe_variable(&self.key, description.as_deref()).await?);
        }
        let text = self.text();
        let text = match old.value {
            Ok(old) => secret::restore_variable(&self.key, &text, old.expose()),
            Err(why) if text == secret::MASK => return Err(StoreError::from(why).into()),
            Err(_) => text,
        };
        Ok(tx.set_variable(&self.key, &Secret::from(text), description.as_deref()).await?)
    }

    async fn remove(tx: &mut Tx, id: &str) -> Result<(), ApiError> {
        if tx.delete_variable(id).await? { Ok(()) } else { Err(missing(id)) }
    }
}

fn missing(key: &str) -> ApiError {
    ApiError::not_found("variable", key)
}

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(get_variables, post_variable, bulk_variables)).routes(routes!(
        get_variable,
        patch_variable,
        delete_variable
    ))
}

/// Names of columns that the list may be sorted by. There is no order of what is encrypted.
const ORDERS: [(&str, VariableOrder); 5] = [
    ("key", VariableOrder::Key),
    ("id", VariableOrder::Key),
    ("_val", VariableOrder::Key),
    ("description", VariableOrder::Description),
    ("is_encrypted", VariableOrder::Key),
];

/// Variables of the database; those of the environment are not among them
#[utoipa::path(get, path = "/api/v2/variables", tag = "Variable", params(Paging, Filter),
    responses((status = 200, body = VariableCollectionResponse), (status = 400, body = ErrorBody), Refusals))]
async fn get_variables(
    State(app): State<App>,
    Query(paging): Query<Paging>,
    Query(filter): Query<Filter>,
) -> Result<axum::Json<VariableCollectionResponse>, ApiError> {
    let wanted = VariableFilter {
        keys: page::patterns(filter.variable_key_pattern.as_deref(), filter.variable_key_prefix_pattern.as_deref()),
    };
    let orders = page::order(&filter.order_by, &ORDERS)?;
    let listed = app.store.list_variables(&wanted, &orders, paging.page()?).await?;
    Ok(axum::Json(VariableCollectionResponse {
        variables: listed.rows.into_iter().map(Into::into).collect(),
        total_entries: listed.total,
    }))
}

/// Make a variable
#[utoipa::path(post, path = "/api/v2/variables", tag = "Variable", request_body = VariableBody,
    responses((status = 201, body = VariableResponse), (status = 409, body = ErrorBody), Refusals))]
async fn post_variable(
    State(app): State<App>,
    Json(body): Json<VariableBody>,
) -> Result<(StatusCode, Words, axum::Json<VariableResponse>), ApiError> {
    body.check(&["body"])?;
    let mut tx = app.store.begin().await?;
    let description = body.description.clone().flatten();
    if !tx.add_variable(&body.key, &Secret::from(body.text()), description.as_deref()).await? {
        return Err(ApiError::conflict(format!("the variable `{}` exists already", body.key)));
    }
    tx.commit().await?;
    let words = said(format!("added variable {}", body.key));
    Ok((StatusCode::CREATED, words, show(&app, &body.key).await?))
}

/// Make, change and delete variables
#[utoipa::path(patch, path = "/api/v2/variables", tag = "Variable", request_body = BulkBody<VariableBody>,
    responses((status = 200, body = BulkResponse), Refusals))]
async fn bulk_variables(
    State(app): State<App>,
    Json(body): Json<BulkBody<VariableBody>>,
) -> Result<BulkDone, ApiError> {
    Ok(bulk::run(&app, body).await?.done("variable"))
}

/// One of them
#[utoipa::path(get, path = "/api/v2/variables/{variable_key}", tag = "Variable", params(("variable_key" = String, Path)),
    responses((status = 200, body = VariableResponse), (status = 404, body = ErrorBody), Refusals))]
async fn get_variable(
    State(app): State<App>,
    Path(key): Path<String>,
) -> Result<axum::Json<VariableResponse>, ApiError> {
    show(&app, &key).await
}

/// Change a variable; a value that is `***` where a secret was shown so stays as it is
#[utoipa::path(patch, path = "/api/v2/variables/{variable_key}", tag = "Variable",
    params(("variable_key" = String, Path), Mask), request_body = VariableBody,
    responses((status = 200, body = VariableResponse), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody), Refusals))]
async fn patch_variable(
    State(app): State<App>,
    Path(key): Path<String>,
    Query(mask): Query<Mask>,
    Json(body): Json<VariableBody>,
) -> Result<axum::Json<VariableResponse>, ApiError> {
    if body.key != key {
        return Err(ApiError::bad_request("Invalid body, key from request body doesn't match uri parameter"));
    }
    body.check(&["body"])?;
    let mut tx = app.store.begin().await?;
    body.change(&mut tx, &mask.update_mask).await?;
    tx.commit().await?;
    show(&app, &key).await
}

/// Delete a variable
#[utoipa::path(delete, path = "/api/v2/variables/{variable_key}", tag = "Variable",
    params(("variable_key" = String, Path)),
    responses((status = 204), (status = 404, body = ErrorBody), Refusals))]
async fn delete_variable(State(app): State<App>, Path(key): Path<String>) -> Result<StatusCode, ApiError> {
    if key.contains('\0') {
        return Err(missing(&key));
    }
    let mut tx = app.store.begin().await?;
    VariableBody::remove(&mut tx, &key).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn show(app: &App, key: &str) -> Result<axum::Json<VariableResponse>, ApiError> {
    if key.contains('\0') {
        return Err(missing(key));
    }
    let found = app.store.variable(key).await?.ok_or_else(|| missing(key))?;
    Ok(axum::Json(found.into()))
}
