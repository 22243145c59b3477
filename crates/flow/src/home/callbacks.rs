//! Callbacks: lists, and trying one again.

use anyhow::anyhow;
use flow_core::Timestamp;
use flow_store::{CallbackFilter, CallbackLine};
use reqwest::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Home;
use crate::{client::Declined, context::Cx, output::Refusal};

/// A callback, for programs: the API's names.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct CallbackView {
    pub(crate) callback_id: i64,
    pub(crate) dag_id: String,
    pub(crate) dag_run_id: String,
    pub(crate) task_id: Option<String>,
    pub(crate) map_index: i64,
    pub(crate) number: i64,
    pub(crate) event: String,
    pub(crate) operator: String,
    pub(crate) state: String,
    pub(crate) tries: i64,
    pub(crate) next_try_at: Option<Timestamp>,
    pub(crate) error: Option<String>,
    pub(crate) log: Option<String>,
    pub(crate) created_at: Timestamp,
    pub(crate) ended_at: Option<Timestamp>,
}

/// Which callbacks are wanted.
#[derive(Debug, Default)]
pub(crate) struct CallbackWish {
    pub(crate) dag_id: Option<String>,
    pub(crate) run_id: Option<String>,
    pub(crate) task_id: Option<String>,
    pub(crate) state: Option<String>,
}

#[derive(Deserialize)]
struct Page {
    callbacks: Vec<CallbackView>,
}

impl From<CallbackLine> for CallbackView {
    fn from(line: CallbackLine) -> Self {
        let is_pending = line.state == "pending";
        Self {
            callback_id: line.id,
            dag_id: line.dag_id,
            dag_run_id: line.run_id,
            task_id: Some(line.task_id).filter(|id| !id.is_empty()),
            map_index: line.map_index,
            number: line.number,
            event: line.event,
            operator: line.operator,
            state: line.state,
            tries: line.tries,
            next_try_at: is_pending.then(|| Timestamp::from_micros(line.due.max(line.created_at))),
            error: line.error,
            log: line.log.filter(|log| !log.is_empty()),
            created_at: Timestamp::from_micros(line.created_at),
            ended_at: line.ended_at.map(Timestamp::from_micros),
        }
    }
}

impl Home {
    /// The latest callbacks.
    pub(crate) async fn callbacks(&self, wish: &CallbackWish, limit: u32) -> anyhow::Result<Vec<CallbackView>> {
        match self {
            Self::Local(parts) => {
                let filter = CallbackFilter {
                    dag_id: wish.dag_id.clone(),
                    run_id: wish.run_id.clone(),
                    task_id: wish.task_id.clone(),
                    state: wish.state.clone(),
                    ..CallbackFilter::default()
                };
                let found = parts.store.list_callbacks(&filter, limit, None).await?;
                Ok(found.rows.into_iter().map(Into::into).collect())
            }
            Self::Remote(client) => {
                let mut query = vec![("limit", limit.to_string().into())];
                for (name, value) in [
                    ("dag_id", &wish.dag_id),
                    ("dag_run_id", &wish.run_id),
                    ("task_id", &wish.task_id),
                    ("state", &wish.state),
                ] {
                    if let Some(value) = value {
                        query.push((name, value.as_str().into()));
                    }
                }
                let page: Page = client.get(&["ui", "callbacks"], &query).await?;
                Ok(page.callbacks)
            }
        }
    }

    /// Tries a callback again.
    pub(crate) async fn retry_callback(&self, cx: &Cx, id: i64) -> anyhow::Result<CallbackView> {
        let missing =
            || anyhow!(Refusal::failed(format!("callback {id} does not exist")).help("see them: flow callbacks list"));
        let refused =
            |detail: &str| anyhow!(Refusal::failed(format!("callback {id} {detail}: there is nothing to try again")));
        match self {
            Self::Local(parts) => {
                let filter = CallbackFilter { id: Some(id), ..CallbackFilter::default() };
                let found = parts.store.callback(&filter).await?.ok_or_else(missing)?;
                if !parts.store.retry_callback(id, cx.now()).await? {
                    return Err(refused(if found.state == "delivered" { "was delivered" } else { "is being tried" }));
                }
                Ok(parts.store.callback(&filter).await?.ok_or_else(missing)?.into())
            }
            Self::Remote(client) => {
                let name = id.to_string();
                let path = ["ui", "callbacks", name.as_str(), "retry"];
                client
                    .send(Method::POST, &path, &[], &json!({}))
                    .await
                    .map_err(|error| if Declined::is(&error, StatusCode::NOT_FOUND) { missing() } else { error })
            }
        }
    }
}
