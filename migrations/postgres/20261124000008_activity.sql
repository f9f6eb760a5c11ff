-- What generations are searched and counted by. NULL in rows from before, and from programs that do not
-- know of it, until they are rolled up; most of it is said by the series.
ALTER TABLE generations ADD COLUMN series_id          uuid;
ALTER TABLE generations ADD COLUMN session_id         text;
ALTER TABLE generations ADD COLUMN external_user      text;
ALTER TABLE generations ADD COLUMN first_token_ms     bigint;
ALTER TABLE generations ADD COLUMN generation_time_ms bigint;
ALTER TABLE generations ADD COLUMN cache_write_tokens bigint;
ALTER TABLE generations ADD COLUMN tools_charge       bigint;
ALTER TABLE generations ADD COLUMN byok_list_price    bigint;
ALTER TABLE generations ADD COLUMN cache_discount     bigint;

-- The log, by account and time, with all that it is filtered by and summed over: what roll-ups cannot
-- tell is read from here and not from the rows, which are twenty times as wide. (An index over
-- all partitions cannot be made concurrently.)
CREATE INDEX generations_log ON generations (account_id, admitted_at, generation_id) INCLUDE (
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
    account_id         uuid    NOT NULL,
    series_id          uuid    NOT NULL,
    workspace_id       uuid    NOT NULL,
    api_key_id         uuid    NOT NULL,
    model              text    NOT NULL,
    variant            text,
    provider           text,
    endpoint_id        text,
    status             text    NOT NULL,
    finish_reason      text,
    is_byok            boolean NOT NULL,
    byok_credential_id uuid,
    app                text,
    -- What it calls itself; told, not told apart by.
    app_name           text,
    PRIMARY KEY (account_id, series_id)
);

-- Sums over the generations of a series that were admitted in an hour, and in a day. `starts_at` counts
-- hours since 1970. l… count first tokens by milliseconds, t… generations by tokens per second.
-- What a series says is not asked of it where sums can say it, or each sum would cost a look at its series.
CREATE TABLE activity (
    account_id         uuid    NOT NULL,
    hours              smallint NOT NULL CHECK (hours IN (1, 24)),
    starts_at          integer NOT NULL,
    series_id          uuid    NOT NULL,
    requests           bigint NOT NULL,
    byok_requests      bigint NOT NULL,
    errors             bigint NOT NULL,
    cancelled          bigint NOT NULL,
    prompt_tokens      bigint NOT NULL,
    completion_tokens  bigint NOT NULL,
    reasoning_tokens   bigint NOT NULL,
    cached_tokens      bigint NOT NULL,
    cache_write_tokens bigint NOT NULL,
    charge             bigint NOT NULL,
    byok_charge        bigint NOT NULL,
    tools_charge       bigint NOT NULL,
    list_price         bigint NOT NULL,
    byok_list_price    bigint NOT NULL,
    cache_discount     bigint NOT NULL,
    latency_ms         bigint NOT NULL,
    timed_tokens       bigint NOT NULL,
    timed_ms           bigint NOT NULL,
    l00 integer NOT NULL, l01 integer NOT NULL, l02 integer NOT NULL, l03 integer NOT NULL, l04 integer NOT NULL, l05 integer NOT NULL,
    l06 integer NOT NULL, l07 integer NOT NULL, l08 integer NOT NULL, l09 integer NOT NULL, l10 integer NOT NULL, l11 integer NOT NULL,
    l12 integer NOT NULL, l13 integer NOT NULL, l14 integer NOT NULL, l15 integer NOT NULL, l16 integer NOT NULL, l17 integer NOT NULL,
    t00 integer NOT NULL, t01 integer NOT NULL, t02 integer NOT NULL, t03 integer NOT NULL, t04 integer NOT NULL, t05 integer NOT NULL,
    t06 integer NOT NULL, t07 integer NOT NULL, t08 integer NOT NULL, t09 integer NOT NULL, t10 integer NOT NULL, t11 integer NOT NULL,
    t12 integer NOT NULL, t13 integer NOT NULL,
    PRIMARY KEY (account_id, hours, starts_at, series_id)
) WITH (fillfactor = 50);
