//! Finding text in a log: a bounded step at a time, over a log of any size.

use std::time::{Duration, Instant};

use axum::{extract::State, http::StatusCode};
use regex::bytes::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use utoipa::{IntoParams, ToSchema};

use super::{
    Place, find,
    source::{BLOCK, Source},
    token::Token,
};
use crate::{
    ApiError, App,
    api::Refusals,
    error::ErrorBody,
    extract::{Path, Query},
};

/// Longest that one step may take; the next one goes on by its token.
const TIME: Duration = Duration::from_secs(2);
/// Longest that a search waits for others.
const QUEUE: Duration = Duration::from_secs(5);
/// Longest text or expression to look for.
const NEEDLE_MAX: usize = 1_000;
/// Most memory of a compiled expression: what one takes for a byte of text grows with it.
const REGEX_BYTES_MAX: usize = 256 * 1024;
/// Bytes that an expression is tried on at once; only in between can a search be stopped.
const PIECE: usize = 4 * 1024;
/// Most matches of a step.
const MATCHES: u32 = 100;
const MATCHES_MAX: u32 = 1_000;
/// Most lines shown around a match.
const CONTEXT_MAX: u32 = 10;
/// Longer lines are cut when they are shown.
const SHOWN_MAX: usize = 1_000;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct SearchQuery {
    /// What to look for
    #[param(min_length = 1, max_length = 1_000)]
    q: String,
    /// `q` is a regular expression; it is tried on each line, and on about 4,000 bytes at a time of a longer one
    regex: Option<bool>,
    /// Capital and small letters differ
    case_sensitive: Option<bool>,
    /// Lines to show before and after each match, at most 10
    #[param(minimum = 0, default = 0)]
    context: Option<u32>,
    /// Most matches to return, at most 1,000
    #[param(minimum = 1, default = 100)]
    limit: Option<u32>,
    map_index: Option<i32>,
    /// `continuation_token` of the answer before: go on there
    token: Option<String>,
}

/// What was found in a part of a log.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LogSearchResponse {
    matches: Vec<LogMatch>,
    /// Up to here was searched.
    searched_to: u64,
    /// Length of the log.
    size: u64,
    /// There is more to search.
    continuation_token: Option<String>,
}

/// A line that was looked for.
#[derive(Debug, Serialize, ToSchema)]
struct LogMatch {
    /// From 1.
    line: u64,
    /// Position of the line in the log.
    offset: u64,
    /// The line, cut when it is long.
    text: String,
    before: Vec<String>,
    after: Vec<String>,
}

/// Find text in a log
///
/// Searches for a few seconds at most; `continuation_token` goes on. A line is found once, unless it is longer than
/// 3,000 bytes.
#[utoipa::path(get,
    path = "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/logs/{try_number}/search",
    tag = "Task Instance",
    params(("dag_id" = String, Path), ("dag_run_id" = String, Path), ("task_id" = String, Path),
        ("try_number" = u32, Path, minimum = 1), SearchQuery),
    responses((status = 200, body = LogSearchResponse), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody),
        (status = 429, body = ErrorBody), Refusals))]
pub(super) async fn search_log(
    State(app): State<App>,
    Path(place): Path<Place>,
    Query(query): Query<SearchQuery>,
) -> Result<axum::Json<LogSearchResponse>, ApiError> {
    let needle = compile(&query)?;
    let limit = query.limit.unwrap_or(MATCHES).clamp(1, MATCHES_MAX) as usize;
    let context = query.context.unwrap_or(0).min(CONTEXT_MAX) as usize;
    let found = find(&app, &place, query.map_index).await?;
    let token = query.token.as_deref().map(|text| Token::read(text, &found.source.name)).transpose()?;
    let permit = tokio::time::timeout(QUEUE, app.live.searches.clone().acquire_owned()).await;
    let Ok(Ok(mut permit)) = permit else {
        return Err(ApiError::too_many(1, "others are searching logs; try again in a moment"));
    };
    let has_ended = found.has_ended();
    let size = found.source.size().await.map_err(super::unreadable)?.unwrap_or(0);
    // Of a log that grows, the last line may be unfinished.
    let end = if has_ended { size } else { found.source.last_line_end(0, size).await.map_err(super::unreadable)? };
    let token = token.unwrap_or_default();
    let mut search = Search {
        offset: token.offset.min(end),
        line: token.line.min(end),
        matches: Vec::new(),
        last: Vec::new(),
        limit,
        context,
    };
    let deadline = Instant::now() + TIME;
    // Whoever waits for the answer may leave; the thread that searches is told.
    let stop = app.live.closing.child_token();
    let _stops = stop.clone().drop_guard();
    while search.offset < end && search.matches.len() < limit && Instant::now() < deadline {
        let Some(block) = block(&found.source, search.offset, end).await? else { break };
        let (regex, stop) = (needle.clone(), stop.clone());
        let went_on;
        // The permit goes along: as long as the thread searches, it counts.
        (search, went_on, permit) = tokio::task::spawn_blocking(move || {
            let went_on = search.step(&regex, &block, &Limit { deadline, stop });
            (search, went_on, permit)
        })
        .await
        .map_err(|error| {
            tracing::error!(%error, "a search in a log failed");
            ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "the search failed")
        })?;
        if !went_on {
            break;
        }
    }
    drop(permit);
    let next = Token { offset: search.offset, line: search.line, is_full: false };
    let continuation_token = (search.offset < size || !has_ended).then(|| next.write(&found.source.name));
    let mut matches = search.matches;
    if context > 0 {
        add_what_follows(&found.source, &mut matches, end, context).await?;
    }
    let matches = matches.into_iter().map(|found| found.shown).collect();
    Ok(axum::Json(LogSearchResponse { matches, searched_to: search.offset, size, continuation_token }))
}

fn compile(query: &SearchQuery) -> Result<Regex, ApiError> {
    let refuse = |message: String| ApiError::invalid(&["query", "q"], message);
    if query.q.is_empty() || query.q.len() > NEEDLE_MAX {
        return Err(refuse(format!("between 1 and {NEEDLE_MAX} bytes")));
    }
    let text = if query.regex.unwrap_or(false) { query.q.clone() } else { regex::escape(&query.q) };
    RegexBuilder::new(&text)
        .case_insensitive(!query.case_sensitive.unwrap_or(false))
        .multi_line(true)
        .size_limit(REGEX_BYTES_MAX)
        .dfa_size_limit(REGEX_BYTES_MAX)
        .nest_limit(50)
        .build()
        .map_err(|error| refuse(error.to_string()))
}

/// Reads lines from a position on. A line that is longer than a block comes in parts.
async fn block(source: &Source, offset: u64, end: u64) -> Result<Option<Vec<u8>>, ApiError> {
    let max = usize::try_from(end - offset).unwrap_or(BLOCK).min(BLOCK);
    let Some(mut part) = source.read(offset, max).await.map_err(super::unreadable)? else { return Ok(None) };
    if part.bytes.is_empty() {
        return Ok(None);
    }
    let is_end = offset + part.bytes.len() as u64 >= end;
    if !is_end && let Some(newline) = part.bytes.iter().rposition(|byte| *byte == b'\n') {
        part.bytes.truncate(newline + 1);
    }
    Ok(Some(part.bytes))
}

/// Where a search is.
#[derive(Debug)]
struct Search {
    /// Everything before was searched; a line begins here, or a piece of a long one.
    offset: u64,
    /// Ends of lines before that.
    line: u64,
    matches: Vec<Found>,
    /// The last lines before, for context.
    last: Vec<Vec<u8>>,
    limit: usize,
    context: usize,
}

#[derive(Debug)]
struct Found {
    shown: LogMatch,
    /// Where the line after it begins.
    next: u64,
}

/// When a search is to stop.
struct Limit {
    deadline: Instant,
    /// Fires when nobody waits for it any more.
    stop: CancellationToken,
}

impl Limit {
    fn is_reached(&self) -> bool {
        self.stop.is_cancelled() || Instant::now() >= self.deadline
    }
}

impl Search {
    /// Searches a block. Says whether to go on with the next.
    fn step(&mut self, regex: &Regex, block: &[u8], limit: &Limit) -> bool {
        let mut at = 0;
        while at < block.len() {
            let (window, advance) = piece(&block[at..]);
            if !self.search(regex, window, advance, limit) {
                return false;
            }
            at += advance;
            if limit.is_reached() {
                return false;
            }
        }
        true
    }

    /// Searches a piece: what begins before `end`. Says whether to go on.
    fn search(&mut self, regex: &Regex, piece: &[u8], end: usize, limit: &Limit) -> bool {
        let mut at = 0;
        // Looked for in all its lines first: most hold nothing.
        while let Some(found) = regex.find_at(piece, at).filter(|found| found.start() < end) {
            let start = piece[..found.start()].iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
            let line_end =
                piece[start..].iter().position(|byte| *byte == b'\n').map_or(piece.len(), |length| start + length);
            let start = start.max(at);
            self.skip(&piece[at..start]);
            let line = &piece[start..line_end];
            let next = (line_end + 1).min(end);
            // What matched may reach over the end of the line, which no line does.
            if regex.is_match(line) {
                let before = self.last.iter().map(|line| shown(line)).collect();
                let found = LogMatch {
                    line: self.line.saturating_add(1),
                    offset: self.offset,
                    text: shown(line),
                    before,
                    after: Vec::new(),
                };
                self.skip(&piece[start..next]);
                self.matches.push(Found { shown: found, next: self.offset });
            } else {
                self.skip(&piece[start..next]);
            }
            at = next;
            if self.matches.len() >= self.limit || limit.is_reached() {
                return false;
            }
            if at >= end {
                return true;
            }
        }
        self.skip(&piece[at..end]);
        true
    }

    /// Goes past lines, or a piece of one.
    fn skip(&mut self, lines: &[u8]) {
        if lines.is_empty() {
            return;
        }
        self.offset += lines.len() as u64;
        let ends = lines.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.line = self.line.saturating_add(ends);
        if self.context > 0 {
            let mut end = lines.len();
            let mut fresh = Vec::new();
            while end > 0 && fresh.len() < self.context {
                let inner = lines[..end].strip_suffix(b"\n").unwrap_or(&lines[..end]);
                let start = inner.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
                fresh.push(inner[start..].iter().copied().take(SHOWN_MAX + 1).collect());
                end = start;
            }
            fresh.reverse();
            self.last.append(&mut fresh);
            let surplus = self.last.len().saturating_sub(self.context);
            self.last.drain(..surplus);
        }
    }
}

/// Returns the first lines of a text, as many as are a piece, and where the next piece begins. Pieces of a line that is
/// longer overlap, by as much as may be looked for: a text is in one of them.
fn piece(text: &[u8]) -> (&[u8], usize) {
    if text.len() <= PIECE {
        return (text, text.len());
    }
    let window = &text[..PIECE];
    match window.iter().rposition(|byte| *byte == b'\n') {
        Some(newline) => (&window[..=newline], newline + 1),
        None => (window, PIECE - NEEDLE_MAX),
    }
}

/// Reads the lines after each match.
async fn add_what_follows(source: &Source, matches: &mut [Found], end: u64, context: usize) -> Result<(), ApiError> {
    let max = context * (SHOWN_MAX + 1) * 2;
    for found in matches {
        let length = usize::try_from(end.saturating_sub(found.next)).unwrap_or(max).min(max);
        if length == 0 {
            continue;
        }
        let Some(part) = source.read(found.next, length).await.map_err(super::unreadable)? else { return Ok(()) };
        found.shown.after = super::message::lines(&part.bytes).take(context).map(shown).collect();
    }
    Ok(())
}

/// Makes text of a line; a long one is cut.
fn shown(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(&line[..line.len().min(SHOWN_MAX * 4)]).into_owned();
    match text.char_indices().nth(SHOWN_MAX) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_a_minute() -> Limit {
        Limit { deadline: Instant::now() + Duration::from_secs(60), stop: CancellationToken::new() }
    }

    /// Searches a text in blocks of every size; returns line numbers and offsets.
    #[track_caller]
    fn check(text: &str, pattern: &str, expected: &[(u64, u64)]) {
        let regex = RegexBuilder::new(pattern).multi_line(true).build().unwrap();
        let bytes = text.as_bytes();
        let ends: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at] == b'\n').map(|at| at + 1).collect();
        for cut in ends.into_iter().chain([bytes.len()]) {
            let mut search =
                Search { offset: 0, line: 0, matches: Vec::new(), last: Vec::new(), limit: 1_000, context: 2 };
            assert!(search.step(&regex, &bytes[..cut], &in_a_minute()));
            assert!(search.step(&regex, &bytes[cut..], &in_a_minute()));
            assert_eq!(search.offset, bytes.len() as u64);
            let found: Vec<_> = search.matches.iter().map(|found| (found.shown.line, found.shown.offset)).collect();
            assert_eq!(found, expected, "{pattern} in {text:?} cut at {cut}");
        }
    }

    #[test]
    fn a_line_is_found_by_number_and_position() {
        check("one\ntwo\nthree two\n", "two", &[(2, 4), (3, 8)]);
        check("one\ntwo\nlast", "last", &[(3, 8)]);
        check("two two\n", "two", &[(1, 0)]);
        check("a\n\nb\n", "^$", &[(2, 2)]);
        check("a\nb\n", "c", &[]);
    }

    #[test]
    fn an_expression_sees_one_line_at_a_time() {
        check("x\ny\nxy\n", "x[^z]*y", &[(3, 4)]);
        check("a\nb\n", r"a\sb", &[]);
        check("a\nb\na", r"^a$", &[(1, 0), (3, 4)]);
        check("x \nx\n\n y\n", r"x\s*y|x$", &[(2, 3)]);
    }

    #[test]
    fn a_search_stops_at_its_limit_and_shows_lines_before() {
        let regex = Regex::new("x").unwrap();
        let mut search = Search { offset: 0, line: 0, matches: Vec::new(), last: Vec::new(), limit: 2, context: 2 };
        let text = b"1\n2\n3\nx4\nx5\nx6\n";
        assert!(!search.step(&regex, text, &in_a_minute()));
        assert_eq!((search.offset, search.line), (12, 5));
        assert_eq!(search.matches[0].shown.before, ["2", "3"]);
        assert_eq!(search.matches[1].shown.before, ["3", "x4"]);
        assert_eq!(search.matches[1].next, 12);
    }

    #[test]
    fn a_long_line_is_searched_in_pieces() {
        let long = |text: &str| format!("first\n{}{text}{}\nlast\n", "x".repeat(4_090), "x".repeat(6_000));
        let needle = "n".repeat(NEEDLE_MAX);
        let (at, next) = (6, 6 + (PIECE - NEEDLE_MAX) as u64);
        check(&long(&needle), &needle, &[(2, next)]);
        check(&long("y"), "y", &[(2, next)]);
        check(&long("y"), "last", &[(3, 6 + 10_092)]);
        // Each of its pieces is found.
        check(&long("y"), "x", &[(2, at), (2, next), (2, 2 * next - at)]);
    }

    #[test]
    fn a_search_stops_inside_a_line() {
        let regex = RegexBuilder::new(r"(?-u)(?:a.{0,20}){20}\bz").size_limit(REGEX_BYTES_MAX).build().unwrap();
        let text = b"ab".repeat(BLOCK / 2);
        let late = Limit { deadline: Instant::now(), ..in_a_minute() };
        let left = in_a_minute();
        left.stop.cancel();
        for limit in [late, left] {
            let mut search = Search { offset: 0, line: 0, matches: Vec::new(), last: Vec::new(), limit: 9, context: 0 };
            assert!(!search.step(&regex, &text, &limit));
            assert!(search.offset > 0 && search.offset <= PIECE as u64, "{}", search.offset);
        }
    }
}
