//! What changes, as it changes: server-sent events.

use std::{collections::VecDeque, convert::Infallible, sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, HeaderValue, header, request::Parts},
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt as _, stream};
use serde::Deserialize;
use tokio::{
    sync::broadcast::{self, error::RecvError, error::TryRecvError},
    time::{Instant, MissedTickBehavior},
};
use tokio_util::sync::CancellationToken;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::Refusals;
use crate::{
    ApiError, App,
    access::Who,
    error::ErrorBody,
    extract::Query,
    live::{Access, LOOK_BACK, Said, Seat, Told},
    serve::Lasts,
};

/// Between two signs of life when nothing happens.
pub(super) const BEAT: Duration = Duration::from_secs(15);
/// After so long a client tries again when the stream has ended, in milliseconds.
const RETRY: &str = "retry: 2000\n";
/// Between two looks whether the stream may go on.
const CHECK: Duration = Duration::from_secs(2);
/// Says that events are missing: load everything anew.
const RELOAD: &[u8] = b"event: reload\ndata: {}\n\n";
/// Most events that are told again to who was away; who was away for more loads anew.
const RESUME_MAX: i64 = 10_000;
/// Events read at a time for one who was away.
const PAGE: u32 = 500;
/// Most events in one piece of the stream.
const BATCH: usize = 256;
/// Most DAGs to watch by name.
const DAGS_MAX: usize = 100;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Filter {
    /// Only events of these DAGs
    #[serde(default)]
    dag_id: Vec<String>,
    /// Only events of this run
    dag_run_id: Option<String>,
    /// Begin after the event with this number; the header `Last-Event-ID` does the same
    #[param(minimum = 0)]
    after: Option<u64>,
}

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(stream_events))
}

/// What changes, as it changes
///
/// A stream of server-sent events. `data` is JSON: `kind`, `dag_id`, `run_id`, `task_id`, `map_index`, `try_number`,
/// `state`, `at`. `event: reload` says that some were left out. An event may come twice.
#[utoipa::path(get, path = "/api/v2/events", tag = "Event", params(Filter),
    responses((status = 200, body = String, content_type = "text/event-stream"), (status = 429, body = ErrorBody), Refusals))]
async fn stream_events(
    State(app): State<App>,
    who: Who,
    request: Parts,
    Query(filter): Query<Filter>,
) -> Result<Response, ApiError> {
    if filter.dag_id.len() > DAGS_MAX {
        return Err(ApiError::invalid(&["query", "dag_id"], format!("at most {DAGS_MAX} of them")));
    }
    for dag_id in &filter.dag_id {
        crate::auth::check_dag(&app, &who, dag_id, false).await?;
    }
    let after = last_event_id(&request.headers).or(filter.after).map(|id| i64::try_from(id).unwrap_or(i64::MAX));
    let seat = app.live.seat(&who)?;
    let access = Access::new(&app, &request, who, None).await?;
    let (heard, from) = app.live.hub.watch().await?;
    let mut watcher = Watcher {
        heard,
        access,
        filter,
        greeting: None,
        waiting: VecDeque::new(),
        past: None,
        floor: 0,
        closing: app.live.closing.clone(),
        beats: beats(BEAT),
        checks: beats(CHECK),
        app,
        _seat: seat,
    };
    watcher.begin(after, from).await?;
    let pieces = stream::unfold(watcher, |mut watcher| async move {
        let piece = watcher.next().await?;
        Some((Ok::<_, Infallible>(piece), watcher))
    });
    let body = Body::from_stream(pieces.fuse());
    let mut response = body.into_response();
    mark_live(&mut response, "text/event-stream");
    Ok(response)
}

/// Marks a stream that has a seat: its connection stays, and nothing on the way may keep it or hold it back.
pub(super) fn mark_live(response: &mut Response, content_type: &'static str) {
    response.extensions_mut().insert(Lasts);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
}

/// Reads the header with which browsers resume.
pub(super) fn last_event_id(headers: &HeaderMap) -> Option<u64> {
    headers.get("last-event-id")?.to_str().ok()?.trim().parse().ok()
}

pub(super) fn beats(period: Duration) -> tokio::time::Interval {
    let mut beats = tokio::time::interval_at(Instant::now() + period, period);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    beats
}

/// One who watches.
struct Watcher {
    app: App,
    heard: broadcast::Receiver<Said>,
    access: Access,
    filter: Filter,
    /// The first piece.
    greeting: Option<String>,
    /// What was heard and not sent; at most [`BATCH`].
    waiting: VecDeque<Said>,
    /// The last number of the past that was told again, while that goes on.
    past: Option<i64>,
    /// What is heard up to this number was told from the past.
    floor: i64,
    closing: CancellationToken,
    beats: tokio::time::Interval,
    checks: tokio::time::Interval,
    _seat: Seat,
}

impl Watcher {
    /// Finds out where to begin. `from`: the number after which everything is heard.
    async fn begin(&mut self, after: Option<i64>, from: i64) -> Result<(), ApiError> {
        let Some(after) = after else {
            self.greeting = Some(format!("{RETRY}id: {from}\n\n"));
            return Ok(());
        };
        let is_known = after <= from && from - after <= RESUME_MAX && {
            let first = self.app.store.first_event().await?;
            after == from || first <= after + 1
        };
        if is_known {
            // What had a smaller number may have been committed after it was gone.
            let back = if self.app.live.hub.looks_back() { LOOK_BACK } else { 0 };
            self.past = Some((after - back).max(0));
            self.greeting = Some(format!("{RETRY}\n"));
        } else {
            self.greeting = Some(format!("{RETRY}id: {from}\n\n"));
            self.waiting.push_back(Said::Reload);
        }
        Ok(())
    }

    /// Waits for the next piece; `None` when the stream ends.
    async fn next(&mut self) -> Option<Bytes> {
        if let Some(greeting) = self.greeting.take() {
            return Some(greeting.into());
        }
        loop {
            let mut piece = Vec::new();
            self.fill().await?;
            if self.waiting.is_empty() {
                return Some(Bytes::from_static(b":\n\n"));
            }
            let batch = std::mem::take(&mut self.waiting);
            // Who may see a DAG may have changed with the DAG.
            let asks =
                batch.iter().any(|said| matches!(said, Said::Event(told) | Said::Late(told) if told.is_about_dag));
            if asks && self.access.look().await.is_err_and(|error| error.is_refusal()) {
                return None;
            }
            let dags = batch.iter().filter_map(|said| match said {
                Said::Event(told) | Said::Late(told) => told.dag_id.as_deref(),
                Said::Reload => None,
            });
            if self.access.look_for(dags).await.is_err() {
                return None;
            }
            for said in &batch {
                match said {
                    Said::Reload => piece.extend_from_slice(RELOAD),
                    Said::Event(told) if self.shows(told) => write(&mut piece, told, true),
                    // Its number would send a client that resumes back in time.
                    Said::Late(told) if self.shows(told) => write(&mut piece, told, false),
                    Said::Event(_) | Said::Late(_) => {}
                }
            }
            if !piece.is_empty() {
                return Some(piece.into());
            }
        }
    }

    /// Waits until there is something to send; nothing = a sign of life. `None` when the stream ends.
    async fn fill(&mut self) -> Option<()> {
        loop {
            if self.closing.is_cancelled() || !self.access.may_go_on().await {
                return None;
            }
            if !self.waiting.is_empty() {
                return Some(());
            }
            if let Some(last) = self.past {
                self.remember(last).await?;
                continue;
            }
            tokio::select! {
                biased;
                () = self.closing.cancelled() => return None,
                said = self.heard.recv() => self.take(said)?,
                _ = self.checks.tick() => {}
                _ = self.beats.tick() => return Some(()),
            }
        }
    }

    /// Tells a page of the past again.
    async fn remember(&mut self, last: i64) -> Option<()> {
        let rows = self.app.store.events_after(last, PAGE).await.ok()?;
        let is_end = rows.len() < PAGE as usize;
        if let Some(newest) = rows.last() {
            self.floor = newest.id;
        }
        self.past = (!is_end).then_some(self.floor);
        self.waiting.extend(rows.into_iter().map(|row| Said::Event(Arc::new(row.into()))));
        Some(())
    }

    /// Takes what was heard, and what else is there.
    fn take(&mut self, said: Result<Said, RecvError>) -> Option<()> {
        match said {
            Ok(said) => self.keep(said),
            Err(RecvError::Lagged(_)) => self.waiting.push_back(Said::Reload),
            Err(RecvError::Closed) => return None,
        }
        while self.waiting.len() < BATCH {
            match self.heard.try_recv() {
                Ok(said) => self.keep(said),
                Err(TryRecvError::Lagged(_)) => self.waiting.push_back(Said::Reload),
                Err(TryRecvError::Empty | TryRecvError::Closed) => break,
            }
        }
        Some(())
    }

    fn keep(&mut self, said: Said) {
        if !matches!(&said, Said::Event(told) if told.id <= self.floor) {
            self.waiting.push_back(said);
        }
    }

    fn shows(&self, told: &Told) -> bool {
        let is_wanted = |wanted: &str| told.dag_id.as_deref() == Some(wanted);
        (self.filter.dag_id.is_empty() || self.filter.dag_id.iter().any(|wanted| is_wanted(wanted)))
            && self.filter.dag_run_id.as_ref().is_none_or(|wanted| told.run_id.as_ref() == Some(wanted))
            && self.access.shows(told.dag_id.as_deref())
    }
}

/// Appends an event as it is sent.
fn write(out: &mut Vec<u8>, told: &Told, has_id: bool) {
    if has_id {
        out.extend_from_slice(format!("id: {}\n", told.id).as_bytes());
    }
    out.extend_from_slice(b"data: ");
    out.extend_from_slice(&told.data);
    out.extend_from_slice(b"\n\n");
}
