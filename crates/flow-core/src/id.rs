//! Names of things. Each is its own type, so that a DAG's id is never taken for a run's.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Takes the text as it is; whether it is a legal id is checked where documents are read.
            pub fn new(text: impl AsRef<str>) -> Self {
                Self(Arc::from(text.as_ref()))
            }

            /// Returns the id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self::new(text)
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(Arc::from(text))
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

id!(
    /// The id of a DAG, unique in an installation.
    DagId
);
id!(
    /// The id of a task, unique in its DAG.
    TaskId
);
id!(
    /// The id of a run, unique in its DAG: `scheduled__…`, `manual__…`.
    RunId
);

/// The database's number of a run. Never leaves the process; users see [`RunId`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunKey(pub i64);

impl fmt::Display for RunKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A task's place in its DAG's topological order. Means nothing outside one version of one DAG.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct TaskIx(pub u32);

impl TaskIx {
    /// Returns the index for use with slices.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl From<usize> for TaskIx {
    fn from(index: usize) -> Self {
        Self(u32::try_from(index).expect("a DAG has at most 10,000 tasks"))
    }
}
