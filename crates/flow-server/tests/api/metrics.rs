//! What Prometheus reads, and who may.

use flow_server::Role;

use crate::{client::Api, support::both};

both! {
    async fn metrics_are_for_op_or_for_everyone_when_the_setting_says_so(api: Api) {
        api.as_nobody().get("/metrics").await.expect(401);
        api.as_role(Role::User).get("/metrics").await.expect(403);
        api.as_role(Role::Op).get("/metrics").await.expect(200);
        let open = api.with_open_metrics().as_nobody();
        open.get("/api/v2/dags").await.expect(401);
        for method in ["INVENTED", "ANOTHER"] {
            let request = axum::http::Request::builder().method(method).uri("/api/v2/dags").body(axum::body::Body::empty());
            api.ask(request.unwrap()).await.expect(404);
        }
        let body = open.get("/metrics").await.expect(200);
        let text = body.as_str().unwrap();
        let refused = "flow_http_requests_total{method=\"GET\",route=\"/metrics\",status=\"401\"} 1";
        assert!(text.lines().any(|line| line == refused), "{text}");
        assert!(!text.contains("INVENTED") && !text.contains("ANOTHER"), "{text}");
        assert!(text.contains("# TYPE flow_http_request_duration_seconds histogram"), "{text}");
    }

    async fn whoever_starts_processes_hears_whether_they_answer_and_can_work(api: Api) {
        let nobody = api.as_nobody();
        for path in ["/livez", "/readyz"] {
            assert_eq!(nobody.get(path).await.expect(200).as_str(), Some("ok\n"));
        }
        api.app.store.close().await;
        nobody.get("/livez").await.expect(200);
        let refused = nobody.get("/readyz").await.expect(503);
        assert!(refused["detail"].as_str().unwrap().contains("the database does not answer"), "{refused}");
    }
}
