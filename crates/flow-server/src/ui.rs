//! The web UI: the files that `make ui` has built, and its page at every other address that a person may open.
//!
//! Public: who asks matters to the API, which the page gets everything from. A release binary carries the files; a debug
//! binary reads them from disk (see `build.rs`).

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use axum::{
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    response::{Html, IntoResponse, Response},
};

use crate::{ApiError, App, auth};

/// What programs ask for: an unknown address there is no page.
const NOT_PAGES: [&str; 7] = ["/api", "/ui", "/auth", "/openapi.json", "/docs", "/metrics", "/assets"];
/// The page.
const INDEX: &str = "index.html";
/// Files whose names change with what is in them.
const HASHED: &str = "assets/";
/// Characters of a hash that tell one version of a file from another.
const TAG_CHARS: usize = 32;

/// The files of the web UI.
#[derive(Clone, Debug)]
pub struct Ui(Source);

#[derive(Clone, Debug)]
enum Source {
    Embedded(Arc<BTreeMap<&'static str, File>>),
    OnDisk(PathBuf),
}

/// A file, as it is and compressed.
#[derive(Clone, Debug)]
struct File {
    plain: Bytes,
    brotli: Option<Bytes>,
    gzip: Option<Bytes>,
    tag: String,
}

impl File {
    fn new(name: &str, plain: Bytes, brotli: Option<Bytes>, gzip: Option<Bytes>) -> Self {
        let hash = if name.starts_with(HASHED) { auth::digest(name) } else { auth::digest(&plain) };
        // Weak: it is the same file, however compressed.
        let tag = format!("W/\"{}\"", &hash[..TAG_CHARS]);
        Self { plain, brotli, gzip, tag }
    }
}

impl Ui {
    /// Returns the UI of this build.
    pub fn of_build() -> Self {
        include!(concat!(env!("OUT_DIR"), "/ui.rs"))
    }

    /// Takes files from the binary: names and contents, with `NAME.br` and `NAME.gz` beside `NAME`.
    pub fn embedded(files: &[(&'static str, &'static [u8])]) -> Self {
        let all: BTreeMap<&'static str, &'static [u8]> = files.iter().copied().collect();
        let other =
            |name: &str, ending: &str| all.get(format!("{name}{ending}").as_str()).copied().map(Bytes::from_static);
        let files = all.iter().filter(|(name, _)| is_name(name)).map(|(name, bytes)| {
            (*name, File::new(name, Bytes::from_static(bytes), other(name, ".br"), other(name, ".gz")))
        });
        Self(Source::Embedded(Arc::new(files.collect())))
    }

    /// Takes files from a folder, as they are when somebody asks.
    pub fn on_disk(folder: impl Into<PathBuf>) -> Self {
        Self(Source::OnDisk(folder.into()))
    }

    async fn find(&self, name: &str) -> Option<File> {
        match &self.0 {
            Source::Embedded(files) => files.get(name).cloned(),
            Source::OnDisk(folder) if is_name(name) => {
                let (brotli, gzip) = (read(folder, name, ".br").await, read(folder, name, ".gz").await);
                Some(File::new(name, read(folder, name, "").await?, brotli, gzip))
            }
            Source::OnDisk(_) => None,
        }
    }
}

async fn read(folder: &Path, name: &str, ending: &str) -> Option<Bytes> {
    tokio::fs::read(folder.join(format!("{name}{ending}"))).await.ok().map(Bytes::from)
}

/// Says whether a file that is served may have this name: below its folder, not hidden, not another one compressed.
fn is_name(name: &str) -> bool {
    let is_part = |part: &str| {
        !part.starts_with('.') && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    !name.ends_with(".br") && !name.ends_with(".gz") && name.split('/').all(|part| !part.is_empty() && is_part(part))
}

/// Answers for every address that has no route.
pub(crate) async fn show(State(app): State<App>, request: Request) -> Result<Response, ApiError> {
    if ![Method::GET, Method::HEAD].contains(request.method()) {
        return Err(ApiError::no_such_address());
    }
    let (path, headers) = (request.uri().path(), request.headers());
    let name = path.strip_prefix('/').unwrap_or(path);
    if let Some(file) = app.ui.find(name).await {
        return Ok(answer(name, file, headers));
    }
    if path != "/" && !is_page(path, headers) {
        return Err(ApiError::no_such_address());
    }
    Ok(match app.ui.find(INDEX).await {
        Some(file) => answer(INDEX, file, headers),
        None => ([(header::CACHE_CONTROL, "no-cache")], Html(NOT_BUILT)).into_response(),
    })
}

/// Says whether a person may be looking for a page there.
fn is_page(path: &str, headers: &HeaderMap) -> bool {
    let is_below =
        |start: &&str| path.strip_prefix(*start).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let takes_pages = words(headers, header::ACCEPT).any(|kind| kind.eq_ignore_ascii_case("text/html"));
    takes_pages && !NOT_PAGES.iter().any(is_below)
}

fn answer(name: &str, file: File, asked: &HeaderMap) -> Response {
    let keep = if name.starts_with(HASHED) { "public, max-age=31536000, immutable" } else { "no-cache" };
    let mut response = Response::new(Body::empty());
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Ok(tag) = HeaderValue::from_str(&file.tag) {
        headers.insert(header::ETAG, tag);
    }
    let strong = file.tag.trim_start_matches("W/");
    if words(asked, header::IF_NONE_MATCH).any(|known| known == "*" || known.trim_start_matches("W/") == strong) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return response;
    }
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind(name)));
    let takes = |coding: &str| words(asked, header::ACCEPT_ENCODING).any(|known| known.eq_ignore_ascii_case(coding));
    let (coding, bytes) = match (file.brotli, file.gzip) {
        (Some(bytes), _) if takes("br") => (Some("br"), bytes),
        (_, Some(bytes)) if takes("gzip") => (Some("gzip"), bytes),
        _ => (None, file.plain),
    };
    if let Some(coding) = coding {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
    }
    *response.body_mut() = Body::from(bytes);
    response
}

/// Returns what a header lists, without what is refused with `q=0`.
fn words(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).filter_map(|item| {
        let mut parts = item.split(';').map(str::trim);
        let word = parts.next()?;
        let weight = parts.find_map(|part| part.strip_prefix("q=").or(part.strip_prefix("Q=")));
        weight.is_none_or(|weight| weight.parse().is_ok_and(|weight: f32| weight > 0.0)).then_some(word)
    })
}

/// Returns the content type of a file.
fn kind(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// The page of a binary without the UI.
const NOT_BUILT: &str = "<!doctype html>
<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Flow</title><meta name=\"viewport\" content=\"width=device-width\">
<style>:root{color-scheme:light dark;font:15px/1.5 system-ui,sans-serif}body{margin:2rem auto;max-width:44rem;padding:0 1rem}
code{background:#8882;padding:.1rem .3rem;border-radius:3px}</style></head>
<body><h1>Flow</h1>
<p>Flow is running, but this binary was built without the web UI. In the repository, with Node 20.19 or later and npm,</p>
<p><code>make ui &amp;&amp; make build</code></p>
<p>builds both. Until then there are the <a href=\"/docs\">REST API</a> and the command line: <code>flow dags list</code>,
<code>flow trigger DAG --wait</code>, <code>flow tasks log DAG latest TASK</code>.</p></body></html>
";

#[cfg(test)]
mod tests {
    use super::is_name;

    #[test]
    fn only_names_below_the_folder_are_looked_up() {
        for name in ["index.html", "assets/app-1a_2B.js", "a/b/c.woff2"] {
            assert!(is_name(name), "{name}");
        }
        for name in [
            "",
            "/",
            "/etc/passwd",
            "..",
            "../a",
            "a/../b",
            "a//b",
            "a/",
            ".vite/manifest.json",
            "a\\b",
            "a%2fb",
            "a\0b",
            "a.br",
            "a.gz",
        ] {
            assert!(!is_name(name), "{name}");
        }
    }
}
