//! Sends a mail.

use std::{collections::BTreeMap, path::Path};

use anyhow::anyhow;
use flow_clients::mail::{
    self, Attachment, Letter,
    letter::{ATTACHMENTS_MAX, too_large},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use tokio::io::AsyncReadExt;

use crate::{
    context::{Stream, TaskContext},
    operator::{Done, Operator, OperatorError},
    values::{OneOrMany, Scalar},
};

/// `uses: email`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Email {
    /// Who gets it: `ann@example.org` or `Ann <ann@example.org>`; several as a list, or with commas.
    to: OneOrMany,
    /// What it is about. Line breaks become spaces. Default: the DAG, the task and the run.
    #[serde(default)]
    subject: Option<String>,
    /// The text, in HTML. Default: the subject.
    #[serde(default)]
    html_content: Option<String>,
    /// Who sends it. Default: `from_email` in the connection's `extra`, else its login.
    #[serde(default)]
    from_email: Option<String>,
    /// Files to go with it, 25 MiB together at most. Relative ones are beside the DAG file.
    #[serde(default)]
    files: Option<OneOrMany>,
    /// Who gets a copy.
    #[serde(default)]
    cc: Option<OneOrMany>,
    /// Who gets a copy that the others do not see.
    #[serde(default)]
    bcc: Option<OneOrMany>,
    /// How text and files belong together: `mixed`, `alternative` or `related`.
    #[serde(default = "mixed")]
    mime_subtype: String,
    /// Mails are written in `utf-8`; nothing else is taken.
    #[serde(default = "utf_8")]
    mime_charset: String,
    /// The connection to the mail server.
    #[serde(default = "smtp_default")]
    conn_id: String,
    /// More headers, by name.
    #[serde(default)]
    custom_headers: Option<BTreeMap<String, Scalar>>,
}

fn mixed() -> String {
    "mixed".to_owned()
}

fn utf_8() -> String {
    "utf-8".to_owned()
}

fn smtp_default() -> String {
    "smtp_default".to_owned()
}

impl Operator for Email {
    const NAME: &'static str = "email";
    const CLASS: &'static str = "airflow.providers.smtp.operators.smtp.EmailOperator";
    const SUMMARY: &'static str = "Sends a mail.";
    const TEMPLATED: &'static [&'static str] = &[
        "to",
        "subject",
        "html_content",
        "from_email",
        "files",
        "cc",
        "bcc",
        "mime_subtype",
        "mime_charset",
        "conn_id",
        "custom_headers",
    ];
    const READS: &'static [&'static str] = &["files"];
    const EXAMPLE: &'static str = "\
id: report
uses: email
with:
  to: [sales@example.org, \"Ann <ann@example.org>\"]
  subject: \"Sales of {{ ds }}\"
  html_content: \"<p>The figures of {{ ds }} are attached.</p>\"
  files: [\"/data/out/sales_{{ ds_nodash }}.csv\"]
";

    async fn run(self, cx: &mut TaskContext) -> Result<Done, OperatorError> {
        let charset = self.mime_charset.to_lowercase();
        if !["utf-8", "utf8", "us-ascii", "ascii"].contains(&charset.as_str()) {
            let words = anyhow!("`mime_charset` is `utf-8`, not `{}`: leave it out", self.mime_charset);
            return Err(OperatorError::fatal(words));
        }
        let cancel = cx.cancel.clone();
        tokio::select! {
            () = cancel.cancelled() => Err(OperatorError::cancelled()),
            sent = self.send(cx) => sent,
        }
    }
}

impl Email {
    async fn send(self, cx: &TaskContext) -> Result<Done, OperatorError> {
        let connection = cx.connection(&self.conn_id).await?;
        let id = &cx.identity;
        let usual = || format!("[Flow] {}.{} {}", id.dag_id, id.task_id, id.run_id);
        let subject = self.subject.filter(|text| !text.trim().is_empty()).unwrap_or_else(usual);
        let html = self.html_content.unwrap_or_else(|| format!("<p>{}</p>", as_html(&subject)));
        let files = self.files.map(|files| files.items).unwrap_or_default();
        let letter = Letter {
            from: self.from_email.filter(|from| !from.trim().is_empty()),
            to: self.to.items,
            cc: self.cc.map(|cc| cc.items).unwrap_or_default(),
            bcc: self.bcc.map(|bcc| bcc.items).unwrap_or_default(),
            subject,
            html,
            attachments: attachments(cx, &files).await?,
            subtype: self.mime_subtype,
            headers: self
                .custom_headers
                .unwrap_or_default()
                .into_iter()
                .map(|(name, Scalar(value))| (name, value))
                .collect(),
            key: cx.key(),
        };
        let (count, size) = (letter.attachments.len(), letter.attachments.iter().map(|a| a.bytes.len()).sum::<usize>());
        let files = match count {
            0 => String::new(),
            1 => format!(" with a file ({size} bytes)"),
            _ => format!(" with {count} files ({size} bytes)"),
        };
        cx.say(Stream::Info, &format!("sending a mail{files} through `{}`", self.conn_id));
        let sent = mail::send(&connection, &letter).await?;
        for sentence in &sent.refused {
            cx.say(Stream::Warning, &format!("not to all: {sentence}"));
        }
        cx.say(Stream::Info, &format!("the mail server took it: {}", sent.answer));
        Ok(Done::success(Value::Null))
    }
}

/// Reads the files that go with a mail; never more than may be sent.
async fn attachments(cx: &TaskContext, files: &[String]) -> Result<Vec<Attachment>, OperatorError> {
    let mut left = ATTACHMENTS_MAX;
    let mut read = Vec::with_capacity(files.len());
    for file in files.iter().filter(|file| !file.trim().is_empty()) {
        let path = cx.path_to_read(file.trim())?;
        let bytes = read_at_most(&path, left).await?;
        left -= bytes.len() as u64;
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        read.push(Attachment { name, bytes });
    }
    Ok(read)
}

async fn read_at_most(path: &Path, most: u64) -> Result<Vec<u8>, OperatorError> {
    let wrong = |error| OperatorError::retry(anyhow!("could not read `{}`: {error}", path.display()));
    let file = tokio::fs::File::open(path).await.map_err(wrong)?;
    if !file.metadata().await.map_err(wrong)?.is_file() {
        return Err(OperatorError::fatal(anyhow!("`{}` is not a file", path.display())));
    }
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes).await.map_err(wrong)?;
    if bytes.len() as u64 > most {
        return Err(OperatorError::fatal(anyhow!(too_large())));
    }
    Ok(bytes)
}

fn as_html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
#[expect(unreachable_pub, reason = "shared with tests of other crates")]
#[path = "../../../flow-clients/tests/support/sink.rs"]
mod sink;

#[cfg(test)]
mod tests {
    use flow_core::run::Outcome;
    use serde_json::json;

    use super::sink::{CERTIFICATE, Manners, Sink};
    use crate::testing::World;

    fn world(manners: Manners) -> (World, Sink) {
        let sink = Sink::start(manners);
        let world = World::new();
        let connection = json!({
            "conn_type": "smtp", "host": "localhost", "port": sink.address.port(), "login": "flow@example.org",
            "password": "hunter2", "extra": { "ca_file": CERTIFICATE, "timeout": 2 },
        });
        world.services.lock().unwrap().connections.insert("smtp_default".to_owned(), connection);
        (world, sink)
    }

    fn polite() -> Manners {
        Manners { starttls: true, login: Some(("flow@example.org", "hunter2")), ..Manners::default() }
    }

    #[tokio::test]
    async fn a_mail_goes_out_with_its_files() {
        let (world, sink) = world(polite());
        std::fs::write(world.path("a.csv"), "1,2\n").unwrap();
        let arguments = json!({
            "to": "ann@example.org, bob@example.org", "cc": ["Cy <cy@example.org>"], "bcc": "dee@example.org",
            "subject": "Sales\nBcc: evil@example.org", "html_content": "<b>all well</b>", "files": [world.path("a.csv")],
            "custom_headers": { "X-Team": "data" },
        });
        world.run("email", arguments.clone()).await.succeeded_without_result();
        world.run("email", arguments).await.succeeded_without_result();
        let mails = sink.until_mails(2);
        assert_eq!(mails[0].to, ["ann@example.org", "bob@example.org", "cy@example.org", "dee@example.org"]);
        assert_eq!((mails[0].from.as_str(), mails[0].was_encrypted), ("flow@example.org", true));
        let text = &mails[0].text;
        for part in ["Subject: Sales Bcc: evil", "X-Team: data", "<b>all well</b>", "a.csv", "Message-ID: <"] {
            assert!(text.contains(part), "{text}");
        }
        assert!(!text.contains("dee@"), "{text}");
        let id = |text: &str| text.lines().find(|line| line.starts_with("Message-ID")).unwrap().to_owned();
        assert_eq!(id(&mails[0].text), id(&mails[1].text), "the same attempt once more is the same mail");
        assert_eq!((mails[0].login.as_deref(), sink.refused()), (Some("flow@example.org"), 0));
        assert!(!world.text().contains("hunter2"));
    }

    #[tokio::test]
    async fn what_it_does_not_say_follows_from_the_task() {
        let (world, sink) = world(polite());
        world.run("email", json!({ "to": "ann@example.org" })).await.succeeded_without_result();
        let text = &sink.mails()[0].text;
        assert!(text.contains("Subject: [Flow] dag.task manual__1") && text.contains("<p>[Flow] dag.task"), "{text}");
    }

    #[tokio::test]
    async fn what_cannot_be_sent_is_said() {
        let (world, sink) = world(polite());
        std::fs::write(world.path("large"), vec![0; 26 << 20]).unwrap();
        for (arguments, words) in [
            (json!({ "to": "nobody" }), "`nobody` is no mail address"),
            (json!({ "to": [] }), "has no recipient"),
            (json!({ "to": "a@b.c", "mime_charset": "latin-1" }), "`mime_charset` is `utf-8`"),
            (json!({ "to": "a@b.c", "files": world.path("large") }), "more than 25 MiB"),
            (json!({ "to": "a@b.c", "files": world.path("") }), "is not a file"),
            (json!({ "to": "a@b.c", "custom_headers": { "Bcc": "x@y.z" } }), "cannot set `Bcc`"),
        ] {
            world.run("email", arguments).await.failed_for_good(words);
        }
        world.run("email", json!({ "to": "a@b.c", "files": world.path("none") })).await.failed("could not read");
        world.run("email", json!({ "to": "a@b.c", "conn_id": "none" })).await.failed("there is no connection `none`");
        assert!(sink.mails().is_empty());
        sink.until_alone();
    }

    #[tokio::test]
    async fn a_server_that_hangs_is_given_up_and_a_cancelled_mail_ends_at_once() {
        let (world, sink) = world(Manners { is_silent: true, ..polite() });
        world.run("email", json!({ "to": "a@b.c" })).await.failed("nothing within 2 s");
        sink.until_alone();
        let cancel = world.cx.cancel.clone();
        let (run, ()) = tokio::join!(world.run("email", json!({ "to": "a@b.c" })), async {
            let waiting = sink.clone();
            let caller = move || waiting.until("a caller", |sink| !sink.is_alone());
            tokio::task::spawn_blocking(caller).await.unwrap();
            cancel.cancel();
        });
        assert_eq!(run.outcome(), &Outcome::Cancelled);
        sink.until_alone();
    }
}
