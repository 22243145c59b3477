//! Where a command does its work: on the database of the configured home, or over the network on a server.
//!
//! Commands ask in their own words and get the same plain structs from both. What they print is made from those
//! alone, so that both print the same. A file a group of commands.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    client::{Client, Declined},
    config::near,
    context::Cx,
    node::Parts,
    output::Refusal,
};

mod callbacks;
mod connections;
pub(crate) mod dags;
mod edit;
mod log;
mod pools;
mod runs;
mod tasks;
mod users;
mod variables;

pub(crate) use callbacks::{CallbackView, CallbackWish};
pub(crate) use connections::{ConnectionParts, ConnectionView};
pub(crate) use dags::{Backlog, DagView};
pub(crate) use edit::{Action, Change, Mark, Reach};
pub(crate) use pools::PoolView;
pub(crate) use runs::{RunView, Triggered, Wish};
pub(crate) use tasks::{TaskPlace, TaskView};
pub(crate) use users::{TokenView, UserView, UserWish};
pub(crate) use variables::VariableWish;

/// Where a command does its work.
pub(crate) enum Home {
    Local(Box<Parts>),
    Remote(Client),
}

impl Home {
    /// Opens the place that a command is meant for.
    pub(crate) async fn open(cx: &Cx) -> anyhow::Result<Self> {
        let Some(remote) = &cx.config.remote else {
            return Ok(Self::Local(Box::new(Parts::of_database(cx).await?)));
        };
        let (client, warning) = Client::new(remote)?;
        if let Some(warning) = warning {
            cx.out.note(&warning)?;
        }
        Ok(Self::Remote(client))
    }

    /// Says that there is no such DAG, and which one may have been meant.
    pub(crate) async fn no_such_dag(&self, dag_id: &str) -> anyhow::Error {
        let refusal = Refusal::failed(format!("dag `{dag_id}` does not exist"));
        let known = self.dags().await.unwrap_or_default();
        refusal
            .help(match near(dag_id, known.into_iter().map(|dag| dag.dag_id)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "see which there are: flow dags list; mistakes in files: flow dags check".to_owned(),
            })
            .into()
    }
}

/// Writes many things of a kind on a server, over those that are there, in one transaction.
async fn put_all(client: &Client, kind: &str, entities: Vec<Value>) -> anyhow::Result<()> {
    if entities.is_empty() {
        return Ok(());
    }
    let actions = json!([{ "action": "create", "entities": entities, "action_on_existence": "overwrite" }]);
    let done: Value = client.send(Method::PATCH, &["api", "v2", kind], &[], &json!({ "actions": actions })).await?;
    match done["create"]["errors"][0]["error"].as_str() {
        None => Ok(()),
        Some(problem) => Err(Refusal::failed(format!("the server has not taken all {kind}: {problem}")).into()),
    }
}

/// Turns a "not found" into `None`.
fn if_there<T>(answer: anyhow::Result<T>) -> anyhow::Result<Option<T>> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(error) if Declined::is(&error, StatusCode::NOT_FOUND) => Ok(None),
        Err(error) => Err(error),
    }
}
