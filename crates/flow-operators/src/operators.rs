//! The operators, one file each. A new one needs its file, its line here, and its line in [`crate::all`].

pub mod bash;
pub mod bash_sensor;
pub mod branch;
pub mod branch_datetime;
pub mod branch_day_of_week;
pub mod datetime_sensor;
pub mod day_of_week_sensor;
pub mod empty;
pub mod external_task_sensor;
pub mod file_sensor;
pub mod kafka_consume;
pub mod kafka_produce;
pub mod kafka_sensor;
pub mod kafka_stream;
pub mod kafka_to_sql;
pub mod kafka_topic;
pub mod latest_only;
pub mod python;
pub mod short_circuit;
pub mod time_delta_sensor;
pub mod time_sensor;
pub mod trigger_dag;
pub mod wait;
