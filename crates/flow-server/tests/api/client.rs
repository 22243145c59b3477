//! A database with DAGs, the router on it, and short words for requests.

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Method, Request, StatusCode, header},
};
use flow_server::{About, App, By, Role, Setting, Who};
use serde_json::Value;
use tower::ServiceExt as _;

use crate::{support::Database, world::World, world::at};

/// Largest answer that a test reads.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The API as someone sees it. The clock stands at 1,000 seconds.
#[derive(Clone)]
pub(crate) struct Api {
    pub w: World,
    pub router: Router,
    pub who: Option<Who>,
}

/// What was answered.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// The body; a string when it is not JSON, null when there is none.
    pub body: Value,
}

impl From<Database> for Api {
    fn from(db: Database) -> Self {
        let w = World::from(db);
        let setting = |section: &str, key: &str, value: &str| Setting {
            section: section.to_owned(),
            key: key.to_owned(),
            value: value.to_owned(),
        };
        let about = About {
            dag_folder: "/dags".to_owned(),
            settings: vec![setting("core", "a", "1"), setting("core", "b", "2"), setting("web", "port", "8080")],
        };
        let app = App {
            store: w.store.clone(),
            dags: w.dags.clone(),
            about: Arc::new(about),
            version: "0.0.0",
            max_infrastructure_retries: 3,
            now: || at(1_000),
        };
        Self { w, router: flow_server::router(app), who: None }.as_role(Role::Admin)
    }
}

impl Api {
    /// Returns the API as someone of this role sees it; their name is the role's in small letters.
    pub(crate) fn as_role(&self, role: Role) -> Self {
        let who = Who { user: role.as_str().to_lowercase(), role, by: By::Process, address: None };
        Self { who: Some(who), ..self.clone() }
    }

    /// Returns the API as it is for someone who has not said who they are.
    pub(crate) fn as_nobody(&self) -> Self {
        Self { who: None, ..self.clone() }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &Value::Null).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, body).await
    }

    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::PATCH, path, body).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, &Value::Null).await
    }

    /// Sends a request; null = no body.
    pub(crate) async fn send(&self, method: Method, path: &str, body: &Value) -> Answer {
        let request = Request::builder().method(method).uri(path);
        let request = if body.is_null() {
            request.body(Body::empty())
        } else {
            request.header(header::CONTENT_TYPE, "application/json").body(Body::from(body.to_string()))
        };
        self.ask(request.unwrap()).await
    }

    /// Sends any request.
    pub(crate) async fn ask(&self, mut request: Request<Body>) -> Answer {
        if let Some(who) = &self.who {
            request.extensions_mut().insert(who.clone());
        }
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, ANSWER_BYTES_MAX).await.unwrap();
        let body = serde_json::from_slice(&bytes).unwrap_or_else(|_| match bytes.is_empty() {
            true => Value::Null,
            false => Value::from(String::from_utf8_lossy(&bytes).into_owned()),
        });
        Answer { status: parts.status, headers: parts.headers, body }
    }
}

impl Answer {
    /// Fails unless this is the status; returns the body.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        self.body
    }
}
