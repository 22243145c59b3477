//! `/events`

#![expect(clippy::print_stdout, reason = "measurements are for whoever reads the test's output")]

use std::time::{Duration, Instant};

use axum::{body::Body, response::Response};
use flow_server::Role;
use flow_store::Event;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::{
    client::{Api, request},
    support::both,
    world::at,
};

/// Whatever is waited for comes sooner.
const LATEST: Duration = Duration::from_secs(20);

/// A stream that is read.
struct Stream {
    body: Body,
    text: String,
}

/// An event as it was sent.
#[derive(Clone, Debug, PartialEq)]
struct Sent {
    id: Option<i64>,
    name: Option<String>,
    data: Value,
}

impl Stream {
    async fn open(api: &Api, path: &str, headers: &[(&str, &str)]) -> Self {
        let response: Response = api.begin(request(path, headers)).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert!(!response.headers().contains_key("content-encoding"), "a compressor would hold events back");
        Self { body: response.into_body(), text: String::new() }
    }

    /// Returns the next event, the greeting and signs of life left out.
    async fn next(&mut self) -> Sent {
        timeout(LATEST, self.wait()).await.expect("in time")
    }

    async fn wait(&mut self) -> Sent {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
                let (id, name, data) = (field("id: "), field("event: "), field("data: "));
                self.text = rest.to_owned();
                if let Some(data) = data {
                    return Sent { id: id.map(|id| id.parse().unwrap()), name, data: data.parse().unwrap() };
                }
                continue;
            }
            let frame = self.body.frame().await.expect("not the end").unwrap();
            self.text.push_str(std::str::from_utf8(frame.data_ref().unwrap()).unwrap());
        }
    }

    /// Returns the numbers in `detail` … of the next events, by their map index.
    async fn indexes(&mut self, count: usize) -> Vec<i64> {
        let mut found = Vec::new();
        while found.len() < count {
            found.push(self.next().await.data["map_index"].as_i64().unwrap());
        }
        found
    }
}

async fn tell(api: &Api, dag_id: &str, indexes: impl IntoIterator<Item = i32>) {
    let event = |index| Event {
        kind: "test",
        dag_id: Some(dag_id.to_owned()),
        run_id: Some("r".to_owned()),
        map_index: Some(index),
        ..Event::default()
    };
    let mut tx = api.w.store.begin().await.unwrap();
    tx.tell(&indexes.into_iter().map(event).collect::<Vec<_>>(), at(7)).await.unwrap();
    tx.commit().await.unwrap();
}

both! {
    async fn a_change_is_told_at_once(api: Api) {
        let api = Api { w: api.w.clone().with_chain().await, ..api };
        let mut stream = Stream::open(&api, "/api/v2/events", &[]).await;
        let row = api.w.trigger("chain", at(3)).await;
        let started = Instant::now();
        let sent = stream.next().await;
        println!("told after {:?}", started.elapsed());
        let expected = json!({
            "kind": "run_state", "dag_id": "chain", "run_id": row.run.run_id.as_str(), "task_id": null, "map_index": null,
            "try_number": null, "state": "queued", "at": "2026-01-01T00:00:03Z"
        });
        assert_eq!((sent.data, sent.name), (expected, None));
        assert_eq!(sent.id, Some(api.w.store.last_event().await.unwrap()));
        api.w.start(row.run.key, at(4)).await;
        loop {
            let data = stream.next().await.data;
            if data["kind"] == "task_state" {
                assert_eq!((&data["task_id"], &data["state"]), (&json!("a"), &json!("scheduled")));
                break;
            }
        }
    }

    async fn a_stream_is_about_what_it_is_asked_for(api: Api) {
        let mut one = Stream::open(&api, "/api/v2/events?dag_id=x&dag_id=y", &[]).await;
        let mut run = Stream::open(&api, "/api/v2/events?dag_run_id=r", &[]).await;
        let mut none = Stream::open(&api, "/api/v2/events?dag_run_id=other&after=0", &[]).await;
        for (dag_id, index) in [("z", 1), ("x", 2), ("y", 3)] {
            tell(&api, dag_id, [index]).await;
        }
        assert_eq!(one.indexes(2).await, [2, 3]);
        assert_eq!(run.indexes(3).await, [1, 2, 3]);
        assert!(timeout(Duration::from_millis(50), none.next()).await.is_err());
        api.get("/api/v2/events?after=x").await.expect(422);
        api.get("/api/v2/events?after=-1").await.expect(422);
    }

    async fn a_stream_goes_on_where_it_broke_off(api: Api) {
        tell(&api, "x", 0..1_200).await;
        let last = api.w.store.last_event().await.unwrap();
        // Postgres may tell some that came before once more; what was missed comes in order.
        let mut stream = Stream::open(&api, "/api/v2/events", &[("last-event-id", &(last - 700).to_string())]).await;
        let mut seen = Vec::new();
        while seen.last() != Some(&1_199) {
            seen.push(stream.next().await.data["map_index"].as_i64().unwrap());
        }
        assert!(seen.ends_with(&(500..1_200).collect::<Vec<_>>()), "{:?}…", &seen[..5]);
        assert!(seen.len() == 700 || !api.w.db.is_sqlite(), "{}", seen.len());
        tell(&api, "x", [7_777]).await;
        assert_eq!(stream.indexes(1).await, [7_777]);
        drop(stream);
        // A header goes before the query: it is what a browser adds when it comes back.
        let path = format!("/api/v2/events?after={}", last - 1_000);
        let mut stream = Stream::open(&api, &path, &[("last-event-id", &(last + 1).to_string())]).await;
        tell(&api, "x", [8_888]).await;
        while stream.indexes(1).await != [8_888] {}
    }

    async fn who_was_away_too_long_loads_anew(api: Api) {
        tell(&api, "x", 0..10_002).await;
        let last = api.w.store.last_event().await.unwrap();
        for after in [last - 10_001, last + 100, i64::MAX] {
            let mut stream = Stream::open(&api, &format!("/api/v2/events?after={after}"), &[]).await;
            assert_eq!(stream.next().await.name.as_deref(), Some("reload"), "{after}");
            tell(&api, "x", [5]).await;
            assert_eq!(stream.indexes(1).await, [5]);
        }
        let mut stream = Stream::open(&api, &format!("/api/v2/events?after={}", u64::MAX), &[]).await;
        assert_eq!(stream.next().await.name.as_deref(), Some("reload"));
        // What was forgotten cannot be told.
        api.w.meddle(&format!("DELETE FROM event WHERE id <= {}", last - 5)).await;
        let mut stream = Stream::open(&api, &format!("/api/v2/events?after={}", last - 9), &[]).await;
        assert_eq!(stream.next().await.name.as_deref(), Some("reload"));
    }

    async fn a_slow_reader_is_not_waited_for(api: Api) {
        let mut slow = Stream::open(&api, "/api/v2/events", &[]).await;
        let mut quick = Stream::open(&api, "/api/v2/events", &[]).await;
        for part in 0..10 {
            tell(&api, "x", part * 500..(part + 1) * 500).await;
            quick.indexes(500).await;
        }
        let mut names = Vec::new();
        while names.last() != Some(&Some("reload".to_owned())) {
            names.push(slow.next().await.name);
        }
        // It is told again from where the others are.
        assert!(slow.next().await.data["map_index"].as_i64().unwrap() > 0);
    }

    async fn streams_are_bounded_for_each_user_and_in_all(api: Api) {
        let mut open = Vec::new();
        for _ in 0..3 {
            open.push(Stream::open(&api, "/api/v2/events", &[]).await);
        }
        api.get("/api/v2/events").await.expect(429);
        for role in [Role::Viewer, Role::User, Role::Op] {
            for _ in 0..3 {
                open.push(Stream::open(&api.as_role(role), "/api/v2/events", &[]).await);
            }
        }
        let mut who = api.clone();
        who.who.as_mut().unwrap().user = "another".to_owned();
        who.get("/api/v2/events").await.expect(429);
        open.truncate(2);
        Stream::open(&who, "/api/v2/events", &[]).await;
    }

    async fn a_stream_shows_what_its_user_may_see_and_ends_with_their_token(api: Api) {
        let text = |who: &str| format!("dag_id: mine\naccess_control: {{ {who}: [can_read] }}\ntasks: [{{ id: t }}]\n");
        api.w.save("mine.yaml", &text("eve"), at(0)).await;
        api.w.save("other.yaml", "dag_id: other\ntasks: [{ id: t }]\n", at(0)).await;
        let mut tokens = Vec::new();
        for name in ["eve", "ada"] {
            tokens.push(format!("Bearer {}", api.token_of(name, "Viewer").await));
        }
        let nobody = api.as_nobody();
        let named = nobody.get_with("/api/v2/events?dag_id=mine", &[("authorization", &tokens[1])]).await;
        named.expect(404);
        let mut eve = Stream::open(&nobody, "/api/v2/events", &[("authorization", &tokens[0])]).await;
        let mut ada = Stream::open(&nobody, "/api/v2/events", &[("authorization", &tokens[1])]).await;
        tell(&api, "mine", [1]).await;
        tell(&api, "other", [2]).await;
        assert_eq!((eve.indexes(2).await, ada.indexes(1).await), (vec![1, 2], vec![2]));
        // From the change of the DAG on it is the other way round.
        api.w.save("mine.yaml", &text("ada"), at(1)).await;
        tell(&api, "mine", [3]).await;
        tell(&api, "other", [4]).await;
        let mut seen = [Vec::new(), Vec::new()];
        for (stream, seen) in [&mut eve, &mut ada].into_iter().zip(&mut seen) {
            while seen.last() != Some(&4) {
                seen.extend(stream.next().await.data["map_index"].as_i64());
            }
        }
        assert_eq!(seen, [vec![4], vec![3, 4]]);
        api.w.meddle("DELETE FROM token").await;
        let end = async { while let Some(frame) = eve.body.frame().await { frame.unwrap(); } };
        timeout(LATEST, end).await.expect("it ends with the token");
    }

    async fn what_nobody_may_know_is_for_operators(api: Api) {
        api.w.save("open.yaml", "dag_id: open\ntasks: [{ id: t }]\n", at(0)).await;
        api.w.save("closed.yaml", "dag_id: closed\naccess_control: {}\ntasks: [{ id: t }]\n", at(0)).await;
        let first = api.w.store.last_event().await.unwrap();
        let path = format!("/api/v2/events?after={first}");
        let mut early = Stream::open(&api.as_role(Role::Viewer), &path, &[]).await;
        tell(&api, "closed", [1]).await;
        let mut tx = api.w.store.begin().await.unwrap();
        tx.tell(&[Event { kind: "login", map_index: Some(2), ..Event::default() }], at(7)).await.unwrap();
        tx.commit().await.unwrap();
        api.delete("/api/v2/dags/closed").await.expect(200);
        tell(&api, "open", [3]).await;
        let of = |data: &Value| data["map_index"].as_i64();
        let mut late = Stream::open(&api.as_role(Role::Viewer), &path, &[]).await;
        for stream in [&mut early, &mut late] {
            loop {
                let data = stream.next().await.data;
                assert_eq!(data["dag_id"], "open", "{data}");
                if of(&data) == Some(3) {
                    break;
                }
            }
        }
        let mut operator = Stream::open(&api.as_role(Role::Op), &path, &[]).await;
        let mut seen = Vec::new();
        while seen.last() != Some(&3) {
            seen.extend(of(&operator.next().await.data));
        }
        assert_eq!(seen, [1, 2, 3]);
        for (role, expected) in [(Role::Viewer, 0), (Role::User, 0), (Role::Op, 1)] {
            let found = api.as_role(role).get("/api/v2/eventLogs?dag_id=closed&event=test").await.expect(200);
            assert_eq!(found["total_entries"], expected, "{role:?}");
        }
    }

    async fn what_is_committed_late_is_told_late(api: Api) {
        if api.w.db.is_sqlite() {
            return;
        }
        tell(&api, "x", [0]).await;
        let insert = |index: i64| {
            format!("BEGIN; INSERT INTO event (at, kind, dag_id, map_index) VALUES (1, 'test', 'x', {index})")
        };
        // One was open before anybody watched, another is opened while somebody does.
        let (mut first, mut second) = (api.w.db.raw().await, api.w.db.raw().await);
        first.run(&insert(1)).await.unwrap();
        tell(&api, "x", [2]).await;
        let mut stream = Stream::open(&api, "/api/v2/events", &[]).await;
        second.run(&insert(3)).await.unwrap();
        tell(&api, "x", [4]).await;
        assert_eq!(stream.indexes(1).await, [4]);
        first.run("COMMIT").await.unwrap();
        let late = stream.next().await;
        assert_eq!((late.data["map_index"].as_i64(), late.id), (Some(1), None), "a late one moves nobody back");
        second.run("COMMIT").await.unwrap();
        assert_eq!(stream.indexes(1).await, [3]);

        // Who comes back is told what was open when they left.
        first.run(&insert(5)).await.unwrap();
        tell(&api, "x", [6]).await;
        assert_eq!(stream.indexes(1).await, [6]);
        let last = api.w.store.last_event().await.unwrap();
        drop(stream);
        first.run("COMMIT").await.unwrap();
        let mut stream = Stream::open(&api, &format!("/api/v2/events?after={last}"), &[]).await;
        while stream.indexes(1).await != [5] {}
    }

    async fn a_large_transaction_that_was_open_before_anybody_watched_is_told(api: Api) {
        if api.w.db.is_sqlite() {
            return;
        }
        let (mut large, mut small) = (api.w.db.raw().await, api.w.db.raw().await);
        let insert = "BEGIN; INSERT INTO event (at, kind, dag_id, map_index)";
        large.run(&format!("{insert} SELECT 1, 'test', 'x', n FROM generate_series(1, 3000) AS g (n)")).await.unwrap();
        // Nothing that can be seen is older than what is open.
        tell(&api, "x", [0]).await;
        let mut stream = Stream::open(&api, "/api/v2/events", &[]).await;
        small.run(&format!("{insert} VALUES (1, 'test', 'x', 3001)")).await.unwrap();
        tell(&api, "x", [3_002]).await;
        assert_eq!(stream.indexes(1).await, [3_002]);
        large.run("COMMIT").await.unwrap();
        assert_eq!(stream.indexes(3_000).await, (1..=3_000).collect::<Vec<_>>());
        small.run("COMMIT").await.unwrap();
        assert_eq!(stream.indexes(1).await, [3_001]);

        // Who left meanwhile is told too, and is moved back by none of it.
        large.run(&format!("{insert} SELECT 1, 'test', 'x', n FROM generate_series(4001, 7000) AS g (n)")).await.unwrap();
        tell(&api, "x", [7_001]).await;
        assert_eq!(stream.indexes(1).await, [7_001]);
        let last = api.w.store.last_event().await.unwrap();
        drop(stream);
        large.run("COMMIT").await.unwrap();
        let mut stream = Stream::open(&api, &format!("/api/v2/events?after={last}"), &[]).await;
        let mut late = 0;
        while late < 3_000 {
            let sent = stream.next().await;
            assert_eq!(sent.id, None);
            late += i32::from((4_001..=7_000).contains(&sent.data["map_index"].as_i64().unwrap()));
        }
    }

    async fn what_is_committed_while_the_past_is_told_is_told(api: Api) {
        if api.w.db.is_sqlite() {
            return;
        }
        tell(&api, "x", [0]).await;
        let (mut first, mut second) = (api.w.db.raw().await, api.w.db.raw().await);
        // The hub looks now and then: in most rounds it has not looked between the two commits.
        for round in 0..10 {
            let last = api.w.store.last_event().await.unwrap();
            let mut stream = Stream::open(&api, &format!("/api/v2/events?after={last}"), &[]).await;
            let insert = |index: i64| {
                format!("BEGIN; INSERT INTO event (at, kind, dag_id, map_index) VALUES (1, 'test', 'x', {index})")
            };
            let (lower, higher) = (100 + round * 2, 101 + round * 2);
            first.run(&insert(lower)).await.unwrap();
            second.run(&format!("{}; COMMIT", insert(higher))).await.unwrap();
            while stream.indexes(1).await != [higher] {}
            first.run("COMMIT").await.unwrap();
            while stream.indexes(1).await != [lower] {}
        }
    }

    async fn what_another_process_does_is_told_too(api: Api) {
        let mut stream = Stream::open(&api, "/api/v2/events", &[]).await;
        let other = api.w.db.another().await;
        let mut tx = other.begin().await.unwrap();
        tx.tell(&[Event { kind: "test", map_index: Some(3), ..Event::default() }], at(1)).await.unwrap();
        tx.commit().await.unwrap();
        let started = Instant::now();
        assert_eq!(stream.indexes(1).await, [3]);
        println!("told after {:?}", started.elapsed());
    }
}
