CREATE TABLE IF NOT EXISTS events (
    event_id bigint PRIMARY KEY,
    happened_at timestamptz NOT NULL,
    kind text NOT NULL,
    customer text NOT NULL,
    amount numeric(12, 2) NOT NULL
)
