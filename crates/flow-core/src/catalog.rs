//! What the core needs to know of an operator, handed in as data by the crate that has them.
//!
//! The core cannot run an operator. It must know the names, which arguments may hold templates, and how to
//! check arguments when a file is read, so that a typing mistake is an import error and not a failure at night.

use crate::dag::Arg;

/// One operator as the core sees it.
#[derive(Clone, Debug)]
pub struct OperatorSpec {
    /// The short name, as in `uses: bash`.
    pub name: &'static str,
    /// Airflow's full class path; empty when Airflow has no such operator.
    pub class: &'static str,
    /// One sentence for lists and completion.
    pub summary: &'static str,
    /// Arguments that may hold templates and references.
    pub templated: &'static [&'static str],
    /// Takes a sensor's common arguments too (`poke_interval`, `timeout`, …).
    pub is_sensor: bool,
    /// The operator chooses among its direct downstream tasks.
    pub is_branch: bool,
    /// Needs no worker: the scheduler marks it done, as Airflow does with `EmptyOperator`.
    pub is_inline: bool,
    /// Checks the arguments; templates and references count as present and of the right type.
    pub check: fn(&[(String, Arg)]) -> Vec<ArgError>,
    /// The JSON schema of the arguments.
    pub schema: fn() -> serde_json::Value,
}

/// A complaint about one argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArgError {
    /// Where, from `with` down: keys, and indexes as decimal numbers. Empty: `with` itself.
    pub route: Vec<String>,
    /// What is wrong, lower case, no full stop.
    pub message: String,
    /// A near name, or another way out.
    pub help: Option<String>,
    /// The complaint is about the key at `route`, not its value.
    pub about_key: bool,
}

/// The operators of an installation.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    operators: Vec<OperatorSpec>,
}

impl Catalog {
    /// Makes a catalogue of these operators.
    pub fn new(operators: Vec<OperatorSpec>) -> Self {
        Self { operators }
    }

    /// Returns every operator, in the order of the list.
    pub fn all(&self) -> &[OperatorSpec] {
        &self.operators
    }

    /// Finds an operator by short name.
    pub fn by_name(&self, name: &str) -> Option<&OperatorSpec> {
        self.operators.iter().find(|spec| spec.name == name)
    }

    /// Finds an operator by Airflow's class path, or its last segments (`BashOperator`, `bash.BashOperator`).
    pub fn by_class(&self, class: &str) -> Option<&OperatorSpec> {
        self.operators.iter().find(|spec| {
            !spec.class.is_empty()
                && (spec.class == class || spec.class.strip_suffix(class).is_some_and(|rest| rest.ends_with('.')))
        })
    }
}
