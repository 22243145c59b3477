//! Waits until an HTTP server answers as hoped.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use flow_clients::http::Request;

use crate::{
    context::{Stream, TaskContext},
    exchange::{self, ExtraOptions, Heard},
    operator::OperatorError,
    sensor::{Look, Sensor},
    values::{Expr, Scalar},
};

/// `uses: http_sensor`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HttpSensor {
    /// What stands behind the connection's host. A whole address, with `http://` or `https://`, needs no connection.
    endpoint: String,
    /// The connection. Default: `http_default`, or none with a whole address.
    #[serde(default)]
    http_conn_id: Option<String>,
    /// `GET`, `HEAD`, …
    #[serde(default = "get")]
    method: String,
    /// Parameters of the address.
    #[serde(default)]
    request_params: Option<Map<String, Value>>,
    /// Headers, before those of the connection.
    #[serde(default)]
    headers: Option<BTreeMap<String, Scalar>>,
    /// Statuses that mean "not yet". Others of 400 or more fail the look. Default: 404.
    #[serde(default)]
    response_error_codes_allowlist: Option<Vec<Scalar>>,
    /// What must hold: an expression over `response.status_code`, `.ok`, `.reason`, `.url`, `.headers` (lower case),
    /// `.links`, `.text`, `.json`. Without it, any answer with a status below 400 will do.
    #[serde(default)]
    response_check: Option<Expr>,
    /// How to ask: time-out, certificates, redirects, proxies.
    #[serde(default)]
    extra_options: Option<ExtraOptions>,
}

fn get() -> String {
    "GET".to_owned()
}

impl Sensor for HttpSensor {
    const NAME: &'static str = "http_sensor";
    const CLASS: &'static str = "airflow.providers.http.sensors.http.HttpSensor";
    const SUMMARY: &'static str = "Waits until an HTTP server answers as hoped.";
    const TEMPLATED: &'static [&'static str] = &["endpoint", "request_params", "headers", "http_conn_id"];
    const EXAMPLE: &'static str = "\
id: export_is_ready
uses: http_sensor
with:
  http_conn_id: shop
  endpoint: \"v1/exports/{{ ds }}\"
  response_check: response.json.state == 'done'
  poke_interval: 1m
  timeout: 2h
";

    async fn look(&self, cx: &mut TaskContext) -> Result<Look, OperatorError> {
        let cancel = cx.cancel.clone();
        tokio::select! {
            biased;
            () = cancel.cancelled() => Err(OperatorError::cancelled()),
            look = self.ask(cx) => look,
        }
    }
}

impl HttpSensor {
    async fn ask(&self, cx: &TaskContext) -> Result<Look, OperatorError> {
        let options = self.extra_options.clone().unwrap_or_default();
        let client = exchange::client(cx, self.http_conn_id.as_deref(), &self.endpoint, &options).await?;
        let mut request = Request::new(&self.method, &self.endpoint)?;
        if let Some(headers) = &self.headers {
            request = exchange::with_headers(request, headers)?;
        }
        if let Some(parameters) = &self.request_params {
            request = request.query(exchange::pairs(parameters)?);
        }
        let answer = client.send(&request).await?;
        let status = answer.status().as_u16();
        let is_not_yet = match &self.response_error_codes_allowlist {
            Some(codes) => codes.iter().any(|code| code.0 == status.to_string()),
            None => status == 404,
        };
        if status >= 400 && is_not_yet {
            cx.say(Stream::Info, &format!("{}: not yet", answer.words()));
            return Ok(Look::NotYet);
        }
        if status >= 400 && client.checks_status() {
            return Err(answer.into_error(client.connection()).await.into());
        }
        let words = answer.words();
        let Some(check) = &self.response_check else {
            cx.say(Stream::Info, &words);
            return Ok(Look::Met(Value::Null));
        };
        let mut heard = Heard::read(answer, "wait for a smaller answer").await?;
        heard.read_json_for(&[Some(check)]);
        let holds = heard.holds("response_check", check)?;
        cx.say(
            Stream::Info,
            &format!("{words}; `response_check` {}", if holds { "holds" } else { "does not hold yet" }),
        );
        Ok(if holds { Look::Met(Value::Null) } else { Look::NotYet })
    }
}
