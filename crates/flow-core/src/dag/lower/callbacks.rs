//! Callbacks: what is done when a task or a run comes to a point; and the mails that `email` asks for.

use super::{Cx, merge::Merged, task::blank};
use crate::dag::{
    Arg, Callback, CallbackEvent, Callbacks,
    place::Place,
    yaml::{Entry, Node, Value},
};

/// Operators that a callback may use: they end soon and need nothing of the run.
const OPERATORS: &[&str] = &["email", "http", "slack", "bash"];

/// Most callbacks of one key.
const MOST: usize = 20;

/// What a mail of `email` says.
const SUBJECT_FAILURE: &str = "[Flow] {{ ti.dag_id }}.{{ ti.task_id }} failed";
const SUBJECT_RETRY: &str = "[Flow] {{ ti.dag_id }}.{{ ti.task_id }} failed and is tried again";
const BODY: &str = "<p>Task <b>{{ ti.task_id }}</b> of DAG <b>{{ ti.dag_id }}</b> failed in try {{ ti.try_number }}.</p>\n\
    <p>Run: {{ run_id | e }}</p>\n<p>Error:</p>\n<pre>{{ exception | e }}</pre>\n";

/// What a task says about mails.
#[derive(Clone, Debug)]
pub(crate) struct Mails {
    to: Vec<String>,
    /// Where `email` stands.
    place: Place,
    pub(crate) on_failure: bool,
    pub(crate) on_retry: bool,
}

impl Mails {
    pub(crate) fn new(place: Place) -> Self {
        Self { to: Vec::new(), place, on_failure: true, on_retry: true }
    }
}

/// The event of a task that a key is about.
pub(super) fn event(key: &str) -> Option<CallbackEvent> {
    key.strip_prefix("on_")?.strip_suffix("_callback")?.parse().ok()
}

impl Cx<'_, '_, '_> {
    /// Reads the callbacks of a key.
    pub(super) fn take_callbacks(&mut self, callbacks: &mut Callbacks, entry: &Entry) {
        if let Some(event) = event(&entry.key) {
            callbacks.0.insert(event, self.callbacks(entry));
        }
    }

    /// Reads a list of callbacks; a single one may stand without its list.
    fn callbacks(&mut self, entry: &Entry) -> Vec<Callback> {
        let nodes: &[Node] = match &entry.value.value {
            Value::List(items) => items,
            Value::Map(_) => std::slice::from_ref(&entry.value),
            Value::Null
            | Value::Bool(_)
            | Value::Whole(_)
            | Value::Float(_)
            | Value::Text(_)
            | Value::Date(_)
            | Value::Plain(_) => {
                self.wrong_with(entry, "a list", "write `[{uses: email, with: {…}}]`".to_owned().into());
                return Vec::new();
            }
        };
        if nodes.len() > MOST {
            self.error(entry.place(), format!("`{}` may have {MOST} entries, and this has {}", entry.key, nodes.len()));
            return Vec::new();
        }
        nodes.iter().filter_map(|node| self.callback(node, entry)).collect()
    }

    fn callback(&mut self, node: &Node, around: &Entry) -> Option<Callback> {
        let place = node.place.or(around.key_place);
        let Some(parts) = node.map() else {
            let message = format!("an entry of `{}` must be a map, not {}", around.key, super::read::describe(node));
            self.error_with(place, message, "write `{uses: email, with: {…}}`".to_owned());
            return None;
        };
        let mut merged = Merged::default();
        for part in parts {
            match part.key.as_str() {
                "uses" => merged.entries.push(part),
                "with" => {
                    merged.with_place = Some(part.key_place);
                    merged.with.extend(self.map(part).unwrap_or_default());
                }
                _ => self.unknown_key(part, &["uses", "with"], "of a callback"),
            }
        }
        let Some(uses) = merged.get("uses").filter(|entry| !entry.value.is_null()) else {
            let known = OPERATORS.join(", ");
            self.error_with(place, "a callback says what it `uses`", format!("there are: {known}"));
            return None;
        };
        let name = self.text(uses)?;
        let spec = self.catalog.by_name(&name).or_else(|| self.catalog.by_class(&name));
        let is_known = spec.map_or(OPERATORS.contains(&name.as_str()), |spec| OPERATORS.contains(&spec.name));
        if !is_known {
            let help = self.meant_or_known(&name, OPERATORS, 8);
            self.error_with(uses.place(), format!("a callback cannot use `{name}`"), help);
            return None;
        }
        let spec = self.operator(Some(uses), place)?;
        let mut draft = blank("?", place);
        self.arguments(&mut draft, spec, &merged, &[]);
        if let Some((task, place)) = draft.references.first() {
            let help = format!("write `{{{{ ti.xcom_pull(task_ids='{task}') }}}}`");
            self.error_with(*place, "a callback cannot refer to a task's result by `$x`", help);
            return None;
        }
        Some(Callback { operator: spec.name.to_owned(), with: draft.task.with })
    }

    /// Reads `email`: one address or several.
    pub(super) fn email(&mut self, entry: &Entry, mails: &mut Option<Mails>) {
        let to: Vec<String> = match &entry.value.value {
            Value::Text(text) => {
                text.split([',', ';']).map(str::trim).filter(|to| !to.is_empty()).map(str::to_owned).collect()
            }
            Value::List(_) => self.names(entry).unwrap_or_default().into_iter().map(|named| named.name).collect(),
            Value::Null
            | Value::Bool(_)
            | Value::Whole(_)
            | Value::Float(_)
            | Value::Map(_)
            | Value::Date(_)
            | Value::Plain(_) => return self.wrong(entry, "an address or a list of them"),
        };
        if let Some(strange) = to.iter().find(|to| !to.contains('@')).filter(|_| !self.is_airflow()) {
            self.error(entry.place(), format!("`{strange}` is no mail address"));
        }
        if !to.is_empty() && self.catalog.by_name("email").is_none() {
            self.error(entry.key_place, "`email` needs the operator `email`, which is not installed");
        }
        let mails = mails.get_or_insert_with(|| Mails::new(entry.place()));
        (mails.to, mails.place) = (to, entry.place());
    }

    /// Makes callbacks of the mails that a task asks for.
    pub(super) fn mails(&mut self, mails: &Mails) -> Vec<(CallbackEvent, Callback)> {
        if mails.to.is_empty() || !self.spend(mails.to.iter().map(String::len).sum(), mails.place) {
            return Vec::new();
        }
        let template = |source: &str| Arg::Template { source: source.to_owned() };
        let mail = |subject: &str| Callback {
            operator: "email".to_owned(),
            with: vec![
                ("to".to_owned(), Arg::Value(mails.to.clone().into())),
                ("subject".to_owned(), template(subject)),
                ("html_content".to_owned(), template(BODY)),
            ],
        };
        let failure = mails.on_failure.then(|| (CallbackEvent::Failure, mail(SUBJECT_FAILURE)));
        let retry = mails.on_retry.then(|| (CallbackEvent::Retry, mail(SUBJECT_RETRY)));
        failure.into_iter().chain(retry).collect()
    }
}
