-- Callbacks that every DAG has by a setting stand in no version of it: what is to be done is written with the callback.

ALTER TABLE callback ADD COLUMN given TEXT;    -- {uses, with} as JSON; null = the version says it
