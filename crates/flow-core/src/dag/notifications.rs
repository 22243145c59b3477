//! Callbacks of every DAG, whatever its file says: what an operator of Flow wants to be told of.
//!
//! They are not part of a DAG's version. So each is kept as it was written, goes into the outbox like that, and is read
//! again by whoever does it.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Value, json};

use super::{Callback, CallbackEvent, Dag, Severity, Source, Task, parse};
use crate::catalog::Catalog;

/// Most complaints that are told at once.
const SENTENCES: usize = 3;

/// A callback of every DAG.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// The operator's short name.
    pub operator: String,
    /// `{uses, with}`, as JSON.
    pub text: String,
}

/// The callbacks of every DAG.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notifications {
    runs: BTreeMap<CallbackEvent, Vec<Notification>>,
    tasks: BTreeMap<CallbackEvent, Vec<Notification>>,
}

/// What a notification is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    Runs,
    Tasks,
}

impl Notifications {
    /// Adds a callback, as it would be written in a DAG.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in words.
    pub fn add(&mut self, about: About, event: CallbackEvent, value: &Value, catalog: &Catalog) -> Result<(), String> {
        let text = value.to_string();
        let operator = Notification::read(&text, catalog)?.operator;
        let all = match about {
            About::Runs => &mut self.runs,
            About::Tasks => &mut self.tasks,
        };
        all.entry(event).or_default().push(Notification { operator, text });
        Ok(())
    }

    /// Returns those of an event.
    pub fn of(&self, about: About, event: CallbackEvent) -> &[Notification] {
        let all = match about {
            About::Runs => &self.runs,
            About::Tasks => &self.tasks,
        };
        all.get(&event).map_or(&[], Vec::as_slice)
    }

    /// Returns all of them.
    pub fn all(&self) -> impl Iterator<Item = &Notification> {
        self.runs.values().chain(self.tasks.values()).flatten()
    }
}

impl Notification {
    /// Reads it as what it means.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in words.
    pub fn read(text: &str, catalog: &Catalog) -> Result<Callback, String> {
        let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        // A DAG that has nothing else: a callback means the same everywhere.
        let dag = json!({ "dag_id": "notifications", "on_failure_callback": [value], "tasks": [] }).to_string();
        let parsed = parse(&Source { text: &dag, ..Source::default() }, catalog);
        let errors = parsed.diagnostics.into_iter().filter(|found| found.severity == Severity::Error);
        let sentences: Vec<String> =
            errors.take(SENTENCES).flat_map(|found| [Some(found.message), found.help]).flatten().collect();
        if !sentences.is_empty() {
            return Err(sentences.join("; "));
        }
        let callbacks = parsed.dags.into_iter().next().map(|parsed| parsed.dag.callbacks);
        let callback = callbacks.and_then(|callbacks| callbacks.of(CallbackEvent::Failure).first().cloned());
        callback.ok_or_else(|| "it says nothing".to_owned())
    }
}

impl Dag {
    /// The same DAG with callbacks that every DAG has.
    #[must_use]
    pub fn with_notifications(self, notifications: Arc<Notifications>) -> Self {
        Self { notifications, ..self }
    }

    /// Says whether anything is to be done at this point of a run.
    pub fn calls_back(&self, event: CallbackEvent) -> bool {
        !self.callbacks.of(event).is_empty() || !self.notifications.of(About::Runs, event).is_empty()
    }

    /// Says whether anything is to be done at this point of a task.
    pub fn calls_back_of(&self, task: &Task, event: CallbackEvent) -> bool {
        !task.callbacks.of(event).is_empty() || !self.notifications.of(About::Tasks, event).is_empty()
    }
}
