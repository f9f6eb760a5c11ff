-- Everything that can run dry. capacity - spent - held is what may still be held; it is negative
-- after an overrun, because a charge is posted whatever the balance.
CREATE TABLE funds (
    fund_id  TEXT    NOT NULL PRIMARY KEY,
    capacity INTEGER NOT NULL,
    spent    INTEGER NOT NULL,
    held     INTEGER NOT NULL CHECK (held >= 0)
) STRICT, WITHOUT ROWID;

-- A node's hold on a fund. Whoever changes a lease has first locked its fund's row, so the leases of
-- a fund add up to what it holds at every commit.
CREATE TABLE leases (
    lease_id   BLOB    NOT NULL PRIMARY KEY,
    fund_id    TEXT    NOT NULL REFERENCES funds (fund_id),
    node_id    BLOB    NOT NULL,
    amount     INTEGER NOT NULL CHECK (amount >= 0),
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX leases_fund ON leases (fund_id);
CREATE INDEX leases_node ON leases (node_id);
CREATE INDEX leases_expiry ON leases (expires_at);

CREATE TABLE ledger_transactions (
    transaction_id  BLOB    NOT NULL PRIMARY KEY,
    -- Names what was posted; posting it twice is impossible. A settlement's name follows from its
    -- generation, which is posted once, and so does its id; all others are kept unique here.
    idempotency_key TEXT    NOT NULL
        CHECK (kind = 'settlement' OR idempotency_key NOT LIKE 'gen:%:settle'),
    kind            TEXT    NOT NULL,
    effective_at    INTEGER NOT NULL,
    -- Of a grant, why; of a settlement, nothing: the generation says it.
    reason          TEXT,
    -- Pairs of a ledger account and an amount. Rows of their own, with what refers to them, would cost
    -- more than all the rest of a settlement.
    postings        TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX ledger_transactions_name ON ledger_transactions (idempotency_key)
WHERE kind <> 'settlement';

-- One row per posting; this is how the ledger is read.
CREATE VIEW postings AS
SELECT
    t.transaction_id,
    t.idempotency_key,
    t.kind,
    t.effective_at,
    p.key                            AS sequence,
    p.value ->> 0                    AS ledger_account,
    CAST(p.value ->> 1 AS INTEGER)   AS amount
FROM ledger_transactions AS t, json_each(t.postings) AS p;

CREATE TABLE ledger_balances (
    ledger_account TEXT    NOT NULL PRIMARY KEY,
    balance        INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What a generation took from funds other than its account's credits, which its charge alone says.
CREATE TABLE fund_charges (
    fund_id       TEXT    NOT NULL REFERENCES funds (fund_id),
    generation_id TEXT    NOT NULL,
    amount        INTEGER NOT NULL,
    PRIMARY KEY (fund_id, generation_id)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER ledger_transactions_no_update BEFORE UPDATE ON ledger_transactions
BEGIN SELECT RAISE(ABORT, 'ledger_transactions is append-only'); END;
CREATE TRIGGER ledger_transactions_no_delete BEFORE DELETE ON ledger_transactions
BEGIN SELECT RAISE(ABORT, 'ledger_transactions is append-only'); END;
CREATE TRIGGER fund_charges_no_update BEFORE UPDATE ON fund_charges
BEGIN SELECT RAISE(ABORT, 'fund_charges is append-only'); END;
CREATE TRIGGER fund_charges_no_delete BEFORE DELETE ON fund_charges
BEGIN SELECT RAISE(ABORT, 'fund_charges is append-only'); END;
