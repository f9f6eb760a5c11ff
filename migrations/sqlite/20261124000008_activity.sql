-- What generations are searched and counted by. NULL in rows from before, and from programs that do not
-- know of it, until they are rolled up; most of it is said by the series.
ALTER TABLE generations ADD COLUMN series_id          BLOB;
ALTER TABLE generations ADD COLUMN session_id         TEXT;
ALTER TABLE generations ADD COLUMN external_user      TEXT;
ALTER TABLE generations ADD COLUMN first_token_ms     INTEGER;
ALTER TABLE generations ADD COLUMN generation_time_ms INTEGER;
ALTER TABLE generations ADD COLUMN cache_write_tokens INTEGER;
ALTER TABLE generations ADD COLUMN tools_charge       INTEGER;
ALTER TABLE generations ADD COLUMN byok_list_price    INTEGER;
ALTER TABLE generations ADD COLUMN cache_discount     INTEGER;

-- The log, by account and time, with all that it is filtered by and summed over: what roll-ups cannot
-- tell is read from here and not from the rows, which are twenty times as wide.
CREATE INDEX generations_log ON generations (
    account_id, admitted_at, generation_id,
    series_id, session_id, external_user, finished_at, charge, tools_charge, list_price, byok_list_price,
    cache_discount, prompt_tokens, completion_tokens, reasoning_tokens, cached_tokens, cache_write_tokens,
    first_token_ms, generation_time_ms
);

CREATE INDEX generations_session ON generations (workspace_id, session_id, admitted_at, generation_id)
WHERE session_id IS NOT NULL;

-- What is left to roll up. Generations are posted with their series, so this is empty.
CREATE INDEX generations_not_rolled_up ON generations (admitted_at) WHERE series_id IS NULL;

-- What generations are told apart by in roll-ups. A series is written once, and named by its id, which is
-- a digest of the rest, in every roll-up and generation.
CREATE TABLE activity_series (
    account_id         BLOB    NOT NULL,
    series_id          BLOB    NOT NULL,
    workspace_id       BLOB    NOT NULL,
    api_key_id         BLOB    NOT NULL,
    model              TEXT    NOT NULL,
    variant            TEXT,
    provider           TEXT,
    endpoint_id        TEXT,
    status             TEXT    NOT NULL,
    finish_reason      TEXT,
    is_byok            INTEGER NOT NULL,
    byok_credential_id BLOB,
    app                TEXT,
    -- What it calls itself; told, not told apart by.
    app_name           TEXT,
    PRIMARY KEY (account_id, series_id)
) STRICT, WITHOUT ROWID;

-- Sums over the generations of a series that were admitted in an hour, and in a day. `starts_at` counts
-- hours since 1970. l… count first tokens by milliseconds, t… generations by tokens per second.
-- What a series says is not asked of it where sums can say it, or each sum would cost a look at its series.
CREATE TABLE activity (
    account_id         BLOB    NOT NULL,
    hours              INTEGER NOT NULL CHECK (hours IN (1, 24)),
    starts_at          INTEGER NOT NULL,
    series_id          BLOB    NOT NULL,
    requests           INTEGER NOT NULL,
    byok_requests      INTEGER NOT NULL,
    errors             INTEGER NOT NULL,
    cancelled          INTEGER NOT NULL,
    prompt_tokens      INTEGER NOT NULL,
    completion_tokens  INTEGER NOT NULL,
    reasoning_tokens   INTEGER NOT NULL,
    cached_tokens      INTEGER NOT NULL,
    cache_write_tokens INTEGER NOT NULL,
    charge             INTEGER NOT NULL,
    byok_charge        INTEGER NOT NULL,
    tools_charge       INTEGER NOT NULL,
    list_price         INTEGER NOT NULL,
    byok_list_price    INTEGER NOT NULL,
    cache_discount     INTEGER NOT NULL,
    latency_ms         INTEGER NOT NULL,
    timed_tokens       INTEGER NOT NULL,
    timed_ms           INTEGER NOT NULL,
    l00 INTEGER NOT NULL, l01 INTEGER NOT NULL, l02 INTEGER NOT NULL, l03 INTEGER NOT NULL, l04 INTEGER NOT NULL, l05 INTEGER NOT NULL,
    l06 INTEGER NOT NULL, l07 INTEGER NOT NULL, l08 INTEGER NOT NULL, l09 INTEGER NOT NULL, l10 INTEGER NOT NULL, l11 INTEGER NOT NULL,
    l12 INTEGER NOT NULL, l13 INTEGER NOT NULL, l14 INTEGER NOT NULL, l15 INTEGER NOT NULL, l16 INTEGER NOT NULL, l17 INTEGER NOT NULL,
    t00 INTEGER NOT NULL, t01 INTEGER NOT NULL, t02 INTEGER NOT NULL, t03 INTEGER NOT NULL, t04 INTEGER NOT NULL, t05 INTEGER NOT NULL,
    t06 INTEGER NOT NULL, t07 INTEGER NOT NULL, t08 INTEGER NOT NULL, t09 INTEGER NOT NULL, t10 INTEGER NOT NULL, t11 INTEGER NOT NULL,
    t12 INTEGER NOT NULL, t13 INTEGER NOT NULL,
    PRIMARY KEY (account_id, hours, starts_at, series_id)
) STRICT, WITHOUT ROWID;
