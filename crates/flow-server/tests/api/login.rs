//! Logging in and out, and what people try instead.

use std::{net::SocketAddr, time::Duration};

use axum::{
    body::Body,
    extract::ConnectInfo,
    http::{Method, Request, header, request::Builder},
};
use flow_server::{AuthConfig, Role};
use serde_json::{Value, json};

use crate::{
    client::{Answer, Api, PASSWORD},
    support::both,
    world::at,
};

/// A browser that is logged in.
#[derive(Clone)]
struct Session {
    api: Api,
    id: String,
    csrf: String,
}

impl Api {
    fn with(&self, config: AuthConfig) -> Self {
        Self::of(self.w.clone(), config)
    }

    async fn send_with(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut request: Builder = Request::builder().method(Method::from_bytes(method.as_bytes()).unwrap()).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.as_nobody().ask(request.body(Body::from(body.to_owned())).unwrap()).await
    }

    async fn log_in(&self, name: &str, password: &str, headers: &[(&str, &str)]) -> Answer {
        let body = json!({ "username": name, "password": password }).to_string();
        self.send_with("POST", "/auth/login", &[headers, &[("content-type", "application/json")]].concat(), &body).await
    }

    async fn session(&self, name: &str) -> Session {
        self.session_with(name, &[]).await
    }

    async fn session_with(&self, name: &str, headers: &[(&str, &str)]) -> Session {
        let answer = self.log_in(name, PASSWORD, headers).await;
        let cookie = |name: &str| cookie(&answer, name).unwrap();
        let (id, csrf) = (cookie("flow_session"), cookie("flow_csrf"));
        assert_eq!(answer.expect(200)["csrf_token"], csrf.as_str());
        Session { api: self.as_nobody(), id, csrf }
    }

    async fn by_token(&self, method: &str, path: &str, token: &str, body: &Value) -> Answer {
        let (bearer, text) = (format!("Bearer {token}"), body.to_string());
        self.send_with(method, path, &[("authorization", &bearer), ("content-type", "application/json")], &text).await
    }

    async fn kinds(&self) -> Vec<(String, String, String)> {
        let events = self.w.store.events_after(0, 1_000).await.unwrap().into_iter();
        events.map(|event| (event.kind, event.who.unwrap_or_default(), event.detail.unwrap_or_default())).collect()
    }
}

impl Session {
    async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        let cookie = format!("flow_session={}; flow_csrf={}", self.id, self.csrf);
        let all = [&[("cookie", cookie.as_str()), ("content-type", "application/json")], headers].concat();
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.api.send_with(method, path, &all, &body).await
    }

    /// Sends a change as our own page does.
    async fn change(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.send(method, path, &[("x-csrf-token", &self.csrf), ("sec-fetch-site", "same-origin")], body).await
    }

    async fn is_good(&self) -> bool {
        let answer = self.send("GET", "/auth/me", &[], &Value::Null).await;
        assert!([200, 401].contains(&answer.status.as_u16()), "{}", answer.body);
        answer.status == 200
    }
}

fn cookies(answer: &Answer) -> Vec<String> {
    answer.headers.get_all(header::SET_COOKIE).iter().map(|value| value.to_str().unwrap().to_owned()).collect()
}

fn cookie(answer: &Answer, name: &str) -> Option<String> {
    let all = cookies(answer);
    let found = all.iter().find_map(|cookie| cookie.strip_prefix(name)?.strip_prefix('=')?.split(';').next());
    found.map(str::to_owned)
}

fn location(answer: &Answer) -> &str {
    answer.headers[header::LOCATION].to_str().unwrap()
}

both! {
    async fn a_session_begins_and_ends(api: Api) {
        api.user("ada", "Op").await;
        let answer = api.log_in("ada", PASSWORD, &[]).await;
        let set = cookies(&answer);
        assert!(set[0].starts_with("flow_session=") && set[0].contains("; HttpOnly; Path=/; SameSite=Lax; Max-Age=604800"), "{set:?}");
        assert!(set[1].starts_with("flow_csrf=") && !set[1].contains("HttpOnly") && !set[1].contains("Secure"), "{set:?}");
        let session = api.session("ada").await;
        let me = session.send("GET", "/auth/me", &[], &Value::Null).await.expect(200);
        assert_eq!(me, json!({ "username": "ada", "role": "Op", "by": "session", "csrf_token": session.csrf }));

        session.send("POST", "/auth/logout", &[], &Value::Null).await.expect(422);
        session.send("POST", "/auth/logout", &[], &json!({})).await.expect(403);
        assert!(session.is_good().await, "not without the CSRF token");
        let answer = session.change("POST", "/auth/logout", &json!({})).await;
        assert!(cookies(&answer).iter().all(|cookie| cookie.contains("Max-Age=0")));
        answer.expect(204);
        assert!(!session.is_good().await, "a copy of the cookie is of no use");
        session.change("POST", "/auth/logout", &json!({})).await.expect(204);
        let told: Vec<_> = api.kinds().await.into_iter().map(|(kind, who, _)| (kind, who)).collect();
        let expected = ["login", "login", "logout"].map(|kind| (kind.to_owned(), "ada".to_owned()));
        assert_eq!(told, expected);
    }

    async fn a_form_logs_in_and_goes_on_within_this_site(api: Api) {
        api.user("ada", "Op").await;
        let form = async |body: &str| {
            let headers = [("content-type", "application/x-www-form-urlencoded"), ("host", "localhost"), ("origin", "http://localhost")];
            api.send_with("POST", "/auth/login", &headers, body).await
        };
        for (next, expected) in [
            ("/dags/a", "/dags/a"), ("", "/"), ("https://evil.example", "/"), ("//evil.example", "/"), ("/\\evil.example", "/"),
            ("%2F%2Fevil.example", "/"), ("/%0D%0ASet-Cookie:%20a=b", "/"), ("javascript:alert(1)", "/"),
        ] {
            let answer = form(&format!("username=ada&password=correct+horse&next={next}")).await;
            assert_eq!((answer.status.as_u16(), location(&answer)), (303, expected), "{next}");
            assert_eq!(cookies(&answer).len(), 2, "{next}");
        }
        let answer = form("username=ada&password=wrong&next=/a%22b").await;
        assert!(cookies(&answer).is_empty());
        assert_eq!(answer.expect(401)["detail"], "the user name or the password is wrong");
        form("username=ada").await.expect(422);
        form("username=%FF&password=x").await;
    }

    async fn the_way_to_the_login_is_checked(api: Api) {
        let nobody = api.as_nobody();
        let answer = nobody.get("/api/v2/auth/login").await;
        assert_eq!((answer.status.as_u16(), location(&answer)), (307, "/login"));
        let answer = nobody.get("/api/v2/auth/login?next=/dags/a%3Fb%3Dc%26d").await;
        assert_eq!((answer.status.as_u16(), location(&answer)), (307, "/login?next=/dags/a%3Fb%3Dc%26d"));
        for next in ["https://evil.example", "//evil.example", "/%5Cevil", "/%0D%0Aa:b", "/%00", "/%C3%A4", &"/x".repeat(2_000)] {
            nobody.get(&format!("/api/v2/auth/login?next={next}")).await.expect(400);
        }
        // A link of another site logs nobody out.
        api.user("ada", "Op").await;
        let session = api.session("ada").await;
        let answer = session.send("GET", "/api/v2/auth/logout", &[("sec-fetch-site", "cross-site")], &Value::Null).await;
        assert_eq!((answer.status.as_u16(), location(&answer)), (307, "/logout"));
        session.send("GET", "/logout", &[("accept", "text/html")], &Value::Null).await.expect(200);
        assert!(session.is_good().await);
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let cookie = format!("flow_session={}", session.id);
        let body = format!("csrf_token={}", session.csrf);
        let all = [&headers[..], &[("cookie", cookie.as_str())]].concat();
        let answer = api.send_with("POST", "/auth/logout", &all, &body).await;
        assert_eq!((answer.status.as_u16(), location(&answer)), (303, "/"));
        assert!(!session.is_good().await);
    }

    async fn a_session_needs_its_own_csrf_token_to_change_something(api: Api) {
        api.user("ada", "Admin").await;
        let (session, other) = (api.session("ada").await, api.session("ada").await);
        let path = "/api/v2/users/ada";
        let body = json!({ "role": "Admin" });
        session.send("PATCH", path, &[], &body).await.expect(403);
        for token in ["", "x", &other.csrf, &session.id, &session.csrf[1..], &session.csrf.to_uppercase()] {
            session.send("PATCH", path, &[("x-csrf-token", token)], &body).await.expect(403);
        }
        let mixed = Session { csrf: other.csrf.clone(), ..session.clone() };
        mixed.change("PATCH", path, &body).await.expect(403);
        session.change("PATCH", path, &body).await.expect(200);
        for headers in [
            &[("sec-fetch-site", "cross-site")][..],
            &[("sec-fetch-site", "same-site")],
            &[("origin", "https://evil.example"), ("host", "localhost")],
            &[("origin", "null"), ("host", "localhost")],
        ] {
            let all = [headers, &[("x-csrf-token", session.csrf.as_str())]].concat();
            session.send("PATCH", path, &all, &body).await.expect(403);
            api.log_in("ada", PASSWORD, headers).await.expect(403);
            session.send("POST", "/auth/logout", &all, &json!({})).await.expect(403);
        }
        let told = api.kinds().await.into_iter().filter(|(kind, ..)| kind == "patch_user").count();
        assert_eq!(told, 1, "what was refused did not happen");
        // Who changes things with a token is no browser.
        let token = api.token_of("eve", "Admin").await;
        let all = [("authorization", &*format!("Bearer {token}")), ("sec-fetch-site", "cross-site"), ("content-type", "application/json")];
        api.send_with("PATCH", path, &all, &body.to_string()).await.expect(200);
        // Nor may a page elsewhere change what everyone may.
        let open = api.with(AuthConfig { anonymous_role: Some(Role::Admin), ..AuthConfig::default() });
        let headers = [("sec-fetch-site", "cross-site"), ("content-type", "application/json")];
        open.send_with("PATCH", path, &headers, &body.to_string()).await.expect(403);
        open.send_with("PATCH", path, &headers[1..], &body.to_string()).await.expect(200);
    }

    async fn a_login_gives_a_new_id_and_ends_the_old_one(api: Api) {
        api.user("ada", "Op").await;
        api.user("eve", "Op").await;
        let fixed = format!("flow_session={}", "A".repeat(43));
        let session = api.session_with("ada", &[("cookie", &fixed)]).await;
        assert_ne!(session.id, "A".repeat(43));
        let again = api.session_with("eve", &[("cookie", &format!("flow_session={}", session.id))]).await;
        assert!(again.id != session.id && again.is_good().await && !session.is_good().await);
        for id in ["", "A", &"A".repeat(43), &"A".repeat(44), &"A".repeat(10_000), &session.csrf, "' OR 1=1 --", "%00"] {
            let forged = Session { id: id.to_owned(), ..session.clone() };
            assert!(!forged.is_good().await, "{id}");
        }
    }

    async fn a_session_ends_with_time_and_silence_and_with_its_user(api: Api) {
        for (name, role) in [("ada", "Admin"), ("eve", "Op")] {
            api.user(name, role).await;
        }
        let session = api.session("eve").await;
        let hour = 3_600_i64 * 1_000_000;
        api.w.meddle(&format!("UPDATE session SET seen_at = seen_at - {}", 12 * hour - 1)).await;
        assert!(session.is_good().await, "used just in time");
        assert_eq!(api.w.count("session", &format!("seen_at = {}", at(1_000).as_micros())).await, 1, "and that counts");
        api.w.meddle(&format!("UPDATE session SET seen_at = seen_at - {}", 12 * hour)).await;
        assert!(!session.is_good().await, "silent for too long");
        let session = api.session("eve").await;
        api.w.meddle(&format!("UPDATE session SET expires_at = {}", at(1_000).as_micros())).await;
        assert!(!session.is_good().await, "over");

        let (session, root) = (api.session("eve").await, api.token_of("root", "Admin").await);
        api.by_token("PATCH", "/api/v2/users/eve", &root, &json!({ "role": "Viewer" })).await.expect(200);
        assert_eq!(session.send("GET", "/auth/me", &[], &Value::Null).await.expect(200)["role"], "Viewer", "at once");
        api.by_token("PATCH", "/api/v2/users/eve", &root, &json!({ "is_active": false })).await.expect(200);
        assert!(!session.is_good().await);
        api.log_in("eve", PASSWORD, &[]).await.expect(401);
        api.by_token("PATCH", "/api/v2/users/eve", &root, &json!({ "is_active": true })).await.expect(200);
        assert!(!session.is_good().await, "it is over for good");
        let session = api.session("eve").await;
        api.by_token("DELETE", "/api/v2/users/eve", &root, &Value::Null).await.expect(204);
        assert!(!session.is_good().await);
        api.log_in("eve", PASSWORD, &[]).await.expect(401);
    }

    async fn everyone_may_change_their_own_password(api: Api) {
        api.user("ada", "Viewer").await;
        let (here, there, token) = (api.session("ada").await, api.session("ada").await, api.token_of("bob", "Viewer").await);
        let mine = api.send_with("POST", "/auth/token", &[("content-type", "application/json")], &json!({ "username": "ada", "password": PASSWORD }).to_string()).await.expect(201);
        let mine = mine["access_token"].as_str().unwrap();
        let change = async |body: Value| here.change("PATCH", "/api/v2/users/ada", &body).await;
        change(json!({ "password": "battery staple" })).await.expect(422);
        change(json!({ "password": "battery staple", "old_password": "wrong" })).await.expect(403);
        change(json!({ "password": "short", "old_password": PASSWORD })).await.expect(422);
        change(json!({ "role": "Admin" })).await.expect(403);
        change(json!({ "is_active": true, "password": "battery staple", "old_password": PASSWORD })).await.expect(403);
        change(json!({ "name": "root" })).await.expect(422);
        here.change("PATCH", "/api/v2/users/bob", &json!({ "password": "battery staple", "old_password": PASSWORD })).await.expect(403);
        here.send("GET", "/api/v2/users/bob", &[], &Value::Null).await.expect(403);
        api.by_token("GET", "/auth/me", mine, &Value::Null).await.expect(200);
        let answer = change(json!({ "password": "battery staple", "old_password": PASSWORD })).await;
        let id = cookie(&answer, "flow_session").unwrap();
        let renewed = Session { id, csrf: cookie(&answer, "flow_csrf").unwrap(), ..here.clone() };
        answer.expect(200);
        assert!(!here.is_good().await && !there.is_good().await && renewed.is_good().await, "a new id");
        renewed.change("POST", "/auth/logout", &json!({})).await.expect(204);
        api.by_token("GET", "/auth/me", mine, &Value::Null).await.expect(401);
        api.by_token("GET", "/auth/me", &token, &Value::Null).await.expect(200);
        api.log_in("ada", PASSWORD, &[]).await.expect(401);
        api.log_in("ada", "battery staple", &[]).await.expect(200);
    }

    async fn tokens_are_got_with_a_password(api: Api) {
        api.user("ada", "Op").await;
        let ask = async |path: &str, body: Value| api.send_with("POST", path, &[("content-type", "application/json")], &body.to_string()).await;
        for (path, seconds) in [("/auth/token", 86_400), ("/auth/token/cli", 3_600)] {
            let body = ask(path, json!({ "username": "ada", "password": PASSWORD })).await.expect(201);
            let token = body["access_token"].as_str().unwrap();
            assert!(token.starts_with("flow_") && token.len() == 48, "{token}");
            let me = api.by_token("GET", "/auth/me", token, &Value::Null).await.expect(200);
            assert_eq!(me, json!({ "username": "ada", "role": "Op", "by": "token", "csrf_token": null }));
            let listed = api.by_token("GET", "/api/v2/tokens?limit=1", token, &Value::Null).await.expect(200);
            let listed = &listed["tokens"][0];
            assert_eq!(listed["prefix"], token[..12]);
            assert_eq!(listed["expires_at"], at(1_000 + seconds).to_string());
            assert_eq!(listed["last_used_at"], at(1_000).to_string());
            assert!(!listed.to_string().contains(token));
        }
        ask("/auth/token", json!({ "username": "ada", "password": PASSWORD, "expires_in": 0 })).await.expect(422);
        ask("/auth/token", json!({ "username": "ada", "password": PASSWORD, "expires_in": 10 })).await.expect(201);
        ask("/auth/token", json!({ "username": "ada" })).await.expect(422);
        ask("/auth/token", json!({ "username": "ada", "password": PASSWORD, "more": 1 })).await.expect(422);
        ask("/auth/token", json!({ "username": "ada\0", "password": "x\0" })).await.expect(401);
        ask("/auth/token", json!({ "username": "Ada", "password": PASSWORD })).await.expect(401);
        ask("/auth/token", json!({ "username": "x".repeat(60_000), "password": "y" })).await.expect(401);
        ask("/auth/token", json!({ "username": "x".repeat(70_000), "password": "y" })).await.expect(413);
        let form = api.send_with("POST", "/auth/token", &[("content-type", "application/x-www-form-urlencoded")], "username=ada&password=correct+horse").await;
        form.expect(201);
        api.as_nobody().get("/auth/token").await.expect(401);
        let events = api.kinds().await;
        assert!(events.iter().all(|(_, who, detail)| who.len() <= 100 && !detail.contains(PASSWORD)), "{events:?}");
        let rows = api.w.count("token", "hash LIKE '%flow_%'").await;
        assert_eq!(rows, 0, "no secret is kept");
    }

    async fn only_the_whole_secret_is_a_token(api: Api) {
        let token = api.token_of("ada", "Admin").await;
        let eve = api.token_of("eve", "Viewer").await;
        let other = "flow_".to_owned() + &"A".repeat(43);
        let mut last = token.clone().into_bytes();
        *last.last_mut().unwrap() ^= 1;
        let near = String::from_utf8(last).unwrap();
        for wrong in [
            "", "flow_", &token[..47], &format!("{token}A"), &token[5..], &token.to_uppercase(), &other, &near, "1", "null",
            "flow_anonymous", "' OR '1'='1", &"A".repeat(20_000), &format!("{token} {token}"), &format!("{token},{token}"),
        ] {
            api.by_token("GET", "/auth/me", wrong, &Value::Null).await.expect(401);
        }
        for header in [format!("Basic {token}"), token.clone(), format!("Bearer\t{token}"), "Bearer".to_owned(), "Basic YWRhOmNvcnJlY3QgaG9yc2U=".to_owned()] {
            let answer = api.send_with("GET", "/auth/me", &[("authorization", &header)], "").await;
            assert_eq!(answer.headers[header::WWW_AUTHENTICATE], "Bearer");
            answer.expect(401);
        }
        let bearer = format!("Bearer {token}");
        api.send_with("GET", "/auth/me", &[("authorization", &bearer), ("authorization", &bearer)], "").await.expect(401);
        api.send_with("GET", "/auth/me", &[("authorization", &format!("bearer {token}"))], "").await.expect(200);
        api.as_nobody().get(&format!("/auth/me?access_token={token}")).await.expect(401);
        // A wrong token is not made good by a good session.
        let session = api.session("ada").await;
        session.send("GET", "/auth/me", &[("authorization", "Bearer x")], &Value::Null).await.expect(401);

        // Others' tokens are nobody's business, whatever their number.
        let id = api.by_token("GET", "/api/v2/tokens?username=ada", &token, &Value::Null).await.expect(200)["tokens"][0]["id"].as_i64().unwrap();
        for id in [id.to_string(), "0".to_owned(), "-1".to_owned(), i64::MAX.to_string()] {
            api.by_token("GET", &format!("/api/v2/tokens/{id}"), &eve, &Value::Null).await.expect(404);
            api.by_token("DELETE", &format!("/api/v2/tokens/{id}"), &eve, &Value::Null).await.expect(404);
        }
        for id in ["x", "1%2f..", "99999999999999999999", "1%00"] {
            api.by_token("GET", &format!("/api/v2/tokens/{id}"), &eve, &Value::Null).await.expect(422);
        }
        api.by_token("GET", "/api/v2/tokens?username=ada", &eve, &Value::Null).await.expect(403);
        api.by_token("POST", "/api/v2/tokens", &eve, &json!({ "name": "x", "username": "ada" })).await.expect(403);
        assert_eq!(api.by_token("GET", "/api/v2/tokens", &eve, &Value::Null).await.expect(200)["total_entries"], 1);
        assert_eq!(api.by_token("GET", "/api/v2/tokens", &token, &Value::Null).await.expect(200)["total_entries"], 2);

        let made = api.by_token("POST", "/api/v2/tokens", &eve, &json!({ "name": "ci", "expires_in": 60 })).await.expect(201);
        let secret = made["access_token"].as_str().unwrap();
        assert_eq!((&made["username"], &made["expires_at"]), (&json!("eve"), &json!(at(1_060).to_string())));
        api.by_token("GET", "/auth/me", secret, &Value::Null).await.expect(200);
        api.by_token("DELETE", &format!("/api/v2/tokens/{}", made["id"]), &eve, &Value::Null).await.expect(204);
        api.by_token("GET", "/auth/me", secret, &Value::Null).await.expect(401);
        api.w.meddle(&format!("UPDATE token SET expires_at = {}", at(1_000).as_micros())).await;
        api.by_token("GET", "/auth/me", &token, &Value::Null).await.expect(401);
        for body in [json!({ "name": "" }), json!({ "name": "a\nb" }), json!({ "name": "x", "expires_in": -1 }), json!({})] {
            api.as_role(Role::Admin).post("/api/v2/tokens", &body).await.expect(422);
        }
    }

    async fn users_are_looked_after_by_admins(api: Api) {
        let token = api.token_of("root", "Admin").await;
        let ask = async |method: &str, path: &str, body: Value| api.by_token(method, path, &token, &body).await;
        let ada = json!({ "username": "ada", "role": "User", "password": "battery staple" });
        let made = ask("POST", "/api/v2/users", ada.clone()).await.expect(201);
        assert_eq!(made, json!({ "username": "ada", "role": "User", "is_active": true, "created_at": at(1_000).to_string(), "last_login_at": null }));
        ask("POST", "/api/v2/users", ada.clone()).await.expect(409);
        for (key, value) in [("username", "a b"), ("username", "Viewer"), ("username", ""), ("role", "Root"), ("password", "short")] {
            let mut body = ada.clone();
            body[key] = value.into();
            ask("POST", "/api/v2/users", body).await.expect(422);
        }
        assert_eq!(ask("GET", "/api/v2/users?order_by=-username&limit=1", Value::Null).await.expect(200)["users"][0]["username"], "root");
        assert_eq!(ask("GET", "/api/v2/users?username_pattern=AD", Value::Null).await.expect(200)["total_entries"], 1);
        ask("GET", "/api/v2/users?order_by=password", Value::Null).await.expect(400);
        ask("PATCH", "/api/v2/users/root", json!({ "role": "Op" })).await.expect(409);
        ask("PATCH", "/api/v2/users/root", json!({ "is_active": false })).await.expect(409);
        ask("DELETE", "/api/v2/users/root", Value::Null).await.expect(409);
        ask("PATCH", "/api/v2/users/ada", json!({ "role": "Op", "password": "another one" })).await.expect(200);
        api.log_in("ada", "another one", &[]).await.expect(200);
        assert_eq!(ask("GET", "/api/v2/users/ada", Value::Null).await.expect(200)["last_login_at"], at(1_000).to_string());
        ask("DELETE", "/api/v2/users/ada", Value::Null).await.expect(204);
        ask("GET", "/api/v2/users/ada", Value::Null).await.expect(404);
        for name in ["..%2fada", "%F0%9F%98%80", &"x".repeat(5_000), "a%0d%0ab"] {
            ask("GET", &format!("/api/v2/users/{name}"), Value::Null).await.expect(404);
            ask("DELETE", &format!("/api/v2/users/{name}"), Value::Null).await.expect(404);
        }
        ask("GET", "/api/v2/users/%FF", Value::Null).await.expect(422);
        ask("GET", "/api/v2/users/a%00b", Value::Null).await.expect(422);
        let told: Vec<_> = api.kinds().await.into_iter().filter(|(kind, ..)| kind.starts_with("user_")).map(|(kind, who, detail)| format!("{who} {kind} {detail}")).collect();
        assert_eq!(told, ["root user_created ada: as User", "root user_changed ada: Op, password", "root user_deleted ada"]);
        assert!(api.kinds().await.iter().all(|(.., detail)| detail.len() < 1_200));
    }

    async fn guessing_is_slowed_down(api: Api) {
        for name in ["ada", "eve"] {
            api.user(name, "Op").await;
        }
        let from = async |address: &str, name: &str, password: &str| {
            let body = json!({ "username": name, "password": password }).to_string();
            let mut request = Request::post("/auth/token").header("content-type", "application/json").body(Body::from(body)).unwrap();
            request.extensions_mut().insert(ConnectInfo(SocketAddr::new(address.parse().unwrap(), 1)));
            api.as_nobody().ask(request).await
        };
        for number in 0..6 {
            from(&format!("10.0.0.{number}"), "ada", "wrong").await.expect(401);
        }
        let answer = from("10.0.0.99", "ada", PASSWORD).await;
        assert_eq!(answer.headers[header::RETRY_AFTER], "1");
        answer.expect(429);
        from("10.0.0.99", "ADA", PASSWORD).await.expect(429);
        from("10.0.0.99", "eve", PASSWORD).await.expect(201);
        for number in 0..21 {
            from("10.0.1.1", &format!("user{number}"), "wrong").await.expect(401);
        }
        from("10.0.1.1", "eve", PASSWORD).await.expect(429);
        from("10.0.1.2", "eve", PASSWORD).await.expect(201);
        let failed: Vec<_> = api.kinds().await.into_iter().filter(|(kind, ..)| kind == "login_failed").collect();
        assert_eq!(failed.len(), 27, "those that were not tried are not told");
        assert_eq!((failed[0].1.as_str(), failed[0].2.as_str()), ("ada", "from 10.0.0.0"));
        for _ in 0..200 {
            api.by_token("GET", "/auth/me", "flow_x", &Value::Null).await.expect(401);
        }
        api.by_token("GET", "/auth/me", "flow_x", &Value::Null).await.expect(429);
        let unknown = "flow_".to_owned() + &"A".repeat(43);
        api.by_token("GET", "/auth/me", &unknown, &Value::Null).await.expect(429);
        let good = api.token_of("bob", "Viewer").await;
        api.by_token("GET", "/auth/me", &good, &Value::Null).await.expect(200);
        for _ in 0..6 {
            from("10.0.2.1", "bob", "wrong").await.expect(401);
        }
        from("10.0.2.1", "bob", PASSWORD).await.expect(429);
        from("10.0.2.2", "bob", PASSWORD).await.expect(201);
    }

    async fn a_proxy_is_believed_when_it_is_named(api: Api) {
        api.user("ada", "Op").await;
        let config = AuthConfig {
            trusted_proxies: vec!["10.0.0.1".parse().unwrap()],
            allowed_hosts: vec!["flow.example".to_owned()],
            session_idle: Duration::from_secs(60),
            ..AuthConfig::default()
        };
        let behind = api.with(config);
        let log_in = async |peer: &str| {
            let body = json!({ "username": "ada", "password": PASSWORD }).to_string();
            let request = Request::post("/auth/login")
                .header("content-type", "application/json")
                .header("host", "flow.example")
                .header("origin", "https://flow.example")
                .header("x-forwarded-proto", "https")
                .header("x-forwarded-for", "192.0.2.7");
            let mut request = request.body(Body::from(body)).unwrap();
            request.extensions_mut().insert(ConnectInfo(SocketAddr::new(peer.parse().unwrap(), 1)));
            behind.ask(request).await
        };
        let answer = log_in("10.0.0.1").await;
        assert!(cookies(&answer).iter().all(|cookie| cookie.ends_with("; Secure")), "{:?}", cookies(&answer));
        let answer = log_in("10.0.0.2").await;
        assert!(cookies(&answer).iter().all(|cookie| !cookie.contains("Secure")));
        let told: Vec<_> = api.kinds().await.into_iter().map(|(.., detail)| detail).collect();
        assert_eq!(told, ["from 192.0.2.7", "from 10.0.0.2"]);
    }

    async fn a_page_elsewhere_cannot_borrow_the_name_of_this_server(api: Api) {
        let host = async |host: &str| api.send_with("GET", "/api/v2/version", &[("host", host)], "").await.status.as_u16();
        assert_eq!((host("localhost:8080").await, host("127.0.0.1:8080").await, host("evil.example:8080").await), (200, 200, 421));
        let answer = api.send_with("GET", "/", &[("host", "evil.example")], "").await;
        assert!(answer.headers.contains_key(header::CONTENT_SECURITY_POLICY));
        answer.expect(421);
    }

    async fn answers_are_not_kept_nor_framed(api: Api) {
        for (path, keep) in [("/", "no-cache"), ("/api/v2/version", "no-store"), ("/nothing", "no-store"), ("/api/v2/users", "no-store")] {
            let answer = api.as_nobody().get(path).await;
            for (name, value) in [("cache-control", keep), ("x-frame-options", "DENY"), ("x-content-type-options", "nosniff")] {
                assert_eq!(answer.headers[name], value, "{path}");
            }
            let policy = answer.headers["content-security-policy"].to_str().unwrap();
            assert!(policy.contains("default-src 'self'") && policy.contains("form-action 'self'") && !policy.contains("script-src"), "{policy}");
        }
    }

    async fn the_first_admin_is_made_once_and_its_password_is_kept_first(api: Api) {
        let failed = flow_server::make_first_admin(&api.w.store, at(1), |_| Err(std::io::ErrorKind::StorageFull.into())).await;
        assert!(failed.is_err() && !api.w.store.has_users().await.unwrap(), "without a password nobody could log in");
        let mut kept = String::new();
        let keep = |password: &str| {
            kept = password.to_owned();
            Ok(())
        };
        let made = flow_server::make_first_admin(&api.w.store, at(1), keep).await.unwrap().unwrap();
        assert_eq!(made, kept);
        let me = api.log_in("admin", &made, &[]).await.expect(200);
        assert_eq!(me["role"], "Admin");
        let again = flow_server::make_first_admin(&api.w.store, at(1), |_| panic!("there is one")).await.unwrap();
        assert_eq!(again, None);
    }
}
