-- Where a worker serves the logs that it wrote, and what whoever asks must know. It goes with the worker.

CREATE TABLE log_server (
    process     TEXT PRIMARY KEY,               -- id of the process
    address     TEXT NOT NULL,                  -- host:port
    secret      TEXT NOT NULL                   -- signs requests; made anew by each process
);
