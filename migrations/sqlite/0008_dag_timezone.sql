-- What a card of a DAG shows beside the columns that are there, written when a file is read; null = not read since.
-- "again" is no hash: every file is read again.

ALTER TABLE dag ADD COLUMN timezone TEXT;             -- IANA name
UPDATE dag_file SET hash = 'again';
