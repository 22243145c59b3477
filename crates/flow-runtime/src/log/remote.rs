//! A second place for logs: a bucket (S3, GCS, Azure) or a folder, by its URL. Logs go there when their attempt has
//! ended, and are read from there when they are no longer on the host.
//!
//! What is to go waits in a queue on the disk, `ROOT/.upload`: a symbolic link a log, made before the log's first
//! line, removed when the store has confirmed. So nothing is forgotten by a crash, and no attempt waits for a store.
//! Sending is [`super::upload`].

use std::{
    collections::BTreeMap,
    fs, io,
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use flow_operators::process::LOG_STORE;
use futures_util::{StreamExt, TryStreamExt};
use object_store::{
    ClientOptions, GetOptions, ObjectStore, ObjectStoreExt, ObjectStoreScheme, PutPayload, RetryConfig, WriteMultipart,
    aws::AmazonS3Builder, azure::MicrosoftAzureBuilder, gcp::GoogleCloudStorageBuilder, path::Path as Place,
};
use sha2::{Digest, Sha256};

use super::{
    LogId, MAX_CHUNK,
    read::{Chunk, LogFile},
};

/// In the folder of all logs: what waits to be sent.
const QUEUE: &str = ".upload";
/// Longest that a reader waits for the store.
const READ: Duration = Duration::from_secs(10);
/// Longest that a log of a run is looked for to be removed.
const REMOVE: Duration = Duration::from_secs(300);
/// A log that is longer is sent in parts; so large is a part, unless there would be too many.
const PART: u64 = 8 * 1024 * 1024;
/// Most parts; S3 takes 10,000.
const PARTS: u64 = 9_000;
/// Parts on their way at once.
const AT_ONCE: usize = 2;
/// Longest that the store may take for a call, and more for each MiB: with eight parts on their way at once, a line of
/// 1 Mbit/s is enough.
const CALL: Duration = Duration::from_secs(120);
const MIB_TIME: Duration = Duration::from_secs(60);
/// The library's own limit; ours are shorter.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// Where logs go to. Cheap to clone.
#[derive(Clone)]
pub struct RemoteLogs {
    store: Arc<dyn ObjectStore>,
    /// All logs are below.
    prefix: Place,
    /// Says where, without secrets.
    url: String,
    /// A folder that must be there: one that is not mounted is no place to send logs to.
    folder: Option<PathBuf>,
}

impl RemoteLogs {
    /// Reads a URL: `s3://bucket/prefix`, `gs://…`, `az://…`, `file:///folder`. `options`: the environment, whose
    /// `AWS_…`, `GOOGLE_…` and `AZURE_…` the stores know; `FLOW_LOGS_AWS_…` goes before `AWS_…`.
    ///
    /// # Errors
    ///
    /// A sentence about what is wrong with the URL, or missing beside it.
    pub fn new(url: &str, options: impl IntoIterator<Item = (String, String)>) -> Result<Self, String> {
        let parsed = url::Url::parse(url).map_err(|error| error.to_string())?;
        if !parsed.username().is_empty() || parsed.password().is_some() {
            return Err(
                "a URL has no room for secrets: set AWS_ACCESS_KEY_ID and the like in the environment".to_owned()
            );
        }
        let folder = match parsed.scheme() {
            "file" => Some(parsed.to_file_path().map_err(|()| "needs a whole path: file:///folder".to_owned())?),
            _ => None,
        };
        let options = settings(options).into_iter().collect();
        let (store, prefix) = open(&parsed, options).map_err(|error| error.to_string())?;
        Ok(Self { store, prefix, url: url.to_owned(), folder })
    }

    /// Says where the logs go to.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the place of a path below the folder of all logs. The same names, so that people find them.
    fn place(&self, below: &Path) -> io::Result<Place> {
        let below = below.to_str().ok_or_else(|| io::Error::other("a log whose name is not text"))?;
        Place::parse(format!("{}/{below}", self.prefix)).map_err(io::Error::other)
    }

    /// Reads at most `max` bytes of a log; `None` when the store has none.
    ///
    /// # Errors
    ///
    /// When the store does not answer in time, or with an error.
    pub async fn read(&self, id: &LogId, try_number: u32, offset: u64, max: usize) -> io::Result<Option<Chunk>> {
        let place = self.place(&id.file(Path::new(""), try_number))?;
        let read = async {
            let meta = match self.store.head(&place).await {
                Err(object_store::Error::NotFound { .. }) => return Ok(None),
                other => other?,
            };
            let offset = offset.min(meta.size);
            let end = meta.size.min(offset.saturating_add(max.min(MAX_CHUNK) as u64));
            let range: Range<u64> = offset..end;
            let options = GetOptions { range: Some(range.clone().into()), ..GetOptions::default() };
            let bytes = match range.is_empty() {
                true => Vec::new(),
                false => self.store.get_opts(&place, options).await?.bytes().await?.to_vec(),
            };
            Ok::<_, object_store::Error>(Some(Chunk { bytes, offset, size: meta.size }))
        };
        match tokio::time::timeout(READ, read).await {
            Ok(Ok(found)) => Ok(found),
            Ok(Err(error)) => Err(io::Error::other(format!("{}: {error}", self.url))),
            Err(_) => Err(io::Error::new(
                io::ErrorKind::TimedOut,
                format!("{} did not answer within {} seconds", self.url, READ.as_secs()),
            )),
        }
    }

    /// Sends a log, whole.
    pub(super) async fn send(&self, root: &Path, below: &Path) -> io::Result<()> {
        if let Some(folder) = self.folder.as_ref().filter(|folder| !folder.is_dir()) {
            return Err(io::Error::other(format!("there is no folder `{}`", folder.display())));
        }
        let place = self.place(below)?;
        let path = root.join(below);
        let open = tokio::task::spawn_blocking(move || LogFile::open(&path));
        let file = Arc::new(open.await.map_err(io::Error::other)??);
        let size = file.size;
        let part = PART.max(size.div_ceil(PARTS));
        if size <= part {
            let payload = PutPayload::from(read(&file, 0, size).await?);
            return in_time(size, self.store.put(&place, payload)).await.map(drop);
        }
        let upload = in_time(0, self.store.put_multipart(&place)).await?;
        let chunk = usize::try_from(part).map_err(io::Error::other)?;
        let mut upload = WriteMultipart::new_with_chunk_size(upload, chunk);
        let mut at = 0;
        let sent = loop {
            if at >= size {
                break Ok(());
            }
            let length = part.min(size - at);
            match read(&file, at, length).await {
                Ok(bytes) => upload.put(bytes.into()),
                Err(error) => break Err(error),
            }
            at += length;
            if let Err(error) = in_time(part, upload.wait_for_capacity(AT_ONCE)).await {
                break Err(error);
            }
        };
        match sent {
            Ok(()) => in_time(part, upload.finish()).await.map(drop),
            Err(error) => {
                let _ = in_time(0, upload.abort()).await;
                Err(error)
            }
        }
    }

    /// Removes all logs below a folder; `is_flat`: those in folders below it stay.
    ///
    /// # Errors
    ///
    /// When the store does not answer in time, or with an error.
    pub async fn remove(&self, below: &Path, is_flat: bool) -> io::Result<()> {
        let place = self.place(below)?;
        let depth = place.parts().count() + 1;
        let found = self.store.list(Some(&place)).map_ok(|meta| meta.location);
        let wanted = move |place: &Place| std::future::ready(!is_flat || place.parts().count() == depth);
        let found = found.try_filter(wanted).boxed();
        let removal = self.store.delete_stream(found).try_for_each(|_| std::future::ready(Ok(())));
        match tokio::time::timeout(REMOVE, removal).await {
            Ok(done) => done.map_err(|error| io::Error::other(format!("{}: {error}", self.url))),
            Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, format!("{} takes too long", self.url))),
        }
    }
}

/// Opens the store of a URL. A call is tried again once or twice only: what fails waits in the queue.
fn open(url: &url::Url, options: Vec<(String, String)>) -> object_store::Result<(Arc<dyn ObjectStore>, Place)> {
    let retry = RetryConfig { max_retries: 2, retry_timeout: Duration::from_secs(20), ..RetryConfig::default() };
    let (scheme, path) = ObjectStoreScheme::parse(url).map_err(object_store::Error::from)?;
    macro_rules! built {
        ($builder:ty) => {{
            let client = ClientOptions::new().with_timeout(LONGEST);
            let plain = <$builder>::new().with_url(url.as_str()).with_client_options(client);
            let builder = options.iter().fold(plain, |builder, (name, value)| match name.parse() {
                Ok(key) => builder.with_config(key, value),
                Err(_) => builder,
            });
            Arc::new(builder.with_retry(retry).build()?) as Arc<dyn ObjectStore>
        }};
    }
    #[expect(clippy::wildcard_enum_match_arm, reason = "the schemes are another crate's, and open")]
    let store = match scheme {
        ObjectStoreScheme::AmazonS3 => built!(AmazonS3Builder),
        ObjectStoreScheme::GoogleCloudStorage => built!(GoogleCloudStorageBuilder),
        ObjectStoreScheme::MicrosoftAzure => built!(MicrosoftAzureBuilder),
        _ => object_store::parse_url(url)?.0.into(),
    };
    Ok((store, Place::parse(path)?))
}

/// What of the environment is for stores, under the names that they know; those for logs alone go before.
fn settings(environment: impl IntoIterator<Item = (String, String)>) -> BTreeMap<String, String> {
    let known = ["AWS_", "GOOGLE_", "AZURE_"];
    let (mut found, mut own) = (BTreeMap::new(), BTreeMap::new());
    for (name, value) in environment {
        let (plain, settings) = match name.strip_prefix(LOG_STORE) {
            Some(plain) => (plain, &mut own),
            None => (name.as_str(), &mut found),
        };
        if known.iter().any(|start| plain.starts_with(start)) {
            settings.insert(plain.to_ascii_lowercase(), value);
        }
    }
    found.append(&mut own);
    found
}

/// How long the store may take for so many bytes.
fn patience(bytes: u64) -> Duration {
    CALL + MIB_TIME * u32::try_from(bytes.div_ceil(1 << 20)).unwrap_or(u32::MAX / 64).min(60 * 24)
}

async fn in_time<T>(bytes: u64, work: impl Future<Output = object_store::Result<T>>) -> io::Result<T> {
    let patience = patience(bytes);
    match tokio::time::timeout(patience, work).await {
        Ok(done) => done.map_err(io::Error::other),
        Err(_) => {
            Err(io::Error::new(io::ErrorKind::TimedOut, format!("no answer within {} seconds", patience.as_secs())))
        }
    }
}

async fn read(file: &Arc<LogFile>, offset: u64, length: u64) -> io::Result<Vec<u8>> {
    let file = Arc::clone(file);
    let length = usize::try_from(length).map_err(io::Error::other)?;
    let bytes = tokio::task::spawn_blocking(move || file.read_at(offset, length)).await.map_err(io::Error::other)??;
    if bytes.len() == length { Ok(bytes) } else { Err(io::Error::other("the log got shorter while it was sent")) }
}

/// What waits to be sent, of one folder of logs.
#[derive(Clone, Debug)]
pub(super) struct Queue {
    root: PathBuf,
}

impl Queue {
    pub(super) fn of(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    pub(super) fn folder(&self) -> PathBuf {
        self.root.join(QUEUE)
    }

    fn entry(&self, log: &Path) -> io::Result<(PathBuf, PathBuf)> {
        let below = log.strip_prefix(&self.root).map_err(io::Error::other)?;
        let hash = Sha256::digest(below.as_os_str().as_encoded_bytes());
        let name: String = hash[..16].iter().map(|byte| format!("{byte:02x}")).collect();
        Ok((self.folder().join(name), below.to_owned()))
    }

    /// Notes that a log is to be sent when its attempt has ended. Once more does no harm.
    pub(super) fn add(&self, log: &Path) -> io::Result<()> {
        let (entry, below) = self.entry(log)?;
        let link = || std::os::unix::fs::symlink(&below, &entry);
        let made = match link() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::create_dir_all(self.folder())?;
                link()
            }
            other => other,
        };
        match made {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            other => other,
        }
    }

    /// Says whether a log waits to be sent.
    pub(super) fn has(&self, log: &Path) -> bool {
        self.entry(log).is_ok_and(|(entry, _)| entry.symlink_metadata().is_ok())
    }
}
