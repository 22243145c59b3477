//! `examples/weather_kafka`: readings through Kafka into Postgres, each of them once.

use serde_json::{Value, json};

use crate::{
    bench::{Pipeline, Warehouse},
    broker::Broker,
};

const DAG: &str = "weather_kafka";

/// What the stations of the example measure in an hour, and which of it is extreme: station, kind, how often.
fn extremes() -> Vec<String> {
    let stations = [("oslo", -4, 1), ("berlin", 11, 3), ("cairo", 29, 5), ("quito", 17, 7)];
    let mut found = Vec::new();
    for (station, mean, at) in stations {
        let readings: Vec<i32> = (0..60).map(|minute| mean + (minute * 37 + at * 11) % 23 - 11).collect();
        let frost = readings.iter().filter(|celsius| **celsius < -10).count();
        let heat = readings.iter().filter(|celsius| **celsius > 35).count();
        found.extend((frost > 0).then(|| format!("{station} frost {frost}")));
        found.extend((heat > 0).then(|| format!("{station} heat {heat}")));
    }
    found.sort();
    found
}

#[test]
fn extreme_readings_are_in_the_table_once_however_often_they_are_sent() {
    let test = "extreme_readings_are_in_the_table_once_however_often_they_are_sent";
    let (Some(warehouse), Some(broker)) = (Warehouse::postgres(test), Broker::find(test)) else { return };
    let pipeline = Pipeline::start(DAG, &[("kafka_default", &broker.uri), ("warehouse", &warehouse.uri)]);
    let (raw, extreme) = (broker.topic("raw"), broker.topic("extreme"));
    let folder = pipeline.flow.folder().join("data");
    let hour = |hour: u32| {
        json!({
            "dag_run_id": format!("hour_{hour}"),
            "logical_date": format!("2026-02-01T{hour:02}:00:00Z"),
            "conf": { "folder": folder, "raw_topic": raw, "extremes_topic": extreme },
        })
    };
    for number in [5, 7] {
        pipeline.succeeds(DAG, &hour(number));
    }
    pipeline.again(DAG, "hour_5");
    let of_hour = |hour: u32| {
        warehouse.column(&format!(
            "SELECT station || ' ' || kind || ' ' || count(*) FROM extreme_readings
             WHERE measured_at >= '2026-02-01T{hour:02}:00:00Z' AND measured_at < '2026-02-01T{:02}:00:00Z'
             GROUP BY station, kind ORDER BY 1",
            hour + 1
        ))
    };
    assert!(extremes().len() >= 2, "{:?}", extremes());
    assert_eq!((of_hour(5), of_hour(7)), (extremes(), extremes()));
    assert_eq!(of_hour(6), Vec::<String>::new());

    // In Kafka they are there as often as they were sent, those of a station in one partition.
    let sent = broker.messages(&raw);
    assert_eq!(sent.len(), 3 * 240);
    for station in ["oslo", "berlin", "cairo", "quito"] {
        let of_it: Vec<&Value> = sent.iter().filter(|message| message["key"] == station).collect();
        assert!(of_it.len() == 180 && of_it.iter().all(|message| message["partition"] == of_it[0]["partition"]));
    }
    let kept = broker.messages(&extreme);
    let counts =
        extremes().iter().map(|line| line.rsplit_once(' ').unwrap().1.parse::<usize>().unwrap()).sum::<usize>();
    assert_eq!(kept.len(), 3 * counts);
    assert!(kept.iter().all(|message| ["frost", "heat"].contains(&message["value"]["kind"].as_str().unwrap())));
}
