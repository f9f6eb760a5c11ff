-- Everything that can run dry. capacity - spent - held is what may still be held; it is negative
-- after an overrun, because a charge is posted whatever the balance. Amounts are nano-dollars.
-- Room is left on each page, so that the constant updates can stay on it and touch no index.
CREATE TABLE funds (
    fund_id  text   NOT NULL PRIMARY KEY,
    capacity bigint NOT NULL,
    spent    bigint NOT NULL,
    held     bigint NOT NULL CHECK (held >= 0)
) WITH (fillfactor = 50);

-- A node's hold on a fund. Whoever changes a lease has first locked its fund's row, so the leases of
-- a fund add up to what it holds at every commit.
CREATE TABLE leases (
    lease_id   uuid        NOT NULL PRIMARY KEY,
    fund_id    text        NOT NULL REFERENCES funds (fund_id),
    node_id    uuid        NOT NULL,
    amount     bigint      NOT NULL CHECK (amount >= 0),
    expires_at timestamptz NOT NULL
) WITH (fillfactor = 50);

CREATE INDEX leases_fund ON leases (fund_id);
CREATE INDEX leases_node ON leases (node_id);
CREATE INDEX leases_expiry ON leases (expires_at);

CREATE TABLE ledger_transactions (
    transaction_id  uuid        NOT NULL PRIMARY KEY,
    -- Names what was posted; posting it twice is impossible. A settlement's name follows from its
    -- generation, which is posted once, and so does its id; all others are kept unique here.
    idempotency_key text        NOT NULL
        CHECK (kind = 'settlement' OR idempotency_key NOT LIKE 'gen:%:settle'),
    kind            text        NOT NULL,
    effective_at    timestamptz NOT NULL,
    -- Of a grant, why; of a settlement, nothing: the generation says it.
    reason          text,
    -- Pairs of a ledger account and an amount. Rows of their own, with what refers to them, would cost
    -- more than all the rest of a settlement.
    postings        jsonb       NOT NULL
);

CREATE UNIQUE INDEX ledger_transactions_name ON ledger_transactions (idempotency_key)
WHERE kind <> 'settlement';

CREATE INDEX ledger_transactions_effective ON ledger_transactions USING brin (effective_at);

-- One row per posting; this is how the ledger is read.
CREATE VIEW postings AS
SELECT
    t.transaction_id,
    t.idempotency_key,
    t.kind,
    t.effective_at,
    p.place - 1               AS sequence,
    p.value ->> 0             AS ledger_account,
    (p.value ->> 1)::bigint   AS amount
FROM ledger_transactions AS t, jsonb_array_elements(t.postings) WITH ORDINALITY AS p (value, place);

CREATE TABLE ledger_balances (
    ledger_account text   NOT NULL PRIMARY KEY,
    balance        bigint NOT NULL
) WITH (fillfactor = 50);

-- What a generation took from funds other than its account's credits, which its charge alone says.
CREATE TABLE fund_charges (
    fund_id       text   NOT NULL REFERENCES funds (fund_id),
    generation_id text   NOT NULL,
    amount        bigint NOT NULL,
    PRIMARY KEY (fund_id, generation_id)
);

CREATE TRIGGER ledger_transactions_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_transactions
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER fund_charges_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON fund_charges
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
