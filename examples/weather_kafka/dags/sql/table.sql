CREATE TABLE IF NOT EXISTS extreme_readings (
    station text NOT NULL,
    measured_at timestamptz NOT NULL,
    temperature numeric(5, 1) NOT NULL,
    kind text NOT NULL,
    PRIMARY KEY (station, measured_at)
)
