-- Topics whose messages make runs: how far each is read, by whom, and what is wrong with it. A row for each connection,
-- topic and group; its offsets change in the transaction that makes the runs.

CREATE TABLE kafka_topic (
    connection   TEXT NOT NULL,
    topic        TEXT NOT NULL,
    group_id     TEXT NOT NULL,
    offsets      TEXT NOT NULL,                        -- JSON: the next offset by partition
    holder       TEXT,                                 -- the process that reads it
    lease_until  BIGINT NOT NULL,
    problem      TEXT,                                 -- null = all is well
    PRIMARY KEY (connection, topic, group_id)
);
