-- Traces link a run to the span that asked for it: a task of another run, or whatever called the API.

ALTER TABLE dag_run ADD COLUMN caller TEXT;    -- the text of a `traceparent` header
