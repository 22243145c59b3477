//! A letter, and how it becomes the bytes that are sent.

use std::fmt;

use lettre::{
    Message,
    message::{
        Attachment as Part, Mailbox, Mailboxes, MultiPart, SinglePart,
        header::{ContentType, HeaderName, HeaderValue},
    },
};

use crate::{ClientError, Result};

/// Most recipients of a letter.
pub const RECIPIENTS_MAX: usize = 500;

/// Most bytes of all attachments together.
pub const ATTACHMENTS_MAX: u64 = 25 << 20;

/// Headers that the letter itself decides about.
const OWN_HEADERS: [&str; 11] = [
    "from",
    "sender",
    "to",
    "cc",
    "bcc",
    "subject",
    "date",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
    "message-id",
];

/// A mail, as a person thinks of it.
#[derive(Clone, Debug, Default)]
pub struct Letter {
    /// `None`: the connection's sender.
    pub from: Option<String>,
    /// Addresses such as `a@example.org` or `Ann <a@example.org>`, several with commas.
    pub to: Vec<String>,
    pub cc: Vec<String>,
    pub bcc: Vec<String>,
    pub subject: String,
    pub html: String,
    pub attachments: Vec<Attachment>,
    /// `mixed`, `alternative` or `related`; empty = `mixed`.
    pub subtype: String,
    pub headers: Vec<(String, String)>,
    /// The same for every try to send this letter: a server or reader can tell a repetition.
    pub key: String,
}

/// A file that goes with a letter.
#[derive(Clone)]
pub struct Attachment {
    pub name: String,
    pub bytes: Vec<u8>,
}

impl fmt::Debug for Attachment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} bytes)", self.name, self.bytes.len())
    }
}

/// A letter, ready to be handed over.
#[derive(Debug)]
pub(super) struct Sealed {
    /// Bare addresses, without names.
    pub(super) from: String,
    pub(super) recipients: Vec<String>,
    /// What is no address, in sentences: the others get the letter all the same.
    pub(super) unfit: Vec<String>,
    pub(super) bytes: Vec<u8>,
}

impl Letter {
    /// Reads every address, and says what is wrong with them; what a document says can be checked without sending.
    ///
    /// # Errors
    ///
    /// A sentence about the first that is wrong.
    pub fn check_addresses(addresses: &[String]) -> std::result::Result<(), String> {
        let mut unfit = Vec::new();
        mailboxes(addresses, &mut unfit);
        unfit.into_iter().next().map_or(Ok(()), Err)
    }

    /// Writes it down.
    pub(super) fn seal(&self, from: &str) -> Result<Sealed> {
        let wrong = |words: String| ClientError::settings(words);
        let from: Mailbox = one(from).map_err(wrong)?;
        let mut unfit = Vec::new();
        let mut read = |texts| mailboxes(texts, &mut unfit);
        let (to, cc, bcc) = (read(&self.to), read(&self.cc), read(&self.bcc));
        let mut recipients: Vec<String> =
            [&to, &cc, &bcc].into_iter().flatten().map(|mailbox| mailbox.email.to_string()).collect();
        recipients.sort_unstable();
        recipients.dedup();
        if recipients.is_empty() {
            let none = || "this mail has no recipient; set `to`, `cc` or `bcc`".to_owned();
            return Err(wrong(unfit.pop().unwrap_or_else(none)));
        }
        if recipients.len() > RECIPIENTS_MAX {
            return Err(wrong(format!("this mail has more than {RECIPIENTS_MAX} recipients; use a mailing list")));
        }
        let mut builder = Message::builder().from(from.clone()).subject(one_line(&self.subject));
        for mailbox in to {
            builder = builder.to(mailbox);
        }
        for mailbox in cc {
            builder = builder.cc(mailbox);
        }
        if !self.key.is_empty() {
            let domain = from.email.domain();
            builder = builder.message_id(Some(format!("<{}@{domain}>", self.key)));
        }
        let parts = match self.subtype.as_str() {
            "" | "mixed" => MultiPart::mixed(),
            "alternative" => MultiPart::alternative(),
            "related" => MultiPart::related(),
            other => {
                let words = format!("`mime_subtype` is `mixed`, `alternative` or `related`, not `{other}`");
                return Err(wrong(words));
            }
        };
        let mut parts = parts.singlepart(SinglePart::html(self.html.clone()));
        let total: u64 = self.attachments.iter().map(|attachment| attachment.bytes.len() as u64).sum();
        if total > ATTACHMENTS_MAX {
            return Err(wrong(too_large()));
        }
        for attachment in &self.attachments {
            let kind = ContentType::parse("application/octet-stream").map_err(|error| wrong(error.to_string()))?;
            parts = parts.singlepart(Part::new(plain_name(&attachment.name)).body(attachment.bytes.clone(), kind));
        }
        let mut message =
            builder.multipart(parts).map_err(|error| wrong(format!("this mail is incomplete: {error}")))?;
        for (name, value) in &self.headers {
            message.headers_mut().insert_raw(header(name, value).map_err(wrong)?);
        }
        Ok(Sealed { from: from.email.to_string(), recipients, unfit, bytes: message.formatted() })
    }
}

/// The sentence about attachments that are too large.
pub fn too_large() -> String {
    let most = ATTACHMENTS_MAX >> 20;
    format!("the files have more than {most} MiB together; put them where people can fetch them, and send a link")
}

/// Reads addresses; says of what is none what is wrong.
fn mailboxes(texts: &[String], unfit: &mut Vec<String>) -> Vec<Mailbox> {
    let mut all = Vec::new();
    for text in texts.iter().flat_map(|text| text.split(';')).map(str::trim).filter(|text| !text.is_empty()) {
        let text = one_line(text);
        match text.trim_end_matches(',').parse::<Mailboxes>() {
            Ok(several) => all.extend(several),
            Err(_) => unfit.push(no_address(&text)),
        }
    }
    all
}

fn one(text: &str) -> std::result::Result<Mailbox, String> {
    one_line(text).parse().map_err(|_| no_address(text))
}

fn no_address(text: &str) -> String {
    let mut cut: String = text.chars().take(80).collect();
    if cut.len() < text.len() {
        cut.push('…');
    }
    format!("`{cut}` is no mail address; write `ann@example.org` or `Ann <ann@example.org>`")
}

/// A line break would begin a header of its own.
fn one_line(text: &str) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    plain.trim().to_owned()
}

fn plain_name(name: &str) -> String {
    name.chars().map(|c| if c.is_control() || "\"\\/".contains(c) { '_' } else { c }).collect()
}

fn header(name: &str, value: &str) -> std::result::Result<HeaderValue, String> {
    if OWN_HEADERS.contains(&name.to_lowercase().as_str()) {
        return Err(format!("`custom_headers` cannot set `{name}`: the mail has it already"));
    }
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let good = !name.is_empty() && name.len() <= 76 && name.chars().all(fits);
    let name = good.then(|| HeaderName::new_from_ascii(name.to_owned()).ok()).flatten();
    let name = name.ok_or_else(|| "the name of a header has letters, digits and `-`".to_owned())?;
    if value.chars().any(char::is_control) {
        return Err(format!("the header `{name}` has a line break or another control character in it"));
    }
    Ok(HeaderValue::new(name, value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter() -> Letter {
        Letter {
            to: vec!["Ann <a@example.org>, b@example.org".to_owned()],
            bcc: vec!["secret@example.org; a@example.org".to_owned()],
            subject: "a\r\nBcc: evil@example.org".to_owned(),
            html: "<p>Grüße</p>".to_owned(),
            headers: vec![("X-Team".to_owned(), "data".to_owned())],
            key: "k1".to_owned(),
            ..Letter::default()
        }
    }

    #[test]
    fn a_letter_becomes_headers_and_parts() {
        let mut letter = letter();
        letter.attachments = vec![Attachment { name: "a\r\n\"b.csv".to_owned(), bytes: b"1,2".to_vec() }];
        let sealed = letter.seal("Flow <flow@example.org>").unwrap();
        assert_eq!(sealed.from, "flow@example.org");
        assert_eq!(sealed.recipients, ["a@example.org", "b@example.org", "secret@example.org"]);
        let text = String::from_utf8(sealed.bytes).unwrap();
        let (head, _) = text.split_once("\r\n\r\n").unwrap();
        let names: Vec<&str> =
            head.lines().filter(|l| !l.starts_with(' ')).map(|l| l.split(':').next().unwrap()).collect();
        assert!(!names.contains(&"Bcc"), "{head}");
        for part in ["Subject: a  Bcc: evil", "Message-ID: <k1@example.org>", "X-Team: data", "multipart/mixed"] {
            assert!(head.contains(part), "{head}");
        }
        assert!(text.contains("a___b.csv"), "{text}");
        assert!(!text.contains("secret@example.org"));
    }

    #[test]
    fn what_cannot_be_sent_is_said() {
        let check = |change: fn(&mut Letter), words: &str| {
            let mut letter = letter();
            change(&mut letter);
            let error = letter.seal("flow@example.org").unwrap_err();
            assert!(error.message.contains(words) && !error.may_retry(), "{error}");
        };
        check(|letter| (letter.to, letter.bcc) = (vec!["nobody".to_owned()], vec![]), "`nobody` is no mail address");
        let sealed = Letter { to: vec!["nobody".to_owned(), "b@example.org".to_owned()], ..letter() }
            .seal("flow@example.org")
            .unwrap();
        assert_eq!((sealed.recipients.len(), sealed.unfit.len()), (3, 1));
        check(|letter| (letter.to, letter.bcc) = (vec![], vec![" ".to_owned()]), "has no recipient");
        check(|letter| letter.to = (0..600).map(|n| format!("a{n}@b.c")).collect(), "more than 500 recipients");
        check(|letter| letter.subtype = "strange".to_owned(), "`mime_subtype` is");
        check(|letter| letter.headers = vec![("Bcc".to_owned(), "x@y.z".to_owned())], "cannot set `Bcc`");
        check(|letter| letter.headers = vec![("A:\r\nB".to_owned(), String::new())], "the name of a header");
        check(|letter| letter.headers = vec![("A".to_owned(), "b\r\nBcc: x@y.z".to_owned())], "line break");
        check(
            |letter| letter.attachments = vec![Attachment { name: "a".to_owned(), bytes: vec![0; 26 << 20] }],
            "more than 25 MiB",
        );
        assert!(letter().seal("nobody").is_err());
    }
}
