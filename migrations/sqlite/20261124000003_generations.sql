CREATE TABLE price_snapshots (
    price_snapshot_id TEXT NOT NULL PRIMARY KEY,
    prices            TEXT NOT NULL CHECK (json_valid(prices))
) STRICT, WITHOUT ROWID;

-- No foreign keys from here: a charge is posted whatever became of its account. The ledger check
-- compares the tables instead.
CREATE TABLE generations (
    -- Which generations are posted: a second row of one is refused.
    generation_id      TEXT    NOT NULL PRIMARY KEY,
    -- What was posted, as far as money depends on it.
    content_digest     BLOB    NOT NULL,
    admitted_at        INTEGER NOT NULL,
    finished_at        INTEGER NOT NULL,
    account_id         BLOB    NOT NULL,
    workspace_id       BLOB    NOT NULL,
    api_key_id         BLOB    NOT NULL,
    model              TEXT,
    endpoint_id        TEXT,
    provider           TEXT,
    byok_credential_id BLOB,
    price_snapshot_id  TEXT,
    charge             INTEGER NOT NULL,
    list_price         INTEGER NOT NULL,
    prompt_tokens      INTEGER NOT NULL,
    completion_tokens  INTEGER NOT NULL,
    reasoning_tokens   INTEGER NOT NULL,
    cached_tokens      INTEGER NOT NULL,
    -- Of the request, of what served, of usage and charge: all that nothing is summed or searched by.
    facts              TEXT    NOT NULL,
    attempts           TEXT    NOT NULL,
    -- Last, so that scans of the rest need not read past it.
    decision           TEXT
) STRICT;

-- A table on PostgreSQL, which can keep an id unique over all months only apart from them.
CREATE VIEW generation_ids AS SELECT generation_id, admitted_at FROM generations;

-- Attempts live in their generation's row, which is read and written with them; this is how to query
-- them one by one.
CREATE VIEW attempts AS
SELECT
    g.generation_id,
    g.admitted_at,
    CAST(a.value ->> 'number' AS INTEGER)         AS number,
    a.value ->> 'endpoint_id'                     AS endpoint_id,
    a.value ->> 'provider'                        AS provider,
    CAST(a.value ->> 'is_byok' AS INTEGER)        AS is_byok,
    CAST(a.value ->> 'started_at' AS INTEGER)     AS started_at,
    CAST(a.value ->> 'duration_ms' AS INTEGER)    AS duration_ms,
    CAST(a.value ->> 'first_token_ms' AS INTEGER) AS first_token_ms,
    CAST(a.value ->> 'status' AS INTEGER)         AS status,
    a.value ->> 'failure'                         AS failure
FROM generations AS g, json_each(g.attempts) AS a;

-- One row per key and UTC day of admission.
CREATE TABLE key_spend (
    api_key_id        BLOB    NOT NULL,
    day               INTEGER NOT NULL,
    charge            INTEGER NOT NULL,
    byok_list_price   INTEGER NOT NULL,
    requests          INTEGER NOT NULL,
    prompt_tokens     INTEGER NOT NULL,
    completion_tokens INTEGER NOT NULL,
    reasoning_tokens  INTEGER NOT NULL,
    PRIMARY KEY (api_key_id, day)
) STRICT, WITHOUT ROWID;
