//! Logs of task instances: as messages, as text, by range, the end, live, and searched.

use std::{io, sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use flow_core::TaskState;
use flow_store::{TaskRow, Try};
use futures_util::stream;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use self::{
    message::{StructuredLogMessage, lines},
    source::{Next, Reading, Source, Until, is_over},
    token::Token,
};
use super::Refusals;
use crate::{
    ApiError, App, LogName,
    access::Who,
    error::ErrorBody,
    extract::{Path, Query},
};

mod message;
mod search;
mod source;
mod tail;
mod token;

/// Bytes of a log in one answer, when all of it was not asked for.
const PAGE: u64 = 1024 * 1024;
/// Most lines of the end of a log.
const TAIL_MAX: u64 = 100_000;

/// Position of the first byte.
const OFFSET: HeaderName = HeaderName::from_static("flow-log-offset");
/// Length of the log.
const SIZE: HeaderName = HeaderName::from_static("flow-log-size");
/// Whether nothing more will be written.
const ENDED: HeaderName = HeaderName::from_static("flow-log-ended");

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct LogQuery {
    /// All of the log at once, not a part of it with a token for the next
    full_content: Option<bool>,
    #[param(default = -1)]
    map_index: Option<i32>,
    /// `continuation_token` of the answer before: go on there
    token: Option<String>,
    /// Begin at this byte
    #[param(minimum = 0)]
    offset: Option<u64>,
    /// Most bytes to return; without it, text is returned to its end
    #[param(minimum = 0)]
    limit: Option<u64>,
    /// Only the last lines; at most 100,000, and 4 MiB of them
    #[param(minimum = 0)]
    tail: Option<u64>,
    /// With `tail`: the last lines before this byte
    #[param(minimum = 0)]
    before: Option<u64>,
    /// Go on until the attempt has ended; for `text/plain`, `application/x-ndjson` and `text/event-stream`
    follow: Option<bool>,
    /// Answer with a file to keep
    download: Option<bool>,
}

/// Names an attempt.
#[derive(Deserialize)]
struct Place {
    dag_id: String,
    dag_run_id: String,
    task_id: String,
    try_number: u32,
}

#[derive(Serialize, ToSchema)]
struct TaskInstancesLogResponse {
    content: Vec<StructuredLogMessage>,
    continuation_token: Option<String>,
}

/// What a caller takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Json,
    Ndjson,
    Text,
    Events,
}

/// An attempt that there is.
struct Found {
    source: Source,
    task: TaskRow,
    tried: Option<Try>,
}

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(get_log)).routes(routes!(search::search_log))
}

/// The log of one try
///
/// As JSON with a token to go on with; as `application/x-ndjson`, a message a line; as `text/plain`, by `Range` or
/// `offset` and `limit`; or as `text/event-stream`, live.
#[utoipa::path(get,
    path = "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/logs/{try_number}",
    tag = "Task Instance",
    params(("dag_id" = String, Path), ("dag_run_id" = String, Path), ("task_id" = String, Path),
        ("try_number" = u32, Path, minimum = 1), LogQuery),
    responses(
        (status = 200, content((TaskInstancesLogResponse = "application/json"), (String = "application/x-ndjson"),
            (String = "text/plain"), (String = "text/event-stream"))),
        (status = 206, description = "A range of the text", content_type = "text/plain", body = String),
        (status = 400, body = ErrorBody), (status = 404, body = ErrorBody),
        (status = 416, description = "No such range", body = ErrorBody), (status = 429, body = ErrorBody), Refusals))]
async fn get_log(
    State(app): State<App>,
    who: Who,
    Path(place): Path<Place>,
    Query(query): Query<LogQuery>,
    request: Parts,
) -> Result<Response, ApiError> {
    let found = find(&app, &place, query.map_index).await?;
    let form = if query.download.unwrap_or(false) { Form::Text } else { accepted(&request.headers) };
    let token = query.token.as_deref().map(|text| Token::read(text, &found.source.name)).transpose()?;
    let is_full = query.full_content.unwrap_or(false) || token.is_some_and(|token| token.is_full);
    // In this order: what is written before the end is counted.
    let has_ended = found.has_ended();
    let size = found.source.size().await.map_err(unreadable)?;
    let (start, end) = match token {
        Some(token) => (token.offset.min(size.unwrap_or(0)), u64::MAX),
        None => found.range(&query, size.unwrap_or(0)).await?,
    };
    if query.follow.unwrap_or(false) || form == Form::Events {
        if form == Form::Json {
            let problem = "to follow a log, accept `text/plain`, `application/x-ndjson` or `text/event-stream`";
            return Err(ApiError::invalid(&["query", "follow"], problem));
        }
        return tail::answer(&app, &request, who, found, form, start).await;
    }
    let Some(size) = size else { return Ok(found.nothing(form, has_ended)) };
    let end = end.min(size);
    match form {
        Form::Text => found.text(&query, &request.headers, start, end, size, has_ended),
        Form::Ndjson => {
            let end = found.line_end(start, end, size, has_ended).await?;
            let next = (end < size || !has_ended).then(|| Token { offset: end, is_full, ..Token::default() });
            let mut response = body_of(found.source.clone(), start, end, Form::Ndjson).into_response();
            if let Some(token) = next
                && let Ok(value) = HeaderValue::from_str(&token.write(&found.source.name))
            {
                response.headers_mut().insert("airflow-continuation-token", value);
            }
            Ok(with_type(response, "application/x-ndjson"))
        }
        Form::Json | Form::Events => {
            let page = if is_full { end } else { end.min(start.saturating_add(PAGE)) };
            let page = found.line_end(start, page, size, has_ended).await?;
            let next = (page < size || !has_ended).then(|| Token { offset: page, is_full, ..Token::default() });
            let token = next.map(|token| token.write(&found.source.name));
            Ok(with_type(json(found.source, start, page, token), "application/json"))
        }
    }
}

/// Finds the attempt that a request names.
async fn find(app: &App, place: &Place, map_index: Option<i32>) -> Result<Found, ApiError> {
    if place.try_number == 0 {
        return Err(ApiError::invalid(&["path", "try_number"], "must be 1 or more"));
    }
    let Place { dag_id, dag_run_id, task_id, try_number } = place;
    let run = app.store.run(dag_id, dag_run_id).await?.ok_or_else(|| ApiError::not_found("dag run", dag_run_id))?;
    let map_index = map_index.unwrap_or(-1);
    let task = app.store.task(run.run.key, task_id, map_index).await?;
    let task = task.ok_or_else(|| ApiError::not_found("task instance", task_id))?;
    let tries = app.store.tries(run.run.key, task_id, map_index).await?;
    let tried = tries.into_iter().find(|tried| tried.try_number == *try_number);
    if tried.is_none() && *try_number != task.try_number.max(1) {
        return Err(ApiError::not_found("try", try_number));
    }
    let name = LogName {
        dag_id: run.run.dag_id.clone(),
        run_id: run.run.run_id.clone(),
        task_id: task.task_id.clone().into(),
        map_index: task.map_index,
        try_number: *try_number,
        worker: tried.as_ref().and_then(|tried| tried.worker.clone()),
    };
    let source =
        Source { store: app.store.clone(), logs: Arc::clone(&app.logs), name: Arc::new(name), run: run.run.key };
    Ok(Found { source, task, tried })
}

impl Found {
    fn has_ended(&self) -> bool {
        is_over(&self.task, self.source.name.try_number)
    }

    /// Returns where to begin and end, as the query says.
    async fn range(&self, query: &LogQuery, size: u64) -> Result<(u64, u64), ApiError> {
        let before = query.before.unwrap_or(size).min(size);
        if let Some(lines) = query.tail {
            let start = self.source.tail(before, lines.min(TAIL_MAX)).await.map_err(unreadable)?;
            return Ok((start, if query.before.is_some() { before } else { u64::MAX }));
        }
        let start = query.offset.unwrap_or(0).min(size);
        Ok((start, query.limit.map_or(u64::MAX, |limit| start.saturating_add(limit))))
    }

    /// Returns where a page ends: with a line, unless it ends with the log, or there is no such line.
    async fn line_end(&self, start: u64, end: u64, size: u64, has_ended: bool) -> Result<u64, ApiError> {
        if has_ended && end == size {
            return Ok(end);
        }
        let line_end = self.source.last_line_end(start, end).await.map_err(unreadable)?;
        Ok(if line_end == start && end < size { end } else { line_end })
    }

    /// Says why there is no log.
    fn why_nothing(&self) -> String {
        let number = self.source.name.try_number;
        let has_begun = self.tried.as_ref().is_some_and(|tried| tried.started_at.is_some());
        if self.task.operator == "empty" && self.task.state == TaskState::Success {
            return "An `empty` task does nothing, so it logs nothing.".to_owned();
        }
        match (has_begun, self.has_ended()) {
            (true, false) => "Nothing was logged yet.".to_owned(),
            (true, true) => {
                let host = self.tried.as_ref().and_then(|tried| tried.hostname.as_deref()).unwrap_or("another host");
                format!(
                    "The log of try {number} is not here: it was removed, or is still where it was written, on {host}."
                )
            }
            (false, false) => {
                let state = self.task.state.to_string().replace('_', " ");
                format!("Try {number} has not begun: the task is `{state}`.")
            }
            (false, true) => format!("Try {number} never began: the task is `{}`.", self.task.state),
        }
    }

    /// Answers for a log that is not there.
    fn nothing(&self, form: Form, has_ended: bool) -> Response {
        let message = StructuredLogMessage::remark(self.why_nothing());
        let token = (!has_ended).then(|| Token::default().write(&self.source.name));
        match form {
            Form::Text | Form::Events => {
                let mut response = with_type(format!("{}\n", self.why_nothing()).into_response(), TEXT);
                describe(&mut response, 0, 0, has_ended);
                response
            }
            Form::Ndjson => {
                let mut line = Vec::new();
                message.write(&mut line);
                line.push(b'\n');
                let mut response = with_type(line.into_response(), "application/x-ndjson");
                if let Some(value) = token.and_then(|token| HeaderValue::from_str(&token).ok()) {
                    response.headers_mut().insert("airflow-continuation-token", value);
                }
                response
            }
            Form::Json => axum::Json(TaskInstancesLogResponse { content: vec![message], continuation_token: token })
                .into_response(),
        }
    }

    /// Answers with the bytes of the log.
    fn text(
        &self,
        query: &LogQuery,
        headers: &HeaderMap,
        start: u64,
        end: u64,
        size: u64,
        has_ended: bool,
    ) -> Result<Response, ApiError> {
        let is_asked_by_query =
            [query.offset, query.limit, query.tail].iter().any(Option::is_some) || query.token.is_some();
        let range = if is_asked_by_query { Ranged::All } else { ranged(headers, size) };
        let (start, end, status) = match range {
            Ranged::All => (start, end, StatusCode::OK),
            Ranged::Part(start, end) => (start, end, StatusCode::PARTIAL_CONTENT),
            Ranged::None => {
                let error = ApiError::new(StatusCode::RANGE_NOT_SATISFIABLE, format!("the log has {size} bytes"));
                let mut response = error.into_response();
                insert(&mut response, header::CONTENT_RANGE, format!("bytes */{size}"));
                return Ok(response);
            }
        };
        let mut response = with_type(body_of(self.source.clone(), start, end, Form::Text).into_response(), TEXT);
        *response.status_mut() = status;
        describe(&mut response, start, size, has_ended);
        insert(&mut response, header::CONTENT_LENGTH, (end - start).to_string());
        insert(&mut response, header::ACCEPT_RANGES, "bytes".to_owned());
        if status == StatusCode::PARTIAL_CONTENT {
            insert(&mut response, header::CONTENT_RANGE, format!("bytes {start}-{}/{size}", end - 1));
        }
        if query.download.unwrap_or(false) {
            insert(
                &mut response,
                header::CONTENT_DISPOSITION,
                format!("attachment; filename=\"{}\"", self.file_name()),
            );
        }
        Ok(response)
    }

    /// Returns a name for the file that a browser makes: plain characters only.
    fn file_name(&self) -> String {
        let LogName { dag_id, run_id, task_id, map_index, try_number, .. } = &*self.source.name;
        let index = if *map_index < 0 { String::new() } else { format!("-{map_index}") };
        let name = format!("{dag_id}-{run_id}-{task_id}{index}-{try_number}");
        let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.+".contains(c) { c } else { '_' };
        let name: String = name.trim_start_matches('.').chars().map(plain).take(200).collect();
        format!("{name}.log")
    }
}

const TEXT: &str = "text/plain; charset=utf-8";

/// What `Range` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ranged {
    /// Nothing, or something that may be ignored.
    All,
    /// From the first to before the second.
    Part(u64, u64),
    /// Nothing that there is.
    None,
}

/// Reads `Range: bytes=a-b`. Several ranges are answered with everything, which the standard allows.
fn ranged(headers: &HeaderMap, size: u64) -> Ranged {
    // There is nothing to compare `If-Range` with.
    if headers.contains_key(header::IF_RANGE) {
        return Ranged::All;
    }
    let Some(text) = headers.get(header::RANGE).and_then(|value| value.to_str().ok()) else { return Ranged::All };
    let Some((first, last)) = text.trim().strip_prefix("bytes=").and_then(|range| range.split_once('-')) else {
        return Ranged::All;
    };
    let number = |text: &str| text.trim().parse::<u64>().ok();
    match (first.trim(), last.trim()) {
        ("", last) => match number(last) {
            Some(0) => Ranged::None,
            Some(_) if size == 0 => Ranged::None,
            Some(length) => Ranged::Part(size.saturating_sub(length), size),
            None => Ranged::All,
        },
        (first, last) => {
            let last = if last.is_empty() { Some(u64::MAX) } else { number(last) };
            match (number(first), last) {
                (Some(first), Some(last)) if first <= last => match first < size {
                    true => Ranged::Part(first, last.saturating_add(1).min(size)),
                    false => Ranged::None,
                },
                _ => Ranged::All,
            }
        }
    }
}

/// Reads `Accept`: the known form that is wanted most; JSON for whatever is not understood, as in Airflow.
fn accepted(headers: &HeaderMap) -> Form {
    let Some(text) = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()) else { return Form::Json };
    let mut best = (0.0, Form::Json);
    for part in text.split(',') {
        let mut pieces = part.split(';').map(str::trim);
        let form = match pieces.next().unwrap_or_default().to_ascii_lowercase().as_str() {
            "application/json" | "application/*" | "*/*" => Form::Json,
            "application/x-ndjson" => Form::Ndjson,
            "text/plain" => Form::Text,
            "text/event-stream" => Form::Events,
            _ => continue,
        };
        let weight = pieces.find_map(|piece| piece.strip_prefix("q=")?.parse().ok()).unwrap_or(1.0);
        if weight > best.0 {
            best = (weight, form);
        }
    }
    best.1
}

/// Makes a body of a range of a log, read as it is sent.
fn body_of(source: Source, start: u64, end: u64, form: Form) -> Body {
    let reading = Reading::new(source, start, Until::Offset(end), form != Form::Text);
    Body::from_stream(stream::try_unfold(reading, move |mut reading| async move {
        match reading.next().await? {
            Next::Bytes(bytes) => Ok::<_, io::Error>(Some((encode(bytes, form), reading))),
            Next::Wait(_) | Next::End => Ok(None),
        }
    }))
}

/// Makes bytes of a log what the caller takes.
fn encode(bytes: Vec<u8>, form: Form) -> Bytes {
    if form == Form::Text {
        return bytes.into();
    }
    let mut out = Vec::with_capacity(bytes.len() * 2);
    for line in lines(&bytes) {
        StructuredLogMessage::of(line).write(&mut out);
        out.push(b'\n');
    }
    out.into()
}

/// Makes the JSON answer, piece by piece: all of a log may be asked for.
fn json(source: Source, start: u64, end: u64, token: Option<String>) -> Response {
    enum Step {
        Messages { is_first: bool },
        Done,
    }
    let reading = Reading::new(source, start, Until::Offset(end), true);
    let begin = (reading, token, Step::Messages { is_first: true });
    let pieces = stream::try_unfold(begin, |(mut reading, token, step)| async move {
        let Step::Messages { is_first } = step else { return Ok(None) };
        let mut out = Vec::new();
        if is_first {
            out.extend_from_slice(b"{\"content\":[");
        }
        let Next::Bytes(bytes) = reading.next().await? else {
            out.extend_from_slice(b"],\"continuation_token\":");
            out.extend_from_slice(serde_json::to_string(&token)?.as_bytes());
            out.push(b'}');
            return Ok::<_, io::Error>(Some((Bytes::from(out), (reading, token, Step::Done))));
        };
        for (number, line) in lines(&bytes).enumerate() {
            if number > 0 || !is_first {
                out.push(b',');
            }
            StructuredLogMessage::of(line).write(&mut out);
        }
        Ok(Some((out.into(), (reading, token, Step::Messages { is_first: false }))))
    });
    Body::from_stream(pieces).into_response()
}

fn with_type(mut response: Response, kind: &'static str) -> Response {
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// Says where in the log the text is.
fn describe(response: &mut Response, start: u64, size: u64, has_ended: bool) {
    insert(response, OFFSET, start.to_string());
    insert(response, SIZE, size.to_string());
    insert(response, ENDED, has_ended.to_string());
}

fn insert(response: &mut Response, name: HeaderName, value: String) {
    if let Ok(value) = HeaderValue::try_from(value) {
        response.headers_mut().insert(name, value);
    }
}

fn unreadable(error: io::Error) -> ApiError {
    tracing::warn!(%error, "a log could not be read");
    ApiError::new(StatusCode::SERVICE_UNAVAILABLE, format!("the log cannot be read: {error}"))
}

/// Longest that one connection may follow a log; whoever wants more resumes.
const FOLLOW: Duration = Duration::from_secs(60 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_str(value).unwrap())])
    }

    #[test]
    fn accept_chooses_the_form() {
        let check = |text, form| assert_eq!(accepted(&headers(header::ACCEPT, text)), form, "{text}");
        assert_eq!(accepted(&HeaderMap::new()), Form::Json);
        check("*/*", Form::Json);
        check("text/plain", Form::Text);
        check("application/x-ndjson", Form::Ndjson);
        check("text/html, text/plain;q=0.5, */*;q=0.8", Form::Json);
        check("application/json;q=0.1, text/event-stream", Form::Events);
        check("text/html", Form::Json);
        check("text/plain;q=x", Form::Text);
        check("text/plain;q=0", Form::Json);
    }

    #[test]
    fn a_range_is_read_as_the_standard_says() {
        let check = |text, range| assert_eq!(ranged(&headers(header::RANGE, text), 10), range, "{text}");
        check("bytes=0-3", Ranged::Part(0, 4));
        check("bytes=4-", Ranged::Part(4, 10));
        check("bytes=-3", Ranged::Part(7, 10));
        check("bytes=-30", Ranged::Part(0, 10));
        check("bytes=9-99", Ranged::Part(9, 10));
        check("bytes=0-18446744073709551615", Ranged::Part(0, 10));
        check("bytes=10-", Ranged::None);
        check("bytes=-0", Ranged::None);
        check("bytes=3-1", Ranged::All);
        check("bytes=0-1,4-5", Ranged::All);
        check("lines=0-1", Ranged::All);
        check("bytes=x", Ranged::All);
        assert_eq!(ranged(&headers(header::RANGE, "bytes=0-"), 0), Ranged::None);
    }
}
