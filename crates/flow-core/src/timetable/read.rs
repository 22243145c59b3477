//! From the value of `schedule` in a document to a [`Timetable`], or to what is wrong with it.
//!
//! Airflow's documents allow less than Flow's own; what Airflow would refuse is refused here with a sentence that
//! says which documents have it.

use serde_json::{Map, Value};

use super::{
    Cron, KafkaSchedule, RunImmediately, ScheduleError, Step, Timetable,
    fields::{self, Complaint},
};
use crate::{
    dag::Dialect,
    time::{clip, is_zone, parse_time, zone},
};

/// More crons than anyone means; each costs a search whenever the next moment is looked for.
const MOST_CRONS: usize = 100;
/// More events than fit a readable document.
const MOST_EVENTS: usize = 10_000;

const PRESETS: &[&str] = &[
    "@once",
    "@continuous",
    "@hourly",
    "@daily",
    "@weekly",
    "@monthly",
    "@quarterly",
    "@yearly",
    "@annually",
    "@midnight",
];

/// Airflow's timetable classes: name, module under `airflow.timetables`, and whether `airflow.sdk` has it at its top.
const CLASSES: &[(Class, &str, &str, bool)] = &[
    (Class::CronTrigger, "CronTriggerTimetable", "trigger", true),
    (Class::CronDataInterval, "CronDataIntervalTimetable", "interval", true),
    (Class::DeltaTrigger, "DeltaTriggerTimetable", "trigger", true),
    (Class::DeltaDataInterval, "DeltaDataIntervalTimetable", "interval", true),
    (Class::MultipleCronTrigger, "MultipleCronTriggerTimetable", "trigger", true),
    (Class::Events, "EventsTimetable", "events", true),
    (Class::Continuous, "ContinuousTimetable", "simple", false),
    (Class::Once, "OnceTimetable", "simple", false),
    (Class::Null, "NullTimetable", "simple", false),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    CronTrigger,
    CronDataInterval,
    DeltaTrigger,
    DeltaDataInterval,
    MultipleCronTrigger,
    Events,
    Continuous,
    Once,
    Null,
}

type Result<T> = std::result::Result<T, ScheduleError>;

/// Reads the value of `schedule`.
pub(super) fn read(value: &Value, timezone: &str, dialect: Dialect) -> Result<Timetable> {
    let reader = Reader { timezone, dialect };
    match value {
        Value::Null => Ok(Timetable::Null),
        Value::String(text) => reader.text(text),
        Value::Array(items) => reader.list(items),
        Value::Object(map) => reader.map(map),
        Value::Bool(_) | Value::Number(_) => Err(error(&[], format!("`schedule` must not be `{value}`")).help(
            "write a cron expression such as `0 3 * * *`, a preset such as `@daily`, or an interval such as `90s`",
        )),
    }
}

struct Reader<'a> {
    timezone: &'a str,
    dialect: Dialect,
}

impl Reader<'_> {
    fn is_airflow(&self) -> bool {
        self.dialect == Dialect::Airflow
    }

    fn text(&self, text: &str) -> Result<Timetable> {
        let trimmed = text.trim();
        // Airflow knows these two in lower case only.
        let word = if self.is_airflow() { text.to_owned() } else { trimmed.to_ascii_lowercase() };
        match word.as_str() {
            "@once" => return Ok(Timetable::Once),
            "@continuous" => return Ok(Timetable::Continuous),
            _ => {}
        }
        if trimmed.is_empty() {
            return Err(error(&[], "`schedule` must not be empty").help("write `null` for a DAG without schedule"));
        }
        if trimmed.starts_with('@') && fields::preset(trimmed).is_none() {
            return Err(error(&[], format!("`{}` is no preset; there are {}", clip(trimmed), PRESETS.join(", ")))
                .maybe(near(trimmed, PRESETS.iter().copied())));
        }
        let is_one_word = !trimmed.contains(char::is_whitespace) && !trimmed.starts_with('@');
        if is_one_word && let Ok(delta) = Step::read(trimmed) {
            return self.interval(trimmed, delta);
        }
        if is_one_word {
            let preset = format!("@{}", trimmed.to_ascii_lowercase());
            let help = if trimmed.eq_ignore_ascii_case("none") || trimmed.eq_ignore_ascii_case("null") {
                Some("write `null` without quotes for a DAG without schedule".to_owned())
            } else {
                near(&preset, PRESETS.iter().copied())
            };
            let kinds = match self.dialect {
                Dialect::Airflow => "a cron expression such as `0 3 * * *`, or a preset such as `@daily`",
                Dialect::Flow => {
                    "a cron expression such as `0 3 * * *`, a preset such as `@daily`, or an interval such as `5m`"
                }
            };
            return Err(error(&[], format!("`schedule` must be {kinds}, not `{}`", clip(trimmed))).maybe(help));
        }
        let cron = self.cron(text, self.timezone, &[])?;
        Ok(trigger(vec![cron], Step::default(), RunImmediately::No))
    }

    fn interval(&self, text: &str, delta: Step) -> Result<Timetable> {
        if self.is_airflow() {
            return Err(error(
                &[],
                format!("an interval such as `{}` is not allowed in Airflow's documents", clip(text)),
            )
            .help("write `{uses: airflow.sdk.DeltaTriggerTimetable, with: {delta: …}}`, or leave out `$schema`"));
        }
        if text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(error(&[], format!("an interval needs a unit, `{}` has none", clip(text)))
                .help("`90s` is 90 seconds, `5m` five minutes"));
        }
        Ok(Timetable::DeltaTrigger { delta: positive(delta, &[])?, interval: Step::default() })
    }

    fn list(&self, items: &[Value]) -> Result<Timetable> {
        if self.is_airflow() {
            return Err(error(&[], "a list of schedules is not allowed in Airflow's documents")
                .help("Flow's own documents allow it: leave out `$schema`"));
        }
        let crons = self.crons(items, self.timezone, &[])?;
        Ok(trigger(crons, Step::default(), RunImmediately::No))
    }

    fn crons(&self, items: &[Value], zone: &str, route: &[&str]) -> Result<Vec<Cron>> {
        if items.is_empty() || items.len() > MOST_CRONS {
            return Err(error(route, format!("a list of crons must hold 1 to {MOST_CRONS}, not {}", items.len())));
        }
        let mut crons: Vec<Cron> = Vec::with_capacity(items.len());
        for (at, item) in items.iter().enumerate() {
            let at = at.to_string();
            let route: Vec<&str> = route.iter().copied().chain([at.as_str()]).collect();
            let Value::String(text) = item else {
                return Err(error(&route, format!("must be a cron expression as text, not {}", kind_of(item))));
            };
            let cron = self.cron(text, zone, &route)?;
            if !crons.contains(&cron) {
                crons.push(cron);
            }
        }
        Ok(crons)
    }

    fn cron(&self, text: &str, zone: &str, route: &[&str]) -> Result<Cron> {
        if !text.trim().contains(char::is_whitespace)
            && matches!(text.trim().to_ascii_lowercase().as_str(), "@once" | "@continuous")
        {
            return Err(error(route, format!("`{}` stands alone, not among crons", text.trim())));
        }
        Cron::read(text, zone, self.dialect)
            .map_err(|Complaint { message, help }| ScheduleError { help, ..error(route, message) })
    }

    fn map(&self, map: &Map<String, Value>) -> Result<Timetable> {
        for key in ["assets", "any", "all", "asset"] {
            if map.contains_key(key) {
                return Err(error(&[key], "schedules by assets are not supported yet"));
            }
        }
        if let Some(given) = map.get("kafka") {
            return self.kafka(map, given);
        }
        if let Some(key) = map.keys().find(|key| !matches!(key.as_str(), "uses" | "with")) {
            return Err(error(
                &[key],
                format!("`{}` is not a key of a schedule; there are `uses` and `with`", clip(key)),
            )
            .maybe(near(key, ["uses", "with"].into_iter())));
        }
        let Some(Value::String(uses)) = map.get("uses") else {
            return Err(error(&[], "a schedule that is a map needs `uses`, the name of a timetable"));
        };
        let class = self.class(uses)?;
        let none = Map::new();
        let with = match map.get("with") {
            None => &none,
            Some(Value::Null) if !self.is_airflow() => &none,
            Some(Value::Object(with)) => with,
            Some(other) => return Err(error(&["with"], format!("must be a map, not {}", kind_of(other)))),
        };
        // The classes under `airflow.sdk` name their first argument differently.
        let is_sdk = uses.starts_with("airflow.sdk.");
        self.timetable(class, &Args { with, dialect: self.dialect, is_sdk })
    }

    fn kafka(&self, map: &Map<String, Value>, given: &Value) -> Result<Timetable> {
        if self.is_airflow() {
            return Err(error(&["kafka"], "schedules by Kafka are not allowed in Airflow's documents")
                .help("Flow's own documents allow them: leave out `$schema`"));
        }
        if let Some(key) = map.keys().find(|key| *key != "kafka") {
            return Err(error(&[key], format!("`kafka` stands alone in a schedule, not beside `{}`", clip(key))));
        }
        let Value::Object(given) = given else {
            let message = format!("must be a map with `topic` and `group_id`, not {}", kind_of(given));
            return Err(error(&["kafka"], message));
        };
        kafka(given).map(Timetable::Kafka)
    }

    fn class(&self, uses: &str) -> Result<Class> {
        let found = CLASSES.iter().find(|(_, name, module, at_top)| {
            uses == format!("airflow.timetables.{module}.{name}")
                || uses == format!("airflow.sdk.definitions.timetables.{module}.{name}")
                || (*at_top && uses == format!("airflow.sdk.{name}"))
                || (!self.is_airflow() && (uses == *name || uses == format!("{module}.{name}")))
        });
        if let Some((class, ..)) = found {
            return Ok(*class);
        }
        let short = uses.rsplit('.').next().unwrap_or(uses);
        if let Some((_, name, module, _)) = CLASSES.iter().find(|(_, name, ..)| *name == short) {
            let full = format!("airflow.timetables.{module}.{name}");
            return Err(if uses == *name || uses == format!("{module}.{name}") {
                error(
                    &["uses"],
                    format!("Airflow's documents need the full path of a timetable, `{}` is none", clip(uses)),
                )
                .help(format!("write `{full}`"))
            } else {
                error(&["uses"], format!("there is no timetable `{}`", clip(uses)))
                    .help(format!("did you mean `{full}`?"))
            });
        }
        if matches!(short, "AssetOrTimeSchedule" | "AssetTriggeredTimetable" | "PartitionedAssetTimetable") {
            return Err(error(&["uses"], "schedules by assets are not supported yet"));
        }
        if matches!(short, "CronPartitionTimetable" | "PartitionedAtRuntime") {
            return Err(error(&["uses"], format!("`{short}` is not supported yet: runs have no partitions")));
        }
        let names = CLASSES.iter().map(|(_, name, ..)| *name);
        let all = names.clone().collect::<Vec<_>>().join(", ");
        Err(error(&["uses"], format!("there is no timetable `{}`; there are {all}", clip(uses)))
            .maybe(near(short, names)))
    }

    fn timetable(&self, class: Class, args: &Args<'_>) -> Result<Timetable> {
        match class {
            Class::CronTrigger => {
                args.only(&[args.cron_key(), "timezone", "interval", "run_immediately"])?;
                let cron = self.cron_argument(args)?;
                Ok(trigger(vec![cron], args.step("interval")?.unwrap_or_default(), args.run_immediately()?))
            }
            Class::CronDataInterval => {
                args.only(&[args.cron_key(), "timezone"])?;
                Ok(Timetable::CronInterval { cron: self.cron_argument(args)? })
            }
            Class::DeltaTrigger => {
                args.only(&["delta", "interval"])?;
                let interval = args.step("interval")?.unwrap_or_default();
                Ok(Timetable::DeltaTrigger { delta: args.delta()?, interval })
            }
            Class::DeltaDataInterval => {
                args.only(&["delta"])?;
                Ok(Timetable::DeltaInterval { delta: args.delta()? })
            }
            Class::MultipleCronTrigger => {
                if self.is_airflow() {
                    let why = "Airflow's documents cannot hand `MultipleCronTriggerTimetable` its crons";
                    return Err(error(&["uses"], why).help("Flow's own documents can: leave out `$schema`"));
                }
                args.only(&["crons", "timezone", "interval", "run_immediately"])?;
                let Some(Value::Array(items)) = args.with.get("crons") else {
                    return Err(error(
                        &["with"],
                        "`MultipleCronTriggerTimetable` needs `crons`, a list of cron expressions",
                    ));
                };
                let crons = self.crons(items, self.zone_argument(args)?, &["with", "crons"])?;
                Ok(trigger(crons, args.step("interval")?.unwrap_or_default(), args.run_immediately()?))
            }
            Class::Events => {
                args.only(&["event_dates", "restrict_to_events", "presorted", "description"])?;
                self.events(args)
            }
            Class::Continuous => args.only(&[]).map(|()| Timetable::Continuous),
            Class::Once => args.only(&[]).map(|()| Timetable::Once),
            Class::Null => args.only(&[]).map(|()| Timetable::Null),
        }
    }

    fn cron_argument(&self, args: &Args<'_>) -> Result<Cron> {
        let key = args.cron_key();
        match args.with.get(key) {
            Some(Value::String(text)) => self.cron(text, self.zone_argument(args)?, &["with", key]),
            Some(other) => {
                Err(error(&["with", key], format!("must be a cron expression as text, not {}", kind_of(other))))
            }
            None => Err(error(&["with"], format!("needs `{key}`, a cron expression such as `0 3 * * *`"))),
        }
    }

    /// The zone of a cron timetable. Airflow insists on one; otherwise the DAG's counts.
    fn zone_argument<'b>(&'b self, args: &'b Args<'_>) -> Result<&'b str> {
        match args.with.get("timezone") {
            Some(Value::String(name)) if is_zone(name) => Ok(name),
            Some(Value::String(name)) if name == self.timezone && zone(name).is_some() => Ok(name),
            Some(Value::String(name)) => {
                let message = format!("`{}` is not a known time zone", clip(name));
                let names = crate::time::zone_names();
                Err(error(&["with", "timezone"], message).maybe(near(name, names.iter().map(String::as_str))))
            }
            Some(other) => {
                let message =
                    format!("must be the name of a time zone such as `Europe/Berlin`, not {}", kind_of(other));
                Err(error(&["with", "timezone"], message))
            }
            None if self.is_airflow() => Err(error(&["with"], "needs `timezone`, such as `UTC` or `Europe/Berlin`")),
            None => Ok(self.timezone),
        }
    }

    fn events(&self, args: &Args<'_>) -> Result<Timetable> {
        let Some(Value::Array(items)) = args.with.get("event_dates") else {
            return Err(error(&["with"], "`EventsTimetable` needs `event_dates`, a list of times"));
        };
        if items.len() > MOST_EVENTS {
            let message = format!("must hold at most {MOST_EVENTS} times, not {}", items.len());
            return Err(error(&["with", "event_dates"], message));
        }
        let mut dates = Vec::with_capacity(items.len());
        for (at, item) in items.iter().enumerate() {
            let at = at.to_string();
            let route = ["with", "event_dates", at.as_str()];
            let Value::String(text) = item else {
                return Err(error(
                    &route,
                    format!("must be a time such as `2026-01-31T06:00:00Z`, not {}", kind_of(item)),
                ));
            };
            dates.push(parse_time(text, self.timezone).map_err(|message| error(&route, message))?);
        }
        dates.sort_unstable();
        dates.dedup();
        args.flag("presorted")?;
        let description = match args.with.get("description") {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text.clone()),
            Some(other) => {
                return Err(error(&["with", "description"], format!("must be text, not {}", kind_of(other))));
            }
        };
        Ok(Timetable::Events { dates, restrict_to_events: args.flag("restrict_to_events")?, description })
    }
}

const KAFKA_KEYS: [&str; 6] = ["kafka_config_id", "topic", "group_id", "max_messages", "max_wait", "from_beginning"];

/// Most messages of one run: they travel in its configuration.
const KAFKA_MESSAGES_MAX: u64 = 10_000;

/// Longest wait for a batch to fill.
const KAFKA_WAIT_MAX: std::time::Duration = std::time::Duration::from_secs(3600);

fn kafka(given: &Map<String, Value>) -> Result<KafkaSchedule> {
    if let Some(key) = given.keys().find(|key| !KAFKA_KEYS.contains(&key.as_str())) {
        let message =
            format!("`{}` is not a key of a schedule by Kafka; there are {}", clip(key), KAFKA_KEYS.join(", "));
        return Err(error(&["kafka", key], message).maybe(near(key, KAFKA_KEYS.into_iter())));
    }
    // Kafka's own limit for a topic, and more than any group needs.
    let name = |key: &str, default: Option<&str>| match given.get(key) {
        Some(Value::String(text)) if (1..=249).contains(&text.len()) && !text.contains(char::is_control) => {
            Ok(text.clone())
        }
        Some(Value::String(_)) => Err(error(&["kafka", key], "must have 1 to 249 characters")),
        Some(other) => Err(error(&["kafka", key], format!("must be text, not {}", kind_of(other)))),
        None => match default {
            Some(default) => Ok(default.to_owned()),
            None => Err(error(&["kafka"], format!("needs `{key}`"))),
        },
    };
    let max_messages = match given.get("max_messages") {
        None => 100,
        Some(value) => value.as_u64().filter(|number| (1..=KAFKA_MESSAGES_MAX).contains(number)).ok_or_else(|| {
            error(
                &["kafka", "max_messages"],
                format!("must be a whole number from 1 to {KAFKA_MESSAGES_MAX}, not `{value}`"),
            )
        })?,
    };
    let route = ["kafka", "max_wait"];
    let max_wait = match given.get("max_wait") {
        None => std::time::Duration::from_secs(5),
        Some(Value::Number(seconds)) => seconds
            .as_f64()
            .and_then(|seconds| std::time::Duration::try_from_secs_f64(seconds).ok())
            .ok_or_else(|| error(&route, format!("must be a duration such as `5s`, not `{seconds}`")))?,
        Some(Value::String(text)) => crate::time::parse_duration(text).map_err(|message| error(&route, message))?,
        Some(other) => return Err(error(&route, format!("must be a duration such as `5s`, not {}", kind_of(other)))),
    };
    if max_wait > KAFKA_WAIT_MAX {
        return Err(error(&route, "must be at most an hour"));
    }
    let from_beginning = match given.get("from_beginning") {
        None => true,
        Some(Value::Bool(flag)) => *flag,
        Some(other) => {
            return Err(error(&["kafka", "from_beginning"], format!("must be true or false, not {}", kind_of(other))));
        }
    };
    Ok(KafkaSchedule {
        kafka_config_id: name("kafka_config_id", Some("kafka_default"))?,
        topic: name("topic", None)?,
        group_id: name("group_id", None)?,
        max_messages,
        max_wait: u64::try_from(max_wait.as_millis()).unwrap_or(u64::MAX),
        from_beginning,
    })
}

/// The arguments of a timetable.
struct Args<'a> {
    with: &'a Map<String, Value>,
    dialect: Dialect,
    is_sdk: bool,
}

impl Args<'_> {
    /// Airflow calls it `cron` in one place and `expression` in the other; Flow takes either.
    fn cron_key(&self) -> &'static str {
        match self.dialect {
            Dialect::Airflow if self.is_sdk => "expression",
            Dialect::Airflow => "cron",
            Dialect::Flow if self.with.contains_key("expression") => "expression",
            Dialect::Flow => "cron",
        }
    }

    fn only(&self, known: &[&str]) -> Result<()> {
        let Some(key) = self.with.keys().find(|key| !known.contains(&key.as_str())) else { return Ok(()) };
        let takes = if known.is_empty() { "no arguments".to_owned() } else { known.join(", ") };
        Err(error(&["with", key], format!("`{}` is not an argument of this timetable; it takes {takes}", clip(key)))
            .maybe(near(key, known.iter().copied())))
    }

    fn delta(&self) -> Result<Step> {
        let Some(delta) = self.step("delta")? else {
            return Err(error(&["with"], "needs `delta`, a duration such as `5m`"));
        };
        if self.dialect == Dialect::Airflow && self.with.get("delta").is_some_and(Value::is_number) {
            return Err(error(&["with", "delta"], "must be text such as `5m` in Airflow's documents, not a number"));
        }
        positive(delta, &["with", "delta"])
    }

    fn step(&self, key: &str) -> Result<Option<Step>> {
        let route = ["with", key];
        match self.with.get(key) {
            None => Ok(None),
            Some(Value::String(text)) => Step::read(text).map(Some).map_err(|message| error(&route, message)),
            Some(Value::Number(seconds)) => match seconds.as_u64() {
                Some(seconds) => Step::of_seconds(seconds).map(Some).map_err(|message| error(&route, message)),
                None => Err(error(&route, format!("must be a whole number of seconds, not `{seconds}`"))),
            },
            Some(other) => Err(error(&route, format!("must be a duration such as `5m`, not {}", kind_of(other)))),
        }
    }

    fn flag(&self, key: &str) -> Result<bool> {
        match self.with.get(key) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(other) => Err(error(&["with", key], format!("must be true or false, not {}", kind_of(other)))),
        }
    }

    fn run_immediately(&self) -> Result<RunImmediately> {
        let route = ["with", "run_immediately"];
        let wrong = |message: String| error(&route, message);
        match self.with.get("run_immediately") {
            None | Some(Value::Bool(false)) => Ok(RunImmediately::No),
            Some(Value::Bool(true)) => Ok(RunImmediately::Yes),
            Some(Value::String(text)) => {
                let span = crate::time::parse_duration(text).map_err(wrong)?;
                Ok(RunImmediately::Within(span.as_secs()))
            }
            Some(Value::Number(seconds)) if seconds.is_u64() => {
                let seconds = seconds.as_u64().unwrap_or(0);
                Step::of_seconds(seconds).map_err(wrong)?;
                Ok(RunImmediately::Within(seconds))
            }
            Some(other) => {
                Err(wrong(format!("must be true, false or a duration such as `1h`, not {}", kind_of(other))))
            }
        }
    }
}

fn trigger(crons: Vec<Cron>, interval: Step, run_immediately: RunImmediately) -> Timetable {
    Timetable::CronTrigger { crons, interval, run_immediately }
}

fn positive(step: Step, route: &[&str]) -> Result<Step> {
    if step.is_zero() { Err(error(route, "an interval must be longer than nothing")) } else { Ok(step) }
}

fn error(route: &[&str], message: impl Into<String>) -> ScheduleError {
    ScheduleError { route: route.iter().map(|&key| key.to_owned()).collect(), message: message.into(), help: None }
}

impl ScheduleError {
    fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    fn maybe(self, help: Option<String>) -> Self {
        Self { help, ..self }
    }
}

/// Suggests a name that is nearly what was written.
fn near<'a>(written: &str, names: impl Iterator<Item = &'a str>) -> Option<String> {
    if written.len() > 100 {
        return None;
    }
    let lower = written.to_lowercase();
    let (score, name) = names
        .map(|name| (strsim::jaro_winkler(&lower, &name.to_lowercase()), name))
        .max_by(|(a, _), (b, _)| a.total_cmp(b))?;
    (score > 0.85).then(|| format!("did you mean `{name}`?"))
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}
