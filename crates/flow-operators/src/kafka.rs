//! What the operators of Kafka share: messages as JSON and back, and where the client's words go.
//!
//! Knows nothing of any single operator.

use std::{collections::BTreeSet, sync::Arc};

use anyhow::anyhow;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use flow_clients::{
    ClientError, Kind,
    kafka::{Consumer, Message, Notes, Offsets, Record},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{
    context::{Stream, TaskContext},
    operator::OperatorError,
};

/// Airflow's default connection.
pub(crate) fn kafka_default() -> String {
    "kafka_default".to_owned()
}

/// Bytes that are no text stand in JSON as an object with this one key.
const BASE64: &str = "$base64";

/// What a message may be written with.
const FIELDS: [&str; 7] = ["key", "value", "headers", "partition", "timestamp", "topic", "offset"];

/// How values are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum ValueFormat {
    /// Objects and lists of JSON as what they are, everything else as text.
    #[default]
    Auto,
    /// JSON; what is none fails the task.
    Json,
    /// Text.
    Text,
}

/// Longest line of a file.
pub const LINE_MAX: usize = 64 << 20;

/// What a line of a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum LineFormat {
    Messages,
    Values,
    KeyValue,
}

/// Reads a line as a message for a topic.
///
/// # Errors
///
/// A sentence.
pub fn record_of_line(topic: &str, line: &[u8], format: LineFormat, separator: &str) -> Result<Record, String> {
    let mut record = Record { topic: topic.to_owned(), ..Record::default() };
    match format {
        LineFormat::Messages => {
            let given: Value = serde_json::from_slice(line).map_err(|error| format!("is no JSON: {error}"))?;
            return record_of(topic, &given);
        }
        LineFormat::Values => record.value = Some(line.to_vec()),
        LineFormat::KeyValue => {
            let separator = separator.as_bytes();
            let at = line.windows(separator.len().max(1)).position(|part| part == separator).ok_or_else(|| {
                format!("there is no `{}` between key and value", String::from_utf8_lossy(separator).escape_debug())
            })?;
            record.key = Some(line[..at].to_vec());
            record.value = Some(line[at + separator.len()..].to_vec());
        }
    }
    Ok(record)
}

/// `1 message`, `2 messages`
pub(crate) fn messages(count: u64) -> String {
    format!("{count} {}", if count == 1 { "message" } else { "messages" })
}

/// Writes the client's words into the task's log.
pub(crate) fn notes(cx: &TaskContext) -> Notes {
    let log = cx.log.clone();
    Arc::new(move |sentence: &str| log.write(Stream::Warning, format!("{sentence}\n").as_bytes()))
}

/// The topics of which a group has stored something: partitions that came to them later are read whole.
pub(crate) fn known_topics(stored: &Offsets) -> BTreeSet<&str> {
    stored.keys().map(|(topic, _)| topic.as_str()).collect()
}

/// Stores where a group begins in partitions of which it has stored nothing, before it reads: what is written between
/// this task and the next is read by the next, whatever becomes of this one. False: not stored, for others are in the
/// group, and only they may.
pub(crate) async fn store_beginnings(consumer: &Consumer, begins: &Offsets) -> Result<bool, ClientError> {
    if begins.is_empty() {
        return Ok(true);
    }
    // Another task of the group may have been here meanwhile.
    let places: Vec<_> = begins.keys().cloned().collect();
    let stored = consumer.committed(&places).await?;
    let missing: Offsets = begins
        .iter()
        .filter(|(place, _)| !stored.contains_key(*place))
        .map(|(place, offset)| (place.clone(), *offset))
        .collect();
    match consumer.commit(&missing).await {
        Ok(()) => Ok(true),
        Err(error) if error.kind == Kind::Fenced => Ok(false),
        Err(error) => Err(error),
    }
}

/// Bytes as JSON: text, or what stands for other bytes.
fn text_of(bytes: &[u8]) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) => Value::from(text),
        Err(_) => json!({ BASE64: STANDARD.encode(bytes) }),
    }
}

/// A message as JSON: what expressions see, by name, and what stands in files.
///
/// # Errors
///
/// When the value must be JSON, and is none.
pub fn names(message: &Message, format: ValueFormat) -> Result<Map<String, Value>, OperatorError> {
    let value = match &message.value {
        None => Value::Null,
        Some(bytes) => match format {
            ValueFormat::Text => text_of(bytes),
            ValueFormat::Auto
                if !bytes.trim_ascii_start().starts_with(b"{") && !bytes.trim_ascii_start().starts_with(b"[") =>
            {
                text_of(bytes)
            }
            ValueFormat::Auto => serde_json::from_slice(bytes).unwrap_or_else(|_| text_of(bytes)),
            ValueFormat::Json => serde_json::from_slice(bytes).map_err(|error| {
                OperatorError::fatal(anyhow!("the value of {} is no JSON: {error}", place(message)))
            })?,
        },
    };
    let headers =
        message.headers.iter().map(|(name, value)| (name.clone(), value.as_deref().map_or(Value::Null, text_of)));
    Ok(Map::from_iter([
        ("topic".to_owned(), Value::from(&*message.topic)),
        ("partition".to_owned(), message.partition.into()),
        ("offset".to_owned(), message.offset.into()),
        ("timestamp".to_owned(), message.timestamp.map_or(Value::Null, time_of)),
        ("key".to_owned(), message.key.as_deref().map_or(Value::Null, text_of)),
        ("value".to_owned(), value),
        ("headers".to_owned(), Value::Object(headers.collect())),
    ]))
}

/// A time with milliseconds always: such texts sort as the times do.
fn time_of(millis: i64) -> Value {
    match jiff::Timestamp::from_millisecond(millis) {
        Ok(time) => Value::from(time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()),
        Err(_) => Value::from(millis),
    }
}

/// Which message it is, for sentences.
pub fn place(message: &Message) -> String {
    format!("message {} of partition {} of `{}`", message.offset, message.partition, message.topic)
}

/// A JSON value as the bytes of a key, value or header: text as it is, null as none, the rest as JSON.
///
/// # Errors
///
/// A sentence, when `$base64` holds something else.
pub(crate) fn bytes_of(value: &Value) -> Result<Option<Vec<u8>>, String> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.clone().into_bytes())),
        Value::Object(fields) if fields.len() == 1 && fields.contains_key(BASE64) => {
            let text = fields[BASE64].as_str().unwrap_or_default();
            let bytes = STANDARD.decode(text).map_err(|_| format!("`{BASE64}` must hold base64"))?;
            Ok(Some(bytes))
        }
        Value::Object(_) | Value::Array(_) | Value::Number(_) | Value::Bool(_) => {
            Ok(Some(value.to_string().into_bytes()))
        }
    }
}

/// Reads a message that is to be written: an object with `key`, `value`, `headers`, `partition`, `timestamp`; or its
/// value alone. What [`names`] adds (topic, offset) is passed over, so that what was read can be written.
///
/// # Errors
///
/// A sentence.
pub fn record_of(topic: &str, given: &Value) -> Result<Record, String> {
    let mut record = Record { topic: topic.to_owned(), ..Record::default() };
    let Some(fields) = given.as_object().filter(|fields| !fields.contains_key(BASE64)) else {
        record.value = bytes_of(given)?;
        return Ok(record);
    };
    if let Some(name) = fields.keys().find(|name| !FIELDS.contains(&name.as_str())) {
        return Err(format!(
            "a message has no `{name}` (there are: key, value, headers, partition, timestamp); an object that is a \
             value goes into `value`"
        ));
    }
    let get = |name: &str| fields.get(name).filter(|value| !value.is_null());
    record.key = get("key").map_or(Ok(None), bytes_of)?;
    record.value = get("value").map_or(Ok(None), bytes_of)?;
    // One that has an offset was read; where it is written to, its key decides upon the partition.
    if let Some(partition) = get("partition").filter(|_| !fields.contains_key("offset")) {
        let number = partition.as_i64().and_then(|number| i32::try_from(number).ok()).filter(|number| *number >= 0);
        record.partition =
            Some(number.ok_or_else(|| format!("`partition` must be a number from 0 on, not `{partition}`"))?);
    }
    if let Some(time) = get("timestamp") {
        record.timestamp = Some(millis_of(time)?);
    }
    match get("headers") {
        None => {}
        Some(Value::Object(headers)) => {
            for (name, value) in headers {
                if name.contains('\0') {
                    return Err("the name of a header holds the character NUL".to_owned());
                }
                record.headers.push((name.clone(), bytes_of(value)?));
            }
        }
        Some(other) => return Err(format!("`headers` must be a map, not `{other}`")),
    }
    Ok(record)
}

fn millis_of(time: &Value) -> Result<i64, String> {
    let wrong = || {
        format!("`timestamp` must be a time such as `2026-01-02T03:04:05Z`, or milliseconds since 1970, not `{time}`")
    };
    match time {
        Value::Number(number) => number.as_i64().filter(|millis| *millis >= 0).ok_or_else(wrong),
        Value::String(text) => {
            let time: jiff::Timestamp = text.parse().map_err(|_| wrong())?;
            Ok(time.as_millisecond())
        }
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => Err(wrong()),
    }
}

#[cfg(test)]
pub(crate) mod tests;
