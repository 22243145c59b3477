//! Asks an HTTP server, and keeps what it answers.
//!
//! A body goes to a file piece by piece, or is read whole up to 16 MiB. Pages are read one after another; so much of
//! them is in memory as one page is large.

use std::collections::BTreeMap;

use anyhow::anyhow;
use flow_clients::http::{Answer, Http as Client, Request};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::{
    context::{Stream, TaskContext},
    exchange::{self, BODY_BYTES_MAX, ExtraOptions, Heard},
    operator::{Done, Operator, OperatorError},
    part_file::PartFile,
    values::{Expr, Flag, Scalar},
    xcom,
};

/// So much of an answer is written to the log.
const LOGGED_BYTES_MAX: usize = 64 * 1024;

/// What to do when an answer does not fit.
const HELP: &str = "write it to a file with `output_file`";

/// `uses: http`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Http {
    /// What stands behind the connection's host. A whole address, with `http://` or `https://`, needs no connection.
    #[serde(default)]
    endpoint: Option<String>,
    /// `GET`, `POST`, `PUT`, `PATCH`, `DELETE`, `HEAD`, …
    #[serde(default = "post")]
    method: String,
    /// A map: parameters of the address with `GET`, else the fields of a form. A text: the body, as it is.
    #[serde(default)]
    data: Option<Value>,
    /// The body, sent as JSON.
    #[serde(default)]
    json: Option<Value>,
    /// Headers, before those of the connection.
    #[serde(default)]
    headers: Option<BTreeMap<String, Scalar>>,
    /// The connection. Default: `http_default`, or none with a whole address.
    #[serde(default)]
    http_conn_id: Option<String>,
    /// What must hold, or the task fails: an expression over `response.status_code`, `.ok`, `.reason`, `.url`,
    /// `.headers` (lower case), `.links`, `.text`, `.json`. A status of 400 or more fails before it is asked, unless
    /// `check_response` in `extra_options` is false.
    #[serde(default)]
    response_check: Option<Expr>,
    /// The result, an expression over the same names. Default: the body as a text.
    #[serde(default)]
    response_filter: Option<Expr>,
    /// How to ask: time-out, certificates, redirects, proxies.
    #[serde(default)]
    extra_options: Option<ExtraOptions>,
    /// Write the answer to the log, its first 64 KiB.
    #[serde(default)]
    log_response: Flag,
    /// The file that the body goes to, a whole path; the path is then the result. The file appears when it is
    /// complete. With `response_filter` or `next_page` it holds what they give, as JSON lines: a list is a line for
    /// each of its items.
    #[serde(default)]
    output_file: Option<String>,
    /// Where the next page is, an expression over `response` and `page` (how many were read): an address, or a map of
    /// parameters to set (in `json` when the request has one); null, false or an empty text after the last. With
    /// `response.next_url` pages are found by the header `Link`; `response.json.get('next')` is null where there is no `next`.
    /// Items of all pages are put together: what `response_filter` gives, else the JSON of the body.
    #[serde(default)]
    next_page: Option<Expr>,
    /// Most pages; when there are more, the task fails.
    #[serde(default = "pages")]
    max_pages: u32,
}

fn post() -> String {
    "POST".to_owned()
}

fn pages() -> u32 {
    1000
}

/// A callback may be delivered more than once: by this a server can tell.
const KEY_HEADER: &str = "Idempotency-Key";

impl Operator for Http {
    const NAME: &'static str = "http";
    const CLASS: &'static str = "airflow.providers.http.operators.http.HttpOperator";
    const SUMMARY: &'static str = "Asks an HTTP server, page by page if need be, and keeps the answer.";
    const TEMPLATED: &'static [&'static str] = &["endpoint", "data", "json", "headers", "http_conn_id", "output_file"];
    const EXAMPLE: &'static str = "\
id: orders
uses: http
retries: 3
with:
  http_conn_id: shop
  method: GET
  endpoint: v1/orders
  data: { from: \"{{ data_interval_start }}\", to: \"{{ data_interval_end }}\" }
  response_filter: response.json.orders
  next_page: response.json.get('next')
  output_file: \"/data/orders/{{ ds }}.jsonl\"
";

    async fn run(self, cx: &mut TaskContext) -> Result<Done, OperatorError> {
        let cancel = cx.cancel.clone();
        tokio::select! {
            biased;
            () = cancel.cancelled() => Err(OperatorError::cancelled()),
            done = self.exchange(cx) => done,
        }
    }
}

impl Http {
    async fn exchange(self, cx: &TaskContext) -> Result<Done, OperatorError> {
        let (endpoint, options) = (self.endpoint.as_deref().unwrap_or_default(), self.extra_options.clone());
        let client = exchange::client(cx, self.http_conn_id.as_deref(), endpoint, &options.unwrap_or_default()).await?;
        let mut request = self.request(endpoint)?;
        let has_key = self.headers.iter().flatten().any(|(name, _)| name.eq_ignore_ascii_case(KEY_HEADER));
        if let Some(key) = cx.delivery.as_ref().filter(|_| !has_key) {
            request = request.header(KEY_HEADER, key)?;
        }
        if self.next_page.is_some() {
            return self.all_pages(cx, &client, request).await;
        }
        let answer = self.ask(cx, &client, &request).await?;
        if let (Some(path), None) = (&self.output_file, &self.response_filter) {
            return self.to_file(cx, answer, path).await;
        }
        let mut heard = Heard::read(answer, HELP).await?;
        let result = self.judge(cx, &mut heard)?;
        if let Some(path) = &self.output_file {
            let mut items = Items::File(PartFile::begin(cx, path).await?, 0);
            items.add(result.unwrap_or_default()).await?;
            return items.done(cx).await;
        }
        let result = result.unwrap_or(Value::String(heard.text));
        if cx.do_xcom_push && serde_json::to_string(&result).is_ok_and(|text| text.len() > xcom::MAX_BYTES) {
            return Err(OperatorError::fatal(anyhow!(
                "the answer is larger than 256 KiB, too large for a result: {HELP}, take a part of it with `response_filter`, or set `do_xcom_push: false`"
            )));
        }
        Ok(Done::success(result))
    }

    fn request(&self, endpoint: &str) -> Result<Request, OperatorError> {
        let mut request = Request::new(&self.method, endpoint)?;
        if let Some(headers) = &self.headers {
            request = exchange::with_headers(request, headers)?;
        }
        if let Some(json) = self.json.as_ref().filter(|json| !json.is_null()) {
            request = with_json(request, json);
        }
        let is_get = ["GET", "HEAD"].contains(&self.method.to_uppercase().as_str());
        let has_json = self.json.as_ref().is_some_and(|json| !json.is_null());
        match self.data.as_ref().filter(|data| !data.is_null()) {
            None => Ok(request),
            Some(Value::Object(map)) if is_get || map.is_empty() => Ok(request.query(exchange::pairs(map)?)),
            Some(Value::String(text)) if text.is_empty() => Ok(request),
            Some(_) if has_json => Err(OperatorError::fatal(anyhow!("`data` and `json` are both a body: give one"))),
            Some(Value::String(_)) if is_get => Err(OperatorError::fatal(anyhow!(
                "`data` of a {} must be a map: the parameters of the address",
                self.method
            ))),
            Some(Value::Object(map)) => {
                let pair = |(name, value): &(String, String)| format!("{}={}", encode(name), encode(value));
                let form = exchange::pairs(map)?.iter().map(pair).collect::<Vec<_>>().join("&");
                Ok(request.body(form.into_bytes(), Some("application/x-www-form-urlencoded")))
            }
            Some(Value::String(text)) => Ok(request.body(text.clone().into_bytes(), None)),
            Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_)) => Err(OperatorError::fatal(
                anyhow!("`data` must be a map or a text; what is sent as JSON goes into `json`"),
            )),
        }
    }

    /// Asks once; a status that means failure is one.
    async fn ask(&self, cx: &TaskContext, client: &Client, request: &Request) -> Result<Answer, OperatorError> {
        let answer = client.send(request).await?;
        if client.checks_status() && answer.status().as_u16() >= 400 {
            return Err(answer.into_error(client.connection()).await.into());
        }
        cx.say(Stream::Info, &answer.words());
        Ok(answer)
    }

    /// Logs and checks a body, and filters it.
    fn judge(&self, cx: &TaskContext, heard: &mut Heard) -> Result<Option<Value>, OperatorError> {
        self.log(cx, heard.text.as_bytes());
        heard.read_json_for(&[self.response_check.as_ref(), self.response_filter.as_ref(), self.next_page.as_ref()]);
        if let Some(check) = &self.response_check
            && !heard.holds("response_check", check)?
        {
            return Err(heard.refused(check));
        }
        self.response_filter.as_ref().map(|filter| heard.evaluate("response_filter", filter)).transpose()
    }

    fn log(&self, cx: &TaskContext, bytes: &[u8]) {
        if self.log_response.0 && !bytes.is_empty() {
            cx.log.write(Stream::Stdout, &bytes[..bytes.len().min(LOGGED_BYTES_MAX)]);
            cx.log.write(Stream::Stdout, if bytes.len() > LOGGED_BYTES_MAX { "…\n".as_bytes() } else { b"\n" });
        }
    }

    /// Writes a body to a file as it comes.
    async fn to_file(&self, cx: &TaskContext, mut answer: Answer, path: &str) -> Result<Done, OperatorError> {
        let heard = Heard::without_body(&answer);
        if let Some(check) = &self.response_check
            && !heard.holds("response_check", check)?
        {
            return Err(heard.refused(check));
        }
        let mut file = PartFile::begin(cx, path).await?;
        let mut count = 0_u64;
        while let Some(piece) = answer.piece().await? {
            let piece = piece.as_ref();
            if count == 0 {
                self.log(cx, piece);
            }
            count += piece.len() as u64;
            file.write(piece).await?;
        }
        let path = file.finish().await?.display().to_string();
        cx.say(Stream::Info, &format!("wrote {count} bytes to {path}"));
        Ok(Done::success(path))
    }

    /// Reads page after page.
    async fn all_pages(&self, cx: &TaskContext, client: &Client, first: Request) -> Result<Done, OperatorError> {
        let mut items = match &self.output_file {
            Some(path) => Items::File(PartFile::begin(cx, path).await?, 0),
            None => Items::Memory(Vec::new(), 0),
        };
        let (mut request, mut pages) = (first, 0);
        loop {
            pages += 1;
            let answer = self.ask(cx, client, &request).await?;
            let at = answer.url().clone();
            let mut heard = Heard::read(answer, "ask for smaller pages").await?;
            heard.name("page", pages);
            let items_of_page = match self.judge(cx, &mut heard)? {
                Some(found) => found,
                None => heard.json()?,
            };
            items.add(items_of_page).await?;
            let next = match &self.next_page {
                Some(expression) => heard.evaluate("next_page", expression)?,
                None => Value::Null,
            };
            let following = match next {
                Value::Null | Value::Bool(false) => break,
                Value::String(text) if text.trim().is_empty() => break,
                Value::String(text) => {
                    let wrong = |error| OperatorError::retry(anyhow!("`next_page` gives no address: {error}"));
                    request.at(at.join(text.trim()).map_err(wrong)?.as_str())
                }
                Value::Object(set) if self.json.as_ref().is_some_and(Value::is_object) => {
                    let mut json = self.json.clone().unwrap_or_default();
                    json.as_object_mut().into_iter().for_each(|json| json.extend(set.clone()));
                    with_json(request.clone(), &json)
                }
                Value::Object(set) => client.with_parameters(&request, &exchange::pairs(&set)?)?,
                other @ (Value::Bool(true) | Value::Number(_) | Value::Array(_)) => {
                    return Err(OperatorError::retry(anyhow!(
                        "`next_page` gives {other}: it must be an address, a map of parameters, or null after the last page"
                    )));
                }
            };
            if following == request {
                return Err(OperatorError::retry(anyhow!(
                    "`next_page` leads from page {pages} to the same page: it must give null after the last one"
                )));
            }
            if pages >= self.max_pages {
                return Err(OperatorError::fatal(anyhow!(
                    "there are more than {pages} pages: give a larger `max_pages`, or look whether `next_page` ever gives null"
                )));
            }
            request = following;
        }
        cx.say(Stream::Info, &format!("read {pages} pages"));
        items.done(cx).await
    }
}

/// What pages hold, put together.
enum Items {
    Memory(Vec<Value>, usize),
    /// The number of its lines.
    File(PartFile, u64),
}

impl Items {
    async fn add(&mut self, found: Value) -> Result<(), OperatorError> {
        let found = match found {
            Value::Array(items) => items,
            Value::Null => Vec::new(),
            one @ (Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_)) => vec![one],
        };
        match self {
            Self::Memory(items, size) => {
                *size += found.iter().map(|item| item.to_string().len()).sum::<usize>();
                if *size > BODY_BYTES_MAX {
                    return Err(OperatorError::fatal(anyhow!("the pages hold more than 16 MiB: {HELP}")));
                }
                items.extend(found);
            }
            Self::File(file, count) => {
                for item in found {
                    file.write(format!("{item}\n").as_bytes()).await?;
                    *count += 1;
                }
            }
        }
        Ok(())
    }

    async fn done(self, cx: &TaskContext) -> Result<Done, OperatorError> {
        match self {
            Self::Memory(items, _) => Ok(Done::success(items)),
            Self::File(file, count) => {
                let path = file.finish().await?.display().to_string();
                cx.say(Stream::Info, &format!("wrote {count} lines to {path}"));
                Ok(Done::success(path))
            }
        }
    }
}

fn with_json(request: Request, json: &Value) -> Request {
    request.body(json.to_string().into_bytes(), Some("application/json"))
}

fn encode(text: &str) -> String {
    flow_core::connection::encode(text).replace("%20", "+")
}

#[cfg(test)]
mod tests;
