//! The bounds that lists of runs and of task instances have in common: four for each of their times, and four for how
//! long they took.

use flow_core::Timestamp;
use flow_store::Range;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{ApiError, page, wire::When};

/// What bounds say.
pub(super) struct Ranges {
    pub(super) run_after: Range<Timestamp>,
    pub(super) logical_date: Range<Timestamp>,
    pub(super) started_at: Range<Timestamp>,
    pub(super) ended_at: Range<Timestamp>,
    /// Seconds.
    pub(super) duration: Range<f64>,
}

/// Gives a struct the bounds as fields after its own, and `ranges()`, which puts them together. (`serde(flatten)`
/// would read numbers of a query as text, and cannot be had together with `deny_unknown_fields`.)
macro_rules! with_ranges {
    ($(#[$meta:meta])* $seen:vis struct $name:ident { $($(#[$about:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$meta])*
        $seen struct $name {
            $($(#[$about])* $field: $type,)*
            run_after_gte: Option<$crate::wire::When>,
            run_after_gt: Option<$crate::wire::When>,
            run_after_lte: Option<$crate::wire::When>,
            run_after_lt: Option<$crate::wire::When>,
            logical_date_gte: Option<$crate::wire::When>,
            logical_date_gt: Option<$crate::wire::When>,
            logical_date_lte: Option<$crate::wire::When>,
            logical_date_lt: Option<$crate::wire::When>,
            start_date_gte: Option<$crate::wire::When>,
            start_date_gt: Option<$crate::wire::When>,
            start_date_lte: Option<$crate::wire::When>,
            start_date_lt: Option<$crate::wire::When>,
            end_date_gte: Option<$crate::wire::When>,
            end_date_gt: Option<$crate::wire::When>,
            end_date_lte: Option<$crate::wire::When>,
            end_date_lt: Option<$crate::wire::When>,
            /// In seconds
            duration_gte: Option<f64>,
            duration_gt: Option<f64>,
            duration_lte: Option<f64>,
            duration_lt: Option<f64>,
        }

        impl $name {
            /// Puts the bounds together.
            $seen fn ranges(&self) -> Result<$crate::api::ranges::Ranges, $crate::ApiError> {
                use $crate::page::between;
                Ok($crate::api::ranges::Ranges {
                    run_after: between(self.run_after_gte, self.run_after_gt, self.run_after_lte, self.run_after_lt),
                    logical_date: between(
                        self.logical_date_gte,
                        self.logical_date_gt,
                        self.logical_date_lte,
                        self.logical_date_lt,
                    ),
                    started_at: between(self.start_date_gte, self.start_date_gt, self.start_date_lte, self.start_date_lt),
                    ended_at: between(self.end_date_gte, self.end_date_gt, self.end_date_lte, self.end_date_lt),
                    duration: $crate::api::ranges::lasting(
                        self.duration_gte,
                        self.duration_gt,
                        self.duration_lte,
                        self.duration_lt,
                    )?,
                })
            }
        }
    };
}

pub(super) use with_ranges;

with_ranges! {
    /// The bounds of a query.
    #[derive(Deserialize, IntoParams)]
    #[into_params(parameter_in = Query)]
    pub(super) struct Bounds {
        updated_at_gte: Option<When>,
        updated_at_gt: Option<When>,
        updated_at_lte: Option<When>,
        updated_at_lt: Option<When>,
    }
}

impl Bounds {
    pub(super) fn updated_at(&self) -> Range<Timestamp> {
        page::between(self.updated_at_gte, self.updated_at_gt, self.updated_at_lte, self.updated_at_lt)
    }
}

/// Puts the bounds of a duration together.
pub(super) fn lasting(
    gte: Option<f64>,
    gt: Option<f64>,
    lte: Option<f64>,
    lt: Option<f64>,
) -> Result<Range<f64>, ApiError> {
    if [gte, gt, lte, lt].iter().flatten().all(|seconds| seconds.is_finite()) {
        Ok(Range { gte, gt, lte, lt })
    } else {
        Err(ApiError::invalid(&["query", "duration"], "a duration is a number of seconds"))
    }
}
