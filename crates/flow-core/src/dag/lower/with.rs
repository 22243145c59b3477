//! `with`: an operator's arguments, and the markers in their values (`$t`, `$x`, `$f`, `$const`).

use std::ops::Range;

use super::{
    Cx, DraftTask, Named, keys,
    merge::Merged,
    operator::{is_text_only, of_items, of_key},
};
use crate::{
    catalog::{ArgError, OperatorSpec},
    dag::{
        Arg, nearest,
        place::Place,
        yaml::{Entry, Node, Value},
    },
    id::TaskId,
    template::{self, TemplateError},
};

/// What a map with one key that starts with `$` means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Marker {
    Template,
    XCom,
    File,
    Const,
}

const MARKERS: &[&str] = &["$t", "$template", "$x", "$xcom", "$f", "$file", "$const"];

/// Arguments of branching operators that hold task ids.
const TARGETS: &[&str] = &["choose", "follow_task_ids_if_true", "follow_task_ids_if_false"];

/// Arguments of sensors that the Airflow dialect takes as plain numbers only.
const SENSOR_SECONDS: &[&str] = &["poke_interval", "timeout", "max_wait"];

fn marker(key: &str) -> Option<Marker> {
    match key {
        "$t" | "$template" => Some(Marker::Template),
        "$x" | "$xcom" => Some(Marker::XCom),
        "$f" | "$file" => Some(Marker::File),
        "$const" => Some(Marker::Const),
        _ => None,
    }
}

/// Returns every marker's entry in a value.
pub(crate) fn marker_entries(node: &Node) -> Vec<&Entry> {
    let mut found = Vec::new();
    let mut rest = vec![node];
    while let Some(node) = rest.pop() {
        rest.extend(node.list().unwrap_or_default());
        found.extend(node.entries().iter().filter(|entry| marker(&entry.key).is_some()));
        rest.extend(node.entries().iter().map(|entry| &entry.value));
    }
    found
}

/// Returns the paths that `$f` markers name, those that may be read.
pub(crate) fn files_named(node: &Node) -> Vec<String> {
    let files = marker_entries(node).into_iter().filter(|entry| marker(&entry.key) == Some(Marker::File));
    files.filter_map(|entry| entry.value.text()).filter(|path| stays_inside(path)).map(str::to_owned).collect()
}

/// Says whether a relative path stays inside the folder it is relative to.
fn stays_inside(path: &str) -> bool {
    let mut depth: usize = 0;
    for part in path.split(['/', '\\']) {
        match part {
            "" | "." => {}
            ".." if depth == 0 => return false,
            ".." => depth -= 1,
            _ => depth += 1,
        }
    }
    let is_absolute = path.starts_with(['/', '\\']) || path.get(1..2) == Some(":");
    !is_absolute && depth > 0 && !path.contains('\0')
}

/// Says whether a text has a template in it.
fn has_template(text: &str) -> bool {
    ["{{", "{%", "{#"].iter().any(|mark| text.contains(mark))
}

/// Where a value stands, and what may stand there.
#[derive(Clone, Copy)]
struct Slot<'s> {
    /// The argument's name.
    argument: &'s str,
    is_templated: bool,
    schema: Option<&'s serde_json::Value>,
    root: &'s serde_json::Value,
}

impl<'s> Slot<'s> {
    fn key(self, key: &str) -> Self {
        Self { schema: self.schema.and_then(|schema| of_key(schema, self.root, key)), ..self }
    }

    fn item(self) -> Self {
        Self { schema: self.schema.and_then(|schema| of_items(schema, self.root)), ..self }
    }
}

impl Cx<'_, '_, '_> {
    /// Reads and checks the arguments of a task's operator.
    pub(super) fn arguments(
        &mut self,
        draft: &mut DraftTask,
        spec: &OperatorSpec,
        merged: &Merged<'_>,
        defaults: &[&Entry],
    ) {
        let facts = self.facts(spec);
        let given = |name: &str| merged.with.iter().any(|entry| entry.key == name);
        let defaults = defaults.iter().filter(|entry| facts.has(&entry.key) && !given(&entry.key));
        let entries: Vec<&Entry> = defaults.chain(&merged.with).copied().collect();
        let mut args = Vec::with_capacity(entries.len());
        for entry in &entries {
            if !self.spend(entry.bytes(), entry.place()) {
                return;
            }
            let key = entry.key.as_str();
            if keys::is_task_key(key) && !facts.has(key) {
                let message = format!("`{key}` is a key of the task, not an argument of the operator `{}`", spec.name);
                self.error_with(entry.key_place, message, "move it out of `with`, beside `uses`".to_owned());
                continue;
            }
            if self.is_airflow() && spec.is_sensor && SENSOR_SECONDS.contains(&key) && !is_seconds(entry) {
                let help = entry.value.text().map(|_| "the Airflow dialect takes no `5m` here".to_owned());
                self.wrong_with(entry, "a number of seconds, 0 or more", help);
                continue;
            }
            let slot = Slot {
                argument: key,
                is_templated: spec.templated.contains(&key),
                schema: of_key(&facts.schema, &facts.schema, key),
                root: &facts.schema,
            };
            let arg = self.arg(&entry.value, entry.key_place, slot, draft);
            args.push((entry.key.clone(), arg));
        }
        if spec.is_branch {
            draft.targets = args
                .iter()
                .filter(|(name, _)| TARGETS.contains(&name.as_str()))
                .flat_map(|(name, arg)| targets(arg, entries.iter().find(|entry| entry.key == *name).copied()))
                .collect();
        }
        for error in (spec.check)(&args) {
            self.argument_error(error, spec, merged, &entries, &facts.names, draft.id_place);
        }
        draft.task.with = args;
    }

    fn argument_error(
        &mut self,
        error: ArgError,
        spec: &OperatorSpec,
        merged: &Merged<'_>,
        entries: &[&Entry],
        names: &[String],
        id_place: Place,
    ) {
        let route: Vec<&str> = error.route.iter().map(String::as_str).collect();
        let around = merged.with_place.or_else(|| merged.get("uses").map(Entry::place)).unwrap_or(id_place);
        let place = place_of(entries, &route, error.about_key).unwrap_or(around);
        let mut help = error.help;
        if let (true, None, [key]) = (error.about_key, &help, &route[..]) {
            help =
                keys::habit(key).or_else(|| self.did_you_mean(key, names.iter().map(String::as_str))).or_else(|| {
                    (!names.is_empty()).then(|| {
                        format!("`{}` takes {}", spec.name, nearest::some_of(names.iter().map(String::as_str), 12))
                    })
                });
        }
        self.error_with(place, error.message, help);
    }

    /// Reads a value.
    fn arg(&mut self, node: &Node, around: Place, slot: Slot<'_>, draft: &mut DraftTask) -> Arg {
        let place = node.place.or(around);
        match &node.value {
            Value::Map(entries) => {
                let Some(reserved) = entries.iter().find(|entry| entry.key.starts_with('$')) else {
                    return self.arg_map(entries, slot, draft);
                };
                match (marker(&reserved.key), entries.len()) {
                    (Some(marker), 1) => self.marked(marker, reserved, slot, draft),
                    (Some(_), _) => {
                        let message = format!("`{}` cannot stand beside other keys", reserved.key);
                        self.error(reserved.key_place, message);
                        stand_in()
                    }
                    (None, _) => {
                        let help = self
                            .did_you_mean(&reserved.key, MARKERS.iter().copied())
                            .unwrap_or_else(|| "wrap the map in `{$const: …}` to take it as it is".to_owned());
                        let message =
                            format!("unknown marker `{}`; keys that start with `$` are reserved", reserved.key);
                        self.error_with(reserved.key_place, message, help);
                        stand_in()
                    }
                }
            }
            Value::List(items) => {
                let args: Vec<Arg> = items.iter().map(|item| self.arg(item, place, slot.item(), draft)).collect();
                if args.iter().all(|arg| matches!(arg, Arg::Value(_))) {
                    return Arg::Value(args.into_iter().map(into_value).collect());
                }
                Arg::List(args)
            }
            Value::Text(text) if !self.is_airflow() && has_template(text) => {
                if slot.is_templated {
                    self.check_template(text, node);
                    return Arg::Template { source: text.clone() };
                }
                let message = format!("`{}` is not a templated argument: this stays as it is written", slot.argument);
                let help = "write `{$const: …}` to say that it is meant so".to_owned();
                self.complaints.warning(place, message, Some(help));
                Arg::Value(text.as_str().into())
            }
            Value::Whole(_) | Value::Float(_)
                if !self.is_airflow() && slot.schema.is_some_and(|schema| is_text_only(schema, slot.root)) =>
            {
                // Where only text fits, `1.10` is the text 1.10.
                match &node.spelling {
                    Some(spelling) => Arg::Value((&**spelling).into()),
                    None => Arg::Value(self.json(node)),
                }
            }
            Value::Null
            | Value::Bool(_)
            | Value::Whole(_)
            | Value::Float(_)
            | Value::Text(_)
            | Value::Date(_)
            | Value::Plain(_) => Arg::Value(self.json(node)),
        }
    }

    fn arg_map(&mut self, entries: &[Entry], slot: Slot<'_>, draft: &mut DraftTask) -> Arg {
        let args: Vec<(String, Arg)> = entries
            .iter()
            .map(|entry| (entry.key.clone(), self.arg(&entry.value, entry.key_place, slot.key(&entry.key), draft)))
            .collect();
        if args.iter().all(|(_, arg)| matches!(arg, Arg::Value(_))) {
            let pairs = args.into_iter().map(|(key, arg)| (key, into_value(arg)));
            return Arg::Value(serde_json::Value::Object(pairs.collect()));
        }
        Arg::Map(args)
    }

    fn marked(&mut self, marker: Marker, entry: &Entry, slot: Slot<'_>, draft: &mut DraftTask) -> Arg {
        if marker == Marker::Const {
            return Arg::Value(self.json(&entry.value));
        }
        if !slot.is_templated {
            let message =
                format!("`{}` cannot stand in `{}`, which is not a templated argument", entry.key, slot.argument);
            self.error(entry.key_place, message);
            return stand_in();
        }
        match marker {
            Marker::Template => self.template(entry),
            Marker::File => self.file(entry).map_or_else(stand_in, |content| Arg::Value(content.into())),
            Marker::XCom => self.reference(entry, draft),
            Marker::Const => stand_in(),
        }
    }

    fn template(&mut self, entry: &Entry) -> Arg {
        if let [file] = entry.value.entries()
            && marker(&file.key) == Some(Marker::File)
        {
            let source = self.file(file).unwrap_or_default();
            if let Err(error) = template::check(&source) {
                let path = file.value.text().unwrap_or_default();
                let message = format!("template in `{path}`, line {}: {}", error.line, error.message);
                self.broken_template(file.place(), message, error.help);
            }
            return Arg::Template { source };
        }
        let Some(source) = entry.value.text() else {
            self.wrong(entry, "a text or `{$f: path}`");
            return stand_in();
        };
        self.check_template(source, &entry.value);
        Arg::Template { source: source.to_owned() }
    }

    fn reference(&mut self, entry: &Entry, draft: &mut DraftTask) -> Arg {
        let mut task = None;
        let mut key = None;
        if entry.value.text().is_some() {
            task = self.text(entry).map(|name| (name, entry.place()));
        } else if let Some(parts) = entry.value.map() {
            for part in parts {
                match part.key.as_str() {
                    "task" => task = self.text(part).map(|name| (name, part.place())),
                    "key" if part.value.is_null() => {}
                    "key" => key = self.text(part),
                    _ => self.unknown_key(part, &["task", "key"], &format!("of `{}`", entry.key)),
                }
            }
        } else {
            self.wrong(entry, "a task's id, or `{task: …, key: …}`");
            return stand_in();
        }
        let Some((name, place)) = task else {
            if parts_without_task(&entry.value) {
                self.error(entry.key_place, format!("`{}` does not name a `task`", entry.key));
            }
            return stand_in();
        };
        let task = TaskId::new(name);
        draft.references.push((task.clone(), place));
        Arg::XCom { task, key }
    }

    /// Returns the content of the file that a `$f` names.
    fn file(&mut self, entry: &Entry) -> Option<String> {
        if entry.value.entries().iter().any(|inner| marker(&inner.key) == Some(Marker::Template)) {
            self.error(entry.place(), "the path of a file cannot be a template");
            return None;
        }
        let Some(path) = entry.value.text().filter(|path| !path.is_empty()) else {
            self.wrong(entry, "the path of a file");
            return None;
        };
        if !stays_inside(path) {
            let message = format!("`{path}` is outside the folder of this file");
            self.error_with(entry.place(), message, "name a file beside this one, or below".to_owned());
            return None;
        }
        match self.source.files.get(path) {
            Some(Ok(content)) => self.spend(content.len(), entry.place()).then(|| content.clone()),
            Some(Err(why)) => {
                self.error(entry.place(), format!("could not read `{path}`: {why}"));
                None
            }
            None => {
                self.error(entry.place(), format!("could not read `{path}`"));
                None
            }
        }
    }

    fn check_template(&mut self, source: &str, node: &Node) {
        if let Err(error) = template::check(source) {
            self.template_error(&error, source, node);
        }
    }

    /// Complains about a template at its place in the file.
    pub(super) fn template_error(&mut self, error: &TemplateError, source: &str, node: &Node) {
        let text = self.complaints.lines.text();
        let place = place_in_template(error, source, node, text);
        self.broken_template(place, format!("template: {}", error.message), error.help.clone());
    }

    /// Airflow compiles templates when a task runs, so its documents may hold broken ones.
    fn broken_template(&mut self, place: Place, message: String, help: Option<String>) {
        if self.is_airflow() {
            self.complaints.warning(place, message, help);
        } else {
            self.complaints.error_with(place, message, help);
        }
    }
}

/// Says whether the Airflow dialect takes a sensor's span so.
fn is_seconds(entry: &Entry) -> bool {
    match entry.value.value {
        Value::Whole(number) => number >= 0,
        Value::Float(number) => number >= 0.0,
        Value::Null => entry.key != "poke_interval",
        Value::Bool(_) | Value::Text(_) | Value::Date(_) | Value::Plain(_) | Value::List(_) | Value::Map(_) => false,
    }
}

/// Stands for a value that has been complained about: it fits everything, so that there is one complaint.
fn stand_in() -> Arg {
    Arg::Template { source: String::new() }
}

fn parts_without_task(node: &Node) -> bool {
    matches!(node.value, Value::Map(_)) && node.get("task").is_none()
}

fn into_value(arg: Arg) -> serde_json::Value {
    match arg {
        Arg::Value(value) => value,
        Arg::List(_) | Arg::Map(_) | Arg::Template { .. } | Arg::XCom { .. } => serde_json::Value::Null,
    }
}

/// Returns the task ids that a branch names literally.
fn targets(arg: &Arg, entry: Option<&Entry>) -> Vec<Named> {
    let (Arg::Value(value), Some(entry)) = (arg, entry) else { return Vec::new() };
    let several = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
    let named = several.iter().enumerate().filter_map(|(ix, name)| {
        let item = entry.value.list().and_then(|items| items.get(ix));
        Some(Named { name: name.as_str()?.to_owned(), place: item.map_or(entry.place(), |item| item.place) })
    });
    named.collect()
}

/// Returns where a route of keys and indexes leads; as far as it leads.
pub(super) fn place_of(entries: &[&Entry], route: &[&str], about_key: bool) -> Option<Place> {
    let (first, rest) = route.split_first()?;
    let entry: &Entry = entries.iter().rev().find(|entry| entry.key == *first).copied()?;
    let mut place = if rest.is_empty() && about_key { entry.key_place } else { entry.place() };
    let mut node: &Node = &entry.value;
    for (ix, step) in rest.iter().enumerate() {
        while let [only] = node.entries()
            && only.key == "$const"
        {
            node = &only.value;
        }
        let is_last = ix + 1 == rest.len();
        if let Some(found) = node.get(step) {
            place = if is_last && about_key { found.key_place } else { found.place() };
            node = &found.value;
        } else if let Some(item) = step.parse().ok().and_then(|ix: usize| node.list()?.get(ix)) {
            place = item.place.or(place);
            node = item;
        } else {
            break;
        }
    }
    Some(place)
}

/// Finds where in the file a template's mistake stands: exactly where the template is written as it is, else
/// on the right line, else at the value.
fn place_in_template(error: &TemplateError, source: &str, node: &Node, text: &str) -> Place {
    let origin = node.origin;
    let raw = origin.slice(text);
    let line = source.lines().nth(error.line.saturating_sub(1)).unwrap_or("");
    let range = error.range.clone().unwrap_or(0..0);
    if let Some(at) = raw.find(source).filter(|_| !source.is_empty()) {
        let range = if range.is_empty() { line_range(source, error.line) } else { range };
        return Place::new(origin.start + at + range.start, origin.start + at + range.end.min(source.len()));
    }
    // A text block: its lines are the template's, after an indent; blank lines at its start have no place.
    let blank = source.len() - source.trim_start_matches('\n').len();
    let mut raw_lines = raw.split_inclusive('\n').scan(origin.start, |next, raw_line| {
        let start = *next;
        *next += raw_line.len();
        Some((start, raw_line))
    });
    let line_start = line_range(source, error.line).start;
    let own = node.is_block.then(|| raw_lines.clone().nth(error.line.saturating_sub(1 + blank))).flatten();
    if let Some((start, indent)) = own.and_then(|(start, raw_line)| Some((start, raw_line.find(line.trim_end())?))) {
        let (from, to) = match range.is_empty() {
            true => (0, line.trim_end().len()),
            false => (range.start.saturating_sub(line_start), range.end.saturating_sub(line_start)),
        };
        return Place::new(start + indent + from.min(line.len()), start + indent + to.min(line.len()));
    }
    // A folded or escaped text: the line that holds the same words.
    if let Some(part) = source.get(range).filter(|part| !part.trim().is_empty())
        && let Some((start, at)) = raw_lines.find_map(|(start, raw_line)| Some((start, raw_line.find(part)?)))
    {
        return Place::new(start + at, start + at + part.len());
    }
    origin.or(node.place)
}

/// Returns the byte range of a line (from 1) of a text, without white space around it.
fn line_range(text: &str, line: usize) -> Range<usize> {
    let mut start = 0;
    for (ix, part) in text.split_inclusive('\n').enumerate() {
        if ix + 1 == line {
            return start..start + part.trim_end().len();
        }
        start += part.len();
    }
    text.len()..text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_must_stay_beside_the_file() {
        for path in ["a.sql", "sql/a.sql", "./a.sql", "a/../b.sql", "a/./b"] {
            assert!(stays_inside(path), "{path}");
        }
        for path in ["", ".", "..", "../a", "a/../../b", "/etc/passwd", "\\x", "c:\\x", "a/..", "a\0b", "..\\x"] {
            assert!(!stays_inside(path), "{path}");
        }
    }

    /// Checks where a mistake in line `line` of the first value's template, at `part` of it, is shown.
    #[track_caller]
    fn check_place(text: &str, line: usize, part: Option<&str>, expected: (usize, usize), shown: &str) {
        let mut complaints = crate::dag::diagnostic::Complaints::new(text);
        let documents = crate::dag::yaml::read(text, &mut complaints);
        let node = &documents[0].root.entries()[0].value;
        let source = node.text().unwrap();
        let range = part.map(|part| source.find(part).map(|at| at..at + part.len()).unwrap());
        let error = TemplateError { message: String::new(), line, range, argument: None, help: None };
        let place = complaints.lines.first_line(place_in_template(&error, source, node, text));
        assert_eq!((complaints.lines.position(place.start), place.slice(text)), (expected, shown));
    }

    #[test]
    fn a_templates_mistake_is_shown_in_the_file() {
        check_place("a: x {{ foo( }} y\n", 1, Some("foo("), (1, 9), "foo(");
        check_place("a: 'x {{ foo( }} y'\n", 1, Some("foo("), (1, 10), "foo(");
        check_place("a: 'it''s {{ foo( }}'\n", 1, Some("foo("), (1, 14), "foo(");
        check_place("a: x {{ foo( }} y\n", 1, None, (1, 4), "x {{ foo( }} y");
        check_place("a: |\n  one\n    {{ foo( }}\n  three\n", 2, Some("foo("), (3, 8), "foo(");
        check_place("a: |\n  one\n    {{ foo( }}\n  three\n", 2, None, (3, 3), "  {{ foo( }}");
        check_place("a: |\n\n  one\n  {{ foo( }}\n", 3, Some("foo("), (4, 6), "foo(");
        check_place("a: >-\n  one\n  {{ foo( }}\n", 1, Some("foo("), (3, 6), "foo(");
        check_place("a: \"x\\n{{ foo( }}\"\n", 2, Some("foo("), (1, 11), "foo(");
        check_place("a: \"x\\n{{ f\\u006fo( }}\"\n", 2, Some("foo("), (1, 4), "\"x\\n{{ f\\u006fo( }}\"");
    }
}
