CREATE TABLE price_snapshots (
    price_snapshot_id text  NOT NULL PRIMARY KEY,
    prices            jsonb NOT NULL
);

-- Which generations are posted: a second row of one is refused. Apart from the generations, because an
-- id can be unique over all months only in a table that is not partitioned.
CREATE TABLE generation_ids (
    generation_id text        NOT NULL PRIMARY KEY,
    admitted_at   timestamptz NOT NULL
);

-- A partition per month of admission, so that a month can be detached and kept elsewhere. No foreign
-- keys from here: a charge is posted whatever became of its account. The ledger check compares the
-- tables instead.
CREATE TABLE generations (
    generation_id      text        NOT NULL,
    -- What was posted, as far as money depends on it.
    content_digest     bytea       NOT NULL,
    admitted_at        timestamptz NOT NULL,
    finished_at        timestamptz NOT NULL,
    account_id         uuid        NOT NULL,
    workspace_id       uuid        NOT NULL,
    api_key_id         uuid        NOT NULL,
    model              text,
    endpoint_id        text,
    provider           text,
    byok_credential_id uuid,
    price_snapshot_id  text,
    charge             bigint      NOT NULL,
    list_price         bigint      NOT NULL,
    prompt_tokens      bigint      NOT NULL,
    completion_tokens  bigint      NOT NULL,
    reasoning_tokens   bigint      NOT NULL,
    cached_tokens      bigint      NOT NULL,
    -- Of the request, of what served, of usage and charge: all that nothing is summed or searched by.
    facts              jsonb       NOT NULL,
    attempts           jsonb       NOT NULL,
    decision           jsonb,
    PRIMARY KEY (generation_id, admitted_at)
) PARTITION BY RANGE (admitted_at);

-- Rows arrive nearly in the order of admission: a few pages of index serve scans over time.
CREATE INDEX generations_admitted ON generations USING brin (admitted_at);

-- Takes what no month's partition does; nothing is ever refused for want of one.
CREATE TABLE generations_default PARTITION OF generations DEFAULT;

-- Makes the partitions of the month of `first` and of the months after it. A month that the default
-- partition already holds rows of stays there: moving them would lock the table.
CREATE FUNCTION create_generation_partitions(first timestamptz, months integer) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    begins timestamp := date_trunc('month', first AT TIME ZONE 'UTC');
    ends   timestamp;
    name   text;
BEGIN
    FOR ahead IN 1 .. months LOOP
        ends := begins + interval '1 month';
        name := 'generations_' || to_char(begins, 'YYYY_MM');
        IF to_regclass(name) IS NULL AND NOT EXISTS (
            SELECT FROM generations_default
            WHERE admitted_at >= begins AT TIME ZONE 'UTC' AND admitted_at < ends AT TIME ZONE 'UTC'
        ) THEN
            EXECUTE format(
                'CREATE TABLE %I PARTITION OF generations FOR VALUES FROM (%L) TO (%L)',
                name, begins AT TIME ZONE 'UTC', ends AT TIME ZONE 'UTC'
            );
        END IF;
        begins := ends;
    END LOOP;
END
$$;

-- Attempts live in their generation's row, which is read and written with them; this is how to query
-- them one by one.
CREATE VIEW attempts AS
SELECT
    g.generation_id,
    g.admitted_at,
    (a.value ->> 'number')::integer         AS number,
    a.value ->> 'endpoint_id'               AS endpoint_id,
    a.value ->> 'provider'                  AS provider,
    (a.value ->> 'is_byok')::boolean        AS is_byok,
    timestamptz 'epoch' + (a.value ->> 'started_at')::bigint * interval '1 microsecond' AS started_at,
    (a.value ->> 'duration_ms')::bigint     AS duration_ms,
    (a.value ->> 'first_token_ms')::bigint  AS first_token_ms,
    (a.value ->> 'status')::integer         AS status,
    a.value ->> 'failure'                   AS failure
FROM generations AS g, jsonb_array_elements(g.attempts) AS a;

-- One row per key and UTC day of admission.
CREATE TABLE key_spend (
    api_key_id        uuid   NOT NULL,
    day               date   NOT NULL,
    charge            bigint NOT NULL,
    byok_list_price   bigint NOT NULL,
    requests          bigint NOT NULL,
    prompt_tokens     bigint NOT NULL,
    completion_tokens bigint NOT NULL,
    reasoning_tokens  bigint NOT NULL,
    PRIMARY KEY (api_key_id, day)
) WITH (fillfactor = 50);
