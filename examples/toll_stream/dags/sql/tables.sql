CREATE TABLE IF NOT EXISTS passages (
    event_id   VARCHAR(120) NOT NULL,
    plaza      VARCHAR(40) NOT NULL,
    passed_at  DATETIME NOT NULL,
    kind       VARCHAR(20) NOT NULL,
    cents      INTEGER NOT NULL,
    INDEX (plaza)
) ENGINE = InnoDB;
CREATE TABLE IF NOT EXISTS plaza_totals (
    plaza     VARCHAR(40) NOT NULL PRIMARY KEY,
    vehicles  BIGINT NOT NULL,
    cents     BIGINT NOT NULL
) ENGINE = InnoDB
