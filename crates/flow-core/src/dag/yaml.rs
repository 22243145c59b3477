//! Text → trees with places: what YAML says, before anyone asks what it means.
//!
//! Built on the parser's events, so that every duplicate key and every undefined alias of a file is reported
//! at once, a document with a syntax error does not hide the next one, and a plain scalar is told from a quoted
//! one. Which words a plain scalar may be is decided when the dialect is known: [`Document::resolve`].
//! Bounded: nesting, nodes made by aliases, nodes kept for them. Knows nothing of DAGs.

use std::collections::{BTreeMap, BTreeSet};

use granit_parser::{Event, Parser, ScalarStyle, ScanError};

use crate::dag::{diagnostic::Complaints, place::Place};

mod error;
pub(crate) mod scalar;

/// Deepest nesting of lists and maps.
pub(crate) const MAX_DEPTH: usize = 64;

/// Most nodes that the aliases and merges of a file may stand for.
pub(crate) const MAX_ALIAS_NODES: usize = 100_000;

/// Most nodes that the anchors of a file may hold; a node counts once for each anchor around it.
const MAX_ANCHOR_NODES: usize = 100_000;

/// Text of an alias counts as one more node for each so many bytes, so that long texts are bounded too.
const BYTES_PER_NODE: usize = 128;

/// A value with its place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) value: Value,
    /// Where it stands; for an alias, where the alias stands.
    pub(crate) place: Place,
    /// Where its text is written; differs from `place` for an alias.
    pub(crate) origin: Place,
    /// How a plain scalar was spelled, when it became something else than text.
    pub(crate) spelling: Option<Box<str>>,
    /// The scalar is a block (`|` or `>`).
    pub(crate) is_block: bool,
}

/// What YAML knows.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Whole(i64),
    Float(f64),
    Text(String),
    /// A bare date or time (YAML 1.1 only), as it is written.
    Date(String),
    /// A scalar without quotes, until [`Document::resolve`].
    Plain(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A key and its value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) key_place: Place,
    pub(crate) value: Node,
}

impl Entry {
    /// Where the value stands; the key's place when there is no value.
    pub(crate) fn place(&self) -> Place {
        self.value.place.or(self.key_place)
    }

    /// Estimates the memory of key and value.
    pub(crate) fn bytes(&self) -> usize {
        self.key.len() + self.value.bytes()
    }
}

impl Node {
    /// Finds a key of a map.
    pub(crate) fn get(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.key == key)
    }

    /// Returns the entries of a map, none of anything else.
    pub(crate) fn entries(&self) -> &[Entry] {
        self.map().unwrap_or_default()
    }

    /// Returns the entries of a map.
    pub(crate) fn map(&self) -> Option<&[Entry]> {
        if let Value::Map(entries) = &self.value { Some(entries) } else { None }
    }

    /// Returns the items of a list.
    pub(crate) fn list(&self) -> Option<&[Node]> {
        if let Value::List(items) = &self.value { Some(items) } else { None }
    }

    /// Returns a whole number.
    pub(crate) fn whole(&self) -> Option<i64> {
        if let Value::Whole(number) = self.value { Some(number) } else { None }
    }

    /// Returns the text of a text.
    pub(crate) fn text(&self) -> Option<&str> {
        if let Value::Text(text) | Value::Plain(text) = &self.value { Some(text) } else { None }
    }

    /// Returns the text of a text or of a bare date.
    pub(crate) fn text_or_date(&self) -> Option<&str> {
        if let Value::Date(text) = &self.value { Some(text) } else { self.text() }
    }

    pub(crate) fn is_null(&self) -> bool {
        self.value == Value::Null
    }

    /// Counts the nodes of the tree, long texts more than once.
    fn weight(&self) -> usize {
        match &self.value {
            Value::List(items) => 1 + items.iter().map(Node::weight).sum::<usize>(),
            Value::Map(entries) => {
                1 + entries
                    .iter()
                    .map(|entry| 1 + entry.key.len() / BYTES_PER_NODE + entry.value.weight())
                    .sum::<usize>()
            }
            Value::Text(text) | Value::Plain(text) | Value::Date(text) => 1 + text.len() / BYTES_PER_NODE,
            Value::Null | Value::Bool(_) | Value::Whole(_) | Value::Float(_) => 1,
        }
    }

    /// Estimates the memory of the tree.
    pub(crate) fn bytes(&self) -> usize {
        const NODE: usize = 32;
        NODE + match &self.value {
            Value::List(items) => items.iter().map(Node::bytes).sum(),
            Value::Map(entries) => entries.iter().map(Entry::bytes).sum(),
            Value::Text(text) | Value::Plain(text) | Value::Date(text) => text.len(),
            Value::Null | Value::Bool(_) | Value::Whole(_) | Value::Float(_) => 0,
        }
    }

    /// Counts the lists and maps around the deepest value.
    fn depth(&self) -> usize {
        match &self.value {
            Value::List(items) => 1 + items.iter().map(Node::depth).max().unwrap_or(0),
            Value::Map(entries) => 1 + entries.iter().map(|entry| entry.value.depth()).max().unwrap_or(0),
            Value::Text(_) | Value::Plain(_) | Value::Date(_) => 0,
            Value::Null | Value::Bool(_) | Value::Whole(_) | Value::Float(_) => 0,
        }
    }
}

/// One document of a file.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    pub(crate) root: Node,
    /// Where its content begins.
    pub(crate) start: usize,
    /// The document had a mistake in its YAML; the tree is what could be read of it.
    pub(crate) is_broken: bool,
}

impl Document {
    /// Decides what the plain scalars are.
    pub(crate) fn resolve(&mut self, read: fn(&str) -> Value) {
        resolve(&mut self.root, read);
    }
}

fn resolve(node: &mut Node, read: fn(&str) -> Value) {
    match &mut node.value {
        Value::Plain(text) => {
            let value = read(text);
            if !matches!(value, Value::Text(_)) {
                node.spelling = Some(text.as_str().into());
            }
            node.value = value;
        }
        Value::List(items) => items.iter_mut().for_each(|item| resolve(item, read)),
        Value::Map(entries) => entries.iter_mut().for_each(|entry| resolve(&mut entry.value, read)),
        Value::Null | Value::Bool(_) | Value::Whole(_) | Value::Float(_) | Value::Text(_) | Value::Date(_) => {}
    }
}

/// Reads a file's documents. A document that cannot be read on is broken, and reading goes on at the next `---`.
pub(crate) fn read(text: &str, complaints: &mut Complaints<'_>) -> Vec<Document> {
    let mut builder = Builder::new(text, complaints);
    let mut from = text.len() - text.trim_start_matches('\u{feff}').len();
    while let Some(stopped_at) = builder.read_from(from) {
        match next_document(text, stopped_at.max(from)) {
            Some(next) => from = next,
            None => break,
        }
    }
    builder.documents
}

/// Returns where the next line that begins with `---` starts, after `at`.
fn next_document(text: &str, at: usize) -> Option<usize> {
    let mut from = at;
    while let Some(found) = text.get(from..)?.find("\n---") {
        let start = from + found + 1;
        if text[start + 3..].chars().next().is_none_or(char::is_whitespace) {
            return Some(start);
        }
        from = start;
    }
    None
}

/// A list or map under construction.
#[derive(Debug)]
struct Frame {
    node: Node,
    anchor: usize,
    /// The key that waits for its value.
    key: Option<(String, Place)>,
    /// Where each key of a map stands.
    keys: BTreeMap<String, Place>,
    /// A key that is not text was read, and is passed over with its value.
    skips_value: bool,
    /// `<<` entries, merged when the map is complete.
    merges: Vec<Node>,
}

struct Builder<'c, 'a, 't> {
    text: &'t str,
    complaints: &'c mut Complaints<'a>,
    documents: Vec<Document>,
    stack: Vec<Frame>,
    /// What anchors name, with weight and depth.
    anchors: BTreeMap<usize, (Node, usize, usize)>,
    /// Nodes made by aliases and merges so far, in the whole file.
    expanded: usize,
    /// Nodes kept for anchors so far, in the whole file.
    anchored: usize,
    is_broken: bool,
    start: usize,
    /// Where the parser's text begins in the file.
    base: usize,
}

/// The file cannot be read on from here.
struct Stop(usize);

impl<'c, 'a, 't> Builder<'c, 'a, 't> {
    fn new(text: &'t str, complaints: &'c mut Complaints<'a>) -> Self {
        Self {
            text,
            complaints,
            documents: Vec::new(),
            stack: Vec::new(),
            anchors: BTreeMap::new(),
            expanded: 0,
            anchored: 0,
            is_broken: false,
            start: 0,
            base: 0,
        }
    }

    /// Reads on from a byte; returns where it had to stop.
    fn read_from(&mut self, base: usize) -> Option<usize> {
        self.base = base;
        self.stack.clear();
        self.anchors.clear();
        self.is_broken = false;
        let options = granit_parser::options! { emit_unresolved_aliases: true };
        for next in Parser::new_from_str_with_options(&self.text[base..], options) {
            let stop = match next {
                Ok((event, span)) => {
                    let range = span.byte_range().unwrap_or(0..0);
                    self.take(event, Place::new(base + range.start, base + range.end)).err()
                }
                Err(error) => Some(self.syntax_error(&error)),
            };
            if let Some(Stop(at)) = stop {
                self.give_up();
                return Some(at);
            }
        }
        None
    }

    fn syntax_error(&mut self, error: &ScanError) -> Stop {
        let at = self.base + error.marker().byte_offset().unwrap_or(0);
        let (place, message, help) = error::explain(error.kind(), at, self.text, &self.complaints.lines);
        self.complaints.error_with(place, message, help);
        Stop(at)
    }

    /// Keeps what was read of the document, so that it still counts as one.
    fn give_up(&mut self) {
        self.is_broken = true;
        while let Some(frame) = self.stack.pop() {
            if let Some(parent) = self.stack.last_mut() {
                parent.key = None;
            } else {
                self.documents.push(Document { root: frame.node, start: self.start, is_broken: true });
                return;
            }
        }
        let root = scalar_node(Value::Null, Place::default());
        self.documents.push(Document { root, start: self.start, is_broken: true });
    }

    fn take(&mut self, event: Event<'_>, place: Place) -> Result<(), Stop> {
        match event {
            Event::DocumentStart(..) => {
                self.start = place.end;
                self.is_broken = false;
                self.anchors.clear();
            }
            Event::Scalar(text, style, anchor, tag) => {
                let value = match style {
                    ScalarStyle::Plain if place.is_empty() => Value::Plain(String::new()),
                    ScalarStyle::Plain => Value::Plain(text.into_owned()),
                    ScalarStyle::SingleQuoted
                    | ScalarStyle::DoubleQuoted
                    | ScalarStyle::Literal
                    | ScalarStyle::Folded => Value::Text(text.into_owned()),
                };
                let mut node = scalar_node(value, place);
                node.is_block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
                if let Some(tag) = tag {
                    self.apply_tag(&mut node, tag.core_suffix(), &tag.original(), place);
                }
                self.finished(node, anchor)?;
            }
            Event::SequenceStart(_, anchor, tag) => {
                let known = tag.as_ref().is_none_or(|tag| tag.core_suffix() == Some("seq"));
                self.open(Value::List(Vec::new()), place, anchor, known)?;
            }
            Event::MappingStart(_, anchor, tag) => {
                let known = tag.as_ref().is_none_or(|tag| tag.core_suffix() == Some("map"));
                self.open(Value::Map(Vec::new()), place, anchor, known)?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(place)?,
            Event::Alias(id) => {
                let Some((_, weight, depth)) = self.anchors.get(&id) else {
                    self.broken(place, "an alias cannot stand inside the value it names");
                    return self.finished(scalar_node(Value::Null, place), 0);
                };
                let (weight, depth) = (*weight, *depth);
                self.expand(weight, place)?;
                if self.stack.len() + depth > MAX_DEPTH {
                    self.broken(place, format!("lists and maps are nested more than {MAX_DEPTH} deep"));
                    return Err(Stop(place.start));
                }
                let Some((node, ..)) = self.anchors.get(&id).cloned() else { return Ok(()) };
                self.finished(Node { place, ..node }, 0)?;
            }
            Event::UnresolvedAlias(name) => {
                let message = format!("alias `*{name}` is not defined before here");
                let help = "write `&name` before the value that it stands for, or put the text in quotes";
                self.is_broken = true;
                self.complaints.error_with(place, message, Some(help.to_owned()));
                self.finished(scalar_node(Value::Null, place), 0)?;
            }
            Event::StreamStart | Event::StreamEnd | Event::DocumentEnd | Event::Anchor(..) => {}
            // Events of later parsers, which nobody asked for.
            _ => {}
        }
        Ok(())
    }

    fn broken(&mut self, place: Place, message: impl Into<String>) {
        self.is_broken = true;
        self.complaints.error(place, message);
    }

    fn open(&mut self, value: Value, place: Place, anchor: usize, tag_is_known: bool) -> Result<(), Stop> {
        if !tag_is_known {
            self.broken(place, "tags are not supported on lists and maps");
        }
        if self.stack.len() >= MAX_DEPTH {
            self.broken(place, format!("lists and maps are nested more than {MAX_DEPTH} deep"));
            return Err(Stop(place.start));
        }
        let node = scalar_node(value, place);
        self.stack.push(Frame {
            node,
            anchor,
            key: None,
            keys: BTreeMap::new(),
            skips_value: false,
            merges: Vec::new(),
        });
        Ok(())
    }

    fn close(&mut self, place: Place) -> Result<(), Stop> {
        let Some(mut frame) = self.stack.pop() else { return Ok(()) };
        let merges = std::mem::take(&mut frame.merges);
        if let Value::Map(entries) = &mut frame.node.value {
            let mut known: BTreeSet<String> = std::mem::take(&mut frame.keys).into_keys().collect();
            for source in merges {
                self.merge(entries, &mut known, source)?;
            }
            if let (true, Some(first)) = (frame.node.place.is_empty(), entries.first()) {
                frame.node.place = first.key_place;
            }
        } else if let (true, Value::List(items)) = (frame.node.place.is_empty(), &frame.node.value)
            && let Some(first) = items.first()
        {
            frame.node.place = first.place;
        }
        // A `[` or `{` is shown up to its end.
        if frame.node.place.slice(self.text).starts_with(['[', '{']) {
            frame.node.place.end = place.end.max(frame.node.place.end);
        }
        frame.node.origin = frame.node.place;
        self.finished(frame.node, frame.anchor)
    }

    /// Adds what `source` has and `entries` lacks: the map's own keys win, and earlier sources over later. `known`: the
    /// keys of `entries`.
    fn merge(&mut self, entries: &mut Vec<Entry>, known: &mut BTreeSet<String>, source: Node) -> Result<(), Stop> {
        let place = source.place;
        match source.value {
            Value::Map(more) => {
                let weight = more.iter().map(|entry| 1 + entry.value.weight()).sum();
                self.expand(weight, place)?;
                entries.extend(more.into_iter().filter(|entry| known.insert(entry.key.clone())));
            }
            Value::List(sources) => {
                for source in sources {
                    if matches!(source.value, Value::Map(_)) {
                        self.merge(entries, known, source)?;
                    } else {
                        self.broken(source.place.or(place), "`<<` merges maps, and this is none");
                    }
                }
            }
            Value::Null
            | Value::Bool(_)
            | Value::Whole(_)
            | Value::Float(_)
            | Value::Text(_)
            | Value::Date(_)
            | Value::Plain(_) => self.broken(place, "`<<` merges a map or a list of maps, and this is neither"),
        }
        Ok(())
    }

    fn expand(&mut self, weight: usize, place: Place) -> Result<(), Stop> {
        self.expanded = self.expanded.saturating_add(weight);
        if self.expanded <= MAX_ALIAS_NODES {
            return Ok(());
        }
        self.broken(place, format!("the aliases of this file stand for more than {MAX_ALIAS_NODES} nodes"));
        Err(self.stop_for_good())
    }

    /// Keeps a node for its aliases.
    fn keep(&mut self, node: &Node, anchor: usize) -> Result<(), Stop> {
        let (weight, depth) = (node.weight(), node.depth());
        self.anchored = self.anchored.saturating_add(weight);
        if self.anchored > MAX_ANCHOR_NODES {
            self.broken(node.place, format!("the anchors of this file hold more than {MAX_ANCHOR_NODES} nodes"));
            return Err(self.stop_for_good());
        }
        self.anchors.insert(anchor, (node.clone(), weight, depth));
        Ok(())
    }

    fn stop_for_good(&self) -> Stop {
        // Nothing after this can be trusted to be small.
        Stop(self.text.len())
    }

    fn apply_tag(&mut self, node: &mut Node, core: Option<&str>, shown: &str, place: Place) {
        let text = node.text().unwrap_or_default().to_owned();
        let read = match core {
            Some("str") => Some(Value::Text(text)),
            Some("null") => Some(scalar::core(&text)).filter(|value| *value == Value::Null),
            Some("bool") => Some(scalar::core(&text)).filter(|value| matches!(value, Value::Bool(_))),
            Some("int") => Some(scalar::core(&text)).filter(|value| matches!(value, Value::Whole(_))),
            Some("float") => match scalar::core(&text) {
                Value::Float(number) => Some(Value::Float(number)),
                Value::Whole(number) => Some(Value::Float(number as f64)),
                Value::Null
                | Value::Bool(_)
                | Value::Text(_)
                | Value::Date(_)
                | Value::Plain(_)
                | Value::List(_)
                | Value::Map(_) => None,
            },
            _ => {
                let message =
                    format!("tag `{shown}` is not supported (only `!!str`, `!!int`, `!!float`, `!!bool`, `!!null`)");
                self.broken(place, message);
                return;
            }
        };
        match read {
            Some(value) => node.value = value,
            None => self.broken(place, format!("this does not fit its tag `{shown}`")),
        }
    }

    /// Takes a finished node to where it belongs: a list, a key, a value, or the document.
    fn finished(&mut self, node: Node, anchor: usize) -> Result<(), Stop> {
        if anchor != 0 {
            self.keep(&node, anchor)?;
        }
        let Some(frame) = self.stack.last_mut() else {
            let is_broken = self.is_broken;
            self.documents.push(Document { root: node, start: self.start, is_broken });
            return Ok(());
        };
        let entries = match &mut frame.node.value {
            Value::List(items) => {
                items.push(node);
                return Ok(());
            }
            Value::Map(entries) => entries,
            Value::Null
            | Value::Bool(_)
            | Value::Whole(_)
            | Value::Float(_)
            | Value::Text(_)
            | Value::Date(_)
            | Value::Plain(_) => return Ok(()),
        };
        if frame.skips_value {
            frame.skips_value = false;
            return Ok(());
        }
        let Some((key, key_place)) = frame.key.take() else {
            match node.value {
                Value::Text(text) | Value::Plain(text) => frame.key = Some((text, node.place)),
                Value::Null
                | Value::Bool(_)
                | Value::Whole(_)
                | Value::Float(_)
                | Value::Date(_)
                | Value::List(_)
                | Value::Map(_) => {
                    frame.skips_value = true;
                    let place = node.place;
                    let (message, help) = error::key_is_no_text(place.slice(self.text), place.start, self.text);
                    self.is_broken = true;
                    self.complaints.error_with(place, message, help);
                }
            }
            return Ok(());
        };
        if key == "<<" && key_place.slice(self.text) == "<<" {
            frame.merges.push(node);
        } else if let Some(first) = frame.keys.get(&key) {
            let (line, _) = self.complaints.lines.position(first.start);
            let message = format!("key `{key}` is there twice");
            self.is_broken = true;
            self.complaints.error_with(key_place, message, Some(format!("the first is on line {line}")));
        } else {
            frame.keys.insert(key.clone(), key_place);
            entries.push(Entry { key, key_place, value: node });
        }
        Ok(())
    }
}

fn scalar_node(value: Value, place: Place) -> Node {
    Node { value, place, origin: place, spelling: None, is_block: false }
}
