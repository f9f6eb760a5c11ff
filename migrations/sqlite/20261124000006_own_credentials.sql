-- Who signs in. Until then the one whose address an account was made with, and that person's id is the account's.
CREATE TABLE people (
    person_id    BLOB    NOT NULL PRIMARY KEY,
    email        TEXT    NOT NULL,
    email_folded TEXT    NOT NULL UNIQUE,
    name         TEXT    NOT NULL,
    created_at   INTEGER NOT NULL
) STRICT;

CREATE TABLE memberships (
    account_id BLOB    NOT NULL REFERENCES accounts (account_id),
    person_id  BLOB    NOT NULL REFERENCES people (person_id),
    role       TEXT    NOT NULL CHECK (role IN ('owner', 'admin', 'billing', 'member', 'viewer')),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (account_id, person_id)
) STRICT;

CREATE INDEX memberships_person ON memberships (person_id);

INSERT INTO people (person_id, email, email_folded, name, created_at)
SELECT account_id, email, email_folded, name, created_at FROM accounts;
INSERT INTO memberships (account_id, person_id, role, created_at)
SELECT account_id, account_id, 'owner', created_at FROM accounts;

-- NULL is what a workspace has that was made with its account: the slug `default`, no description.
ALTER TABLE workspaces ADD COLUMN slug        TEXT;
ALTER TABLE workspaces ADD COLUMN description TEXT;
ALTER TABLE workspaces ADD COLUMN settings    TEXT CHECK (json_valid(settings));
ALTER TABLE workspaces ADD COLUMN created_by  BLOB;
ALTER TABLE workspaces ADD COLUMN updated_at  INTEGER;
ALTER TABLE workspaces ADD COLUMN deleted_at  INTEGER;

CREATE UNIQUE INDEX workspaces_slug ON workspaces (account_id, COALESCE(slug, 'default'))
WHERE deleted_at IS NULL;

-- Of workspaces other than the default one, which is everybody's.
CREATE TABLE workspace_members (
    workspace_id BLOB    NOT NULL REFERENCES workspaces (workspace_id),
    person_id    BLOB    NOT NULL REFERENCES people (person_id),
    role         TEXT    NOT NULL CHECK (role IN ('admin', 'member')),
    created_at   INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, person_id)
) STRICT;

CREATE INDEX workspace_members_person ON workspace_members (person_id);

ALTER TABLE api_keys ADD COLUMN creator_id        BLOB;
ALTER TABLE api_keys ADD COLUMN external_user     TEXT;
ALTER TABLE api_keys ADD COLUMN external_key_hash TEXT;
ALTER TABLE api_keys ADD COLUMN last_used_at      INTEGER;

CREATE INDEX api_keys_account ON api_keys (account_id, created_at);

-- Credentials that customers brought. A row outlives its secret, because generations refer to it.
CREATE TABLE own_credentials (
    credential_id      BLOB    NOT NULL PRIMARY KEY,
    account_id         BLOB    NOT NULL REFERENCES accounts (account_id),
    -- NULL: every workspace of the account.
    workspace_id       BLOB,
    provider           TEXT    NOT NULL,
    kind               TEXT    NOT NULL,
    name               TEXT,
    label              TEXT    NOT NULL,
    -- NULL once it is deleted: with the wrapped key inside it the secret is gone for good.
    sealed             BLOB,
    record_version     INTEGER NOT NULL,
    tenant_key_version INTEGER NOT NULL,
    -- The hosts its owner chose, which the seal is bound to; NULL for hosts from the catalogue.
    endpoint_host      TEXT,
    -- Tells whether the same secret is there already.
    fingerprint        BLOB,
    disabled           INTEGER NOT NULL,
    section            TEXT    NOT NULL CHECK (section IN ('prioritized', 'fallback')),
    sort_order         INTEGER NOT NULL,
    is_required        INTEGER NOT NULL,
    is_byok_only       INTEGER NOT NULL,
    declared_zdr       INTEGER,
    declared_region    TEXT,
    -- Lists of models, API key hashes and people that it is for.
    filters            TEXT    NOT NULL CHECK (json_valid(filters)),
    created_by         TEXT    NOT NULL,
    created_at         INTEGER NOT NULL,
    updated_at         INTEGER NOT NULL,
    deleted_at         INTEGER,
    revision           INTEGER NOT NULL UNIQUE,
    FOREIGN KEY (workspace_id, account_id) REFERENCES workspaces (workspace_id, account_id)
) STRICT;

CREATE INDEX own_credentials_account ON own_credentials (account_id, provider, sort_order);

INSERT INTO revisions (subject, revision) VALUES ('own_credentials', 0);

-- What is known of a credential's secret from using it. Apart, because it changes with traffic.
CREATE TABLE credential_states (
    credential_id     BLOB    NOT NULL PRIMARY KEY,
    record_version    INTEGER NOT NULL,
    state             TEXT    NOT NULL CHECK (state IN ('unchecked', 'ok', 'failing')),
    changed_at        INTEGER NOT NULL,
    last_ok_at        INTEGER,
    last_error        TEXT,
    last_error_status INTEGER,
    last_error_at     INTEGER
) STRICT, WITHOUT ROWID;

-- How often a secret was opened, by UTC hour.
CREATE TABLE credential_opens (
    credential_id BLOB    NOT NULL,
    hour          INTEGER NOT NULL,
    opens         INTEGER NOT NULL,
    PRIMARY KEY (credential_id, hour)
) STRICT, WITHOUT ROWID;

-- What owners should hear of.
CREATE TABLE events (
    event_no     INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    at           INTEGER NOT NULL,
    account_id   BLOB    NOT NULL,
    workspace_id BLOB,
    kind         TEXT    NOT NULL,
    subject      TEXT    NOT NULL,
    detail       TEXT    NOT NULL CHECK (json_valid(detail))
) STRICT;

CREATE INDEX events_account ON events (account_id, event_no);

-- Changes that a client may ask for again. The answer is sealed, since it may hold a new key.
CREATE TABLE idempotent_requests (
    account_id      BLOB    NOT NULL,
    route           TEXT    NOT NULL,
    idempotency_key TEXT    NOT NULL,
    request_digest  BLOB    NOT NULL CHECK (length(request_digest) = 32),
    claimed_until   INTEGER NOT NULL,
    status          INTEGER,
    sealed          BLOB,
    record_id       BLOB    NOT NULL,
    expires_at      INTEGER NOT NULL,
    PRIMARY KEY (account_id, route, idempotency_key)
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotent_requests_expiry ON idempotent_requests (expires_at);

-- Each entry is linked to the one before it by a keyed hash. Entries before this have no link.
ALTER TABLE audit_log ADD COLUMN account_id   BLOB;
ALTER TABLE audit_log ADD COLUMN workspace_id BLOB;
ALTER TABLE audit_log ADD COLUMN via          TEXT;
ALTER TABLE audit_log ADD COLUMN ip           TEXT;
ALTER TABLE audit_log ADD COLUMN request_id   TEXT;
ALTER TABLE audit_log ADD COLUMN outcome      TEXT;
ALTER TABLE audit_log ADD COLUMN sequence     INTEGER;
ALTER TABLE audit_log ADD COLUMN link         BLOB;
ALTER TABLE audit_log ADD COLUMN link_key     INTEGER;

CREATE UNIQUE INDEX audit_log_sequence ON audit_log (sequence) WHERE sequence IS NOT NULL;
CREATE INDEX audit_log_account ON audit_log (account_id, audit_no) WHERE account_id IS NOT NULL;

CREATE TABLE audit_chain (
    chain    INTEGER NOT NULL PRIMARY KEY CHECK (chain = 1),
    sequence INTEGER NOT NULL,
    link     BLOB    NOT NULL
) STRICT;

INSERT INTO audit_chain (chain, sequence, link) VALUES (1, 0, X'');
