//! The document itself: which dialect, which keys, and its tasks.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Cx, Draft, callbacks, keys,
    merge::{Fragments, Merged},
    task::Defaults,
};
use crate::{
    dag::{
        Dag, DagAccess, Dialect, OverlapPolicy,
        place::Place,
        yaml::{Entry, Node},
    },
    id::DagId,
    time,
    timetable::Timetable,
};

/// Roles, as `access_control` names them.
const ROLES: &[&str] = &["Viewer", "User", "Op", "Admin"];

/// Most tasks of a DAG.
pub(crate) const MAX_TASKS: usize = 10_000;

/// Reads a document. `default_id`: its id when it names none.
pub(crate) fn document(cx: &mut Cx<'_, '_, '_>, root: &Node, default_id: Option<&str>) -> Option<Draft> {
    cx.zone = cx.read_zone(root);
    let id_entry = root.get("dag_id");
    let id_place = id_entry.map_or(root.place, Entry::place);
    let id = match (id_entry, default_id) {
        (Some(entry), _) => cx.id(entry),
        (None, Some(stem)) if !cx.is_airflow() => {
            if !cx.check_id(stem, "dag_id", root.place) {
                let help = "the file's name is no id; write a `dag_id`".to_owned();
                cx.error_with(root.place, "the document has no `dag_id`", help);
            }
            Some(stem.to_owned())
        }
        (None, _) => {
            let help = if cx.is_airflow() {
                "the Airflow dialect always needs it"
            } else {
                "in a file of several documents each needs its own"
            };
            cx.error_with(root.place, "the document has no `dag_id`", help.to_owned());
            None
        }
    };
    let mut dag = blank(id.as_deref().unwrap_or("?"), cx.dialect, &cx.zone);
    let defaults = cx.defaults(root);
    // Before the other keys: whether parameters need defaults depends on it.
    if let Some(timetable) = root.get("schedule").and_then(|entry| cx.schedule(entry)) {
        dag.timetable = timetable;
    }
    for entry in root.entries() {
        cx.dag_field(&mut dag, entry);
    }
    if let Some(entry) =
        defaults.get("start_date").filter(|_| dag.start_date.is_none() && root.get("start_date").is_none())
    {
        dag.start_date = cx.moment(entry);
    }
    if let Some(entry) = defaults.get("end_date").filter(|_| dag.end_date.is_none() && root.get("end_date").is_none()) {
        dag.end_date = cx.moment(entry);
    }
    if let (Some(start), Some(end), Some(entry), false) =
        (dag.start_date, dag.end_date, root.get("end_date"), cx.is_airflow())
        && end < start
    {
        cx.error(entry.place(), "`end_date` is before `start_date`");
    }
    if dag.catchup && dag.start_date.is_none() && dag.timetable != Timetable::Null {
        let place = root.get("catchup").map_or(root.place, Entry::place);
        let help = Some("without one there is nothing to catch up with".to_owned());
        cx.complaints.warning(place, "`catchup` has no effect without a `start_date`", help);
    }
    if cx.is_airflow() && dag.timetable == Timetable::Continuous && dag.max_active_runs > 1 {
        let place = root.get("schedule").map_or(root.place, Entry::place);
        let help = "add `max_active_runs: 1`".to_owned();
        cx.error_with(place, "in the Airflow dialect a continuous DAG says that it has one run at a time", help);
    }
    let tasks = cx.tasks(root, &defaults);
    let groups = match root.get("task_groups") {
        Some(entry) if !cx.is_airflow() => cx.groups(entry),
        _ => Vec::new(),
    };
    if cx.is_spent() {
        return None;
    }
    id.map(|_| Draft { dag, id_place, tasks, groups })
}

impl Cx<'_, '_, '_> {
    /// Reads the zone, which times in other keys depend on.
    fn read_zone(&mut self, root: &Node) -> String {
        if self.is_airflow() {
            return self.zone_of_start(root).unwrap_or_else(|| "UTC".to_owned());
        }
        let Some(entry) = root.get("timezone").filter(|entry| !entry.value.is_null()) else {
            return "UTC".to_owned();
        };
        let Some(name) = self.text(entry) else { return "UTC".to_owned() };
        if time::is_zone(&name) {
            return name;
        }
        let zones = time::zone_names();
        let help = self
            .did_you_mean(&name, zones.iter().map(String::as_str))
            .unwrap_or_else(|| "write an IANA name such as `Europe/Berlin`".to_owned());
        self.error_with(entry.place(), format!("unknown time zone `{name}`"), help);
        "UTC".to_owned()
    }

    /// In the Airflow dialect the offset of `start_date` is the DAG's zone.
    fn zone_of_start(&mut self, root: &Node) -> Option<String> {
        let entry = root.get("start_date")?;
        let minutes = offset_minutes(entry.value.text_or_date()?)?;
        let name = match (minutes % 60, minutes / 60) {
            (0, 0) => "UTC".to_owned(),
            (0, hours @ -12..=14) => format!("Etc/GMT{:+}", -hours),
            _ => CONSTANT_ZONES.iter().find(|(offset, _)| *offset == minutes).map_or("?", |(_, name)| name).to_owned(),
        };
        if time::is_zone(&name) {
            return Some(name);
        }
        let help = "write the time in UTC, or use an offset of whole hours".to_owned();
        self.error_with(entry.place(), "Flow has no time zone for the offset of `start_date`", help);
        None
    }

    /// Reads `default_args`.
    fn defaults<'n>(&mut self, root: &'n Node) -> Defaults<'n> {
        let mut defaults = Defaults::default();
        let Some(entry) = root.get("default_args").filter(|_| !self.is_airflow()) else { return defaults };
        let known = [keys::TASK, keys::TASK_FLOW].concat();
        for part in self.map(entry).unwrap_or_default() {
            let key = part.key.as_str();
            if known.contains(&key) {
                defaults.entries.push(part);
            } else if keys::TASK_SHAPE.contains(&key) || keys::TASK_SHAPE_FLOW.contains(&key) {
                self.error(part.key_place, format!("`{key}` cannot stand in `default_args`"));
            } else if keys::TASK_FOREIGN.contains(&key) {
                let message = format!("`{key}` is an argument of Airflow's tasks that Flow does not have");
                self.error(part.key_place, message);
            } else if self.catalog.all().iter().any(|spec| self.facts(spec).has(key)) {
                defaults.with.push(part);
            } else {
                let all: Vec<_> = self.catalog.all().iter().map(|spec| self.facts(spec)).collect();
                let taken = all.iter().flat_map(|facts| &facts.names).map(String::as_str);
                let help = self.did_you_mean(key, known.iter().copied().chain(taken));
                let message = format!("unknown key `{key}` in `default_args`: no task or operator takes it");
                self.error_with(part.key_place, message, help);
            }
        }
        let merged = Merged { entries: defaults.entries.clone(), ..Merged::default() };
        self.check_fragment(&merged, entry.key_place);
        defaults
    }

    fn dag_field(&mut self, dag: &mut Dag, entry: &Entry) {
        if !self.is_of_this_dialect(entry) {
            return;
        }
        let key = entry.key.as_str();
        // These are read elsewhere, or may be empty.
        match key {
            "$schema" | "dag_id" | "timezone" | "schedule" | "default_args" | "templates" | "tasks" | "task_groups" => {
                return;
            }
            _ => {}
        }
        if self.is_absent(entry) {
            return;
        }
        let is_callback = callbacks::event(key).is_some() && keys::DAG.contains(&key);
        if key != "params" && !is_callback && self.refuse_markers(&entry.value) {
            return;
        }
        match key {
            "dag_display_name" => dag.display_name = self.text(entry),
            "description" => dag.description = self.text(entry),
            "doc_md" => dag.doc_md = self.text(entry),
            "tags" => dag.tags = self.tags(entry),
            "owner_links" => dag.owner_links = self.links(entry),
            "access_control" if !self.is_airflow() => dag.access_control = self.access(entry),
            "start_date" => dag.start_date = self.moment(entry),
            "end_date" => dag.end_date = self.moment(entry),
            "catchup" => set(&mut dag.catchup, self.boolean(entry)),
            "catchup_window" => dag.catchup_window = self.timeout(entry),
            "max_active_runs" => set(&mut dag.max_active_runs, self.least_one(entry)),
            "max_active_tasks" => set(&mut dag.max_active_tasks, self.least_one(entry)),
            "max_consecutive_failed_dag_runs" => {
                set(&mut dag.max_consecutive_failed_dag_runs, self.whole(entry, 0));
            }
            "dagrun_timeout" => dag.dagrun_timeout = self.timeout(entry),
            "fail_fast" => set(&mut dag.fail_fast, self.boolean(entry)),
            "is_paused_upon_creation" => dag.is_paused_upon_creation = self.boolean(entry),
            "params" => dag.params = self.params(entry, dag.timetable != Timetable::Null),
            "render_template_as_native_obj" => set(&mut dag.render_template_as_native_obj, self.boolean(entry)),
            _ if is_callback => self.take_callbacks(&mut dag.callbacks, entry),
            "overlap_policy" => set(&mut dag.overlap_policy, self.word::<OverlapPolicy>(entry)),
            _ if keys::LATER.iter().any(|(later, _)| *later == key) && keys::DAG.contains(&key) => self.later(entry),
            _ => self.strange_dag_key(entry),
        }
    }

    fn strange_dag_key(&mut self, entry: &Entry) {
        let key = entry.key.as_str();
        if keys::DAG_FOREIGN.contains(&key) {
            self.error(entry.key_place, format!("`{key}` is an argument of Airflow's DAGs that Flow does not have"));
            return;
        }
        if keys::is_task_key(key) {
            let help = if self.is_airflow() {
                "write it in each task, or in a template"
            } else {
                "move it under `default_args`, or into a task"
            };
            self.error_with(entry.key_place, format!("`{key}` is a key of tasks, not of the DAG"), help.to_owned());
            return;
        }
        let known = [keys::DAG, keys::DAG_FLOW, &["access_control"]].concat();
        let help = keys::habit(key).or_else(|| self.did_you_mean(key, known.iter().copied()));
        self.error_with(entry.key_place, format!("unknown key `{key}` of a DAG"), help);
    }

    fn least_one(&mut self, entry: &Entry) -> Option<u32> {
        self.whole(entry, u32::from(!self.is_airflow()))
    }

    fn tags(&mut self, entry: &Entry) -> Vec<String> {
        let tags = match entry.value.text() {
            Some(tag) if self.is_airflow() => vec![super::Named { name: tag.to_owned(), place: entry.place() }],
            _ => self.names(entry).unwrap_or_default(),
        };
        for tag in &tags {
            let length = tag.name.chars().count();
            if length > 100 || tag.name.trim().is_empty() {
                self.error(tag.place, format!("a tag has 1 to 100 characters, and this has {length}"));
            }
        }
        tags.into_iter().map(|tag| tag.name).collect::<BTreeSet<_>>().into_iter().collect()
    }

    fn links(&mut self, entry: &Entry) -> BTreeMap<String, String> {
        let mut links = BTreeMap::new();
        for part in self.map(entry).unwrap_or_default() {
            let Some(link) = self.text(part) else { continue };
            let is_link = link.strip_prefix("mailto:").is_some_and(|address| !address.is_empty())
                || link.split_once("://").is_some_and(|(scheme, rest)| !scheme.is_empty() && !rest.is_empty());
            if is_link {
                links.insert(part.key.clone(), link);
            } else {
                self.wrong(part, "a link such as `https://example.com/team` or `mailto:team@example.com`");
            }
        }
        links
    }

    /// Reads who may do what. `None`: it makes no sense, and the document has an error.
    fn access(&mut self, entry: &Entry) -> Option<BTreeMap<String, DagAccess>> {
        const MOST: usize = 1_000;
        let parts = self.map(entry)?;
        if parts.len() > MOST {
            self.error(
                entry.place(),
                format!("`access_control` may name {MOST} roles and users, and this has {}", parts.len()),
            );
            return None;
        }
        let mut access = BTreeMap::new();
        for part in parts {
            let name = part.key.as_str();
            if name.is_empty() || name.chars().count() > 250 || name.chars().any(char::is_control) {
                self.error(part.key_place, "a role or user has a name of 1 to 250 characters");
                continue;
            }
            let role = ROLES.iter().find(|role| role.eq_ignore_ascii_case(name));
            if let Some(role) = role.filter(|role| **role != name) {
                let help = format!("the role is written `{role}`; this is a user of that name");
                self.complaints.warning(part.key_place, format!("`{name}` is no role"), Some(help));
            }
            if ["Op", "Admin"].contains(&name) {
                let help = "leave it out".to_owned();
                self.complaints.warning(part.key_place, format!("{name} may do everything with every DAG"), Some(help));
            }
            let mut most = None;
            for word in self.names(part).unwrap_or_default() {
                match word.name.parse::<DagAccess>() {
                    Ok(may) => most = most.max(Some(may)),
                    Err(_) => {
                        let message = format!("`{name}` cannot have `{}` here", word.name);
                        let help = self.meant_or_known(&word.name, &["can_read", "can_edit"], 8);
                        self.error_with(word.place, message, help);
                    }
                }
            }
            // An empty list gives nothing, as in Airflow.
            if let Some(may) = most {
                access.insert(name.to_owned(), may);
            }
        }
        Some(access)
    }

    fn tasks(&mut self, root: &Node, defaults: &Defaults<'_>) -> Vec<super::DraftTask> {
        let templates = match root.get("templates") {
            Some(entry) => self.map(entry).unwrap_or_default(),
            None => &[],
        };
        let mut fragments = Fragments::new(templates);
        for entry in templates {
            if self.is_airflow() {
                if entry.value.map().is_none() {
                    self.wrong(entry, "a map of task keys");
                }
            } else {
                let merged = self.fragment(entry, &mut fragments);
                self.check_fragment(&merged, entry.key_place);
            }
        }
        let Some(entry) = root.get("tasks") else { return Vec::new() };
        if entry.value.is_null() && !self.is_airflow() {
            return Vec::new();
        }
        let Some(items) = entry.value.list() else {
            let help = entry.value.map().map(|_| "begin each task with `- id: …`".to_owned());
            self.wrong_with(entry, "a list of tasks", help);
            return Vec::new();
        };
        if items.len() > MAX_TASKS {
            let message = format!("a DAG may have {MAX_TASKS} tasks, and this has {}", items.len());
            self.error(entry.key_place, message);
            return Vec::new();
        }
        let mut tasks = Vec::with_capacity(items.len());
        for item in items {
            tasks.extend(self.task(item, &mut fragments, defaults));
            if self.is_spent() {
                break;
            }
        }
        tasks
    }
}

fn set<T>(field: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *field = value;
    }
}

/// Zones that keep to one offset, for offsets that are no whole hours; in minutes.
const CONSTANT_ZONES: &[(i64, &str)] = &[
    (-570, "Pacific/Marquesas"),
    (210, "Asia/Tehran"),
    (270, "Asia/Kabul"),
    (330, "Asia/Kolkata"),
    (345, "Asia/Kathmandu"),
    (390, "Asia/Yangon"),
    (525, "Australia/Eucla"),
    (570, "Australia/Darwin"),
];

/// Returns the offset of a time, in minutes; `None` = it has none.
fn offset_minutes(text: &str) -> Option<i64> {
    let clock = text.find(['T', 't', ' ']).map(|at| text[at + 1..].trim())?;
    if clock.ends_with(['Z', 'z']) {
        return Some(0);
    }
    let at = clock.rfind(['+', '-'])?;
    let sign = if clock[at..].starts_with('-') { -1 } else { 1 };
    let digits: String = clock[at + 1..].chars().filter(|c| *c != ':').collect();
    if digits.is_empty() || digits.len() > 4 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (hours, minutes) = digits.split_at(digits.len().min(2));
    let minutes = if minutes.is_empty() { 0 } else { minutes.parse().ok()? };
    Some(sign * (hours.parse::<i64>().ok()? * 60 + minutes))
}

/// Makes a DAG with every default.
fn blank(id: &str, dialect: Dialect, zone: &str) -> Dag {
    Dag {
        id: DagId::new(id),
        dialect,
        display_name: None,
        description: None,
        doc_md: None,
        tags: Vec::new(),
        owner_links: BTreeMap::new(),
        access_control: None,
        timetable: Timetable::Null,
        timezone: zone.to_owned(),
        start_date: None,
        end_date: None,
        catchup: false,
        catchup_window: None,
        max_active_runs: 16,
        max_active_tasks: 16,
        max_consecutive_failed_dag_runs: 0,
        dagrun_timeout: None,
        fail_fast: false,
        is_paused_upon_creation: None,
        params: BTreeMap::new(),
        render_template_as_native_obj: false,
        overlap_policy: OverlapPolicy::Queue,
        callbacks: crate::dag::Callbacks::default(),
        notifications: Default::default(),
        groups: Vec::new(),
        tasks: Vec::new(),
    }
}

/// Where a document begins, when it has nothing better to point at.
pub(crate) fn start_of(root: &Node, start: usize) -> Place {
    root.place.or(Place::new(start, start + 1))
}
