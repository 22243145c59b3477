//! Schedules in words, for lists and tooltips.
//!
//! Common shapes get short sentences; the rest is told by the crate that also searches for occurrences.

use super::{Cron, KAFKA_WORDS, Timetable, fields::Field};

const WEEKDAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A longer list of times is easier to read as the expression itself.
const MOST_TIMES: usize = 6;

/// Says a schedule in words.
pub(super) fn describe(timetable: &Timetable) -> String {
    match timetable {
        Timetable::Null => "never by itself".to_owned(),
        Timetable::Once => "once, as soon as possible".to_owned(),
        Timetable::Continuous => "again as soon as the last run has ended".to_owned(),
        Timetable::CronTrigger { crons, .. } => {
            let zone = crons.first().map_or("UTC", Cron::zone_name);
            let words: Vec<String> = crons.iter().map(cron).collect();
            format!("{}, {zone}", words.join("; "))
        }
        Timetable::CronInterval { cron: of } => format!("{}, {}, for the interval before", cron(of), of.zone_name()),
        Timetable::DeltaTrigger { delta, .. } => format!("every {delta}"),
        Timetable::DeltaInterval { delta } => format!("every {delta}, for the interval before"),
        Timetable::Events { description: Some(description), .. } => description.clone(),
        Timetable::Events { dates, .. } => match (dates.first(), dates.last()) {
            (Some(only), Some(last)) if only == last => format!("once, at {only}"),
            (Some(first), Some(last)) => format!("at {} moments from {first} to {last}", dates.len()),
            _ => "never: there are no events".to_owned(),
        },
        Timetable::Kafka(kafka) => {
            let super::KafkaSchedule { kafka_config_id, topic, group_id, .. } = kafka;
            format!("{KAFKA_WORDS}: topic {topic}, group {group_id}, connection {kafka_config_id}")
        }
    }
}

fn cron(cron: &Cron) -> String {
    short(cron).unwrap_or_else(|| {
        let text = cron.long_description();
        let mut letters = text.trim_end_matches('.').chars();
        letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
    })
}

/// Says the common shapes; `None` = not one of them.
fn short(cron: &Cron) -> Option<String> {
    let fields = cron.fields();
    if only(&fields.second)? != 0 || !fields.year.is_star {
        return None;
    }
    let (time, days) = (time(&fields.minute, &fields.hour)?, days(&fields.day, &fields.weekday)?);
    let months = list(&fields.month, |month| MONTHS.get(usize::from(month) - 1).map(|name| (*name).to_owned()))?;
    let is_often = fields.hour.is_star || fields.hour.step.is_some();
    let mut text = time;
    match (days.as_str(), is_often) {
        ("", true) => {}
        ("", false) => text.push_str(" every day"),
        (days, _) => text.push_str(&format!(" {days}")),
    }
    if !fields.month.is_star {
        text.push_str(&format!(" in {months}"));
    }
    Some(text)
}

fn time(minute: &Field, hour: &Field) -> Option<String> {
    if hour.is_star {
        return match (minute.is_star, minute.step) {
            (true, _) => Some("every minute".to_owned()),
            (false, Some(step)) if 60 % step == 0 => Some(format!("every {step} minutes")),
            (false, Some(_)) => None,
            (false, None) if only(minute) == Some(0) => Some("every hour".to_owned()),
            (false, None) => {
                let minutes = list(minute, |minute| Some(format!(":{minute:02}")))?;
                Some(format!("every hour at {minutes}"))
            }
        };
    }
    if let Some(step) = hour.step {
        let at = only(minute)?;
        let offset = if at == 0 { String::new() } else { format!(" at :{at:02}") };
        return (24 % step == 0).then(|| format!("every {step} hours{offset}"));
    }
    let (first, last) = (hour.values.first()?, hour.values.last()?);
    if hour.values.len() > 2 && usize::from(last - first) + 1 == hour.values.len() {
        let (what, from, to) = match (minute.step, only(minute)) {
            (Some(step), _) if 60 % step == 0 => (format!("every {step} minutes"), 0, 60 - step),
            (None, Some(at)) => ("every hour".to_owned(), at, at),
            _ => return None,
        };
        return Some(format!("{what} from {first:02}:{from:02} to {last:02}:{to:02}"));
    }
    if minute.is_star || minute.values.len() * hour.values.len() > MOST_TIMES {
        return None;
    }
    let times = hour.values.iter().flat_map(|hour| minute.values.iter().map(move |minute| (hour, minute)));
    let times: Vec<String> = times.map(|(hour, minute)| format!("{hour:02}:{minute:02}")).collect();
    Some(format!("at {}", and(&times)))
}

/// Says on which days; empty = on all.
fn days(day: &Field, weekday: &Field) -> Option<String> {
    let is_every_weekday = weekday.values.len() == WEEKDAYS.len();
    if (day.is_star && weekday.is_star) || (is_every_weekday && weekday.specials.is_empty()) {
        return Some(String::new());
    }
    match (day.is_star, weekday.is_star) {
        (true, _) => days_of_week(weekday),
        (false, true) => days_of_month(day),
        (false, false) => Some(format!("{} and {}", days_of_month(day)?, days_of_week(weekday)?)),
    }
}

fn days_of_month(day: &Field) -> Option<String> {
    if day.step.is_some() || day.values.len() > MOST_TIMES {
        return None;
    }
    let mut words: Vec<String> = day.values.iter().map(u16::to_string).collect();
    if let Some(first) = words.first_mut() {
        first.insert_str(0, "day ");
    }
    words.extend(day.specials.iter().map(|special| match special.as_str() {
        "L" => "the last day".to_owned(),
        "LW" => "the last weekday".to_owned(),
        nearest => format!("the weekday nearest to day {}", nearest.trim_end_matches('W')),
    }));
    Some(format!("on {} of the month", and(&words)))
}

fn days_of_week(weekday: &Field) -> Option<String> {
    if weekday.specials.is_empty() {
        let days: Vec<u16> = weekday.values.iter().copied().collect();
        if days == [1, 2, 3, 4, 5] {
            return Some("Monday to Friday".to_owned());
        }
        let names: Option<Vec<String>> = days.iter().map(|day| Some(format!("{}s", name_of(*day)?))).collect();
        return Some(format!("on {}", and(&names?)));
    }
    if !weekday.values.is_empty() {
        return None;
    }
    let words: Option<Vec<String>> = weekday.specials.iter().map(|special| counted(special)).collect();
    Some(format!("on {} of the month", and(&words?)))
}

/// Says `5#2` or `5L`.
fn counted(special: &str) -> Option<String> {
    if let Some(day) = special.strip_suffix('L') {
        return Some(format!("the last {}", name_of(day.parse().ok()?)?));
    }
    let (day, nth) = special.split_once('#')?;
    let nth = ["first", "second", "third", "fourth", "fifth"].get(nth.parse::<usize>().ok()?.checked_sub(1)?)?;
    Some(format!("the {nth} {}", name_of(day.parse().ok()?)?))
}

fn name_of(day: u16) -> Option<&'static str> {
    WEEKDAYS.get(usize::from(day)).copied()
}

fn list(field: &Field, name: impl Fn(u16) -> Option<String>) -> Option<String> {
    if field.is_star {
        return Some(String::new());
    }
    let names: Vec<String> = field.values.iter().map(|value| name(*value)).collect::<Option<_>>()?;
    (names.len() <= MOST_TIMES).then(|| and(&names))
}

fn only(field: &Field) -> Option<u16> {
    let mut values = field.values.iter();
    match (field.is_star, values.next(), values.next()) {
        (false, Some(value), None) => Some(*value),
        _ => None,
    }
}

fn and(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [only] => only.clone(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}
