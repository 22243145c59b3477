//! One request of a task over HTTP, and its answer as expressions see it. For `http` and `http_sensor`.

use std::collections::BTreeMap;

use anyhow::anyhow;
use flow_clients::http::{self, Answer, Http, Request};
use flow_core::{connection::Connection, template::TemplateError};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    context::TaskContext,
    operator::OperatorError,
    values::{Expr, Scalar, Span},
};

/// Most bytes of a body that are kept in memory.
pub(crate) const BODY_BYTES_MAX: usize = 16 * 1024 * 1024;

/// So much of a body stands in a complaint.
const SHOWN_CHARS: usize = 300;

/// The connection that is meant when none is named.
const HTTP_DEFAULT: &str = "http_default";

/// How to ask. What is not given is as the connection's `extra` says.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct ExtraOptions {
    /// Longest silence of the server. A number counts seconds. Default: 60 s.
    #[serde(default)]
    timeout: Option<Span>,
    /// Check the server's certificate; or a file with the authorities to trust. Default: true, and the operating
    /// system's.
    #[serde(default)]
    verify: Option<Value>,
    /// Follow redirects. Default: true.
    #[serde(default)]
    allow_redirects: Option<bool>,
    /// Fail when the status is 400 or more. Default: true.
    #[serde(default)]
    check_response: Option<bool>,
    /// Most redirects that are followed. Default: 30.
    #[serde(default)]
    max_redirects: Option<u32>,
    /// Proxies, by `http`, `https` or `all`. Default: those of the environment.
    #[serde(default)]
    proxies: Option<BTreeMap<String, String>>,
    /// A file with the client's certificate and key, or one for each. Default: none.
    #[serde(default)]
    cert: Option<Value>,
    /// Accepted for Airflow's sake: an answer is always streamed.
    #[serde(default, rename = "stream")]
    _stream: Option<bool>,
}

impl ExtraOptions {
    /// The connection with these in its `extra`.
    fn onto(&self, mut connection: Connection) -> Result<Connection, OperatorError> {
        let given = [
            ("timeout", self.timeout.map(|span| json!(span.duration().as_secs_f64()))),
            ("verify", self.verify.clone()),
            ("allow_redirects", self.allow_redirects.map(Value::from)),
            ("check_response", self.check_response.map(Value::from)),
            ("max_redirects", self.max_redirects.map(Value::from)),
            ("proxies", self.proxies.as_ref().map(|proxies| json!(proxies))),
            ("cert", self.cert.clone()),
        ];
        let given: Vec<_> = given.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        if given.is_empty() {
            return Ok(connection);
        }
        let text = connection.extra.as_ref().map(|extra| extra.expose()).unwrap_or_default();
        let mut extra = flow_core::connection::check_extra(text).map_err(|why| OperatorError::fatal(anyhow!(why)))?;
        if given.iter().any(|(name, _)| *name == "verify") {
            // Else the connection's own word for it would win.
            extra.shift_remove("ca_file");
        }
        extra.extend(given.into_iter().map(|(name, value)| (name.to_owned(), value)));
        connection.extra = Some(Value::Object(extra).to_string().into());
        Ok(connection)
    }
}

/// Returns the client for a task. A whole address needs no connection.
pub(crate) async fn client(
    cx: &TaskContext,
    conn_id: Option<&str>,
    endpoint: &str,
    options: &ExtraOptions,
) -> Result<std::sync::Arc<Http>, OperatorError> {
    let is_whole = ["http://", "https://"].iter().any(|protocol| endpoint.trim().starts_with(protocol));
    let connection = match conn_id {
        None if is_whole => Connection { conn_type: "http".to_owned(), ..Connection::default() },
        id => cx.connection(id.unwrap_or(HTTP_DEFAULT)).await?,
    };
    Ok(http::client(&cx.clients, &options.onto(connection)?).await?)
}

/// Sets a request's headers.
pub(crate) fn with_headers(mut request: Request, headers: &BTreeMap<String, Scalar>) -> Result<Request, OperatorError> {
    for (name, value) in headers {
        request = request.header(name, &value.0)?;
    }
    Ok(request)
}

/// Makes pairs of a map: parameters of an address, or fields of a form. A list repeats its name; null is left out.
pub(crate) fn pairs(map: &Map<String, Value>) -> Result<Vec<(String, String)>, OperatorError> {
    let mut pairs = Vec::new();
    for (name, value) in map {
        let many = value.as_array().map_or_else(|| std::slice::from_ref(value), Vec::as_slice);
        for value in many.iter().filter(|value| !value.is_null()) {
            let text = match value {
                Value::String(text) => text.clone(),
                Value::Bool(_) | Value::Number(_) => value.to_string(),
                Value::Null | Value::Array(_) | Value::Object(_) => {
                    return Err(OperatorError::fatal(anyhow!(
                        "`{name}` is a map or a list within a list: send it with `json`, or write it as a text"
                    )));
                }
            };
            pairs.push((name.clone(), text));
        }
    }
    Ok(pairs)
}

/// An answer whose body was read.
pub(crate) struct Heard {
    pub(crate) text: String,
    /// What was asked, and the status.
    words: String,
    names: Map<String, Value>,
}

impl Heard {
    /// Reads the body, which must be a text that fits into memory.
    pub(crate) async fn read(mut answer: Answer, help: &str) -> Result<Self, OperatorError> {
        let words = answer.words();
        let bytes = answer.bytes_at_most(BODY_BYTES_MAX).await?.ok_or_else(|| {
            OperatorError::fatal(anyhow!("{words} with more than 16 MiB, more than is kept in memory; {help}"))
        })?;
        let kind = answer.content_type().to_owned();
        let is_latin = ["iso-8859-1", "latin1", "windows-1252"].iter().any(|name| kind.to_lowercase().contains(name));
        let text = match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) if is_latin => error.as_bytes().iter().map(|byte| char::from(*byte)).collect(),
            Err(error) => {
                let (size, kind) = (error.as_bytes().len(), if kind.is_empty() { "of no type" } else { &kind });
                let packed = answer.headers().get("content-encoding").and_then(|value| value.to_str().ok());
                let kind = packed.map_or_else(|| kind.to_owned(), |packed| format!("{kind}, packed as {packed}"));
                return Err(OperatorError::fatal(anyhow!(
                    "{words} with {size} bytes that are no text ({kind}); {help}"
                )));
            }
        };
        let mut response = head(&answer);
        response.insert("text".to_owned(), Value::String(text.clone()));
        Ok(Self { text, words, names: Map::from_iter([("response".to_owned(), Value::Object(response))]) })
    }

    /// An answer whose body goes elsewhere: expressions see the rest.
    pub(crate) fn without_body(answer: &Answer) -> Self {
        let names = Map::from_iter([("response".to_owned(), Value::Object(head(answer)))]);
        Self { text: String::new(), words: answer.words(), names }
    }

    /// Gives expressions another name.
    pub(crate) fn name(&mut self, name: &str, value: impl Into<Value>) {
        self.names.insert(name.to_owned(), value.into());
    }

    /// Parses the body, for expressions that look at it.
    pub(crate) fn read_json_for(&mut self, expressions: &[Option<&Expr>]) {
        if expressions.iter().flatten().any(|expression| expression.0.contains("json")) {
            let parsed = self.json().unwrap_or_default();
            if let Some(Value::Object(response)) = self.names.get_mut("response") {
                response.insert("json".to_owned(), parsed);
            }
        }
    }

    /// Parses the body.
    pub(crate) fn json(&self) -> Result<Value, OperatorError> {
        serde_json::from_str(&self.text).map_err(|error| {
            OperatorError::retry(anyhow!("{} with what is not JSON ({error}): {}", self.words, self.start()))
        })
    }

    /// Evaluates an expression over the answer.
    pub(crate) fn evaluate(&self, field: &str, expression: &Expr) -> Result<Value, OperatorError> {
        let compiled = expression.compile().map_err(|error| self.wrong(field, expression, &error))?;
        compiled.evaluate(&self.names).map_err(|error| self.wrong(field, expression, &error))
    }

    /// Says whether a check holds.
    pub(crate) fn holds(&self, field: &str, expression: &Expr) -> Result<bool, OperatorError> {
        let compiled = expression.compile().map_err(|error| self.wrong(field, expression, &error))?;
        compiled.holds(&self.names).map_err(|error| self.wrong(field, expression, &error))
    }

    /// The complaint of a check that does not hold.
    pub(crate) fn refused(&self, check: &Expr) -> OperatorError {
        OperatorError::retry(anyhow!(
            "{}, and `response_check` does not hold: `{}`{}",
            self.words,
            check.0,
            self.shown()
        ))
    }

    fn wrong(&self, field: &str, expression: &Expr, error: &TemplateError) -> OperatorError {
        let looks_inside = ["json", "text"].iter().any(|name| expression.0.contains(name));
        let hint = match self.names["response"].get("text") {
            None if looks_inside => "; a body that goes to `output_file` is not read: look at status and headers",
            Some(_) if expression.0.contains("json") && self.json().is_err() => "; the body is not JSON",
            Some(_) | None => "",
        };
        OperatorError::retry(anyhow!("{}, and `{field}` fails: {error}{hint}{}", self.words, self.shown()))
    }

    fn shown(&self) -> String {
        if self.text.trim().is_empty() { String::new() } else { format!("; the body: {}", self.start()) }
    }

    fn start(&self) -> String {
        let mut start: String = self.text.trim_start().chars().take(SHOWN_CHARS).collect();
        if start.len() < self.text.trim_start().len() {
            start.push('…');
        }
        start.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

/// What expressions see of an answer beside its body.
fn head(answer: &Answer) -> Map<String, Value> {
    let status = answer.status();
    let mut headers: Map<String, Value> = Map::new();
    for (name, value) in answer.headers() {
        let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
        match headers.get_mut(name.as_str()) {
            Some(Value::String(before)) => before.push_str(&format!(", {text}")),
            Some(_) | None => drop(headers.insert(name.as_str().to_owned(), Value::String(text))),
        }
    }
    let links = headers.get("link").and_then(Value::as_str).map(links).unwrap_or_default();
    let seen = json!({
        "status_code": status.as_u16(),
        "ok": status.as_u16() < 400,
        "reason": status.canonical_reason().unwrap_or_default(),
        "url": answer.url().as_str(),
        "headers": headers,
        "next_url": links.get("next").map(|link| &link["url"]),
        "links": links,
    });
    match seen {
        Value::Object(seen) => seen,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => Map::new(),
    }
}

/// Reads a header `Link`: `<https://api/x?page=2>; rel="next", …` by relation.
fn links(header: &str) -> Map<String, Value> {
    let mut found = Map::new();
    for link in header.split('<').skip(1) {
        let Some((url, parameters)) = link.split_once('>') else { continue };
        for parameter in parameters.split([';', ',']) {
            let Some(relation) = parameter.trim().strip_prefix("rel=") else { continue };
            for relation in relation.trim_matches('"').split_whitespace() {
                found.entry(relation).or_insert_with(|| json!({ "url": url.trim() }));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_found_by_relation() {
        let found = links(r#"<https://a/?p=2>; rel="next", <https://a/?p=9,1>; title="x"; rel=last, <b>"#);
        assert_eq!(found["next"]["url"], "https://a/?p=2");
        assert_eq!(found["last"]["url"], "https://a/?p=9,1");
        assert_eq!(found.len(), 2);
    }

    #[test]
    fn pairs_are_plain_values() {
        let map = json!({ "a": 1, "b": ["x", true], "c": null });
        let text: Vec<_> = pairs(map.as_object().unwrap()).unwrap().iter().map(|(a, b)| format!("{a}={b}")).collect();
        assert_eq!(text, ["a=1", "b=x", "b=true"]);
        assert!(pairs(json!({ "a": {} }).as_object().unwrap()).is_err());
    }
}
