//! Connections. A server gives out no secrets: whoever needs them in the clear asks on its host.

use flow_core::{
    connection::Connection,
    secret::{MASK, Secret, without_password},
};
use flow_store::{ConnectionFilter, ConnectionRow, Page};
use reqwest::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Home, if_there, variables::no_secrets};
use crate::{
    client::Declined,
    commands::transfer::{self, Imported, OnExisting},
    context::Cx,
    output::Refusal,
};

/// Rows that are read at once.
const PAGE: u32 = 1_000;

/// A connection, for programs: Airflow's names.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ConnectionView {
    pub(crate) connection_id: String,
    pub(crate) conn_type: String,
    pub(crate) description: Option<String>,
    pub(crate) host: Option<String>,
    pub(crate) login: Option<String>,
    pub(crate) schema: Option<String>,
    pub(crate) port: Option<u16>,
    pub(crate) password: Option<String>,
    pub(crate) extra: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) uri: Option<String>,
}

/// Parts of a connection that someone gives; `None` = as it is, empty = none.
#[derive(Debug, Default)]
pub(crate) struct ConnectionParts {
    pub(crate) conn_type: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) host: Option<String>,
    pub(crate) port: Option<u16>,
    pub(crate) login: Option<String>,
    pub(crate) schema: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) extra: Option<String>,
}

impl ConnectionView {
    fn of(row: ConnectionRow, show_secrets: bool) -> Self {
        let made = row.connection;
        let hidden = |is_there: bool| is_there.then(|| MASK.to_owned());
        let shown = |secret: &Option<Secret>| secret.as_ref().map(|secret| secret.expose().to_owned());
        let (password, extra, host, uri) = if show_secrets {
            (shown(&made.password), shown(&made.extra), made.host.clone(), Some(made.to_uri()))
        } else {
            let extra = made.redacted_extra().or_else(|| hidden(row.has_extra));
            (hidden(row.has_password), extra, made.host.as_deref().map(without_password), None)
        };
        Self {
            connection_id: made.id,
            conn_type: made.conn_type,
            description: made.description,
            host,
            login: made.login,
            schema: made.schema,
            port: made.port,
            password,
            extra,
            uri,
        }
    }
}

impl ConnectionParts {
    /// Puts what was given onto a connection.
    fn onto(&self, made: &mut Connection) {
        let put = |part: &Option<String>, into: &mut Option<String>| {
            if let Some(text) = part {
                *into = Some(text.clone()).filter(|text| !text.is_empty());
            }
        };
        if let Some(conn_type) = &self.conn_type {
            made.conn_type.clone_from(conn_type);
        }
        put(&self.description, &mut made.description);
        put(&self.host, &mut made.host);
        put(&self.login, &mut made.login);
        put(&self.schema, &mut made.schema);
        made.port = self.port.or(made.port);
        let secret = |text: &String| Some(text.clone()).filter(|text| !text.is_empty()).map(Secret::from);
        if let Some(password) = &self.password {
            made.password = secret(password);
        }
        if let Some(extra) = &self.extra {
            made.extra = secret(extra);
        }
    }

    /// Names what was given.
    fn names(&self) -> Vec<&'static str> {
        let given = [
            ("conn_type", self.conn_type.is_some()),
            ("description", self.description.is_some()),
            ("host", self.host.is_some()),
            ("port", self.port.is_some()),
            ("login", self.login.is_some()),
            ("schema", self.schema.is_some()),
            ("password", self.password.is_some()),
            ("extra", self.extra.is_some()),
        ];
        given.into_iter().filter(|(_, is_given)| *is_given).map(|(name, _)| name).collect()
    }
}

/// Returns a connection as a server takes it, secrets in the clear.
fn body(made: &Connection) -> Map<String, Value> {
    let shown = |secret: &Option<Secret>| secret.as_ref().map(|secret| secret.expose().to_owned());
    let fields = [
        ("connection_id", json!(made.id)),
        ("conn_type", json!(made.conn_type)),
        ("description", json!(made.description)),
        ("host", json!(made.host)),
        ("login", json!(made.login)),
        ("schema", json!(made.schema)),
        ("port", json!(made.port)),
        ("password", json!(shown(&made.password))),
        ("extra", json!(shown(&made.extra))),
    ];
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Refuses a connection that could not be used.
fn check(made: &Connection) -> Result<(), Refusal> {
    if made.conn_type.trim().is_empty() {
        return Err(Refusal::usage(format!("connection `{}` needs a type", made.id))
            .help("give it with --conn-type, such as postgres"));
    }
    let texts = [
        Some(&made.conn_type),
        made.description.as_ref(),
        made.host.as_ref(),
        made.login.as_ref(),
        made.schema.as_ref(),
    ];
    if texts.into_iter().flatten().any(|text| text.contains('\0')) {
        return Err(Refusal::usage(format!("connection `{}` holds the character NUL", made.id)));
    }
    Ok(())
}

impl Home {
    /// All connections, by id, without their secrets.
    pub(crate) async fn connections(&self) -> anyhow::Result<Vec<ConnectionView>> {
        let parts = match self {
            Self::Local(parts) => parts,
            Self::Remote(client) => {
                let query = [("order_by", "connection_id".into())];
                return client.list(&["api", "v2", "connections"], &query, "connections", u32::MAX).await;
            }
        };
        let mut found = Vec::new();
        loop {
            let page = Page { limit: PAGE, offset: u32::try_from(found.len()).unwrap_or(u32::MAX) };
            let rows = parts.store.list_connections(&ConnectionFilter::default(), &[], page).await?.rows;
            let is_last = rows.len() < PAGE as usize;
            found.extend(rows.into_iter().map(|row| ConnectionView::of(row, false)));
            if is_last {
                return Ok(found);
            }
        }
    }

    /// One connection; with `show_secrets` in the clear, which only the database does.
    pub(crate) async fn connection(&self, id: &str, show_secrets: bool) -> anyhow::Result<Option<ConnectionView>> {
        match self {
            Self::Local(parts) => {
                let Some(row) = parts.store.connection(id).await? else { return Ok(None) };
                match row.unreadable.as_ref().filter(|_| show_secrets) {
                    Some(why) => Err(Refusal::failed(why.to_string()).into()),
                    None => Ok(Some(ConnectionView::of(row, show_secrets))),
                }
            }
            Self::Remote(_) if show_secrets => Err(no_secrets()),
            Self::Remote(client) => client.find(&["api", "v2", "connections", id]).await,
        }
    }

    /// One connection with all that belongs to it, for a file; only the database gives it.
    pub(crate) async fn whole_connection(&self, id: &str) -> anyhow::Result<Option<Connection>> {
        match self {
            Self::Local(parts) => match parts.store.connection(id).await? {
                Some(row) => Ok(Some(row.whole()?)),
                None => Ok(None),
            },
            Self::Remote(_) => Err(no_secrets()),
        }
    }

    /// Makes a connection, or changes it: `whole` takes the place of what was there, `given` goes over it. Says whether
    /// it is new.
    pub(crate) async fn set_connection(
        &self,
        cx: &Cx,
        id: &str,
        whole: Option<Connection>,
        given: &ConnectionParts,
    ) -> anyhow::Result<bool> {
        let mut made = Connection { id: id.to_owned(), ..Connection::default() };
        match self {
            Self::Local(parts) => {
                let mut tx = parts.store.begin().await?;
                let before = tx.connection(id).await?;
                let is_new = before.is_none();
                match (whole, before) {
                    (Some(whole), before) => {
                        made = whole;
                        made.description = made.description.or(before.and_then(|row| row.connection.description));
                    }
                    (None, Some(row)) => made = row.whole()?,
                    (None, None) => {}
                }
                given.onto(&mut made);
                check(&made)?;
                tx.set_connection(&made).await?;
                transfer::tell(&mut tx, "post_connection", id, cx.now()).await?;
                tx.commit().await?;
                Ok(is_new)
            }
            Self::Remote(client) => {
                let before = self.connection(id, false).await?;
                let is_new = before.is_none();
                let is_whole = whole.is_some() || is_new;
                if let Some(before) = before {
                    made.conn_type = before.conn_type;
                    made.description = before.description;
                }
                if let Some(whole) = whole {
                    let description = whole.description.clone().or(made.description);
                    made = Connection { description, ..whole };
                }
                given.onto(&mut made);
                check(&made)?;
                let mut body = body(&made);
                if !is_whole {
                    let names = given.names();
                    body.retain(|name, _| {
                        names.contains(&name.as_str()) || ["connection_id", "conn_type"].contains(&name.as_str())
                    });
                }
                let all = ["api", "v2", "connections", id];
                let (method, path) = if is_new { (Method::POST, &all[..3]) } else { (Method::PATCH, &all[..]) };
                let _: Value = client.send(method, path, &[], &Value::Object(body)).await?;
                Ok(is_new)
            }
        }
    }

    /// Makes or changes connections, all of them or none.
    pub(crate) async fn import_connections(
        &self,
        cx: &Cx,
        wanted: Vec<Connection>,
        on_existing: OnExisting,
    ) -> anyhow::Result<Imported> {
        let mut imported = Imported::default();
        for made in &wanted {
            check(made)?;
        }
        match self {
            Self::Local(parts) => {
                let mut tx = parts.store.begin().await?;
                for made in wanted {
                    let is_there = tx.connection(&made.id).await?.is_some();
                    if imported.count(is_there, on_existing, &format!("connection `{}`", made.id))? {
                        tx.set_connection(&made).await?;
                        transfer::tell(&mut tx, "post_connection", &made.id, cx.now()).await?;
                    }
                }
                tx.commit().await?;
            }
            Self::Remote(client) => {
                let known = self.connections().await?;
                let mut entities = Vec::new();
                for made in wanted {
                    let is_there = known.iter().any(|known| known.connection_id == made.id);
                    if imported.count(is_there, on_existing, &format!("connection `{}`", made.id))? {
                        entities.push(Value::Object(body(&made)));
                    }
                }
                super::put_all(client, "connections", entities).await?;
            }
        }
        Ok(imported)
    }

    /// Forgets a connection; says whether it was there.
    pub(crate) async fn delete_connection(&self, cx: &Cx, id: &str) -> anyhow::Result<bool> {
        match self {
            Self::Local(parts) => {
                let mut tx = parts.store.begin().await?;
                tx.delete_connection(id).await?;
                transfer::tell(&mut tx, "delete_connection", id, cx.now()).await?;
                tx.commit().await?;
                Ok(true)
            }
            Self::Remote(client) => {
                let path = ["api", "v2", "connections", id];
                Ok(if_there(client.send::<Value>(Method::DELETE, &path, &[], &Value::Null).await)?.is_some())
            }
        }
    }

    /// Connects and logs in: from here, or from the server.
    pub(crate) async fn test_connection(&self, cx: &Cx, id: &str) -> anyhow::Result<Option<(bool, String)>> {
        match self {
            Self::Local(parts) => {
                let of_environment = flow_runtime::settings::connection(id).map_err(Refusal::failed)?;
                let found = match of_environment {
                    Some(connection) => connection,
                    None => match parts.store.connection(id).await? {
                        Some(row) => row.whole()?,
                        None => return Ok(None),
                    },
                };
                let mut tx = parts.store.begin().await?;
                transfer::tell(&mut tx, "test_connection", id, cx.now()).await?;
                tx.commit().await?;
                Ok(Some(flow_clients::test(&found).await))
            }
            Self::Remote(client) => {
                #[derive(Deserialize)]
                struct Tested {
                    status: bool,
                    message: String,
                }
                let Some(known) = self.connection(id, false).await? else { return Ok(None) };
                let body = json!({ "connection_id": id, "conn_type": known.conn_type });
                let path = ["api", "v2", "connections", "test"];
                match client.send::<Tested>(Method::POST, &path, &[], &body).await {
                    Ok(tested) => Ok(Some((tested.status, tested.message))),
                    Err(error) if Declined::is(&error, StatusCode::NOT_FOUND) => Ok(None),
                    Err(error) => Err(error),
                }
            }
        }
    }
}
