//! `task_groups`: boxes around tasks, nested by `parent`. Who is in which is settled in `check`.

use super::{Cx, DraftGroup, Named};
use crate::dag::yaml::{Entry, Value};

const KEYS: &[&str] = &["group_display_name", "needs", "parent", "tooltip"];

impl Cx<'_, '_, '_> {
    /// Reads the groups of a DAG.
    pub(super) fn groups(&mut self, entry: &Entry) -> Vec<DraftGroup> {
        let groups = self.map(entry).unwrap_or_default();
        groups.iter().filter_map(|group| self.group(group)).collect()
    }

    fn group(&mut self, entry: &Entry) -> Option<DraftGroup> {
        if !self.check_id(&entry.key, "the id of a group", entry.key_place) {
            return None;
        }
        let id = Named { name: entry.key.clone(), place: entry.key_place };
        let mut group = DraftGroup { id, parent: None, needs: Vec::new(), tooltip: String::new(), display_name: None };
        if !matches!(entry.value.value, Value::Map(_) | Value::Null) {
            self.wrong(entry, "a map");
            return Some(group);
        }
        for part in entry.value.entries() {
            if part.value.is_null() && KEYS.contains(&part.key.as_str()) {
                continue;
            }
            match part.key.as_str() {
                "tooltip" => group.tooltip = self.text(part).unwrap_or_default(),
                "group_display_name" => group.display_name = self.text(part),
                "needs" => group.needs = self.needs(part),
                "parent" => group.parent = self.text(part).map(|name| Named { name, place: part.place() }),
                _ => self.unknown_key(part, KEYS, "of a task group"),
            }
        }
        Some(group)
    }
}
