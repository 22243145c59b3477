CREATE TABLE IF NOT EXISTS orders (
    order_id bigint PRIMARY KEY,
    ordered_at timestamptz NOT NULL,
    customer text NOT NULL,
    amount numeric(12, 2) NOT NULL CHECK (amount >= 0)
);
CREATE TABLE IF NOT EXISTS daily_sales (
    day date NOT NULL,
    customer text NOT NULL,
    orders bigint NOT NULL,
    amount numeric(14, 2) NOT NULL,
    PRIMARY KEY (day, customer)
);
