//! Figures, and the two forms they are printed in: a table for people, JSON for programs.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{bare::Limits, machine::Machine};

/// One measured figure.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    pub(crate) workload: &'static str,
    pub(crate) what: String,
    pub(crate) database: &'static str,
    pub(crate) unit: &'static str,
    /// One of each repeat.
    pub(crate) samples: Vec<f64>,
    /// What the machine does by itself, in the same unit unless it says otherwise.
    pub(crate) bare: Option<Bare>,
    pub(crate) target: Option<Target>,
}

/// The machine's own limit beside a figure.
#[derive(Clone, Debug)]
pub(crate) struct Bare {
    pub(crate) what: &'static str,
    pub(crate) value: f64,
    pub(crate) unit: &'static str,
}

/// What the figure should be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target {
    AtMost(f64),
    AtLeast(f64),
    /// At least this share of the bare figure.
    OfBare(f64),
}

impl Figure {
    fn value(&self) -> f64 {
        median(&self.samples)
    }

    fn is_met(&self) -> Option<bool> {
        let value = self.value();
        Some(match self.target? {
            Target::AtMost(most) => value <= most,
            Target::AtLeast(least) => value >= least,
            Target::OfBare(share) => value >= share * self.bare.as_ref()?.value,
        })
    }

    fn cells(&self) -> [String; 7] {
        let spread = |value: f64| short(value);
        let (low, high) = range(&self.samples);
        let bare = self.bare.as_ref().map_or_else(
            || "–".to_owned(),
            |bare| {
                let share = if bare.unit == self.unit {
                    format!(" ({:.0} %)", self.value() / bare.value * 100.0)
                } else {
                    String::new()
                };
                format!("{} {}: {}{share}", short(bare.value), bare.unit, bare.what)
            },
        );
        let target = match self.target {
            None => "–".to_owned(),
            Some(Target::AtMost(most)) => format!("≤ {}", short(most)),
            Some(Target::AtLeast(least)) => format!("≥ {}", short(least)),
            Some(Target::OfBare(share)) => format!("≥ {:.0} % of bare", share * 100.0),
        };
        let met = match self.is_met() {
            None => "",
            Some(true) => " ✓",
            Some(false) => " ✗",
        };
        [
            self.what.clone(),
            self.database.to_owned(),
            format!("{} {}", short(self.value()), self.unit),
            format!("{}–{}", spread(low), spread(high)),
            self.samples.len().to_string(),
            bare,
            format!("{target}{met}"),
        ]
    }

    /// All of it in a line.
    pub(crate) fn line(&self) -> String {
        let [what, _, value, spread, _, bare, target] = self.cells();
        format!("{}: {what}: {value} ({spread}); bare {bare}; target {target}", self.workload)
    }

    fn json(&self) -> Value {
        let (low, high) = range(&self.samples);
        json!({
            "workload": self.workload,
            "what": self.what,
            "database": self.database,
            "unit": self.unit,
            "median": self.value(),
            "min": low,
            "max": high,
            "samples": self.samples,
            "bare": self.bare.as_ref().map(|bare| json!({ "what": bare.what, "value": bare.value, "unit": bare.unit })),
            "target": match self.target {
                None => Value::Null,
                Some(Target::AtMost(most)) => json!({ "at_most": most }),
                Some(Target::AtLeast(least)) => json!({ "at_least": least }),
                Some(Target::OfBare(share)) => json!({ "share_of_bare_at_least": share }),
            },
            "target_met": self.is_met(),
        })
    }
}

/// Everything that was measured.
pub(crate) struct Report {
    machine: Machine,
    repeats: usize,
    pub(crate) bare: Vec<(&'static str, Limits)>,
    pub(crate) figures: Vec<Figure>,
    pub(crate) took: Duration,
    pub(crate) load_after: f64,
}

impl Report {
    pub(crate) fn new(machine: Machine, repeats: usize) -> Self {
        Self { machine, repeats, bare: Vec::new(), figures: Vec::new(), took: Duration::ZERO, load_after: 0.0 }
    }

    /// A table in Markdown, aligned for the eye, with the machine above it.
    pub(crate) fn table(&self) -> String {
        let head = ["what", "database", "median", "min–max", "n", "bare machine", "target"].map(str::to_owned);
        let rows: Vec<[String; 7]> = self.figures.iter().map(Figure::cells).collect();
        let mut widths = head.each_ref().map(|cell| cell.chars().count());
        for row in &rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let line = |cells: &[String; 7]| {
            let padded: Vec<String> = cells
                .iter()
                .zip(widths)
                .map(|(cell, width)| format!("{cell}{}", " ".repeat(width - cell.chars().count())))
                .collect();
            format!("| {} |\n", padded.join(" | "))
        };
        let mut text = format!("{}; afterwards {:.2}\n", self.machine.line(), self.load_after);
        for (database, bare) in &self.bare {
            text += &format!("{database}: {}\n", bare.line());
        }
        text += "\n";
        text += &line(&head);
        text += &format!("|{}|\n", widths.map(|width| "-".repeat(width + 2)).join("|"));
        for row in &rows {
            text += &line(row);
        }
        text
    }

    pub(crate) fn json(&self) -> String {
        let mut machine = self.machine.json();
        machine["load_after"] = json!(self.load_after);
        let bare: serde_json::Map<String, Value> =
            self.bare.iter().map(|(database, bare)| ((*database).to_owned(), bare.json())).collect();
        let whole = json!({
            "flow": env!("CARGO_PKG_VERSION"),
            "machine": machine,
            "repeats": self.repeats,
            "seconds": self.took.as_secs_f64(),
            "bare": bare,
            "figures": self.figures.iter().map(Figure::json).collect::<Vec<_>>(),
        });
        format!("{whole:#}\n")
    }
}

/// Three digits or so.
fn short(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

fn sorted(samples: &[f64]) -> Vec<f64> {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

fn range(samples: &[f64]) -> (f64, f64) {
    let sorted = sorted(samples);
    (sorted.first().copied().unwrap_or(0.0), sorted.last().copied().unwrap_or(0.0))
}

/// Returns the middle of the samples.
pub(crate) fn median(samples: &[f64]) -> f64 {
    let sorted = sorted(samples);
    match sorted.len() {
        0 => 0.0,
        odd if odd % 2 == 1 => sorted[odd / 2],
        even => f64::midpoint(sorted[even / 2 - 1], sorted[even / 2]),
    }
}

/// Returns the sample below which this share of them is: the nearest rank.
pub(crate) fn percentile(samples: &[f64], share: f64) -> f64 {
    let sorted = sorted(samples);
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.max(1) - 1).copied().unwrap_or(0.0)
}
