//! Posts a message to Slack, through an incoming webhook.

use anyhow::anyhow;
use flow_clients::http::slack;
use flow_core::{catalog::ArgError, dag::Arg};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    context::{Stream, TaskContext},
    operator::{Done, Operator, OperatorError},
    values::Span,
};

/// `uses: slack`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Slack {
    /// The connection; its password is the webhook's address, or what stands there behind
    /// `https://hooks.slack.com/services/`.
    #[serde(default = "slack_default")]
    slack_webhook_conn_id: String,
    /// The text; with `blocks`, what a notification shows.
    #[serde(default)]
    message: Option<String>,
    /// Blocks in Slack's form, or their JSON.
    #[serde(default)]
    blocks: Option<Value>,
    /// Attachments in Slack's form, or their JSON.
    #[serde(default)]
    attachments: Option<Value>,
    /// Where to post; most webhooks have a channel of their own and ignore this.
    #[serde(default)]
    channel: Option<String>,
    /// The name that it is posted under; most webhooks ignore it.
    #[serde(default)]
    username: Option<String>,
    /// An emoji instead of a picture, such as `:tada:`; most webhooks ignore it.
    #[serde(default)]
    icon_emoji: Option<String>,
    /// The address of a picture; most webhooks ignore it.
    #[serde(default)]
    icon_url: Option<String>,
    /// Longest that Slack may take. A number counts seconds.
    #[serde(default = "timeout")]
    timeout: Span,
}

fn slack_default() -> String {
    "slack_default".to_owned()
}

fn timeout() -> Span {
    Span::seconds(30.0)
}

const NOTHING: &str = "there is nothing to post: give `message`, `blocks` or `attachments`";

impl Operator for Slack {
    const NAME: &'static str = "slack";
    const CLASS: &'static str = "airflow.providers.slack.operators.slack_webhook.SlackWebhookOperator";
    const SUMMARY: &'static str = "Posts a message to Slack.";
    const TEMPLATED: &'static [&'static str] =
        &["slack_webhook_conn_id", "message", "blocks", "attachments", "channel", "username"];
    const EXAMPLE: &'static str = "\
id: tell
uses: slack
with:
  slack_webhook_conn_id: team_channel
  message: \"The sales of {{ ds }} are in the warehouse.\"
";

    fn complain(given: &[(String, Arg)]) -> Option<ArgError> {
        let has_content = given.iter().any(|(key, arg)| {
            ["message", "blocks", "attachments"].contains(&key.as_str()) && *arg != Arg::Value(Value::Null)
        });
        (!has_content).then(|| ArgError {
            route: Vec::new(),
            message: NOTHING.to_owned(),
            help: None,
            about_key: false,
        })
    }

    async fn run(self, cx: &mut TaskContext) -> Result<Done, OperatorError> {
        let (cancel, within) = (cx.cancel.clone(), self.timeout.duration());
        tokio::select! {
            biased;
            () = cancel.cancelled() => Err(OperatorError::cancelled()),
            posted = self.post(cx) => posted,
            () = tokio::time::sleep(within) => {
                Err(OperatorError::retry(anyhow!("Slack did not answer within {} s", within.as_secs_f64())))
            }
        }
    }
}

impl Slack {
    async fn post(&self, cx: &TaskContext) -> Result<Done, OperatorError> {
        let connection = cx.connection(&self.slack_webhook_conn_id).await?;
        let webhook = slack::webhook(&cx.clients, &connection).await?;
        webhook.post(&self.payload()?).await?;
        cx.say(Stream::Info, "Slack has taken the message");
        Ok(Done::success(Value::Null))
    }

    fn payload(&self) -> Result<Value, OperatorError> {
        let mut payload = Map::new();
        for (name, value) in [("blocks", &self.blocks), ("attachments", &self.attachments)] {
            // A template brings JSON as a text.
            let read = match value {
                Some(Value::String(text)) => serde_json::from_str(text).unwrap_or_default(),
                Some(value) => value.clone(),
                None => continue,
            };
            match read {
                Value::Array(items) if items.is_empty() => {}
                Value::Array(_) => drop(payload.insert(name.to_owned(), read)),
                Value::Null if value.as_ref().is_some_and(Value::is_null) => {}
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
                    return Err(OperatorError::fatal(anyhow!("`{name}` must be a list, as Slack has it")));
                }
            }
        }
        let texts = [
            ("text", &self.message),
            ("channel", &self.channel),
            ("username", &self.username),
            ("icon_emoji", &self.icon_emoji),
            ("icon_url", &self.icon_url),
        ];
        for (name, text) in texts {
            if let Some(text) = text.as_deref().filter(|text| !text.trim().is_empty()) {
                payload.insert(name.to_owned(), json!(text));
            }
        }
        if ["text", "blocks", "attachments"].iter().all(|name| !payload.contains_key(*name)) {
            return Err(OperatorError::fatal(anyhow!(NOTHING)));
        }
        Ok(Value::Object(payload))
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        server::{Reply, Server},
        testing::World,
    };

    use super::*;

    async fn slack() -> (World, Server) {
        let server = Server::start(|asked| match asked.path.as_str() {
            "/T0/B0/hunter2" => Reply::new(200, "ok"),
            "/gone" => Reply::new(404, "no_service"),
            _ => Reply::silence(),
        })
        .await;
        let world = World::new();
        for (id, path) in [("slack_default", "T0/B0/hunter2"), ("gone", "gone"), ("silent", "silent")] {
            let connection = json!({"conn_type": "slack", "password": format!("{}/{path}", server.url())});
            world.services.lock().unwrap().connections.insert(id.to_owned(), connection);
        }
        (world, server)
    }

    #[tokio::test]
    async fn what_is_given_is_posted() {
        let (world, server) = slack().await;
        let given = json!({"message": "hi", "channel": "#c", "blocks": "[{\"type\": \"divider\"}]", "icon_emoji": ""});
        world.run("slack", given).await.succeeded_without_result();
        let asked = server.asked().pop().unwrap();
        let posted: Value = serde_json::from_str(&asked.body).unwrap();
        assert_eq!(posted, json!({"text": "hi", "channel": "#c", "blocks": [{"type": "divider"}]}));
        assert_eq!((asked.method.as_str(), asked.header("content-type")), ("POST", Some("application/json")));
        assert!(!world.text().contains("hunter2"));
    }

    #[tokio::test]
    async fn what_cannot_be_posted_is_told() {
        let (world, server) = slack().await;
        world.run("slack", json!({"message": " "})).await.failed_for_good("there is nothing to post");
        world.run("slack", json!({"blocks": "no"})).await.failed_for_good("`blocks` must be a list");
        let gone = json!({"message": "hi", "slack_webhook_conn_id": "gone"});
        world.run("slack", gone).await.failed("Slack answered 404: no_service; the webhook is not there any more");
        let silent = json!({"message": "hi", "slack_webhook_conn_id": "silent", "timeout": 0.2});
        world.run("slack", silent).await.failed("did not answer within 0.2 s");
        let absent = json!({"message": "hi", "slack_webhook_conn_id": "absent"});
        world.run("slack", absent).await.failed("there is no connection `absent`");
        world.cx.clients.close_idle();
        drop(world);
        server.open(0).await;
    }
}
