-- Ids are 16-byte blobs, instants are microseconds since 1970 in UTC, money is nano-dollars. STRICT, so
-- that a column holds nothing but its type.

CREATE TABLE accounts (
    account_id   BLOB    NOT NULL PRIMARY KEY,
    email        TEXT    NOT NULL,
    -- The address in lower case: two spellings are one owner.
    email_folded TEXT    NOT NULL UNIQUE,
    name         TEXT    NOT NULL,
    created_at   INTEGER NOT NULL
) STRICT;

CREATE TABLE workspaces (
    workspace_id BLOB    NOT NULL PRIMARY KEY,
    account_id   BLOB    NOT NULL REFERENCES accounts (account_id),
    name         TEXT    NOT NULL,
    is_default   INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    UNIQUE (workspace_id, account_id)
) STRICT;

CREATE INDEX workspaces_account ON workspaces (account_id);
CREATE UNIQUE INDEX workspaces_one_default ON workspaces (account_id) WHERE is_default;

-- A counter per kind of change. Taking a number locks the row until the change commits, so numbers
-- become visible in their order and a poll after the last one seen misses nothing.
CREATE TABLE revisions (
    subject  TEXT    NOT NULL PRIMARY KEY,
    revision INTEGER NOT NULL
) STRICT;

INSERT INTO revisions (subject, revision) VALUES ('api_keys', 0), ('provider_credentials', 0);

CREATE TABLE api_keys (
    api_key_id     BLOB    NOT NULL PRIMARY KEY,
    account_id     BLOB    NOT NULL,
    workspace_id   BLOB    NOT NULL,
    kind           TEXT    NOT NULL CHECK (kind IN ('inference', 'management')),
    name           TEXT    NOT NULL,
    label          TEXT    NOT NULL,
    hash           TEXT    NOT NULL UNIQUE,
    lookup_id      TEXT    NOT NULL UNIQUE,
    verifier       BLOB    NOT NULL CHECK (length(verifier) = 32),
    pepper_version INTEGER NOT NULL,
    expires_at     INTEGER,
    disabled       INTEGER NOT NULL,
    created_at     INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL,
    -- The row outlives the key, because the books refer to it.
    deleted_at     INTEGER,
    revision       INTEGER NOT NULL UNIQUE,
    FOREIGN KEY (workspace_id, account_id) REFERENCES workspaces (workspace_id, account_id)
) STRICT;

CREATE INDEX api_keys_workspace ON api_keys (workspace_id, created_at);

-- Apart, so that "no limit" is no row and no amount of money is ever NULL.
CREATE TABLE api_key_limits (
    api_key_id     BLOB    NOT NULL PRIMARY KEY REFERENCES api_keys (api_key_id),
    limit_nanos    INTEGER NOT NULL,
    reset_interval TEXT    CHECK (reset_interval IN ('daily', 'weekly', 'monthly')),
    include_byok   INTEGER NOT NULL
) STRICT;

CREATE TABLE provider_credentials (
    credential_id  BLOB    NOT NULL PRIMARY KEY,
    provider       TEXT    NOT NULL,
    label          TEXT    NOT NULL,
    sealed         BLOB    NOT NULL,
    record_version INTEGER NOT NULL,
    created_at     INTEGER NOT NULL,
    UNIQUE (provider, label)
) STRICT;

CREATE TABLE tenant_keys (
    tenant      TEXT    NOT NULL,
    version     INTEGER NOT NULL,
    kek_id      TEXT    NOT NULL,
    kek_version INTEGER NOT NULL,
    wrapped     BLOB    NOT NULL,
    PRIMARY KEY (tenant, version)
) STRICT;

CREATE TABLE nodes (
    node_id          BLOB    NOT NULL PRIMARY KEY,
    first_started_at INTEGER NOT NULL,
    last_started_at  INTEGER NOT NULL
) STRICT;

CREATE TABLE audit_log (
    audit_no INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    at       INTEGER NOT NULL,
    actor    TEXT    NOT NULL,
    action   TEXT    NOT NULL,
    subject  TEXT    NOT NULL,
    detail   TEXT    NOT NULL CHECK (json_valid(detail))
) STRICT;

CREATE INDEX audit_log_subject ON audit_log (subject, audit_no);

CREATE TRIGGER audit_log_no_update BEFORE UPDATE ON audit_log
BEGIN SELECT RAISE(ABORT, 'audit_log is append-only'); END;
CREATE TRIGGER audit_log_no_delete BEFORE DELETE ON audit_log
BEGIN SELECT RAISE(ABORT, 'audit_log is append-only'); END;
