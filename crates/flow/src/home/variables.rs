//! Variables. A server gives out no secrets: whoever needs them in the clear asks on its host.

use flow_core::secret::{Secret, redact_variable};
use flow_store::{Page, Variable, VariableFilter};
use reqwest::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Home, if_there};
use crate::{
    client::Declined,
    commands::transfer::{self, Imported, OnExisting},
    context::Cx,
    output::Refusal,
};

/// Rows that are read at once.
const PAGE: u32 = 1_000;

/// A variable, for programs: Airflow's names.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct VariableView {
    pub(crate) key: String,
    /// What looks secret is hidden; `None` = the key that decrypts it is not there.
    pub(crate) value: Option<String>,
    pub(crate) description: Option<String>,
}

/// A variable as it is to be.
#[derive(Debug)]
pub(crate) struct VariableWish {
    pub(crate) key: String,
    pub(crate) value: Secret,
    /// `None` = as it is.
    pub(crate) description: Option<String>,
}

impl VariableView {
    fn of(row: Variable) -> Self {
        let value = row.value.ok().map(|value| redact_variable(&row.key, value.expose()));
        Self { key: row.key, value, description: row.description }
    }
}

impl VariableWish {
    fn body(&self) -> Value {
        let mut body = json!({ "key": self.key, "value": self.value.expose() });
        if let Some(description) = &self.description {
            body["description"] = description.as_str().into();
        }
        body
    }
}

impl Home {
    /// All variables, by key.
    pub(crate) async fn variables(&self) -> anyhow::Result<Vec<VariableView>> {
        let parts = match self {
            Self::Local(parts) => parts,
            Self::Remote(client) => {
                let query = [("order_by", "key".into())];
                return client.list(&["api", "v2", "variables"], &query, "variables", u32::MAX).await;
            }
        };
        let mut found = Vec::new();
        loop {
            let page = Page { limit: PAGE, offset: u32::try_from(found.len()).unwrap_or(u32::MAX) };
            let rows = parts.store.list_variables(&VariableFilter::default(), &[], page).await?.rows;
            let is_last = rows.len() < PAGE as usize;
            found.extend(rows.into_iter().map(VariableView::of));
            if is_last {
                return Ok(found);
            }
        }
    }

    /// One variable; with `show_secrets` in the clear, which only the database does.
    pub(crate) async fn variable(&self, key: &str, show_secrets: bool) -> anyhow::Result<Option<VariableView>> {
        match self {
            Self::Local(parts) => {
                let Some(row) = parts.store.variable(key).await? else { return Ok(None) };
                if let Err(why) = &row.value {
                    return Err(Refusal::failed(why.to_string()).into());
                }
                if !show_secrets {
                    return Ok(Some(VariableView::of(row)));
                }
                let value = row.value.ok().map(Secret::into_exposed);
                Ok(Some(VariableView { key: row.key, value, description: row.description }))
            }
            Self::Remote(_) if show_secrets => Err(no_secrets()),
            Self::Remote(client) => {
                let found: Option<VariableView> = client.find(&["api", "v2", "variables", key]).await?;
                if found.as_ref().is_some_and(|view| view.value.is_none()) {
                    return Err(Refusal::failed(format!("the server does not have the key of variable `{key}`")).into());
                }
                Ok(found)
            }
        }
    }

    /// Makes a variable, or changes it.
    pub(crate) async fn set_variable(&self, cx: &Cx, wish: &VariableWish) -> anyhow::Result<()> {
        match self {
            Self::Local(parts) => {
                let mut tx = parts.store.begin().await?;
                let before = tx.variable(&wish.key).await?.and_then(|row| row.description);
                let description = wish.description.clone().or(before);
                tx.set_variable(&wish.key, &wish.value, description.as_deref()).await?;
                transfer::tell(&mut tx, "post_variable", &wish.key, cx.now()).await?;
                tx.commit().await?;
            }
            Self::Remote(client) => {
                let body = wish.body();
                match client.send::<Value>(Method::POST, &["api", "v2", "variables"], &[], &body).await {
                    Err(error) if Declined::is(&error, StatusCode::CONFLICT) => {
                        let path = ["api", "v2", "variables", wish.key.as_str()];
                        let _: Value = client.send(Method::PATCH, &path, &[], &body).await?;
                    }
                    made => drop(made?),
                }
            }
        }
        Ok(())
    }

    /// Makes or changes variables, all of them or none.
    pub(crate) async fn import_variables(
        &self,
        cx: &Cx,
        wanted: Vec<VariableWish>,
        on_existing: OnExisting,
    ) -> anyhow::Result<Imported> {
        let mut imported = Imported::default();
        match self {
            Self::Local(parts) => {
                let mut tx = parts.store.begin().await?;
                for wish in wanted {
                    let before = tx.variable(&wish.key).await?;
                    if imported.count(before.is_some(), on_existing, &format!("variable `{}`", wish.key))? {
                        let description = wish.description.or(before.and_then(|row| row.description));
                        tx.set_variable(&wish.key, &wish.value, description.as_deref()).await?;
                        transfer::tell(&mut tx, "post_variable", &wish.key, cx.now()).await?;
                    }
                }
                tx.commit().await?;
            }
            Self::Remote(client) => {
                let known = self.variables().await?;
                let mut entities = Vec::new();
                for wish in wanted {
                    let before = known.iter().find(|known| known.key == wish.key);
                    if imported.count(before.is_some(), on_existing, &format!("variable `{}`", wish.key))? {
                        let described = before.and_then(|before| before.description.clone());
                        let description = wish.description.or(described);
                        entities.push(VariableWish { description, ..wish }.body());
                    }
                }
                super::put_all(client, "variables", entities).await?;
            }
        }
        Ok(imported)
    }

    /// Forgets a variable; says whether it was there.
    pub(crate) async fn delete_variable(&self, cx: &Cx, key: &str) -> anyhow::Result<bool> {
        match self {
            Self::Local(parts) => {
                let mut tx = parts.store.begin().await?;
                tx.delete_variable(key).await?;
                transfer::tell(&mut tx, "delete_variable", key, cx.now()).await?;
                tx.commit().await?;
                Ok(true)
            }
            Self::Remote(client) => {
                let path = ["api", "v2", "variables", key];
                Ok(if_there(client.send::<Value>(Method::DELETE, &path, &[], &Value::Null).await)?.is_some())
            }
        }
    }
}

/// Says that a server keeps its secrets.
pub(super) fn no_secrets() -> anyhow::Error {
    Refusal::usage("a server gives out no secrets").help("run the command on its host, without --server").into()
}
