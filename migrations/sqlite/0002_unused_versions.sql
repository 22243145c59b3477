-- Finding out that nothing refers to a version, or to a source, without reading all that might.

CREATE INDEX dag_of_version ON dag (version_id);
CREATE INDEX dag_version_source ON dag_version (source_hash);
