//! `flow kafka`: topics and messages from the shell, so that a pipeline can be tried without other tools.

use std::{
    io::{BufRead, BufReader, Read},
    path::PathBuf,
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::Context;
use flow_clients::kafka::{
    Acks, Admin, BEGINNING, Consumer, Created, END, Message, NewTopic, Notes, Offsets, Producer, Reading, STORED,
    Writing,
};
use flow_core::connection::Connection;
use flow_operators::{
    kafka::{LINE_MAX, LineFormat, ValueFormat, names, record_of_line},
    values::Span,
};
use serde_json::{Value, json};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::mpsc,
};

use crate::{
    context::Cx,
    home::Home,
    output::{Cell, Format, Refusal},
};

/// The connection that operators take when none is named.
const DEFAULT: &str = "kafka_default";

/// Lines that are read ahead.
const LINES_MAX: usize = 1_000;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  flow kafka topics list --bootstrap localhost:9092
  flow kafka topics create readings --partitions 3
  echo 'oslo:{\"temperature\": -3}' | flow kafka produce readings --key-separator :
  flow kafka consume readings --from-beginning --max 10

Without --bootstrap the connection `kafka_default` is used, or the one that --connection names.")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Args)]
struct Broker {
    /// The connection to Kafka [default: kafka_default]
    #[arg(long, value_name = "ID", conflicts_with = "bootstrap")]
    connection: Option<String>,
    /// A broker without login, instead of a connection
    #[arg(long, value_name = "HOST:PORT")]
    bootstrap: Option<String>,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Topics: list, describe, create, delete
    #[command(after_help = "Examples:\n  flow kafka topics list\n  flow kafka topics describe readings -o json")]
    Topics(Topics),
    /// Write messages: a line of stdin or of a file is a message
    #[command(after_help = "Examples:
  flow kafka produce readings < readings.txt
  flow kafka produce readings lines.txt --key-separator :
  flow kafka produce readings messages.jsonl --messages

With --messages a line is JSON such as {\"key\": \"a\", \"value\": {\"n\": 1}, \"headers\": {\"h\": \"x\"}, \"partition\": 0}.")]
    Produce(Produce),
    /// Read messages; stores no offsets, unless a group is given
    #[command(after_help = "Examples:
  flow kafka consume readings                              (what comes from here on, until Ctrl-C)
  flow kafka consume readings --from-beginning --timeout 2s
  flow kafka consume readings --from-beginning --max 1 -o json
  flow kafka consume readings --group reports --timeout 5s

With -o json each message is a line of JSON with topic, partition, offset, timestamp, key, value and headers.")]
    Consume(Consume),
}

#[derive(Debug, clap::Args)]
struct Topics {
    #[command(subcommand)]
    command: TopicCommand,
}

#[derive(Debug, clap::Subcommand)]
enum TopicCommand {
    /// All topics
    #[command(after_help = "Examples:\n  flow kafka topics list\n  flow kafka topics list --all -o json")]
    List {
        #[command(flatten)]
        broker: Broker,
        /// Kafka's own topics too (`__consumer_offsets`)
        #[arg(long)]
        all: bool,
    },
    /// One topic: its partitions with their offsets, and its own settings
    #[command(after_help = "Examples:\n  flow kafka topics describe readings")]
    Describe {
        /// The topic's name
        topic: String,
        #[command(flatten)]
        broker: Broker,
    },
    /// Make a topic; one that is there is left as it is
    #[command(
        after_help = "Examples:\n  flow kafka topics create readings\n  flow kafka topics create readings --partitions 6 --set retention.ms=604800000"
    )]
    Create {
        /// The topic's name
        topic: String,
        /// Number of partitions [default: the broker's]
        #[arg(long, value_parser = clap::value_parser!(i32).range(1..))]
        partitions: Option<i32>,
        /// On how many brokers each message is kept [default: the broker's]
        #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(i32).range(1..=1000))]
        replication_factor: Option<i32>,
        /// A setting by Kafka's name; may be repeated
        #[arg(long, value_name = "NAME=VALUE")]
        set: Vec<String>,
        #[command(flatten)]
        broker: Broker,
    },
    /// Delete a topic and all its messages
    #[command(after_help = "Examples:\n  flow kafka topics delete readings --yes")]
    Delete {
        /// The topic's name
        topic: String,
        /// Do not ask
        #[arg(short, long)]
        yes: bool,
        #[command(flatten)]
        broker: Broker,
    },
}

#[derive(Debug, clap::Args)]
struct Produce {
    /// The topic to write to
    topic: String,
    /// The file to read; - = stdin [default: stdin]
    file: Option<PathBuf>,
    /// What stands between key and value in a line [default: a line is a value]
    #[arg(long, value_name = "TEXT", conflicts_with = "messages")]
    key_separator: Option<String>,
    /// A line is a message in JSON
    #[arg(long)]
    messages: bool,
    #[command(flatten)]
    broker: Broker,
}

#[derive(Debug, clap::Args)]
struct Consume {
    /// The topic to read
    topic: String,
    /// Begin with the first message that is there, not with the next to be written
    #[arg(long)]
    from_beginning: bool,
    /// End after so many messages
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..))]
    max: Option<u64>,
    /// End when no message came for so long, such as 5s [default: never]
    #[arg(long, value_name = "TIME", value_parser = span)]
    timeout: Option<Duration>,
    /// Go on where this group has stored that it was, and store how far it came at the end, also by Ctrl-C or SIGTERM
    #[arg(long, value_name = "NAME")]
    group: Option<String>,
    /// Show the key too, with this between key and value
    #[arg(long, value_name = "TEXT")]
    key_separator: Option<String>,
    #[command(flatten)]
    broker: Broker,
}

fn span(text: &str) -> Result<Duration, String> {
    Span::parse(text).map(Span::duration).ok_or_else(|| format!("must be a time such as `5s` or `1m`, not `{text}`"))
}

pub(crate) async fn run(args: Args, cx: &Cx) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::Topics(topics) => run_topics(topics.command, cx).await,
        Command::Produce(given) => produce(given, cx).await,
        Command::Consume(given) => consume(given, cx).await,
    }
}

/// Finds the connection: an address, the environment, the database.
async fn connection(cx: &Cx, broker: &Broker) -> anyhow::Result<Connection> {
    if let Some(address) = &broker.bootstrap {
        let fields = json!({ "conn_type": "kafka", "extra": { "bootstrap.servers": address } });
        return Connection::from_json("--bootstrap", &fields).map_err(|words| Refusal::usage(words).into());
    }
    let id = broker.connection.as_deref().unwrap_or(DEFAULT);
    if let Some(found) = flow_runtime::settings::connection(id).map_err(Refusal::failed)? {
        return Ok(found);
    }
    let home = Home::open(cx).await?;
    match home.whole_connection(id).await? {
        Some(found) => Ok(found),
        None => Err(Refusal::failed(format!("connection `{id}` does not exist"))
            .help(format!(
                "make it: flow connections set {id} kafka://localhost:9092; or say --bootstrap localhost:9092"
            ))
            .into()),
    }
}

/// What the client says by itself goes to stderr.
fn notes(cx: &Cx) -> Notes {
    let out = cx.out;
    std::sync::Arc::new(move |sentence: &str| {
        // Whoever closed stderr does not want to know.
        let _ = out.note(sentence);
    })
}

async fn run_topics(command: TopicCommand, cx: &Cx) -> anyhow::Result<ExitCode> {
    match command {
        TopicCommand::List { broker, all } => {
            let admin = Admin::open(&connection(cx, &broker).await?).await?;
            let _telling = admin.telling(notes(cx));
            let topics = admin.topics().await?.into_iter().filter(|topic| all || !topic.name.starts_with("__"));
            let views: Vec<Value> = topics
                .map(|topic| {
                    let replicas = topic.partitions.iter().map(|partition| partition.replicas.len()).max();
                    json!({ "topic": topic.name, "partitions": topic.partitions.len(), "replication_factor": replicas })
                })
                .collect();
            cx.out.list(&views, &["TOPIC", "PARTITIONS", "REPLICAS"], |view| {
                vec![text(&view["topic"]), text(&view["partitions"]), text(&view["replication_factor"])]
            })?;
        }
        TopicCommand::Describe { topic, broker } => {
            let admin = Admin::open(&connection(cx, &broker).await?).await?;
            let _telling = admin.telling(notes(cx));
            describe(cx, &admin, &topic).await?;
        }
        TopicCommand::Create { topic, partitions, replication_factor, set, broker } => {
            let mut wanted = NewTopic { name: topic.clone(), partitions, replication_factor, ..NewTopic::default() };
            for given in set {
                let (name, value) = given
                    .split_once('=')
                    .ok_or_else(|| Refusal::usage(format!("`--set` must be NAME=VALUE, not `{given}`")))?;
                wanted.config.insert(name.to_owned(), value.to_owned());
            }
            let admin = Admin::open(&connection(cx, &broker).await?).await?;
            let _telling = admin.telling(notes(cx));
            let words = match admin.create(&wanted).await? {
                Created::Made => format!("made topic {topic}"),
                Created::WasThere => was_there(&admin, &wanted).await?,
            };
            cx.out.remark(&words)?;
        }
        TopicCommand::Delete { topic, yes, broker } => {
            let at = connection(cx, &broker).await?;
            if !yes && !crate::ask::is_possible() {
                let refusal = Refusal::usage(format!("all messages of topic `{topic}` would be gone"));
                return Err(refusal.help("if you mean it: --yes").into());
            }
            if !yes && !crate::ask::yes(&format!("Delete topic `{topic}` and all its messages?"))? {
                return Ok(ExitCode::FAILURE);
            }
            let admin = Admin::open(&at).await?;
            let _telling = admin.telling(notes(cx));
            if !admin.delete(&topic).await? {
                return Err(Refusal::failed(format!("there is no topic `{topic}`")).into());
            }
            cx.out.remark(&format!("deleted topic {topic}"))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Says that a topic is there already, and what of it is not as it was wanted.
async fn was_there(admin: &Admin, wanted: &NewTopic) -> anyhow::Result<String> {
    let found = admin.topic(&wanted.name).await?;
    let count = found.partitions.len();
    let replicas = found.partitions.iter().map(|partition| partition.replicas.len()).max().unwrap_or_default();
    let differs = |wanted: Option<i32>, is: usize| wanted.filter(|wanted| usize::try_from(*wanted) != Ok(is));
    let mut words = format!("there is already a topic {}", wanted.name);
    if let Some(wanted) = differs(wanted.partitions, count) {
        words += &format!(", with {}, not {wanted}", counted(count as u64, "partition"));
    }
    if let Some(wanted) = differs(wanted.replication_factor, replicas) {
        words += &format!(", on {}, not {wanted}", counted(replicas as u64, "broker"));
    }
    Ok(words)
}

async fn describe(cx: &Cx, admin: &Admin, name: &str) -> anyhow::Result<()> {
    let topic = admin.topic(name).await?;
    let marks = admin.watermarks(name).await?;
    let own = admin.settings(name).await?.into_iter().filter(|setting| setting.is_own);
    let own: serde_json::Map<String, Value> =
        own.map(|setting| (setting.name, setting.value.map_or(Value::Null, Value::from))).collect();
    let partitions: Vec<Value> = topic
        .partitions
        .iter()
        .map(|partition| {
            let (first, next) = marks.get(&partition.id).copied().unwrap_or_default();
            json!({
                "partition": partition.id, "leader": partition.leader, "replicas": partition.replicas,
                "in_sync": partition.in_sync, "first_offset": first, "next_offset": next,
            })
        })
        .collect();
    if !matches!(cx.out.format, Format::Table) {
        cx.out.data(&json!({ "topic": name, "config": own, "partitions": partitions }))?;
        return Ok(());
    }
    for (setting, value) in &own {
        cx.out.remark(&format!("{setting} = {}", value.as_str().unwrap_or_default()))?;
    }
    cx.out.list(&partitions, &["PARTITION", "LEADER", "REPLICAS", "IN SYNC", "FIRST", "NEXT"], |row| {
        ["partition", "leader", "replicas", "in_sync", "first_offset", "next_offset"]
            .map(|name| text(&row[name]))
            .to_vec()
    })?;
    Ok(())
}

/// `1 message`, `2 messages`
fn counted(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

fn text(value: &Value) -> Cell {
    match value {
        Value::Null => Cell::from(String::new()),
        Value::String(text) => text.clone().into(),
        Value::Array(items) => items.iter().map(Value::to_string).collect::<Vec<_>>().join(",").into(),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => value.to_string().into(),
    }
}

async fn produce(given: Produce, cx: &Cx) -> anyhow::Result<ExitCode> {
    let format = match (given.messages, &given.key_separator) {
        (true, _) => LineFormat::Messages,
        (false, Some(_)) => LineFormat::KeyValue,
        (false, None) => LineFormat::Values,
    };
    let separator = given.key_separator.as_deref().unwrap_or_default();
    let writing = Writing { acks: Acks::All, is_idempotent: true, ..Writing::default() };
    let producer = Producer::open(&connection(cx, &given.broker).await?, &writing).await?;
    // Before the first question: who waits at a terminal is told at once that nobody answers.
    let sending = producer.sending(notes(cx))?;
    producer.check(&given.topic).await?;
    let mut lines = read_lines(given.file.filter(|file| file.as_os_str() != "-"))?;
    let sent = async {
        let mut number = 0_u64;
        while let Some(line) = lines.recv().await {
            number += 1;
            let line = line.with_context(|| format!("could not read line {number}"))?;
            if line.is_empty() {
                continue;
            }
            let record = record_of_line(&given.topic, &line, format, separator)
                .map_err(|words| Refusal::failed(format!("line {number}: {words}; the lines before it are written")))?;
            sending.send(&record).await?;
        }
        anyhow::Ok(())
    };
    let sent = sent.await;
    // The lines before a bad one still wait in the client.
    let written = sending.flush().await;
    producer.close().await;
    let written = written?;
    sent?;
    let partitions: serde_json::Map<String, Value> =
        written.partitions.iter().map(|(id, count)| (id.to_string(), (*count).into())).collect();
    let view = json!({ "topic": given.topic, "messages": written.messages, "partitions": partitions });
    let words = format!("wrote {} to {}", counted(written.messages, "message"), given.topic);
    cx.out.list_or(&view, &[words], |words| vec![words.clone().into()])?;
    Ok(ExitCode::SUCCESS)
}

/// Reads lines on a thread of its own: one that waits for a terminal must not keep the program.
fn read_lines(file: Option<PathBuf>) -> anyhow::Result<mpsc::Receiver<std::io::Result<Vec<u8>>>> {
    let (give, take) = mpsc::channel(LINES_MAX);
    let from: Box<dyn Read + Send> = match file {
        Some(path) => {
            let file = std::fs::File::open(&path);
            Box::new(file.map_err(|error| Refusal::failed(format!("could not read `{}`: {error}", path.display())))?)
        }
        None => Box::new(std::io::stdin()),
    };
    std::thread::Builder::new().name("kafka-lines".to_owned()).spawn(move || {
        let mut from = BufReader::new(from);
        loop {
            let mut line = Vec::new();
            let most = u64::try_from(LINE_MAX).unwrap_or(u64::MAX);
            let read = (&mut from).take(most).read_until(b'\n', &mut line);
            let line = match read {
                Ok(0) => return,
                Ok(count) if count == LINE_MAX => Err(std::io::Error::other("it is too long")),
                Ok(_) => {
                    line.pop_if(|byte| *byte == b'\n');
                    line.pop_if(|byte| *byte == b'\r');
                    Ok(line)
                }
                Err(error) => Err(error),
            };
            let is_over = line.is_err();
            if give.blocking_send(line).is_err() || is_over {
                return;
            }
        }
    })?;
    Ok(take)
}

async fn consume(given: Consume, cx: &Cx) -> anyhow::Result<ExitCode> {
    let reading = Reading { group: given.group.clone(), from_beginning: given.from_beginning, ..Reading::default() };
    let consumer = Consumer::open(&connection(cx, &given.broker).await?, &reading, notes(cx)).await?;
    let begin = match (&given.group, given.from_beginning) {
        (Some(_), _) => STORED,
        (None, true) => BEGINNING,
        (None, false) => END,
    };
    let partitions = consumer.partitions(&given.topic).await?;
    let places: Offsets = partitions.iter().map(|partition| ((given.topic.clone(), *partition), begin)).collect();
    consumer.assign(&places).await?;
    let most = given.max.unwrap_or(u64::MAX);
    let mut next = Offsets::new();
    let mut shown = 0;
    let mut quiet_since = Instant::now();
    let mut signals = [SignalKind::interrupt(), SignalKind::terminate()].map(signal);
    let [interrupt, terminate] = &mut signals;
    let (Ok(interrupt), Ok(terminate)) = (interrupt, terminate) else {
        anyhow::bail!("cannot take over the signals");
    };
    while shown < most {
        let wanted = usize::try_from(most - shown).unwrap_or(LINES_MAX).min(LINES_MAX);
        let polled = tokio::select! {
            biased;
            _ = interrupt.recv() => break,
            _ = terminate.recv() => break,
            polled = consumer.poll(wanted, Duration::from_millis(500)) => polled?,
        };
        if !polled.messages.is_empty() {
            quiet_since = Instant::now();
        }
        for message in &polled.messages {
            show(cx, message, given.key_separator.as_deref())?;
            next.insert((given.topic.clone(), message.partition), message.offset + 1);
            shown += 1;
        }
        if given.timeout.is_some_and(|timeout| quiet_since.elapsed() >= timeout) {
            consumer.check().await?;
            break;
        }
    }
    if given.group.is_some() {
        consumer.commit(&next).await?;
    }
    consumer.close().await;
    Ok(ExitCode::SUCCESS)
}

fn show(cx: &Cx, message: &Message, separator: Option<&str>) -> anyhow::Result<()> {
    let whole = |message| names(message, ValueFormat::Auto).map(Value::Object);
    match cx.out.format {
        Format::Json => cx.out.raw(&format!("{}\n", whole(message)?))?,
        Format::Yaml => {
            let document = crate::output::yaml_document(&whole(message)?);
            cx.out.raw(&format!("---\n{document}"))?;
        }
        Format::Table | Format::Plain => {
            let mut line = Vec::new();
            if let Some(separator) = separator {
                line.extend(message.key.as_deref().unwrap_or_default());
                line.extend(separator.as_bytes());
            }
            line.extend(message.value.as_deref().unwrap_or_default());
            line.push(b'\n');
            cx.out.bytes(&line)?;
        }
    }
    Ok(())
}
