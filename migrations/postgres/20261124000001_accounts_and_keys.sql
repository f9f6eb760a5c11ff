CREATE TABLE accounts (
    account_id   uuid        NOT NULL PRIMARY KEY,
    email        text        NOT NULL,
    -- The address in lower case: two spellings are one owner.
    email_folded text        NOT NULL UNIQUE,
    name         text        NOT NULL,
    created_at   timestamptz NOT NULL
);

CREATE TABLE workspaces (
    workspace_id uuid        NOT NULL PRIMARY KEY,
    account_id   uuid        NOT NULL REFERENCES accounts (account_id),
    name         text        NOT NULL,
    is_default   boolean     NOT NULL,
    created_at   timestamptz NOT NULL,
    UNIQUE (workspace_id, account_id)
);

CREATE INDEX workspaces_account ON workspaces (account_id);
CREATE UNIQUE INDEX workspaces_one_default ON workspaces (account_id) WHERE is_default;

-- A counter per kind of change. Taking a number locks the row until the change commits, so numbers
-- become visible in their order and a poll after the last one seen misses nothing; a sequence would
-- hand out numbers that commit out of order.
CREATE TABLE revisions (
    subject  text   NOT NULL PRIMARY KEY,
    revision bigint NOT NULL
);

INSERT INTO revisions (subject, revision) VALUES ('api_keys', 0), ('provider_credentials', 0);

CREATE TABLE api_keys (
    api_key_id     uuid        NOT NULL PRIMARY KEY,
    account_id     uuid        NOT NULL,
    workspace_id   uuid        NOT NULL,
    kind           text        NOT NULL CHECK (kind IN ('inference', 'management')),
    name           text        NOT NULL,
    label          text        NOT NULL,
    hash           text        NOT NULL UNIQUE,
    lookup_id      text        NOT NULL UNIQUE,
    verifier       bytea       NOT NULL CHECK (length(verifier) = 32),
    pepper_version integer     NOT NULL,
    expires_at     timestamptz,
    disabled       boolean     NOT NULL,
    created_at     timestamptz NOT NULL,
    updated_at     timestamptz NOT NULL,
    -- The row outlives the key, because the books refer to it.
    deleted_at     timestamptz,
    revision       bigint      NOT NULL UNIQUE,
    FOREIGN KEY (workspace_id, account_id) REFERENCES workspaces (workspace_id, account_id)
);

CREATE INDEX api_keys_workspace ON api_keys (workspace_id, created_at);

-- Apart, so that "no limit" is no row and no amount of money is ever NULL.
CREATE TABLE api_key_limits (
    api_key_id     uuid    NOT NULL PRIMARY KEY REFERENCES api_keys (api_key_id),
    limit_nanos    bigint  NOT NULL,
    reset_interval text    CHECK (reset_interval IN ('daily', 'weekly', 'monthly')),
    include_byok   boolean NOT NULL
);

CREATE TABLE provider_credentials (
    credential_id  uuid        NOT NULL PRIMARY KEY,
    provider       text        NOT NULL,
    label          text        NOT NULL,
    sealed         bytea       NOT NULL,
    record_version integer     NOT NULL,
    created_at     timestamptz NOT NULL,
    UNIQUE (provider, label)
);

CREATE TABLE tenant_keys (
    tenant      text    NOT NULL,
    version     integer NOT NULL,
    kek_id      text    NOT NULL,
    kek_version integer NOT NULL,
    wrapped     bytea   NOT NULL,
    PRIMARY KEY (tenant, version)
);

CREATE TABLE nodes (
    node_id          uuid        NOT NULL PRIMARY KEY,
    first_started_at timestamptz NOT NULL,
    last_started_at  timestamptz NOT NULL
);

-- For every table whose rows are evidence.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
END
$$;

CREATE TABLE audit_log (
    audit_no bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at       timestamptz NOT NULL,
    actor    text        NOT NULL,
    action   text        NOT NULL,
    subject  text        NOT NULL,
    detail   jsonb       NOT NULL
);

CREATE INDEX audit_log_subject ON audit_log (subject, audit_no);

CREATE TRIGGER audit_log_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
