//! A task's keys after `default_args` and `extends`: which entry counts, each with its own place.
//!
//! Merging is shallow, `with` one level deep; later wins, the task itself last. Fragments are expanded once and
//! kept; what expanding costs is counted, as many fragments can extend a large one.

use std::collections::{BTreeMap, BTreeSet};

use super::Cx;
use crate::dag::{
    place::Place,
    yaml::{Entry, Node},
};

/// Fragments may extend each other so deep.
const MAX_EXTENDS: usize = 32;

/// The entries that count.
#[derive(Clone, Debug, Default)]
pub(super) struct Merged<'n> {
    /// Without `extends` and `with`.
    pub(super) entries: Vec<&'n Entry>,
    /// The operator's arguments.
    pub(super) with: Vec<&'n Entry>,
    /// Where `with` stands, if it does.
    pub(super) with_place: Option<Place>,
}

impl<'n> Merged<'n> {
    pub(super) fn get(&self, key: &str) -> Option<&'n Entry> {
        self.entries.iter().find(|entry| entry.key == key).copied()
    }

    /// Bytes of the entries' addresses.
    fn bytes(&self) -> usize {
        (self.entries.len() + self.with.len()) * size_of::<&Entry>()
    }

    fn add(&mut self, over: &Merged<'n>) {
        put(&mut self.entries, &over.entries);
        put(&mut self.with, &over.with);
        self.with_place = over.with_place.or(self.with_place);
    }
}

/// Puts entries over others: one with the same key takes its place.
pub(super) fn put<'n>(entries: &mut Vec<&'n Entry>, over: &[&'n Entry]) {
    if entries.is_empty() {
        entries.extend(over);
        return;
    }
    let places: BTreeMap<&str, usize> =
        entries.iter().enumerate().map(|(at, entry)| (entry.key.as_str(), at)).collect();
    for entry in over {
        match places.get(entry.key.as_str()) {
            Some(at) => entries[*at] = entry,
            None => entries.push(entry),
        }
    }
}

/// The fragments of a document.
#[derive(Debug, Default)]
pub(super) struct Fragments<'n> {
    nodes: BTreeMap<&'n str, &'n Entry>,
    expanded: BTreeMap<&'n str, Merged<'n>>,
}

impl<'n> Fragments<'n> {
    pub(super) fn new(entries: &'n [Entry]) -> Self {
        Self { nodes: entries.iter().map(|entry| (entry.key.as_str(), entry)).collect(), ..Self::default() }
    }
}

impl Cx<'_, '_, '_> {
    /// Reads a map of task keys, and what it extends.
    pub(super) fn merged<'n>(&mut self, node: &'n Node, fragments: &mut Fragments<'n>) -> Merged<'n> {
        self.expand(node, fragments, &mut Vec::new())
    }

    /// Returns what a fragment holds, with what it extends.
    pub(super) fn fragment<'n>(&mut self, entry: &'n Entry, fragments: &mut Fragments<'n>) -> Merged<'n> {
        self.expand_fragment(entry, fragments, &mut Vec::new())
    }

    fn expand<'n>(&mut self, node: &'n Node, fragments: &mut Fragments<'n>, path: &mut Vec<&'n str>) -> Merged<'n> {
        let mut merged = Merged::default();
        if let Some(extends) = node.get("extends") {
            for (name, place) in self.extended(extends) {
                if self.is_spent() {
                    break;
                }
                let Some(entry) = fragments.nodes.get(name).copied() else {
                    let known: Vec<&str> = fragments.nodes.keys().copied().collect();
                    let help = self.meant_or_known(name, &known, 8);
                    self.error_with(place, format!("template `{name}` does not exist"), help);
                    continue;
                };
                if path.contains(&name) {
                    let cycle: Vec<&str> = path.iter().copied().chain([name]).collect();
                    self.error(place, format!("templates extend each other in a circle: {}", cycle.join(" → ")));
                } else if path.len() >= MAX_EXTENDS {
                    self.error(place, format!("templates extend each other more than {MAX_EXTENDS} deep"));
                } else {
                    let base = self.expand_fragment(entry, fragments, path);
                    if self.spend(merged.bytes() + base.bytes(), place) {
                        merged.add(&base);
                    }
                }
            }
        }
        let own = self.own(node);
        merged.add(&own);
        merged
    }

    fn expand_fragment<'n>(
        &mut self,
        entry: &'n Entry,
        fragments: &mut Fragments<'n>,
        path: &mut Vec<&'n str>,
    ) -> Merged<'n> {
        if let Some(known) = fragments.expanded.get(entry.key.as_str()) {
            return known.clone();
        }
        if entry.value.map().is_none() {
            self.wrong(entry, "a map of task keys");
        }
        path.push(&entry.key);
        let merged = self.expand(&entry.value, fragments, path);
        path.pop();
        fragments.expanded.insert(&entry.key, merged.clone());
        merged
    }

    /// Reads `extends`: one name or several.
    fn extended<'n>(&mut self, entry: &'n Entry) -> Vec<(&'n str, Place)> {
        if entry.value.is_null() && !self.is_airflow() {
            return Vec::new();
        }
        if let Some(name) = entry.value.text() {
            return vec![(name, entry.value.place)];
        }
        let items = entry.value.list().filter(|items| items.iter().all(|item| item.text().is_some()));
        let Some(items) = items else {
            self.wrong(entry, "a template's name or a list of them");
            return Vec::new();
        };
        let mut seen = BTreeSet::new();
        let mut names = Vec::with_capacity(items.len());
        for (name, place) in items.iter().filter_map(|item| item.text().map(|name| (name, item.place))) {
            if seen.insert(name) {
                names.push((name, place));
            } else {
                self.error(place, format!("template `{name}` is named twice"));
            }
        }
        names
    }

    /// Reads the keys that stand in the map itself.
    fn own<'n>(&mut self, node: &'n Node) -> Merged<'n> {
        let mut merged = Merged::default();
        for entry in node.entries() {
            match entry.key.as_str() {
                "extends" => {}
                "with" => {
                    merged.with_place = Some(entry.key_place);
                    if let Some(arguments) = self.map(entry) {
                        merged.with.extend(arguments);
                    }
                }
                _ => merged.entries.push(entry),
            }
        }
        merged
    }
}
