//! One task: its keys, each read once, in whatever order they were merged.

use std::time::Duration;

use super::{
    Cx, DraftTask,
    callbacks::{self, Mails},
    keys,
    merge::{Fragments, Merged, put},
};
use crate::{
    dag::{
        CallbackEvent, RetryOn, Task, WeightRule, nearest,
        place::Place,
        yaml::{Entry, Node, Value},
    },
    id::TaskId,
    state::TriggerRule,
    template,
};

/// Longest id of a DAG or task.
pub(super) const MAX_ID: usize = 250;

/// Delays between tries never get longer.
const MAX_RETRY_DELAY: Duration = Duration::from_secs(24 * 3600);

/// What `default_args` gives to every task.
#[derive(Debug, Default)]
pub(super) struct Defaults<'n> {
    /// Arguments of tasks.
    pub(super) entries: Vec<&'n Entry>,
    /// Arguments of operators, for those that take them.
    pub(super) with: Vec<&'n Entry>,
}

impl<'n> Defaults<'n> {
    pub(super) fn get(&self, key: &str) -> Option<&'n Entry> {
        self.entries.iter().find(|entry| entry.key == key).copied()
    }
}

impl Cx<'_, '_, '_> {
    /// Reads a task.
    pub(super) fn task<'n>(
        &mut self,
        node: &'n Node,
        fragments: &mut Fragments<'n>,
        defaults: &Defaults<'n>,
    ) -> Option<DraftTask> {
        if !matches!(node.value, Value::Map(_)) {
            let message = format!("a task must be a map, not {}", super::read::describe(node));
            self.error_with(node.place, message, "begin with `- id: …`".to_owned());
            return None;
        }
        let merged = self.merged(node, fragments);
        let id = merged.get("id");
        if id.is_none() {
            self.error_with(node.place, "this task has no `id`", None);
        }
        let id_text = id.and_then(|entry| self.id(entry));
        let id_place = id.map_or(node.place, Entry::place);
        let mut draft = blank(id_text.as_deref().unwrap_or("?"), id_place);
        let mut all = Merged { with: merged.with.clone(), with_place: merged.with_place, ..Merged::default() };
        put(&mut all.entries, &defaults.entries);
        put(&mut all.entries, &merged.entries);
        self.fields(&mut draft, &all, defaults, false);
        id_text.map(|_| draft)
    }

    /// Reads the keys of a fragment or of `default_args` as if a task had them, for the complaints.
    pub(super) fn check_fragment(&mut self, merged: &Merged<'_>, place: Place) {
        let mut draft = blank("?", place);
        self.fields(&mut draft, merged, &Defaults::default(), true);
    }

    fn fields(&mut self, draft: &mut DraftTask, merged: &Merged<'_>, defaults: &Defaults<'_>, is_fragment: bool) {
        let uses = merged.get("uses");
        let spec = if is_fragment && uses.is_none() { None } else { self.operator(uses, draft.id_place) };
        if let Some(spec) = spec {
            draft.task.operator = spec.name.to_owned();
            draft.task.is_inline = spec.is_inline;
        }
        for entry in &merged.entries {
            if !self.spend(entry.bytes(), entry.place()) {
                return;
            }
            self.field(draft, entry, spec);
        }
        if draft.task.wait_for_downstream {
            draft.task.depends_on_past = true;
        }
        if let Some(mails) = draft.mails.take() {
            for (event, mail) in self.mails(&mails) {
                draft.task.callbacks.0.entry(event).or_default().push(mail);
            }
        }
        // Nobody would see it begin.
        draft.task.is_inline &= draft.task.callbacks.of(CallbackEvent::Execute).is_empty();
        if let (Some(spec), false) = (spec, is_fragment) {
            self.arguments(draft, spec, merged, &defaults.with);
        }
        if let (Some(start), Some(end), Some(place), false) =
            (draft.task.start_date, draft.task.end_date, draft.end_place, self.is_airflow())
            && end < start
        {
            self.error(place, "`end_date` is before `start_date`");
        }
    }

    fn field(&mut self, draft: &mut DraftTask, entry: &Entry, spec: Option<&crate::catalog::OperatorSpec>) {
        if !self.is_of_this_dialect(entry) {
            return;
        }
        if self.is_absent(entry) {
            // To Airflow nothing is as good as `false` here.
            draft.task.do_xcom_push &= entry.key != "do_xcom_push";
            return;
        }
        let may_have_markers = matches!(entry.key.as_str(), "params" | "expand" | "expand_kwargs")
            || callbacks::event(&entry.key).is_some();
        if !may_have_markers && self.refuse_markers(&entry.value) {
            return;
        }
        let task = &mut draft.task;
        match entry.key.as_str() {
            "id" | "uses" => {}
            "needs" => draft.needs = self.needs(entry),
            "group" => {
                draft.group = self.text(entry).map(|name| super::Named { name, place: entry.place() });
            }
            "if" => {
                task.condition = self.condition(entry);
                task.is_inline = false;
            }
            "owner" => set(&mut task.owner, self.text(entry)),
            "task_display_name" => task.display_name = self.text(entry),
            "doc_md" => task.doc_md = self.text(entry),
            "pool" => set(&mut task.pool, self.name(entry)),
            "queue" => set(&mut task.queue, self.name(entry)),
            "pool_slots" => set(&mut task.pool_slots, self.whole(entry, 1)),
            "priority_weight" => set(&mut draft.own_weight, self.integer(entry)),
            "weight_rule" => set(&mut draft.weight_rule, self.word::<WeightRule>(entry)),
            "trigger_rule" => {
                set(&mut task.trigger_rule, self.word::<TriggerRule>(entry));
                draft.rule_place = Some(entry.place());
            }
            "depends_on_past" => set(&mut task.depends_on_past, self.boolean(entry)),
            "wait_for_downstream" => set(&mut task.wait_for_downstream, self.boolean(entry)),
            "do_xcom_push" => set(&mut task.do_xcom_push, self.boolean(entry)),
            "multiple_outputs" => set(&mut task.multiple_outputs, self.boolean(entry)),
            "start_date" => task.start_date = self.moment(entry),
            "end_date" => {
                task.end_date = self.moment(entry);
                draft.end_place = Some(entry.place());
            }
            "max_active_tis_per_dag" => task.max_active_tis_per_dag = self.limit(entry),
            "max_active_tis_per_dagrun" => task.max_active_tis_per_dagrun = self.limit(entry),
            "execution_timeout" => task.execution_timeout = self.timeout(entry),
            "retries" => set(&mut task.retry.retries, self.retries(entry)),
            "retry_delay" => set(&mut task.retry.delay, self.duration(entry, true)),
            "max_retry_delay" => {
                task.retry.max_delay = self.duration(entry, true).map(|span| span.min(MAX_RETRY_DELAY));
            }
            "retry_exponential_backoff" => task.retry.backoff = self.backoff(entry),
            "retry_on" => task.retry.retry_on = self.retry_on(entry),
            "params" => task.params = self.params(entry, false),
            "email" => self.email(entry, &mut draft.mails),
            "email_on_failure" | "email_on_retry" => {
                let wants = self.boolean(entry).unwrap_or(true);
                let mails = draft.mails.get_or_insert_with(|| Mails::new(entry.place()));
                *(if entry.key == "email_on_retry" { &mut mails.on_retry } else { &mut mails.on_failure }) = wants;
            }
            key if callbacks::event(key).is_some() => self.take_callbacks(&mut draft.task.callbacks, entry),
            key if keys::LATER.iter().any(|(later, _)| *later == key) => self.later(entry),
            _ => self.strange_task_key(entry, spec),
        }
    }

    /// Complains about a key that no task has.
    fn strange_task_key(&mut self, entry: &Entry, spec: Option<&crate::catalog::OperatorSpec>) {
        let key = entry.key.as_str();
        let facts = spec.map(|spec| self.facts(spec)).unwrap_or_default();
        if let (Some(spec), true) = (spec, facts.has(key)) {
            let message = format!("`{key}` is an argument of the operator `{}`, not of the task", spec.name);
            self.error_with(entry.key_place, message, "move it under `with`".to_owned());
            return;
        }
        if keys::TASK_FOREIGN.contains(&key) {
            self.error(entry.key_place, format!("`{key}` is an argument of Airflow's tasks that Flow does not have"));
            return;
        }
        let known = [keys::TASK_SHAPE, keys::TASK_SHAPE_FLOW, keys::TASK, keys::TASK_FLOW].concat();
        let help = keys::habit(key).or_else(|| self.did_you_mean(key, known.iter().copied())).or_else(|| {
            nearest::nearest(key, facts.names.iter().map(String::as_str))
                .map(|name| format!("did you mean `{name}`, under `with`?"))
        });
        self.error_with(entry.key_place, format!("unknown key `{key}` of a task"), help);
    }

    /// Complains about a key that the Airflow dialect does not have.
    pub(super) fn is_of_this_dialect(&mut self, entry: &Entry) -> bool {
        let key = entry.key.as_str();
        let only_flow = [keys::DAG_FLOW, keys::TASK_SHAPE_FLOW, keys::TASK_FLOW].iter().any(|keys| keys.contains(&key));
        let refused = matches!(key, "inlets" | "outlets") || key.ends_with("_callback");
        if !self.is_airflow() || !(only_flow || refused) {
            return true;
        }
        let help = if key == "default_args" {
            "use `templates` with `extends` instead, or remove `$schema`"
        } else {
            "remove `$schema` to write in the Flow dialect"
        };
        let message = format!("`{key}` belongs to the Flow dialect; Airflow's documents do not have it");
        self.error_with(entry.key_place, message, help.to_owned());
        false
    }

    /// Says whether a key without a value counts as not written; complains where it needs one.
    pub(super) fn is_absent(&mut self, entry: &Entry) -> bool {
        if !entry.value.is_null() {
            return false;
        }
        let key = entry.key.as_str();
        let lists = if self.is_airflow() { keys::NEVER_NULL_AIRFLOW } else { keys::NEVER_NULL };
        if lists.contains(&key) {
            self.error(entry.key_place, format!("`{}` has no value", entry.key));
        }
        true
    }

    /// Reads an id, and checks its form.
    pub(super) fn id(&mut self, entry: &Entry) -> Option<String> {
        let id = if entry.value.is_null() { None } else { Some(self.text(entry)?) };
        let Some(id) = id.filter(|id| !id.is_empty()) else {
            self.error(entry.place(), format!("`{}` has no value", entry.key));
            return None;
        };
        self.check_id(&id, &entry.key, entry.place()).then_some(id)
    }

    /// Checks the form of an id.
    pub(super) fn check_id(&mut self, id: &str, key: &str, place: Place) -> bool {
        if let Some(strange) = id.chars().find(|c| !c.is_alphanumeric() && !matches!(c, '-' | '_' | '.')) {
            let message =
                format!("`{key}` may hold letters, digits, `-`, `_` and `.`, not `{}`", strange.escape_default());
            self.error(place, message);
            return false;
        }
        let length = id.chars().count();
        if length > MAX_ID {
            self.error(place, format!("`{key}` may be {MAX_ID} characters long, and this is {length}"));
            return false;
        }
        true
    }

    /// Reads text that must not be empty.
    fn name(&mut self, entry: &Entry) -> Option<String> {
        let name = self.text(entry)?;
        if name.trim().is_empty() || name.chars().count() > 256 {
            self.wrong(entry, "a name of 1 to 256 characters");
            return None;
        }
        Some(name)
    }

    fn limit(&mut self, entry: &Entry) -> Option<u32> {
        let least = if self.is_airflow() { 0 } else { 1 };
        self.whole(entry, least)
    }

    /// Reads a span that must not be zero.
    pub(super) fn timeout(&mut self, entry: &Entry) -> Option<Duration> {
        let span = self.duration(entry, false)?;
        if span.is_zero() && !self.is_airflow() {
            self.wrong(entry, "longer than 0");
            return None;
        }
        Some(span)
    }

    fn retries(&mut self, entry: &Entry) -> Option<u32> {
        if self.is_airflow() {
            // Airflow takes numbers in quotes, and fewer than none as none.
            if let Some(retries) = entry.value.text().and_then(|text| text.trim().parse().ok()) {
                return Some(retries);
            }
            if entry.value.whole().is_some_and(|number| number < 0) {
                return Some(0);
            }
        }
        self.whole(entry, 0)
    }

    fn backoff(&mut self, entry: &Entry) -> Option<f64> {
        let factor = match entry.value.value {
            Value::Bool(on) => f64::from(u8::from(on)) * 2.0,
            Value::Whole(number) => number as f64,
            Value::Float(number) => number,
            Value::Null | Value::Text(_) | Value::Date(_) | Value::Plain(_) | Value::List(_) | Value::Map(_) => {
                f64::NAN
            }
        };
        if factor == 0.0 {
            return None;
        }
        let least = if self.is_airflow() { 0.0 } else { 1.0 };
        if !factor.is_finite() || factor < least {
            self.wrong(entry, "`true`, `false` or a factor of 1 or more");
            return None;
        }
        Some(factor)
    }

    fn retry_on(&mut self, entry: &Entry) -> Option<RetryOn> {
        const KEYS: &[&str] = &["exit_codes", "http_status", "sqlstate"];
        let mut retry_on = RetryOn::default();
        for part in self.map(entry)? {
            match part.key.as_str() {
                "exit_codes" => retry_on.exit_codes = self.numbers(part, i32::MIN, i32::MAX),
                "http_status" => retry_on.http_status = self.numbers(part, 100, 599),
                "sqlstate" => {
                    let states = self.names(part).unwrap_or_default();
                    retry_on.sqlstate = states.into_iter().map(|state| state.name).collect();
                }
                _ => self.unknown_key(part, KEYS, "of `retry_on`"),
            }
        }
        Some(retry_on)
    }

    fn numbers<T: TryFrom<i32>>(&mut self, entry: &Entry, least: i32, most: i32) -> Vec<T> {
        let Some(items) = entry.value.list() else {
            self.wrong(entry, "a list of whole numbers");
            return Vec::new();
        };
        let mut numbers = Vec::with_capacity(items.len());
        for item in items {
            let number = item.whole().and_then(|number| i32::try_from(number).ok());
            let number = number.filter(|number| (least..=most).contains(number));
            match number.and_then(|number| T::try_from(number).ok()) {
                Some(number) => numbers.push(number),
                None => {
                    let shown = super::read::describe(item);
                    let message = format!("`{}` takes whole numbers from {least} to {most}, not {shown}", entry.key);
                    self.error(item.place.or(entry.key_place), message);
                }
            }
        }
        numbers
    }

    fn condition(&mut self, entry: &Entry) -> Option<String> {
        if let Value::Bool(value) = entry.value.value {
            return Some(value.to_string());
        }
        let source = self.text(entry)?;
        if let Err(error) = template::check_expression(&source) {
            self.template_error(&error, &source, &entry.value);
        }
        Some(source)
    }

    /// Refuses a key whose behaviour is not built, unless it asks for nothing.
    pub(super) fn later(&mut self, entry: &Entry) {
        let key = entry.key.as_str();
        let expected = match (key, &entry.value.value) {
            ("setup" | "teardown", Value::Bool(false)) => return,
            ("setup" | "teardown", Value::Bool(true)) => None,
            ("setup" | "teardown", _) => Some("`true` or `false`"),
            ("inlets" | "outlets", Value::List(items)) if items.is_empty() => return,
            ("expand", Value::Map(_)) => None,
            ("expand", _) => Some("a map"),
            ("expand_kwargs", Value::Map(_) | Value::List(_)) => None,
            ("expand_kwargs", _) => Some("a list of maps, or `{$x: …}`"),
            ("map_index_template" | "run_as_user", Value::Text(_)) => None,
            ("map_index_template" | "run_as_user", _) => Some("text"),
            ("deadline", Value::Map(_) | Value::List(_)) => None,
            ("deadline", _) => Some("a map"),
            (_, Value::List(items)) if items.is_empty() => return,
            (_, Value::List(_)) => None,
            (_, _) => Some("a list"),
        };
        match expected {
            Some(expected) => self.wrong(entry, expected),
            None => {
                let what = keys::LATER.iter().find(|(later, _)| *later == key).map_or("this", |(_, what)| what);
                let message = format!("`{key}` cannot be used: this version of Flow does not have {what}");
                self.error(entry.key_place, message);
            }
        }
    }
}

fn set<T>(field: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *field = value;
    }
}

/// Makes a task with every default.
pub(super) fn blank(id: &str, id_place: Place) -> DraftTask {
    let task = Task::new(TaskId::new(id));
    DraftTask {
        task,
        id_place,
        needs: Vec::new(),
        references: Vec::new(),
        group: None,
        own_weight: 1,
        weight_rule: WeightRule::Downstream,
        rule_place: None,
        end_place: None,
        targets: Vec::new(),
        mails: None,
    }
}
