//! What a person sees of a rehearsal: lines as they come and, on a terminal, what runs at the moment.

use std::{
    collections::HashMap,
    io::{self, Write},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use anstyle::AnsiColor;
use flow_core::{Dag, TaskState, engine::Change};
use flow_operators::Stream;
use flow_runtime::Stop;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::World;
use crate::output::paint;

/// Colours of task names, in turns.
const COLOURS: [AnsiColor; 6] =
    [AnsiColor::Cyan, AnsiColor::Blue, AnsiColor::Magenta, AnsiColor::Green, AnsiColor::Yellow, AnsiColor::BrightBlue];

/// Longer names are not lined up.
const NAME_MAX: usize = 24;

/// More than that are not drawn at once; their lines show all the same.
const BARS_MAX: usize = 16;

/// Between two turns of a spinner.
const TICK: Duration = Duration::from_millis(120);

/// Prints lines and draws what runs.
pub(crate) struct Screen {
    names: Vec<String>,
    colour: bool,
    /// Answers are for programs: everything else goes to stderr.
    to_stderr: bool,
    live: MultiProgress,
    bars: Mutex<Bars>,
    stop: Stop,
    /// The first error of printing.
    broken: Mutex<Option<io::Error>>,
}

struct Bars {
    whole: ProgressBar,
    /// What runs, or waits for its next look or try.
    tasks: HashMap<usize, ProgressBar>,
}

impl Screen {
    /// Makes a screen; when it can print no more, it asks for a stop.
    pub(crate) fn new(dag: &Dag, colour: bool, to_stderr: bool, stop: Stop) -> Self {
        let width = dag.tasks.iter().map(|task| task.id.as_str().chars().count()).max().unwrap_or(0).min(NAME_MAX);
        let live = MultiProgress::new();
        let whole = live.add(ProgressBar::new(dag.tasks.len() as u64));
        let style = ProgressStyle::with_template("{bar:24.cyan} {pos} of {len} tasks, {elapsed}");
        whole.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        whole.enable_steady_tick(TICK);
        Self {
            names: dag.tasks.iter().map(|task| format!("{:width$}", task.id.as_str())).collect(),
            colour,
            to_stderr,
            live,
            bars: Mutex::new(Bars { whole, tasks: HashMap::new() }),
            stop,
            broken: Mutex::default(),
        }
    }

    /// Shows a line that a task wrote.
    pub(super) fn output(&self, at: usize, line: &str) {
        let line: String = line.chars().filter(|c| !c.is_control() || matches!(c, '\t' | '\x1b')).collect();
        self.line(&format!("{} | {line}", self.name(at)));
    }

    /// Shows Flow's own words about a task.
    pub(super) fn words(&self, at: usize, stream: Stream, text: &str) {
        let colour = match stream {
            Stream::Stdout | Stream::Stderr | Stream::Info => AnsiColor::BrightBlack,
            Stream::Warning => AnsiColor::Yellow,
            Stream::Error => AnsiColor::Red,
        };
        for line in text.lines() {
            let line = if self.colour { paint(line, colour) } else { line.to_owned() };
            self.line(&format!("{} : {line}", self.name(at)));
        }
    }

    /// Shows a line about the whole run.
    pub(super) fn remark(&self, line: &str) {
        self.line(line);
    }

    /// Shows what was decided, where no attempt has said so itself.
    pub(super) fn changed(&self, world: &World, changes: &[Change], between_looks: &[usize]) {
        use TaskState::*;
        for change in changes.iter().filter(|change| change.from != change.to.state) {
            let had_attempt = change.from == Running;
            let words = match (change.why.as_str(), change.to.state.as_str()) {
                ("", state) => state.to_owned(),
                (why, state) if why.starts_with(state) => why.to_owned(),
                (why, state) => format!("{state}: {why}"),
            };
            let stream = match change.to.state {
                UpForRetry => {
                    let wait = change.to.next_at.zip(change.to.ended_at).map(|(due, ended)| due.since(ended));
                    let wait = wait.map(|wait| format!(" in {:.0} s", wait.as_secs_f64())).unwrap_or_default();
                    self.words(change.at, Stream::Warning, &format!("up_for_retry: tried again{wait}"));
                    self.draw(world, change.at, " waits for its next try");
                    continue;
                }
                Failed | UpstreamFailed => Stream::Error,
                Success | Skipped | Removed => Stream::Info,
                UpForReschedule => {
                    self.draw(world, change.at, " waits for its next look");
                    continue;
                }
                NoStatus | Scheduled | Queued | Running | Deferred | AwaitingInput | Restarting => continue,
            };
            if !had_attempt {
                self.ended(change.at);
            }
            if !had_attempt || between_looks.contains(&change.at) {
                self.words(change.at, stream, &words);
            }
        }
        let done = world.tasks().iter().filter(|task| task.state.is_finished()).count();
        self.bars().whole.set_position(done as u64);
    }

    /// Draws a task that runs.
    pub(super) fn started(&self, world: &World, at: usize) {
        self.draw(world, at, "");
    }

    fn draw(&self, world: &World, at: usize, what: &str) {
        self.ended(at);
        if self.bars().tasks.len() >= BARS_MAX {
            return;
        }
        let bar = self.live.add(ProgressBar::new_spinner());
        let style = ProgressStyle::with_template("  {spinner} {msg} {elapsed}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        bar.set_message(format!("{}{what}", world.dag().task(world.tasks()[at].task).id));
        bar.enable_steady_tick(TICK);
        self.bars().tasks.insert(at, bar);
    }

    /// Takes a task away that neither runs nor waits any more.
    pub(super) fn ended(&self, at: usize) {
        let drawn = self.bars().tasks.remove(&at);
        if let Some(bar) = drawn {
            bar.finish_and_clear();
            self.live.remove(&bar);
        }
    }

    /// Takes everything away that was drawn.
    ///
    /// # Errors
    ///
    /// The first error of printing.
    pub(super) fn finish(&self) -> io::Result<()> {
        let mut bars = self.bars();
        for (_, bar) in bars.tasks.drain() {
            bar.finish_and_clear();
        }
        bars.whole.finish_and_clear();
        match self.broken.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    fn bars(&self) -> std::sync::MutexGuard<'_, Bars> {
        self.bars.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn name(&self, at: usize) -> String {
        let name = self.names.get(at).map(String::as_str).unwrap_or_default();
        if self.colour { paint(name, COLOURS[at % COLOURS.len()]) } else { name.to_owned() }
    }

    fn line(&self, text: &str) {
        let printed = self.live.suspend(|| {
            if self.to_stderr {
                writeln!(io::stderr().lock(), "{text}")
            } else {
                let mut stdout = io::stdout().lock();
                writeln!(stdout, "{text}").and_then(|()| stdout.flush())
            }
        });
        if let Err(error) = printed {
            self.broken.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
            self.stop.drain();
        }
    }
}
