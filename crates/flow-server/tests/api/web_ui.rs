//! The web UI: its files, and the page at every address that a person may open. See the folder `dist` beside this.

use std::{future::Future, path::Path};

use axum::{
    body::Body,
    http::{HeaderMap, Method, Request, header},
};
use flow_server::Ui;

use crate::{
    client::{Answer, Api, DIST},
    support::on_sqlite,
};

/// What a browser sends with the address of a page.
const PAGE: (&str, &str) = ("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8");
const SCRIPT: &str = "/assets/app-1a2B3c4D.js";

/// Asks as a browser does that opens a page.
async fn open(api: &Api, path: &str) -> Answer {
    api.get_with(path, &[PAGE]).await
}

fn word(headers: &HeaderMap, name: header::HeaderName) -> &str {
    headers.get(name).map_or("", |value| value.to_str().unwrap())
}

/// Says whether it is the fixture's page.
fn is_page(answer: &Answer) -> bool {
    let is_html = word(&answer.headers, header::CONTENT_TYPE) == "text/html; charset=utf-8";
    answer.status == 200 && is_html && answer.body.as_str().is_some_and(|body| body.contains("id=\"root\""))
}

/// Runs a case once: no database has anything to do with it.
fn given<F: Future<Output = ()> + Send + 'static>(case: impl FnOnce(Api) -> F) {
    on_sqlite(|database| case(database.into()));
}

#[test]
fn the_page_is_at_every_address_of_a_person() {
    given(|api| async move {
        let nobody = api.as_nobody();
        for path in [
            "/",
            "/?q=a",
            "/login",
            "/login?next=/dags/a",
            "/logout",
            "/dags/a.b",
            "/dags/%C3%A4/runs/manual__2026-01-01T00:00:00+00:00/tasks/t",
            "/edit/a/b.yaml",
            "/admin/users",
            "/apis",
            "/uis/a",
            "/docs-of-mine",
        ] {
            let answer = open(&nobody, path).await;
            assert!(is_page(&answer), "{path}: {answer:?}");
            assert_eq!(word(&answer.headers, header::CACHE_CONTROL), "no-cache", "{path}");
            assert!(
                word(&answer.headers, header::CONTENT_SECURITY_POLICY).starts_with("default-src 'self';"),
                "{path}"
            );
        }
        assert!(is_page(&nobody.get("/").await), "whoever asks");
    });
}

#[test]
fn programs_are_told_that_there_is_nothing() {
    given(|api| async move {
        for path in [
            "/api",
            "/api/v2/nothing",
            "/api/v3",
            "/ui",
            "/ui/nothing",
            "/auth",
            "/auth/nothing",
            "/openapi.json/a",
            "/docs/a",
            "/metrics/a",
            "/assets",
            "/assets/",
            "/assets/gone-1a2b.js",
            "/assets/app-1a2B3c4D.js.br",
            "/assets/../index.html",
        ] {
            let answer = open(&api, path).await;
            let kind = word(&answer.headers, header::CONTENT_TYPE).to_owned();
            assert_eq!(kind, "application/json", "{path}");
            assert_eq!(word(&answer.headers, header::CACHE_CONTROL), "no-store", "{path}");
            assert_eq!(answer.expect(404)["detail"], "there is nothing at this address", "{path}");
        }
        for accept in ["*/*", "application/json", "text/html;q=0", "text/htmlx", "image/avif,image/webp"] {
            api.get_with("/dags/a", &[("accept", accept)]).await.expect(404);
        }
        for method in [Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS] {
            for path in ["/", "/dags/a", SCRIPT] {
                let request = Request::builder().method(&method).uri(path).header(PAGE.0, PAGE.1).body(Body::empty());
                api.ask(request.unwrap()).await.expect(404);
            }
        }
        for path in [
            "/.hidden",
            "/%2ehidden",
            "/assets/%2e%2e/index.html",
            "/assets//app-1a2B3c4D.js",
            "//etc/passwd",
            "/..%2f..%2fCargo.toml",
        ] {
            api.get(path).await.expect(404);
        }
    });
}

#[test]
fn files_are_kept_by_browsers_and_come_compressed() {
    given(|api| async move {
        for (path, kind) in [
            (SCRIPT, "text/javascript; charset=utf-8"),
            ("/assets/app-5e6F7g8H.css", "text/css; charset=utf-8"),
            ("/assets/mono-9i0J.woff2", "font/woff2"),
            ("/assets/app-1a2B3c4D.js.map", "application/json"),
            ("/favicon.svg", "image/svg+xml"),
            ("/flow.webmanifest", "application/manifest+json"),
        ] {
            let answer = api.as_nobody().get(path).await;
            let is_hashed = path.starts_with("/assets/");
            let keep = if is_hashed { "public, max-age=31536000, immutable" } else { "no-cache" };
            assert_eq!(word(&answer.headers, header::CACHE_CONTROL), keep, "{path}");
            assert_eq!(word(&answer.headers, header::CONTENT_TYPE), kind, "{path}");
            assert_eq!(word(&answer.headers, header::VARY), "accept-encoding", "{path}");
            assert_eq!(word(&answer.headers, header::X_CONTENT_TYPE_OPTIONS), "nosniff", "{path}");
            answer.expect(200);
        }
        for (takes, coding, body) in [
            ("gzip, deflate, br, zstd", "br", "the script, as brotli\n"),
            ("gzip", "gzip", "the script, as gzip\n"),
            ("br;q=0, gzip;q=0.5", "gzip", "the script, as gzip\n"),
            ("BR", "br", "the script, as brotli\n"),
            ("br;q=0", "", "// plain\n"),
            ("br;q=no", "", "// plain\n"),
            ("identity", "", "// plain\n"),
            ("", "", "// plain\n"),
        ] {
            let answer = api.get_with(SCRIPT, &[("accept-encoding", takes)]).await;
            assert_eq!(
                (word(&answer.headers, header::CONTENT_ENCODING), answer.body.as_str().unwrap()),
                (coding, body),
                "{takes}"
            );
            assert_eq!(word(&answer.headers, header::CONTENT_LENGTH), body.len().to_string(), "{takes}");
        }
    });
}

#[test]
fn what_a_browser_has_is_not_sent_again() {
    given(|api| async move {
        for path in ["/", SCRIPT, "/favicon.svg"] {
            let tag = word(&api.get(path).await.headers, header::ETAG).to_owned();
            assert!(tag.starts_with("W/\"") && tag.len() == 36, "{tag}");
            for known in [tag.as_str(), tag.trim_start_matches("W/"), "*", &format!("\"other\", {tag}")] {
                let answer = api.get_with(path, &[("if-none-match", known), ("accept-encoding", "br")]).await;
                assert_eq!(answer.headers[header::ETAG], tag.as_str());
                assert!(!word(&answer.headers, header::CACHE_CONTROL).contains("no-store"), "{path}");
                assert!(answer.expect(304).is_null(), "{path} {known}");
            }
            api.get_with(path, &[("if-none-match", "\"other\"")]).await.expect(200);
        }
    });
}

#[test]
fn head_tells_the_size_without_the_file() {
    given(|api| async move {
        for path in ["/", "/dags/a", SCRIPT] {
            let get = open(&api, path).await;
            let asked = Request::builder().method(Method::HEAD).uri(path).header(PAGE.0, PAGE.1).body(Body::empty());
            let head = api.ask(asked.unwrap()).await;
            for name in [header::CONTENT_LENGTH, header::CONTENT_TYPE, header::ETAG, header::CACHE_CONTROL] {
                assert_eq!(word(&head.headers, name.clone()), word(&get.headers, name.clone()), "{path} {name}");
            }
            assert!(head.expect(200).is_null() && !get.expect(200).is_null(), "{path}");
        }
    });
}

#[test]
fn a_folder_is_served_as_it_is_at_the_time() {
    given(|api| async move {
        let folder = tempfile::tempdir().unwrap();
        let api = api.with_ui(Ui::on_disk(folder.path()));
        let page = open(&api, "/dags").await;
        assert_eq!(word(&page.headers, header::CACHE_CONTROL), "no-cache");
        let page = page.expect(200);
        assert!(page.as_str().unwrap().contains("make ui"), "{page}");
        api.get("/api/v2/version").await.expect(200);
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/api/dist"), folder.path());
        assert!(is_page(&open(&api, "/dags").await));
        let answer = api.get_with(SCRIPT, &[("accept-encoding", "br")]).await;
        let embedded = api.with_ui(Ui::embedded(DIST)).get(SCRIPT).await;
        assert_eq!(answer.headers[header::ETAG], embedded.headers[header::ETAG]);
        assert_eq!(answer.expect(200), "the script, as brotli\n");
        let tag = api.get("/favicon.svg").await.headers[header::ETAG].clone();
        std::fs::write(folder.path().join("favicon.svg"), "<svg/>").unwrap();
        assert_ne!(api.get("/favicon.svg").await.headers[header::ETAG], tag);
        for path in ["/.hidden", "/assets", "/assets/", "/assets/../index.html", "/assets/app-1a2B3c4D.js.br"] {
            api.get(path).await.expect(404);
        }
    });
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            std::fs::create_dir(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn the_build_embeds_what_is_served_and_nothing_hidden() {
    let names: Vec<&str> = DIST.iter().map(|(name, _)| *name).collect();
    assert_eq!(
        names,
        [
            "assets/app-1a2B3c4D.js",
            "assets/app-1a2B3c4D.js.br",
            "assets/app-1a2B3c4D.js.gz",
            "assets/app-1a2B3c4D.js.map",
            "assets/app-5e6F7g8H.css",
            "assets/mono-9i0J.woff2",
            "favicon.svg",
            "flow.webmanifest",
            "index.html",
            "index.html.br",
        ]
    );
    assert_eq!(DIST[0].1, b"// plain\n");
}
