//! A mail server for tests: takes mails, keeps them, and behaves as badly as it is told to.
//!
//! Its certificate, `cert.pem`, is for `localhost` and signed by itself; its key is no secret.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, atomic::AtomicUsize, atomic::Ordering},
    time::{Duration, Instant},
};

use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;

/// Its certificate, for `ca_file`.
pub const CERTIFICATE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../flow-clients/tests/support/cert.pem");

/// How it behaves.
#[derive(Clone, Debug, Default)]
pub struct Manners {
    pub tls: bool,
    pub starttls: bool,
    /// Who may log in; without it nobody has to.
    pub login: Option<(&'static str, &'static str)>,
    /// Offers AUTH LOGIN only.
    pub old_login: bool,
    /// Never says a word.
    pub is_silent: bool,
    /// Says what no mail server says, and does not end.
    pub is_endless: bool,
    /// Says more than it was asked for together with its answer to STARTTLS.
    pub is_pushy: bool,
    /// Answers so to a mail, the first so many times.
    pub refuses: Option<(&'static str, usize)>,
    /// Refuses this recipient.
    pub unknown: Option<&'static str>,
}

/// A mail that it took.
#[derive(Clone, Debug)]
pub struct Mail {
    pub from: String,
    pub to: Vec<String>,
    pub text: String,
    pub login: Option<String>,
    pub was_encrypted: bool,
}

/// A running server; it ends with its process.
#[derive(Clone, Debug)]
pub struct Sink {
    pub address: SocketAddr,
    kept: Arc<Mutex<Vec<Mail>>>,
    refused: Arc<AtomicUsize>,
    open: Arc<AtomicUsize>,
    manners: Manners,
}

impl Sink {
    pub fn start(manners: Manners) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let sink = Self {
            address: listener.local_addr().unwrap(),
            kept: Arc::default(),
            refused: Arc::default(),
            open: Arc::default(),
            manners,
        };
        let serving = sink.clone();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = TcpListener::from_std(listener).unwrap();
                while let Ok((line, _)) = listener.accept().await {
                    let sink = serving.clone();
                    tokio::spawn(async move {
                        sink.open.fetch_add(1, Ordering::SeqCst);
                        let _ = sink.serve(line).await;
                        sink.open.fetch_sub(1, Ordering::SeqCst);
                    });
                }
            });
        });
        sink
    }

    /// What it took so far.
    pub fn mails(&self) -> Vec<Mail> {
        self.kept.lock().unwrap().clone()
    }

    /// How many mails it refused.
    pub fn refused(&self) -> usize {
        self.refused.load(Ordering::SeqCst)
    }

    /// Says whether nobody talks to it.
    pub fn is_alone(&self) -> bool {
        self.open.load(Ordering::SeqCst) == 0
    }

    /// Waits until nobody talks to it.
    pub fn until_alone(&self) {
        self.until("everybody to leave", Self::is_alone);
    }

    /// Waits for a number of mails.
    pub fn until_mails(&self, count: usize) -> Vec<Mail> {
        self.until("mails", |sink| sink.mails().len() >= count);
        self.mails()
    }

    pub fn until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let end = Instant::now() + Duration::from_secs(60);
        while !holds(self) {
            assert!(Instant::now() < end, "waited too long for {what}: {:?}", self.mails());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    async fn serve(&self, mut line: TcpStream) -> io::Result<()> {
        if self.manners.is_silent {
            let mut nothing = String::new();
            BufReader::new(line).read_line(&mut nothing).await?;
            return Ok(());
        }
        if self.manners.is_endless {
            loop {
                line.write_all(&[b'x'; 4096]).await?;
            }
        }
        if self.manners.tls {
            return self.talk(acceptor().accept(line).await?, true, true).await.map(|_| ());
        }
        match self.talk(line, false, true).await? {
            Some(line) => self.talk(acceptor().accept(line).await?, true, false).await.map(|_| ()),
            None => Ok(()),
        }
    }

    /// Talks until the client leaves; returns the line when it is to be encrypted.
    async fn talk<L: AsyncRead + AsyncWrite + Unpin>(
        &self,
        line: L,
        is_encrypted: bool,
        greets: bool,
    ) -> io::Result<Option<L>> {
        let mut line = BufReader::new(line);
        let mut login = None;
        let (mut from, mut to) = (String::new(), Vec::new());
        if greets {
            say(&mut line, "220 sink").await?;
        }
        loop {
            let Some(command) = hear(&mut line).await? else { return Ok(None) };
            let upper = command.to_uppercase();
            if upper.starts_with("EHLO") {
                let mut offers = vec!["sink".to_owned(), "8BITMIME".to_owned()];
                if self.manners.starttls && !is_encrypted {
                    offers.push("STARTTLS".to_owned());
                } else if self.manners.login.is_some() {
                    offers.push(if self.manners.old_login { "AUTH LOGIN" } else { "AUTH PLAIN LOGIN" }.to_owned());
                }
                let last = offers.pop().unwrap();
                for offer in offers {
                    say(&mut line, &format!("250-{offer}")).await?;
                }
                say(&mut line, &format!("250 {last}")).await?;
            } else if upper == "STARTTLS" {
                let more = if self.manners.is_pushy { "\r\n250 already here" } else { "" };
                say(&mut line, &format!("220 go ahead{more}")).await?;
                return Ok(Some(line.into_inner()));
            } else if let Some(word) = command.strip_prefix("AUTH PLAIN ") {
                let said = decoded(word);
                login = self.let_in(&mut line, said.trim_start_matches('\0').replace('\0', ":")).await?;
            } else if command == "AUTH LOGIN" {
                say(&mut line, "334 VXNlcm5hbWU6").await?;
                let name = decoded(&hear(&mut line).await?.unwrap_or_default());
                say(&mut line, "334 UGFzc3dvcmQ6").await?;
                let password = decoded(&hear(&mut line).await?.unwrap_or_default());
                login = self.let_in(&mut line, format!("{name}:{password}")).await?;
            } else if upper.starts_with("MAIL FROM:") {
                from = inner(&command);
                say(&mut line, if self.manners.login.is_some() && login.is_none() { "530 log in" } else { "250 ok" })
                    .await?;
            } else if upper.starts_with("RCPT TO:") {
                let recipient = inner(&command);
                let known = self.manners.unknown != Some(recipient.as_str());
                to.push(recipient);
                say(&mut line, if known { "250 ok" } else { "550 5.1.1 nobody here of that name" }).await?;
            } else if upper == "DATA" {
                say(&mut line, "354 go on").await?;
                let mut text = String::new();
                while let Some(part) = hear(&mut line).await?
                    && part != "."
                {
                    text.push_str(part.strip_prefix('.').unwrap_or(&part));
                    text.push('\n');
                }
                if let Some((words, times)) = self.manners.refuses
                    && self.refused.load(Ordering::SeqCst) < times
                {
                    self.refused.fetch_add(1, Ordering::SeqCst);
                    say(&mut line, words).await?;
                    continue;
                }
                let mail = Mail {
                    from: from.clone(),
                    to: std::mem::take(&mut to),
                    text,
                    login: login.clone(),
                    was_encrypted: is_encrypted,
                };
                self.kept.lock().unwrap().push(mail);
                say(&mut line, "250 taken").await?;
            } else if upper == "QUIT" {
                say(&mut line, "221 bye").await?;
                return Ok(None);
            } else {
                say(&mut line, "500 what?").await?;
            }
        }
    }

    async fn let_in<L: AsyncRead + AsyncWrite + Unpin>(
        &self,
        line: &mut BufReader<L>,
        said: String,
    ) -> io::Result<Option<String>> {
        let (name, password) = self.manners.login.unwrap_or_default();
        let fits = said == format!("{name}:{password}");
        say(line, if fits { "235 welcome" } else { "535 5.7.8 who are you?" }).await?;
        Ok(fits.then(|| name.to_owned()))
    }
}

async fn say<L: AsyncRead + AsyncWrite + Unpin>(line: &mut BufReader<L>, words: &str) -> io::Result<()> {
    line.get_mut().write_all(format!("{words}\r\n").as_bytes()).await?;
    line.get_mut().flush().await
}

async fn hear<L: AsyncRead + Unpin>(line: &mut BufReader<L>) -> io::Result<Option<String>> {
    let mut bytes = Vec::new();
    if line.read_until(b'\n', &mut bytes).await? == 0 {
        return Ok(None);
    }
    Ok(Some(String::from_utf8_lossy(&bytes).trim_end_matches(['\r', '\n']).to_owned()))
}

fn inner(command: &str) -> String {
    let (_, rest) = command.split_once('<').unwrap_or_default();
    rest.split('>').next().unwrap_or_default().to_owned()
}

fn decoded(word: &str) -> String {
    use base64::{Engine, engine::general_purpose::STANDARD};
    String::from_utf8_lossy(&STANDARD.decode(word).unwrap_or_default()).into_owned()
}

fn acceptor() -> TlsAcceptor {
    let read = |name: &str| std::fs::read(CERTIFICATE.replace("cert.pem", name)).unwrap();
    let certificates = CertificateDer::pem_slice_iter(&read("cert.pem")).collect::<Result<Vec<_>, _>>().unwrap();
    let key = PrivateKeyDer::from_pem_slice(&read("key.pem")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(certificates, key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}
