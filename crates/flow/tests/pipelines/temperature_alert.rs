//! `examples/temperature_alert`: a mail with the readings when it is too hot, none when it is not, and a mail server that
//! refuses.

use serde_json::{Value, json};

use crate::{
    bench::Pipeline,
    sink::{CERTIFICATE, Mail, Manners, Sink},
};

const DAG: &str = "temperature_alert";

fn start(manners: Manners) -> (Pipeline, Sink) {
    let manners = Manners { starttls: true, login: Some(("flow@example.org", "hunter2")), ..manners };
    let sink = Sink::start(manners);
    let uri =
        format!("smtp://flow%40example.org:hunter2@localhost:{}/?ca_file={CERTIFICATE}&timeout=5", sink.address.port());
    (Pipeline::start(DAG, &[("smtp_default", &uri)]), sink)
}

/// An hour of the day, at so many degrees outside.
fn hour(pipeline: &Pipeline, hour: u32, outside: i32, mail_to: &str) -> Value {
    let folder = pipeline.flow.folder().join("data");
    json!({
        "dag_run_id": format!("hour_{hour}"),
        "logical_date": format!("2026-07-01T{hour:02}:00:00Z"),
        "conf": { "folder": folder, "outside": outside, "mail_to": mail_to },
    })
}

/// How far the tasks of a run came: their states and tries, by name.
fn states(pipeline: &Pipeline, run: &str) -> Vec<(String, String, u64)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut states: Vec<_> = pipeline
        .tasks(DAG, run)
        .iter()
        .map(|task| (text(&task["task_id"]), text(&task["state"]), task["try_number"].as_u64().unwrap_or_default()))
        .collect();
    states.sort();
    states
}

/// What is attached to a mail, as it was.
fn attached(mail: &Mail) -> String {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let (_, part) = mail.text.split_once("Content-Disposition: attachment").unwrap();
    let (head, body) = part.split_once("\n\n").unwrap();
    let body = body.split("\n--").next().unwrap();
    if head.contains("base64") {
        return String::from_utf8(STANDARD.decode(body.replace('\n', "")).unwrap()).unwrap();
    }
    body.replace("=\n", "").replace("=3D", "=")
}

#[test]
fn a_hot_hour_is_one_mail_with_its_readings_and_a_cool_one_is_none() {
    let (pipeline, sink) = start(Manners::default());
    let cool = pipeline.succeeds(DAG, &hour(&pipeline, 3, 20, "ann@example.org"));
    let expected = [
        ("is_too_hot", "success", 1),
        ("judge", "success", 1),
        ("measure", "success", 1),
        ("table", "skipped", 0),
        ("warn", "skipped", 0),
    ];
    assert_eq!(states(&pipeline, &cool), expected.map(|(id, state, tries)| (id.to_owned(), state.to_owned(), tries)));
    assert!(sink.mails().is_empty());

    let hot = pipeline.succeeds(DAG, &hour(&pipeline, 14, 28, "bob@example.org"));
    assert!(states(&pipeline, &hot).iter().all(|(_, state, tries)| state == "success" && *tries == 1));
    let mails = sink.mails();
    assert_eq!(mails.len(), 1, "{mails:?}");
    let mail = &mails[0];
    assert_eq!((mail.from.as_str(), mail.to.as_slice()), ("flow@example.org", &["bob@example.org".to_owned()][..]));
    assert!(mail.was_encrypted);

    // What the sensors measure at 28 degrees outside, in the order of the file.
    let mut readings = Vec::new();
    for minute in 0..60 {
        for (at, sensor, more) in [(1, "cellar", -6), (3, "office", 1), (5, "roof", 7)] {
            let tenths = (28 + more) * 10 + (minute * 37 + at * 11) % 21 - 10;
            readings.push((minute, sensor, tenths));
        }
    }
    let line = |(minute, sensor, tenths): &(i32, &str, i32)| {
        format!("2026-07-01T14:{minute:02}:00Z,{sensor},{}.{}\n", tenths / 10, tenths % 10)
    };
    let file: String = readings.iter().map(line).collect();
    assert_eq!(attached(mail).replace('\r', ""), format!("measured_at,sensor,celsius\n{file}"));
    assert!(mail.text.contains("readings_2026-07-01T14.csv"), "{}", mail.text);
    let too_hot = readings.iter().filter(|(_, _, tenths)| *tenths > 300).count();
    let highest = readings.iter().map(|(_, _, tenths)| tenths).max().unwrap();
    assert!(too_hot > 10 && too_hot < 180, "{too_hot}");
    let text = mail.text.replace("=\n", "").replace("=3D", "=");
    assert!(text.contains(&format!("<p>{too_hot} of 180 readings were above 30 ")), "{text}");
    assert_eq!(text.matches("<tr><td>").count(), 10, "{text}");
    assert!(text.contains(&format!("<td>roof</td><td>{}.{}</td>", highest / 10, highest % 10)), "{text}");
    assert!(!pipeline.log(DAG, &hot, "warn", 1).contains("hunter2"));
    sink.until_alone();
}

#[test]
fn a_mail_that_is_refused_is_tried_again_and_then_says_what_to_do() {
    // Four refusals: three tries of the first run, one of the second.
    let (pipeline, sink) = start(Manners { refuses: Some(("451 4.7.1 mailbox is busy", 4)), ..Manners::default() });
    let (state, run) = pipeline.run(DAG, &hour(&pipeline, 14, 40, "ann@example.org"));
    assert_eq!((state.as_str(), sink.refused(), sink.mails().len()), ("failed", 3, 0));
    let warn = |run: &str| states(&pipeline, run).into_iter().find(|(id, ..)| id == "warn").unwrap();
    assert_eq!(warn(&run), ("warn".to_owned(), "failed".to_owned(), 3));
    for number in 1..=3 {
        let log = pipeline.log(DAG, &run, "warn", number);
        let words =
            "refuses the mail: 451 4.7.1 mailbox is busy; it may go well later, else the server's log may say why";
        assert!(log.contains(words), "{log}");
    }
    let run = pipeline.succeeds(DAG, &hour(&pipeline, 15, 40, "ann@example.org"));
    assert_eq!((warn(&run).2, sink.mails().len()), (2, 1));
    assert!(sink.mails()[0].text.contains("readings_2026-07-01T15.csv"));
    sink.until_alone();
}

#[test]
fn an_address_that_nobody_has_is_not_tried_again() {
    let (pipeline, sink) = start(Manners { unknown: Some("nobody@example.org"), ..Manners::default() });
    let (state, run) = pipeline.run(DAG, &hour(&pipeline, 14, 40, "nobody@example.org"));
    assert_eq!((state.as_str(), sink.mails().len()), ("failed", 0));
    assert_eq!(states(&pipeline, &run).last().unwrap(), &("warn".to_owned(), "failed".to_owned(), 1));
    let log = pipeline.log(DAG, &run, "warn", 1);
    assert!(log.contains("refuses the recipient `nobody@example.org`: 550 5.1.1"), "{log}");
    assert!(log.contains("; check the address"), "{log}");
}
