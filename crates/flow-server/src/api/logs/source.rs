//! One attempt's log: where its lines begin and end, and reading on. Memory does not grow with the log.

use std::{io, sync::Arc, time::Duration};

use flow_core::{RunKey, TaskState};
use flow_store::{Store, StoreError, TaskRow};
use tokio::time::Instant;

use crate::{LogName, LogPart, Logs};

/// Bytes read at a time.
pub(super) const BLOCK: usize = 256 * 1024;
/// Most bytes of the last lines.
pub(super) const TAIL_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Between two looks at a log that grows; longer when nothing comes.
const LOOK: Duration = Duration::from_millis(100);
const LOOK_MAX: Duration = Duration::from_millis(400);
/// How often it is asked whether the attempt has ended.
const ASK: Duration = Duration::from_millis(500);

/// One attempt and its log. Cheap to clone.
#[derive(Clone)]
pub(super) struct Source {
    pub(super) store: Store,
    pub(super) logs: Arc<dyn Logs>,
    pub(super) name: Arc<LogName>,
    pub(super) run: RunKey,
}

impl Source {
    pub(super) async fn read(&self, offset: u64, max: usize) -> io::Result<Option<LogPart>> {
        self.logs.read(&self.name, offset, max).await
    }

    /// Returns how long the log is; `None` when nothing was ever written.
    pub(super) async fn size(&self) -> io::Result<Option<u64>> {
        Ok(self.read(0, 0).await?.map(|part| part.size))
    }

    /// Says whether nothing more will be written.
    pub(super) async fn has_ended(&self) -> Result<bool, StoreError> {
        let task = self.store.task(self.run, self.name.task_id.as_str(), self.name.map_index).await?;
        Ok(task.is_none_or(|task| is_over(&task, self.name.try_number)))
    }

    /// Returns where the last lines before `end` begin. An unfinished last line counts.
    pub(super) async fn tail(&self, end: u64, lines: u64) -> io::Result<u64> {
        if lines == 0 {
            return Ok(end);
        }
        let first = end.saturating_sub(TAIL_BYTES_MAX);
        let mut left = lines;
        // The newline that ends the last line is not one between lines.
        let mut at = end.saturating_sub(1);
        while at > first {
            let from = at.saturating_sub(BLOCK as u64).max(first);
            let length = usize::try_from(at - from).unwrap_or(BLOCK);
            let Some(part) = self.read(from, length).await? else { return Ok(0) };
            for (position, _) in part.bytes.iter().enumerate().rev().filter(|(_, byte)| **byte == b'\n') {
                left -= 1;
                if left == 0 {
                    return Ok(from + position as u64 + 1);
                }
            }
            at = from;
        }
        Ok(first)
    }

    /// Returns where the last finished line before `end` ends. A line of more than [`BLOCK`] counts as finished.
    pub(super) async fn last_line_end(&self, start: u64, end: u64) -> io::Result<u64> {
        let from = end.saturating_sub(BLOCK as u64).max(start);
        let length = usize::try_from(end - from).unwrap_or(BLOCK);
        let Some(part) = self.read(from, length).await? else { return Ok(start) };
        let newline = part.bytes.iter().rposition(|byte| *byte == b'\n');
        Ok(match newline {
            Some(position) => from + position as u64 + 1,
            None if length < BLOCK => start,
            None => end,
        })
    }
}

/// Says whether a task instance is done with a try.
pub(super) fn is_over(task: &TaskRow, try_number: u32) -> bool {
    task.state.is_finished() || task.try_number > try_number || task.state == TaskState::UpForRetry
}

/// Where reading ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Until {
    Offset(u64),
    /// The attempt has ended.
    Ended,
}

/// What comes next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Next {
    Bytes(Vec<u8>),
    /// Nothing yet: look again after this time.
    Wait(Duration),
    /// The attempt has ended, or the range has.
    End,
}

/// Reads on from a position.
pub(super) struct Reading {
    source: Source,
    /// Position of the next byte to read.
    at: u64,
    until: Until,
    /// The beginning of a line whose end has not been read; `None`: bytes are returned as they come.
    unfinished: Option<Vec<u8>>,
    asked_at: Option<Instant>,
    is_last: bool,
    pause: Duration,
}

impl Reading {
    /// `is_by_line`: returns whole lines; one that is longer than [`BLOCK`] comes in parts.
    pub(super) fn new(source: Source, at: u64, until: Until, is_by_line: bool) -> Self {
        let unfinished = is_by_line.then(Vec::new);
        Self { source, at, until, unfinished, asked_at: None, is_last: false, pause: LOOK }
    }

    /// Returns the position after what was returned.
    pub(super) fn offset(&self) -> u64 {
        self.at - self.unfinished.as_ref().map_or(0, Vec::len) as u64
    }

    /// Reads the next part.
    ///
    /// # Errors
    ///
    /// When the log cannot be read, got shorter, or the database cannot say whether it goes on.
    pub(super) async fn next(&mut self) -> io::Result<Next> {
        loop {
            let max = match self.until {
                Until::Offset(end) => usize::try_from(end.saturating_sub(self.at)).unwrap_or(BLOCK).min(BLOCK),
                Until::Ended => BLOCK,
            };
            let part = if max == 0 { None } else { self.source.read(self.at, max).await? };
            if let Some(part) = part {
                if part.size < self.at {
                    return Err(io::Error::other("the log got shorter while it was read"));
                }
                if !part.bytes.is_empty() {
                    self.at += part.bytes.len() as u64;
                    self.pause = LOOK;
                    match self.whole(part.bytes) {
                        Some(bytes) => return Ok(Next::Bytes(bytes)),
                        None => continue,
                    }
                }
            }
            if self.until != Until::Ended || self.is_last {
                // The last line has no end.
                return Ok(match self.unfinished.as_mut().map(std::mem::take) {
                    Some(rest) if !rest.is_empty() => Next::Bytes(rest),
                    Some(_) | None => Next::End,
                });
            }
            if self.asked_at.is_none_or(|at| at.elapsed() >= ASK) {
                self.is_last = self.source.has_ended().await.map_err(io::Error::other)?;
                self.asked_at = Some(Instant::now());
                if self.is_last {
                    // What was written between the look and the answer.
                    continue;
                }
            }
            let pause = self.pause;
            self.pause = (pause * 2).min(LOOK_MAX);
            return Ok(Next::Wait(pause));
        }
    }

    /// Returns the lines that are complete; keeps the rest.
    fn whole(&mut self, bytes: Vec<u8>) -> Option<Vec<u8>> {
        let Some(unfinished) = &mut self.unfinished else { return Some(bytes) };
        unfinished.extend_from_slice(&bytes);
        let end = match unfinished.iter().rposition(|byte| *byte == b'\n') {
            Some(newline) => newline + 1,
            None if unfinished.len() >= BLOCK => unfinished.len(),
            None => return None,
        };
        let rest = unfinished.split_off(end);
        Some(std::mem::replace(unfinished, rest))
    }
}
