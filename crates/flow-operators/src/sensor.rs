//! Sensors: operators that look, and look again later. Between two looks there is a row and a timer, no worker.
//!
//! One place knows about intervals, time-outs and soft failure; a sensor only says what it saw.

use std::{future::Future, time::Duration};

use anyhow::anyhow;
use flow_core::{Timestamp, run::Outcome};
use schemars::JsonSchema;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{
    context::{Stream, TaskContext},
    operator::{Done, OperatorError},
    values::Span,
};

/// An operator that waits for something.
pub trait Sensor: DeserializeOwned + JsonSchema + Send + Sync + 'static {
    /// See [`crate::Operator::NAME`].
    const NAME: &'static str;
    /// See [`crate::Operator::CLASS`].
    const CLASS: &'static str = "";
    /// See [`crate::Operator::SUMMARY`].
    const SUMMARY: &'static str;
    /// See [`crate::Operator::TEMPLATED`].
    const TEMPLATED: &'static [&'static str] = &[];
    /// See [`crate::Operator::EXAMPLE`].
    const EXAMPLE: &'static str;
    /// It ends by itself; `timeout` does not matter.
    const ENDS_BY_ITSELF: bool = false;

    /// Looks once.
    fn look(&self, cx: &mut TaskContext) -> impl Future<Output = Result<Look, OperatorError>> + Send;
}

/// What a sensor saw.
#[derive(Clone, Debug, PartialEq)]
pub enum Look {
    /// What it waits for is there; with a result, or null.
    Met(Value),
    /// Not yet; look again after the interval.
    NotYet,
    /// Not before this moment.
    NotBefore(Timestamp),
    /// It will not come, and that is fine.
    Skip(String),
    /// It will not come in this try.
    Failed(String),
}

/// What every sensor takes beside its own parameters.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Patience {
    /// Time between two looks. A number counts seconds.
    #[serde(default = "Patience::poke_interval")]
    pub poke_interval: Span,
    /// How long to wait in all, from the first look. Then the task fails and is not tried again.
    #[serde(default = "Patience::timeout")]
    pub timeout: Span,
    /// Skip instead of failing when time runs out or another try cannot help.
    #[serde(default)]
    pub soft_fail: bool,
    /// Accepted for Airflow's sake: a waiting sensor never holds a worker slot, whatever stands here.
    #[serde(default)]
    pub mode: Mode,
    /// Wait longer each time: about twice the time before.
    #[serde(default)]
    pub exponential_backoff: bool,
    /// Longest time between two looks with `exponential_backoff`.
    #[serde(default)]
    pub max_wait: Option<Span>,
    /// Take an error while looking for "not yet".
    #[serde(default)]
    pub silent_fail: bool,
    /// Skip instead of failing when a look fails; when time runs out the task still fails. Not together with `soft_fail`.
    #[serde(default)]
    pub never_fail: bool,
    /// Accepted for Airflow's sake, like `mode`.
    #[serde(default)]
    pub deferrable: bool,
}

/// Airflow's modes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, serde::Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Mode {
    #[default]
    Poke,
    Reschedule,
}

/// The parameters of [`Patience`].
pub const COMMON: &[&str] = &[
    "poke_interval",
    "timeout",
    "soft_fail",
    "mode",
    "exponential_backoff",
    "max_wait",
    "silent_fail",
    "never_fail",
    "deferrable",
];

/// A look costs a row and a worker's moment; never faster than this, whatever is asked for.
const LEAST_INTERVAL: Duration = Duration::from_millis(10);

impl Patience {
    fn poke_interval() -> Span {
        Span::seconds(60.0)
    }

    fn timeout() -> Span {
        Span::seconds(7.0 * 86_400.0)
    }

    /// Makes one look count.
    pub(crate) async fn judge<S: Sensor>(&self, sensor: &S, cx: &mut TaskContext) -> Result<Done, OperatorError> {
        let _ = (self.mode, self.deferrable);
        if self.soft_fail && self.never_fail {
            return Err(OperatorError::fatal(anyhow!("`soft_fail` and `never_fail` exclude each other")));
        }
        let looks = cx.services.state().get("looks").and_then(Value::as_u64).unwrap_or(0).saturating_add(1);
        let seen = match sensor.look(cx).await {
            Err(error) if error.is_cancelled() => return Err(error),
            Err(error) if error.may_retry() && self.silent_fail => {
                say(cx, Stream::Warning, &format!("could not look: {error}; taken for `not yet`"));
                Look::NotYet
            }
            Err(error) => return self.fail(cx, error),
            Ok(seen) => seen,
        };
        let now = (cx.clock)();
        let deadline =
            if S::ENDS_BY_ITSELF { Timestamp::MAX } else { cx.identity.started_at + self.timeout.duration() };
        let next = match seen {
            Look::Met(result) => return Ok(Done::success(result)),
            Look::Skip(why) => {
                say(cx, Stream::Info, &why);
                return Ok(Done::skipped());
            }
            Look::Failed(why) if self.silent_fail && !self.soft_fail => {
                say(cx, Stream::Warning, &format!("{why}; taken for `not yet`"));
                now + self.interval(cx, looks)
            }
            Look::Failed(why) if self.soft_fail => {
                say(cx, Stream::Info, &format!("{why}; skipped, because of `soft_fail`"));
                return Ok(Done::skipped());
            }
            Look::Failed(why) => return self.fail(cx, OperatorError::retry(anyhow!(why))),
            Look::NotYet => now + self.interval(cx, looks),
            Look::NotBefore(moment) => moment,
        };
        if now >= deadline {
            let waited = now.since(cx.identity.started_at).as_secs();
            let why = anyhow!("timed out: waited {waited} s, `timeout` is {} s", self.timeout.duration().as_secs_f64());
            return fail_unless(cx, OperatorError::timed_out(why), self.soft_fail.then_some("soft_fail"));
        }
        let at = next.min(deadline);
        Ok(Done { state: json!({ "looks": looks }), ..Done::new(Outcome::Reschedule { at }) })
    }

    /// A failure, unless the task is told to skip.
    fn fail(&self, cx: &TaskContext, error: OperatorError) -> Result<Done, OperatorError> {
        let word = match (self.soft_fail, self.never_fail) {
            (true, _) if !error.may_retry() => Some("soft_fail"),
            (_, true) => Some("never_fail"),
            (true | false, false) => None,
        };
        fail_unless(cx, error, word)
    }

    /// Time until the next look. With back-off: Airflow's, doubling, with a jitter that is the same each time it
    /// is asked for.
    fn interval(&self, cx: &TaskContext, looks: u64) -> Duration {
        let base = self.poke_interval.duration();
        let interval = if self.exponential_backoff { self.backed_off(base, cx, looks) } else { base };
        interval.max(LEAST_INTERVAL)
    }

    fn backed_off(&self, base: Duration, cx: &TaskContext, looks: u64) -> Duration {
        let exponent = i32::try_from(looks.min(64)).unwrap_or(64) - 2;
        let longest = 366.0 * 86_400.0;
        let least = (base.as_secs_f64() * 2_f64.powi(exponent)).clamp(1.0, longest).floor();
        let id = &cx.identity;
        let digest = Sha256::digest(format!("{}#{}#{}#{looks}", id.dag_id, id.task_id, id.started_at));
        let chance = f64::from(u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]])) / f64::from(u32::MAX);
        let wait = Duration::from_secs_f64(least + (chance * least).floor());
        self.max_wait.map_or(wait, |max| wait.min(max.duration()))
    }
}

/// A failure, or a skip if there is a word for it.
fn fail_unless(cx: &TaskContext, error: OperatorError, word: Option<&'static str>) -> Result<Done, OperatorError> {
    let Some(word) = word else { return Err(error) };
    say(cx, Stream::Info, &format!("{error}; skipped, because of `{word}`"));
    Ok(Done::skipped())
}

fn say(cx: &TaskContext, stream: Stream, sentence: &str) {
    cx.log.write(stream, format!("{sentence}\n").as_bytes());
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::testing::{Run, World, now};

    /// Sees what it is told to.
    #[derive(Debug, Deserialize, JsonSchema)]
    struct Eye {
        sees: String,
    }

    impl Sensor for Eye {
        const NAME: &'static str = "eye";
        const SUMMARY: &'static str = "";
        const EXAMPLE: &'static str = "";

        async fn look(&self, _: &mut TaskContext) -> Result<Look, OperatorError> {
            std::future::ready(match self.sees.as_str() {
                "nothing" => Ok(Look::NotYet),
                "failure" => Ok(Look::Failed("it failed".into())),
                "error" => Err(OperatorError::retry(anyhow!("could not see"))),
                "fatal" => Err(OperatorError::fatal(anyhow!("never"))),
                _ => Ok(Look::Met(json!("result"))),
            })
            .await
        }
    }

    async fn look(world: &World, sees: &str, more: Value) -> Run {
        let mut given = json!({ "sees": sees });
        given.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let given = given.as_object().unwrap().clone();
        Run(crate::Registry::default().with_sensor::<Eye>().run("eye", given, world.cx.clone()).await)
    }

    #[track_caller]
    fn wait_of(run: &Run) -> Duration {
        let Outcome::Reschedule { at } = run.outcome() else { panic!("{run:?}") };
        at.since(now())
    }

    #[tokio::test]
    async fn what_is_there_is_the_result() {
        look(&World::new(), "it", json!({})).await.succeeded_with("result");
    }

    #[tokio::test]
    async fn it_looks_again_after_the_interval() {
        let wait = wait_of(&look(&World::new(), "nothing", json!({ "mode": "reschedule" })).await);
        assert!(wait > Duration::from_secs(58) && wait <= Duration::from_secs(60), "{wait:?}");
        let wait = wait_of(&look(&World::new(), "nothing", json!({ "poke_interval": "5m" })).await);
        assert!(wait > Duration::from_secs(298) && wait <= Duration::from_secs(300), "{wait:?}");
    }

    #[tokio::test]
    async fn the_interval_grows_and_is_capped() {
        let world = World::new();
        let more = json!({ "poke_interval": 8, "exponential_backoff": true, "max_wait": "20s" });
        for (at_least, at_most) in [(4, 8), (8, 16), (16, 20), (20, 20), (20, 20)] {
            let run = look(&world, "nothing", more.clone()).await;
            let wait = wait_of(&run).as_secs_f64().ceil() as u64;
            assert!((at_least..=at_most).contains(&wait), "{wait} is not within {at_least} and {at_most}");
            world.services.lock().unwrap().state = run.0.state;
        }
        world.services.lock().unwrap().state = json!({ "looks": u64::MAX });
        let more = json!({ "poke_interval": 1e9, "exponential_backoff": true, "timeout": 3e9 });
        assert!(wait_of(&look(&world, "nothing", more).await) > Duration::from_secs(86_400 * 365));
    }

    #[tokio::test]
    async fn time_runs_out_for_good() {
        let mut world = World::new();
        world.cx.identity.started_at = now() - Duration::from_secs(61);
        look(&world, "nothing", json!({ "timeout": "1m" })).await.failed_for_good("timed out: waited 61 s");
        let soft = look(&world, "nothing", json!({ "timeout": 60, "soft_fail": true })).await;
        assert_eq!(soft.outcome(), &Outcome::Skipped);
        look(&world, "nothing", json!({ "timeout": 60, "never_fail": true })).await.failed_for_good("timed out");
        look(&world, "it", json!({ "timeout": 60 })).await.succeeded_with("result");
    }

    #[tokio::test]
    async fn the_last_look_is_when_time_runs_out() {
        let world = World::new();
        let run = look(&world, "nothing", json!({ "timeout": 5 })).await;
        let at = world.cx.identity.started_at + Duration::from_secs(5);
        assert_eq!(run.outcome(), &Outcome::Reschedule { at });
    }

    #[tokio::test]
    async fn errors_fail_skip_or_are_passed_over() {
        for (sees, more, expected) in [
            ("error", json!({}), "failed"),
            ("error", json!({ "soft_fail": true }), "failed"),
            ("error", json!({ "never_fail": true }), "skipped"),
            ("error", json!({ "silent_fail": true }), "waits"),
            ("failure", json!({}), "failed"),
            ("failure", json!({ "soft_fail": true }), "skipped"),
            ("failure", json!({ "never_fail": true }), "skipped"),
            ("failure", json!({ "silent_fail": true }), "waits"),
            ("fatal", json!({}), "failed for good"),
            ("fatal", json!({ "soft_fail": true }), "skipped"),
            ("fatal", json!({ "silent_fail": true }), "failed for good"),
            ("nothing", json!({ "soft_fail": true, "never_fail": true }), "failed for good"),
        ] {
            let run = look(&World::new(), sees, more.clone()).await;
            assert_eq!(run.word(), expected, "{sees} {more}");
        }
    }

    #[tokio::test]
    async fn an_interval_of_nothing_does_not_spin() {
        for more in
            [json!({ "poke_interval": 0 }), json!({ "poke_interval": 60, "exponential_backoff": true, "max_wait": 0 })]
        {
            let before = now();
            let run = look(&World::new(), "nothing", more.clone()).await;
            let Outcome::Reschedule { at } = run.outcome() else { panic!("{run:?}") };
            assert!(*at >= before + LEAST_INTERVAL, "{more}");
        }
    }
}
