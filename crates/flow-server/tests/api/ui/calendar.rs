//! The calendar.

use flow_core::Timestamp;
use flow_server::Role;
use serde_json::{Value, json};

use super::{SECRET, each, run_at};
use crate::{client::Api, support::both, world::at};

/// At 23:30 in Berlin, which is 22:30 in UTC.
const LATE: &str = "
dag_id: late
schedule: 30 23 * * *
timezone: Europe/Berlin
start_date: 2025-12-29
catchup: true
tasks: [{ id: t, uses: work }]
";

fn moment(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).unwrap()
}

/// Returns the days of an answer: date, runs by state, planned.
async fn days(api: &Api, dag_id: &str, query: &str) -> Vec<(String, Value, u64)> {
    let calendar = api.get(&format!("/ui/dags/{dag_id}/calendar?{query}")).await.expect(200);
    assert_eq!(calendar["is_complete"], true, "{calendar}");
    let days = calendar["days"].as_array().unwrap().iter();
    days.map(|day| (day["date"].as_str().unwrap().to_owned(), day["states"].clone(), day["planned"].as_u64().unwrap()))
        .collect()
}

fn states(success: u32, failed: u32, running: u32, queued: u32) -> Value {
    json!({ "success": success, "failed": failed, "running": running, "queued": queued })
}

both! {
    async fn runs_are_counted_by_the_day_on_which_they_were_due(api: Api) {
        api.w.save("s.yaml", SECRET, at(0)).await;
        for (run_id, due) in [
            ("a", "2026-03-28T22:59:59.999999Z"),
            ("b", "2026-03-28T23:00:00Z"),
            ("c", "2026-03-29T12:00:00Z"),
            ("d", "2026-03-29T21:59:59Z"),
            ("e", "2026-03-29T22:00:00Z"),
        ] {
            run_at(&api, "secret", run_id, moment(due)).await;
        }
        for (run_id, state) in [("a", "success"), ("b", "failed"), ("c", "success")] {
            let mark = json!({ "action": "mark", "state": state });
            api.post(&format!("/ui/dags/secret/dagRuns/{run_id}/edit"), &mark).await.expect(200);
        }
        let march = "from=2026-03-01&to=2026-03-31";
        let day = |date: &str, states: Value| (date.to_owned(), states, 0);
        assert_eq!(days(&api, "secret", march).await, [
            day("2026-03-28", states(1, 1, 0, 0)),
            day("2026-03-29", states(1, 0, 0, 2)),
        ]);
        // The day on which clocks are put forward has 23 hours.
        assert_eq!(days(&api, "secret", &format!("{march}&timezone=Europe/Berlin")).await, [
            day("2026-03-28", states(1, 0, 0, 0)),
            day("2026-03-29", states(1, 1, 0, 1)),
            day("2026-03-30", states(0, 0, 0, 1)),
        ]);
        assert_eq!(days(&api, "secret", "from=2026-03-30").await, []);
        assert_eq!(days(&api, "secret", "to=2026-03-28").await, [day("2026-03-28", states(1, 1, 0, 0))]);
    }

    async fn what_the_timetable_will_make_is_planned(api: Api) {
        api.w.save("late.yaml", LATE, at(0)).await;
        // Now is 2026-01-01T00:16:40Z: three runs are due, and none is made yet.
        let planned = days(&api, "late", "from=2025-12-01&to=2026-01-03&timezone=Europe/Berlin").await;
        let expected: Vec<_> = ["2025-12-29", "2025-12-30", "2025-12-31", "2026-01-01", "2026-01-02", "2026-01-03"]
            .map(|date| (date.to_owned(), states(0, 0, 0, 0), 1)).into();
        assert_eq!(planned, expected);
        // No further than a year from now.
        let far = days(&api, "late", "from=2026-12-31&to=2027-12-31").await;
        assert_eq!(far.iter().map(|(date, ..)| date.as_str()).collect::<Vec<_>>(), ["2026-12-31", "2027-01-01"]);
        assert_eq!(days(&api, "late", "").await.len(), 4, "the year up to today");
        api.patch("/api/v2/dags/late", &json!({ "is_paused": true })).await.expect(200);
        assert_eq!(days(&api, "late", "from=2025-12-01&to=2026-01-03").await, []);
    }

    async fn a_plan_without_end_is_cut_and_says_so(api: Api) {
        let often = LATE.replace("30 23 * * *", "'* * * * *'").replace("catchup: true", "catchup: false");
        api.w.save("late.yaml", &often, at(0)).await;
        let calendar = api.get("/ui/dags/late/calendar?from=2026-01-01&to=2026-12-31").await.expect(200);
        assert_eq!(calendar["is_complete"], false);
        let planned: u64 = each(&calendar["days"], "planned").into_iter().map(|number| number.as_u64().unwrap()).sum();
        assert_eq!(planned, 10_000);
    }

    async fn what_makes_no_sense_is_refused(api: Api) {
        api.w.save("s.yaml", SECRET, at(0)).await;
        for (query, place) in [
            ("from=2026-02-30", "from"),
            ("from=x", "from"),
            ("to=2026-1-1", "to"),
            ("from=-009999-01-01", "from"),
            ("from=2026-01-02&to=2026-01-01", "to"),
            ("from=2026-01-01&to=2027-01-02", "to"),
            ("timezone=Mars/Olympus", "timezone"),
            ("timezone=%2B02:00", "timezone"),
        ] {
            let refused = api.get(&format!("/ui/dags/secret/calendar?{query}")).await;
            assert_eq!(refused.body["detail"][0]["loc"], json!(["query", place]), "{query}: {refused:?}");
            refused.expect(422);
        }
        // The ends of time.
        for query in ["from=0001-01-01&to=0001-12-31", "from=9999-12-31", "to=0001-01-01", "to=9999-12-31&timezone=Asia/Tokyo"] {
            assert_eq!(days(&api, "secret", query).await, []);
        }
        api.get("/ui/dags/none/calendar").await.expect(404);
        api.as_role(Role::Viewer).get("/ui/dags/secret/calendar").await.expect(404);
        api.as_nobody().get("/ui/dags/secret/calendar").await.expect(401);
    }
}
