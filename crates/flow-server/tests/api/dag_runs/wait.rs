//! Waiting for a run.

use axum::{
    body::{Body, BodyDataStream},
    http::{Request, StatusCode},
};
use flow_core::{Outcome, RunState};
use flow_store::Report;
use futures_util::StreamExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::RUNS;
use crate::{
    client::{Api, request},
    support::both,
    world::{at, report},
};

/// Begins to wait, and returns the lines as they come.
async fn begin(api: &Api, query: &str) -> BodyDataStream {
    let mut request = Request::get(format!("{RUNS}/r1/wait?{query}")).body(Body::empty()).unwrap();
    request.extensions_mut().insert(api.who.clone().unwrap());
    let response = api.router.clone().oneshot(request).await.unwrap();
    assert_eq!(
        (response.status(), &response.headers()["content-type"]),
        (StatusCode::OK, &"application/x-ndjson".parse().unwrap())
    );
    response.into_body().into_data_stream()
}

async fn next(lines: &mut BodyDataStream) -> Option<Value> {
    let line = lines.next().await?.unwrap();
    assert_eq!(line.last(), Some(&b'\n'));
    Some(serde_json::from_slice(&line).unwrap())
}

both! {
    async fn the_end_of_a_run_ends_the_wait(api: Api) {
        let api = api.with_runs(1).await;
        let run = api.w.store.run("chain", "r1").await.unwrap().unwrap().run.key;
        let mut lines = begin(&api, "interval=3600&result=a&result=b&result=nobody").await;
        assert_eq!(next(&mut lines).await, Some(json!({ "state": "queued" })));
        for claimed in api.w.running(run, "w1", at(5)).await {
            let xcoms = vec![("return_value".to_owned(), json!({ "rows": 7 }))];
            assert!(api.w.finish(Report { xcoms, ..report(&claimed, Outcome::Success, at(6)) }).await);
        }
        api.w.decide(run, at(7)).await;
        api.end("r1", RunState::Success, 9).await;
        assert_eq!(next(&mut lines).await, Some(json!({ "state": "success", "results": { "a": { "rows": 7 } } })));
        assert_eq!(next(&mut lines).await, None);
    }

    async fn a_line_is_written_at_each_interval(api: Api) {
        let api = api.with_runs(1).await;
        let mut lines = begin(&api, "interval=0.000001").await;
        for _ in 0..3 {
            assert_eq!(next(&mut lines).await, Some(json!({ "state": "queued" })));
        }
        // Someone deletes it: there is nothing more to say.
        api.delete(&format!("{RUNS}/r1")).await.expect(204);
        assert_eq!(next(&mut lines).await, None);
    }

    async fn a_wait_is_a_stream_and_ends_with_its_user(api: Api) {
        let api = api.with_runs(1).await;
        let mut open = Vec::new();
        for _ in 0..3 {
            open.push(begin(&api, "interval=3600").await);
        }
        api.get(&format!("{RUNS}/r1/wait?interval=3600")).await.expect(429);
        api.get("/api/v2/events").await.expect(429);
        drop(open);
        let token = format!("Bearer {}", api.token_of("eve", "Viewer").await);
        let path = format!("{RUNS}/r1/wait?interval=3600");
        let response = api.as_nobody().begin(request(&path, &[("authorization", &token)])).await;
        let mut lines = response.into_body().into_data_stream();
        assert_eq!(next(&mut lines).await, Some(json!({ "state": "queued" })));
        api.w.meddle("DELETE FROM token").await;
        let end = tokio::time::timeout(std::time::Duration::from_secs(20), next(&mut lines)).await;
        assert_eq!(end.expect("it ends with the token"), None);
    }

    async fn what_cannot_be_waited_for(api: Api) {
        let api = api.with_runs(1).await;
        for query in ["", "interval=0", "interval=-1", "interval=NaN", "interval=x"] {
            api.get(&format!("{RUNS}/r1/wait?{query}")).await.expect(422);
        }
        api.get(&format!("{RUNS}/r7/wait?interval=1")).await.expect(404);
        api.end("r1", RunState::Success, 9).await;
        assert_eq!(api.get(&format!("{RUNS}/r1/wait?interval=inf&result=a")).await.expect(200), json!({ "state": "success" }));
    }
}
