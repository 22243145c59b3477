INSERT INTO plaza_totals (plaza, vehicles, cents)
SELECT plaza, count(*), sum(cents) FROM passages GROUP BY plaza
ON DUPLICATE KEY UPDATE vehicles = VALUES(vehicles), cents = VALUES(cents)
