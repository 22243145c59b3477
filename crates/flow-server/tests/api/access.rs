//! Every route × every role × nobody, against the table and against what is expected, written down once more here.

use std::{collections::BTreeSet, path::Path};

use axum::{
    body::Body,
    http::{Method, Request, header},
};
use flow_server::AuthConfig;
use serde_json::json;

use crate::{client::Api, support::both, world::CHAIN, world::at};

const ROLES: [&str; 4] = ["Viewer", "User", "Op", "Admin"];

/// What a route needs, told from its method and address: without the table, so that a rule that was loosened fails.
fn expected(method: &str, path: &str) -> &'static str {
    let is_read = method == "GET" || path.ends_with("/list");
    let within = |start: &str| path == start || path.strip_prefix(start).is_some_and(|rest| rest.starts_with('/'));
    match path {
        "/livez"
        | "/readyz"
        | "/api/v2/monitor/health"
        | "/api/v2/version"
        | "/api/v2/auth/login"
        | "/api/v2/auth/logout" => "anyone",
        "/auth/login" | "/auth/logout" | "/auth/token" | "/auth/token/cli" => "anyone",
        "/auth/me" => "Viewer",
        // Ids of every DAG are in it.
        "/metrics" => "Op",
        // What it costs to tell is what it costs to do.
        _ if ["/dry_run", "/preview"].iter().any(|end| path.ends_with(end)) => "User",
        // A mark for oneself.
        "/api/v2/dags/{dag_id}/favorite" | "/api/v2/dags/{dag_id}/unfavorite" => "Viewer",
        "/api/v2/users/{username}" if method != "DELETE" => "own",
        _ if within("/api/v2/tokens") => "own",
        _ if within("/api/v2/users") => "Admin",
        _ if within("/api/v2/config") || within("/api/v2/connections") || within("/api/v2/variables") => "Op",
        _ if !is_read && (within("/api/v2/pools") || path.contains("/xcomEntries")) => "Op",
        _ if !is_read && (within("/ui/files") || within("/ui/callbacks")) => "Op",
        _ if is_read => "Viewer",
        _ => "User",
    }
}

#[test]
fn the_table_says_what_is_expected() {
    let wrong: Vec<_> = flow_server::rules()
        .filter(|[method, path, need, _]| expected(method, path) != *need)
        .map(|[method, path, need, _]| format!("{method} {path}: {need}, not {}", expected(method, path)))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    let routes: BTreeSet<_> = flow_server::rules().map(|[method, path, ..]| (method, path)).collect();
    assert_eq!(routes.len(), flow_server::rules().count(), "one is there twice");
}

/// Puts something that exists, or nearly, into an address.
fn filled(path: &str) -> String {
    let mut parts: Vec<&str> = path.split('/').collect();
    for part in &mut parts {
        *part = match *part {
            "{dag_id}" => "chain",
            "{task_id}" => "a",
            "{username}" => "nobody",
            // Not one of those that ask.
            "{token_id}" => "999",
            "{map_index}" | "{try_number}" | "{task_try_number}" | "{version_number}" => "1",
            "{pool_name}" => "default_pool",
            part if part.starts_with('{') && part.ends_with("_id}") => "1",
            part if part.starts_with('{') => "x",
            part => part,
        };
    }
    parts.join("/")
}

/// Returns the rules whose routes there are.
fn rules() -> Vec<[&'static str; 4]> {
    let document = serde_json::to_value(flow_server::openapi_document("0")).unwrap();
    let rules: Vec<_> = flow_server::rules()
        .filter(|[method, path, ..]| !document["paths"][path][method.to_lowercase()].is_null())
        .collect();
    assert!(rules.len() >= 20, "only {} routes were found", rules.len());
    rules
}

both! {
    async fn every_route_lets_in_whom_it_should(api: Api) {
        api.w.save("chain.yaml", CHAIN, at(0)).await;
        let mut tokens = Vec::new();
        for role in ROLES {
            tokens.push(api.token_of(&role.to_lowercase(), role).await);
        }
        let nobody = api.as_nobody();
        let ask = async |method: &str, path: &str, token: Option<&str>| {
            let mut request = Request::builder().method(Method::from_bytes(method.as_bytes()).unwrap()).uri(filled(path));
            if let Some(token) = token {
                request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
            }
            // No body: who may come in is refused only afterwards.
            nobody.begin(request.body(Body::empty()).unwrap()).await.status().as_u16()
        };
        for [method, path, ..] in rules() {
            let need = expected(method, path);
            let status = ask(method, path, None).await;
            match need {
                "anyone" if path == "/auth/token" && method == "GET" => assert_eq!(status, 401),
                "anyone" => assert!(![401, 403].contains(&status), "{method} {path} for nobody: {status}"),
                _ => assert_eq!(status, 401, "{method} {path} for nobody"),
            }
            // What takes no notice of who asks has nothing more to say.
            if need == "anyone" {
                continue;
            }
            for (role, token) in ROLES.iter().zip(&tokens) {
                let status = ask(method, path, Some(token)).await;
                // `nobody` is someone else; without a name in the path everyone has something of their own.
                let least = match need {
                    "own" if path.contains("{username}") => "Admin",
                    "own" => "Viewer",
                    role => role,
                };
                let rank = |role: &str| ROLES.iter().position(|known| *known == role);
                if rank(role) < rank(least) {
                    assert_eq!(status, 403, "{method} {path} for {role}");
                } else {
                    assert!(![401, 403].contains(&status), "{method} {path} for {role}: {status}");
                    assert_ne!(status, 500, "{method} {path} for {role}");
                }
            }
        }
    }

    async fn who_has_not_logged_in_may_do_what_is_allowed(api: Api) {
        api.w.save("chain.yaml", CHAIN, at(0)).await;
        let config = AuthConfig { anonymous_role: Some(flow_server::Role::Viewer), ..AuthConfig::default() };
        let open = Api::of(api.w.clone(), config);
        open.get("/api/v2/importErrors").await.expect(200);
        open.get("/api/v2/users").await.expect(403);
        open.get("/api/v2/tokens").await.expect(403);
        for path in ["/api/v2/dags/chain/favorite", "/api/v2/dags/chain/unfavorite"] {
            open.post(path, &serde_json::Value::Null).await.expect(403);
        }
        assert_eq!(api.w.count("favorite", "TRUE").await, 0);
        assert_eq!(open.get("/auth/me").await.expect(200), json!({ "username": null, "role": "Viewer", "by": "nothing", "csrf_token": null }));
        let token = open.get("/auth/token").await.expect(201)["access_token"].as_str().unwrap().to_owned();
        let with = |token: &str| {
            Request::builder().uri("/api/v2/importErrors").header("authorization", format!("Bearer {token}")).body(Body::empty()).unwrap()
        };
        open.ask(with(&token)).await.expect(200);
        open.ask(with("flow_nothing")).await.expect(401);
        api.as_nobody().ask(with(&token)).await.expect(401);
        assert_eq!(open.get("/api/v2/dags").await.expect(200)["dags"][0]["dag_id"], "chain");
    }

    async fn a_dag_is_there_for_whom_it_names(api: Api) {
        let text = "dag_id: secret\naccess_control: { User: [can_read], viewer: [can_read], ada: [can_edit] }\ntasks: [{ id: t }]\n";
        api.w.save("secret.yaml", text, at(0)).await;
        api.w.save("closed.yaml", "dag_id: closed\naccess_control: {}\ntasks: [{ id: t }]\n", at(0)).await;
        api.w.save("chain.yaml", CHAIN, at(0)).await;
        let seen = async |name: &str, role: &str| {
            let token = api.token_of(name, role).await;
            let request = Request::builder().uri("/api/v2/dags").header("authorization", format!("Bearer {token}")).body(Body::empty()).unwrap();
            let listed = api.as_nobody().ask(request).await.expect(200);
            let listed: BTreeSet<_> = listed["dags"].as_array().unwrap().iter().map(|dag| dag["dag_id"].as_str().unwrap()).collect();
            ["secret", "closed", "chain"].map(|dag| listed.contains(dag))
        };
        assert_eq!(seen("viewer", "Viewer").await, [true, false, true], "by name");
        assert_eq!(seen("eve", "Viewer").await, [false, false, true]);
        assert_eq!(seen("ada", "Viewer").await, [true, false, true]);
        assert_eq!(seen("user", "User").await, [true, false, true], "by role");
        assert_eq!(seen("op", "Op").await, [true, true, true]);
        assert_eq!(seen("root", "Admin").await, [true, true, true]);
    }
}

both! {
    async fn a_hidden_dag_looks_as_if_there_were_none(api: Api) {
        let text = "dag_id: secret\naccess_control: { ada: [can_read] }\ntasks: [{ id: t }]\n";
        api.w.save("secret.yaml", text, at(0)).await;
        let user = api.as_role(flow_server::Role::User);
        let ask = async |method: &str, path: &str, dag_id: &str| {
            let request = Request::builder().method(Method::from_bytes(method.as_bytes()).unwrap());
            let path = filled(&path.replace("{dag_id}", dag_id));
            let request = request.uri(path).header(header::CONTENT_TYPE, "application/json");
            let answer = user.ask(request.body(Body::from("{}")).unwrap()).await;
            (answer.status.as_u16(), answer.body.to_string().replace(dag_id, "DAG"))
        };
        let mut asked = 0;
        for [method, path, need, _] in rules() {
            if !path.contains("{dag_id}") || need == "Op" {
                continue;
            }
            let (hidden, missing) = (ask(method, path, "secret").await, ask(method, path, "nothing").await);
            assert_eq!(hidden, missing, "{method} {path}");
            assert_eq!(hidden.0, 404, "{method} {path}: {}", hidden.1);
            asked += 1;
        }
        assert!(asked >= 10, "only {asked} routes were asked");
        let ada = flow_server::Who { user: "ada".to_owned(), ..user.who.clone().unwrap() };
        let ada = Api { who: Some(ada), ..user.clone() };
        ada.get("/api/v2/dags/secret").await.expect(200);
        ada.patch("/api/v2/dags/secret", &json!({ "is_paused": true })).await.expect(403);
        let listed = user.get("/api/v2/dags").await.expect(200);
        assert_eq!((&listed["total_entries"], ada.get("/api/v2/dags").await.expect(200)["total_entries"].clone()), (&json!(0), json!(1)));
    }
}

/// The page about access; `UPDATE_EXPECT=1` writes it.
#[test]
fn the_reference_page_is_fresh() {
    let mut page = String::from(include_str!("access_head.txt"));
    let sections = [
        ("anyone", "For anyone"),
        ("Viewer", "From Viewer on"),
        ("User", "From User on"),
        ("Op", "From Op on"),
        ("Admin", "For Admin"),
        ("own", "For everyone who is logged in: their own; for Admin: everyone's"),
    ];
    for (need, heading) in sections {
        page.push_str(&format!("\n## {heading}\n\n| method | address | operation |\n|---|---|---|\n"));
        for [method, path, _, name] in flow_server::rules().filter(|[_, _, of, _]| *of == need) {
            page.push_str(&format!("| {method} | `{path}` | `{name}` |\n"));
        }
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/access.md");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let is_fresh = std::fs::read_to_string(&path).unwrap_or_default() == page;
    assert!(is_fresh, "docs/reference/access.md is not as the table is; run the test with UPDATE_EXPECT=1");
}
