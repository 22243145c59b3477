//! What measuring costs: the same work with metrics on and off, by turns.

use std::net::UdpSocket;

use crate::{
    Bench,
    flow::{Flow, Home},
    report::{Figure, Target},
    work::tasks::{GATE, MANY, RUNS, dag, loose},
};

/// 5,000 tasks that only a worker takes, then 5,000 that are only marks: with both ways out open, and with none.
pub(crate) async fn metrics(bench: &mut Bench, home: &Home) -> anyhow::Result<()> {
    // Somebody listens, so that the system has to carry every datagram there.
    let statsd = UdpSocket::bind("127.0.0.1:0")?;
    let port = statsd.local_addr()?.port().to_string();
    std::thread::spawn(move || {
        let mut buffer = [0; 2_048];
        while statsd.recv(&mut buffer).is_ok() {}
    });
    let on = [
        ("FLOW__METRICS__STATSD_ON", "true"),
        ("FLOW__METRICS__STATSD_HOST", "127.0.0.1"),
        ("FLOW__METRICS__STATSD_PORT", port.as_str()),
    ];
    let off_home = Home::new(&bench.database).await?;
    for home in [home, &off_home] {
        home.write("gates", &dag("gates", &loose(MANY / RUNS, GATE)))?;
        home.write("marks", &dag("marks", &loose(MANY / RUNS, "uses: empty")))?;
    }
    let with = home.start_with(&on).await?;
    let without = off_home.start_with(&[("FLOW__METRICS__PROMETHEUS", "false")]).await?;
    for (dag_id, name) in [("gates", "`short_circuit`"), ("marks", "`empty`")] {
        bench.say(&format!("what metrics cost: {MANY} {name}, {RUNS} runs"));
        with.knows(dag_id).await?;
        without.knows(dag_id).await?;
        let (mut times, mut processor) = (Vec::new(), Vec::new());
        for turn in 0..bench.repeats {
            let more = cost(&with, &without, dag_id, turn % 2 == 0).await?;
            times.push(more.time);
            processor.push(more.processor);
        }
        for (kind, samples, target) in [("time", times, Some(Target::AtMost(2.0))), ("processor time", processor, None)]
        {
            bench.note(Figure {
                workload: "metrics",
                what: format!("{MANY} {name}, {RUNS} runs: more {kind} with metrics"),
                database: bench.database.name(),
                unit: "%",
                samples,
                bare: None,
                target,
            });
        }
    }
    with.stop().await?;
    without.stop().await?;
    off_home.place.leave().await
}

/// What a turn took more with metrics, in parts of a hundred.
struct More {
    time: f64,
    processor: f64,
}

/// Has both do the same work. Who goes first changes from turn to turn.
async fn cost(with: &Flow, without: &Flow, dag_id: &str, is_first: bool) -> anyhow::Result<More> {
    let mut took = [(0.0, 0.0); 2];
    for at in if is_first { [0, 1] } else { [1, 0] } {
        let flow = [with, without][at];
        let before = flow.processor_time()?;
        let time = flow.burst(dag_id, RUNS).await?;
        took[at] = (time, flow.processor_time()? - before);
    }
    let more = |with: f64, without: f64| (with / without - 1.0) * 100.0;
    Ok(More { time: more(took[0].0, took[1].0), processor: more(took[0].1, took[1].1) })
}
