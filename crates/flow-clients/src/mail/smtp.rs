//! One dialogue with a mail server.

use std::{future::Future, io, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::{Login, Security, Sent, Settings, letter::Sealed, tls};
use crate::{ClientError, Result};

/// Most bytes of a line of an answer (RFC 5321 allows 512).
const LINE_MAX: usize = 4096;

/// Most lines of an answer.
const LINES_MAX: usize = 128;

/// Most characters of an answer that are shown.
const WORDS_MAX: usize = 300;

/// Bytes of a letter that are written at once; each such piece has the time of an answer.
const PIECE: usize = 64 << 10;

/// A server may read a letter for long before it takes it: filters look at it.
const LAST_ANSWER: u32 = 4;

/// The server closes the line; it may say so at any time.
const LEAVES: u16 = 421;

trait Line: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Line for T {}

/// A line to a mail server that has greeted, is encrypted as it should be, and has taken the login.
pub(super) struct Session {
    wire: Wire,
    server: String,
}

struct Wire {
    line: Box<dyn Line>,
    /// Read and not used yet.
    rest: Vec<u8>,
    patience: Duration,
}

/// What a server said.
struct Answer {
    code: u16,
    lines: Vec<String>,
}

impl Session {
    pub(super) async fn open(settings: &Settings) -> Result<Self> {
        let server = format!("{}:{}", settings.host, settings.port);
        let (wire, offers) = connect(settings, &server).await?;
        let mut session = Self { wire, server };
        session.log_in(settings, &offers).await?;
        Ok(session)
    }

    async fn log_in(&mut self, settings: &Settings, offers: &[String]) -> Result<()> {
        let Some((name, secret)) = &settings.login else { return Ok(()) };
        let ways = offers.iter().find_map(|offer| offer.strip_prefix("AUTH ").or_else(|| offer.strip_prefix("AUTH=")));
        let ways: Vec<&str> = ways.unwrap_or_default().split_whitespace().collect();
        let answer = match secret {
            Login::Token(token) if ways.contains(&"XOAUTH2") => {
                let word = STANDARD.encode(format!("user={name}\u{1}auth=Bearer {}\u{1}\u{1}", token.expose()));
                self.ask(&format!("AUTH XOAUTH2 {word}"), "the login").await?
            }
            Login::Password(password) if ways.contains(&"PLAIN") => {
                let word = STANDARD.encode(format!("\0{name}\0{}", password.expose()));
                self.ask(&format!("AUTH PLAIN {word}"), "the login").await?
            }
            Login::Password(password) if ways.contains(&"LOGIN") => {
                let first = self.ask("AUTH LOGIN", "the login").await?;
                if first.code == 334 {
                    let second = self.ask(&STANDARD.encode(name), "the login").await?;
                    match second.code {
                        334 => self.ask(&STANDARD.encode(password.expose()), "the login").await?,
                        _ => second,
                    }
                } else {
                    first
                }
            }
            Login::Token(_) | Login::Password(_) => {
                let offered = if ways.is_empty() { "no login at all".to_owned() } else { ways.join(", ") };
                return Err(ClientError::settings(format!(
                    "{} offers {offered}, and Flow knows PLAIN, LOGIN and, with a token, XOAUTH2",
                    self.server
                )));
            }
        };
        match answer.code {
            235 => Ok(()),
            // A server that wants to explain a refused token first.
            334 => Err(ClientError::settings(format!("{} refuses the login of `{name}`", self.server))),
            500.. => Err(ClientError::settings(format!(
                "{} refuses the login of `{name}`: {}; check login and password of the connection",
                self.server,
                answer.words()
            ))),
            _ => Err(answer.refusal(&self.server, "the login")),
        }
    }

    /// Hands over a letter, to all that the server takes it for.
    pub(super) async fn deliver(&mut self, sealed: &Sealed) -> Result<Sent> {
        let sender = format!("the sender `{}`", sealed.from);
        let answer = self.ask(&format!("MAIL FROM:<{}>", sealed.from), &sender).await?;
        if answer.code != 250 {
            return Err(answer.refusal_with(&self.server, &sender, "check `from_email` and the connection's login"));
        }
        let mut refused = sealed.unfit.clone();
        let mut is_wanted = false;
        for recipient in &sealed.recipients {
            let what = format!("the recipient `{recipient}`");
            let answer = self.ask(&format!("RCPT TO:<{recipient}>"), &what).await?;
            let is_last = recipient == sealed.recipients.last().unwrap_or(recipient);
            let refusal = || answer.refusal_with(&self.server, &what, "check the address");
            match answer.code {
                250..260 => is_wanted = true,
                // Nobody is left who might get it; or the server takes leave.
                code if code == LEAVES || (is_last && !is_wanted) => return Err(refusal()),
                _ => refused.push(refusal().message),
            }
        }
        let answer = self.ask("DATA", "the mail").await?;
        if answer.code != 354 {
            return Err(answer.refusal(&self.server, "the mail"));
        }
        let patience = self.wire.patience;
        let mut dots = Dots::default();
        for piece in sealed.bytes.chunks(PIECE) {
            let written = self.wire.write(&dots.stuffed(piece)).await;
            written.map_err(|error| broken(&self.server, "the mail", &error))?;
        }
        let end: &[u8] = if sealed.bytes.ends_with(b"\r\n") { b".\r\n" } else { b"\r\n.\r\n" };
        self.wire.write(end).await.map_err(|error| broken(&self.server, "the mail", &error))?;
        self.wire.patience = patience * LAST_ANSWER;
        let answer = self.wire.answer().await;
        self.wire.patience = patience;
        let answer = answer.map_err(|error| broken(&self.server, "the mail", &error))?;
        match answer.code {
            250 => Ok(Sent { answer: answer.words(), refused }),
            _ => Err(answer.refusal(&self.server, "the mail")),
        }
    }

    /// Takes leave; what the server says to it does not matter any more.
    pub(super) async fn quit(mut self) {
        self.wire.patience = self.wire.patience.min(Duration::from_secs(2));
        let _ = self.wire.ask("QUIT").await;
    }

    async fn ask(&mut self, command: &str, what: &str) -> Result<Answer> {
        self.wire.ask(command).await.map_err(|error| broken(&self.server, what, &error))
    }
}

/// Connects, encrypts and says hello; returns what the server offers, in capitals.
async fn connect(settings: &Settings, server: &str) -> Result<(Wire, Vec<String>)> {
    let reached = timed(settings.timeout, TcpStream::connect((settings.host.as_str(), settings.port))).await;
    let line = reached.map_err(|error| {
        ClientError::unavailable(format!("could not reach {server}: {error}; check host and port of the connection"))
    })?;
    let patience = settings.timeout;
    let hello = |wire: Wire| hello(wire, server);
    match settings.security {
        Security::None => {
            let mut wire = Wire { line: Box::new(line), rest: Vec::new(), patience };
            greeting(&mut wire, server).await?;
            hello(wire).await
        }
        Security::Tls => {
            let line = encrypted(settings, line).await?;
            let mut wire = Wire { line, rest: Vec::new(), patience };
            greeting(&mut wire, server).await?;
            hello(wire).await
        }
        Security::StartTls => {
            let line = start_tls(settings, line, server).await?;
            hello(Wire { line, rest: Vec::new(), patience }).await
        }
    }
}

/// Talks in the clear as far as STARTTLS, and encrypts.
async fn start_tls(settings: &Settings, mut line: TcpStream, server: &str) -> Result<Box<dyn Line>> {
    let (read, write) = line.split();
    // Borrowed for a few words; the line itself goes on to be encrypted.
    let mut rest = Vec::new();
    let mut joined = tokio::io::join(read, write);
    let mut clear = Clear { line: &mut joined, rest: &mut rest, patience: settings.timeout };
    let broke = |error: io::Error| broken(server, "the greeting", &error);
    let greeted = clear.answer().await.map_err(broke)?;
    if greeted.code != 220 {
        return Err(greeted.refusal(server, "to talk"));
    }
    let offers = clear.ask(&format!("EHLO {}", own_name())).await.map_err(broke)?;
    if !offers.lines.iter().any(|offer| offer.eq_ignore_ascii_case("STARTTLS")) {
        return Err(ClientError::settings(format!(
            "{server} offers no STARTTLS; `\"disable_tls\": true` in the connection's `extra` talks without encryption"
        )));
    }
    let answer = clear.ask("STARTTLS").await.map_err(broke)?;
    if answer.code != 220 {
        return Err(answer.refusal(server, "STARTTLS"));
    }
    if !rest.is_empty() {
        // What came in the clear would count as if it had come encrypted.
        return Err(ClientError::refused(format!("{server} said more than it was asked for before the encryption")));
    }
    encrypted(settings, line).await
}

async fn encrypted(settings: &Settings, line: TcpStream) -> Result<Box<dyn Line>> {
    match timeout(settings.timeout, tls::wrap(settings, line)).await {
        Ok(line) => Ok(Box::new(line?)),
        Err(_) => Err(ClientError::unavailable(format!(
            "{}:{} did not answer to TLS within {} s; `\"disable_ssl\": true` in `extra` begins in the clear, with STARTTLS",
            settings.host,
            settings.port,
            settings.timeout.as_secs()
        ))),
    }
}

async fn greeting(wire: &mut Wire, server: &str) -> Result<()> {
    let greeted = wire.answer().await.map_err(|error| broken(server, "the greeting", &error))?;
    if greeted.code == 220 { Ok(()) } else { Err(greeted.refusal(server, "to talk")) }
}

async fn hello(mut wire: Wire, server: &str) -> Result<(Wire, Vec<String>)> {
    let answer = wire.ask(&format!("EHLO {}", own_name())).await;
    let answer = answer.map_err(|error| broken(server, "the greeting", &error))?;
    if answer.code != 250 {
        return Err(answer.refusal(server, "the greeting"));
    }
    Ok((wire, answer.lines.iter().map(|line| line.to_uppercase()).collect()))
}

/// The name that a client gives: an address where the name is not one that a server can take.
fn own_name() -> String {
    let id = lettre::transport::smtp::extension::ClientId::default();
    id.to_string()
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the kinds are another crate's, and open")]
fn broken(server: &str, what: &str, error: &io::Error) -> ClientError {
    match error.kind() {
        io::ErrorKind::InvalidData => ClientError::refused(format!("{server} is no mail server: {error}")),
        io::ErrorKind::TimedOut => ClientError::unavailable(format!("{server} gave no answer to {what}: {error}")),
        _ => ClientError::unavailable(format!("{server} broke off at {what}: {error}")),
    }
}

impl Answer {
    fn words(&self) -> String {
        let text = self.lines.join(" ");
        let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        match plain.char_indices().nth(WORDS_MAX) {
            Some((end, _)) => format!("{} {}…", self.code, plain[..end].trim()),
            None => format!("{} {}", self.code, plain.trim()),
        }
    }

    /// A temporary refusal is worth another try, a permanent one is not.
    fn refusal(&self, server: &str, what: &str) -> ClientError {
        self.refusal_with(server, what, "its log may say why")
    }

    /// The same, with what to do about a permanent one.
    fn refusal_with(&self, server: &str, what: &str, advice: &str) -> ClientError {
        let words = format!("{server} refuses {what}: {}", self.words());
        if self.code >= 500 {
            ClientError::settings(format!("{words}; {advice}"))
        } else {
            ClientError::refused(format!("{words}; it may go well later, else the server's log may say why"))
        }
    }
}

/// A line that is only lent.
struct Clear<'a, L> {
    line: &'a mut L,
    rest: &'a mut Vec<u8>,
    patience: Duration,
}

impl<L: AsyncRead + AsyncWrite + Unpin> Clear<'_, L> {
    async fn ask(&mut self, command: &str) -> io::Result<Answer> {
        let command = format!("{command}\r\n");
        timed(self.patience, self.line.write_all(command.as_bytes())).await?;
        timed(self.patience, self.line.flush()).await?;
        self.answer().await
    }

    async fn answer(&mut self) -> io::Result<Answer> {
        timed(self.patience, answer(self.line, self.rest)).await
    }
}

impl Wire {
    async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        timed(self.patience, self.line.write_all(bytes)).await?;
        timed(self.patience, self.line.flush()).await
    }

    fn lent(&mut self) -> Clear<'_, Box<dyn Line>> {
        Clear { line: &mut self.line, rest: &mut self.rest, patience: self.patience }
    }

    async fn ask(&mut self, command: &str) -> io::Result<Answer> {
        self.lent().ask(command).await
    }

    async fn answer(&mut self) -> io::Result<Answer> {
        self.lent().answer().await
    }
}

async fn timed<T>(patience: Duration, wait: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    match timeout(patience, wait).await {
        Ok(done) => done,
        Err(_) => {
            let words = format!("nothing within {} s", patience.as_secs());
            Err(io::Error::new(io::ErrorKind::TimedOut, words))
        }
    }
}

/// Reads an answer: lines of `250-…`, the last one `250 …`.
async fn answer(line: &mut (impl AsyncRead + Unpin), rest: &mut Vec<u8>) -> io::Result<Answer> {
    let strange = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    let mut lines = Vec::new();
    loop {
        let text = read_line(line, rest).await?;
        let code = text.get(..3).and_then(|code| code.parse::<u16>().ok()).filter(|code| (200..600).contains(code));
        let code = code.ok_or_else(|| strange("its answer has no number in front"))?;
        lines.push(text.get(4..).unwrap_or_default().to_owned());
        if text.as_bytes().get(3) != Some(&b'-') {
            return Ok(Answer { code, lines });
        }
        if lines.len() >= LINES_MAX {
            return Err(strange("its answer does not end"));
        }
    }
}

async fn read_line(line: &mut (impl AsyncRead + Unpin), rest: &mut Vec<u8>) -> io::Result<String> {
    loop {
        if let Some(end) = rest.iter().position(|&byte| byte == b'\n') {
            let bytes: Vec<u8> = rest.drain(..=end).collect();
            return Ok(String::from_utf8_lossy(&bytes).trim_end().to_owned());
        }
        if rest.len() > LINE_MAX {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a line of its answer does not end"));
        }
        let mut piece = [0; 1024];
        match line.read(&mut piece).await? {
            0 => return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it closed the line")),
            count => rest.extend_from_slice(&piece[..count]),
        }
    }
}

/// Doubles the dots at the beginnings of lines, piece by piece: a lone one would end the letter.
#[derive(Debug, Default)]
struct Dots {
    is_inside: bool,
}

impl Dots {
    fn stuffed(&mut self, piece: &[u8]) -> Vec<u8> {
        let mut stuffed = Vec::with_capacity(piece.len() + 16);
        for &byte in piece {
            if byte == b'.' && !self.is_inside {
                stuffed.push(b'.');
            }
            stuffed.push(byte);
            self.is_inside = byte != b'\n';
        }
        stuffed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lone_dot_does_not_end_a_letter() {
        let mut dots = Dots::default();
        let text = [&b".a\r\n"[..], b".", b"\r\nb.c\r\n..", b"\r\n"];
        let stuffed: Vec<u8> = text.iter().flat_map(|piece| dots.stuffed(piece)).collect();
        assert_eq!(stuffed, b"..a\r\n..\r\nb.c\r\n...\r\n");
    }

    #[tokio::test]
    async fn an_answer_is_bounded() {
        let read = |text: &'static [u8]| async move {
            let mut rest = Vec::new();
            let mut text = text;
            answer(&mut text, &mut rest).await
        };
        let good = read(b"250-one\r\n250 two\r\n").await.unwrap();
        assert_eq!((good.code, good.words()), (250, "250 one two".to_owned()));
        assert!(read(b"hello\r\n").await.is_err());
        assert!(read(b"250-a\r\n").await.is_err());
        let endless: &'static [u8] = vec![b'x'; 1 << 20].leak();
        assert!(read(endless).await.is_err_and(|error| error.to_string().contains("does not end")));
        let lines: &'static [u8] = b"250-a\r\n".repeat(1000).leak();
        assert!(read(lines).await.is_err_and(|error| error.to_string().contains("does not end")));
    }
}
