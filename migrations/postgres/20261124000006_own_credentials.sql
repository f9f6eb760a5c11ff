-- Who signs in. Until then the one whose address an account was made with, and that person's id is the account's.
CREATE TABLE people (
    person_id    uuid        NOT NULL PRIMARY KEY,
    email        text        NOT NULL,
    email_folded text        NOT NULL UNIQUE,
    name         text        NOT NULL,
    created_at   timestamptz NOT NULL
);

CREATE TABLE memberships (
    account_id uuid        NOT NULL REFERENCES accounts (account_id),
    person_id  uuid        NOT NULL REFERENCES people (person_id),
    role       text        NOT NULL CHECK (role IN ('owner', 'admin', 'billing', 'member', 'viewer')),
    created_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, person_id)
);

CREATE INDEX memberships_person ON memberships (person_id);

INSERT INTO people (person_id, email, email_folded, name, created_at)
SELECT account_id, email, email_folded, name, created_at FROM accounts;
INSERT INTO memberships (account_id, person_id, role, created_at)
SELECT account_id, account_id, 'owner', created_at FROM accounts;

-- NULL is what a workspace has that was made with its account: the slug `default`, no description.
ALTER TABLE workspaces
    ADD COLUMN slug        text,
    ADD COLUMN description text,
    ADD COLUMN settings    jsonb,
    ADD COLUMN created_by  uuid,
    ADD COLUMN updated_at  timestamptz,
    ADD COLUMN deleted_at  timestamptz;

CREATE UNIQUE INDEX workspaces_slug ON workspaces (account_id, (COALESCE(slug, 'default')))
WHERE deleted_at IS NULL;

-- Of workspaces other than the default one, which is everybody's.
CREATE TABLE workspace_members (
    workspace_id uuid        NOT NULL REFERENCES workspaces (workspace_id),
    person_id    uuid        NOT NULL REFERENCES people (person_id),
    role         text        NOT NULL CHECK (role IN ('admin', 'member')),
    created_at   timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, person_id)
);

CREATE INDEX workspace_members_person ON workspace_members (person_id);

ALTER TABLE api_keys
    ADD COLUMN creator_id        uuid,
    ADD COLUMN external_user     text,
    ADD COLUMN external_key_hash text,
    ADD COLUMN last_used_at      timestamptz;

CREATE INDEX api_keys_account ON api_keys (account_id, created_at);

-- Credentials that customers brought. A row outlives its secret, because generations refer to it.
CREATE TABLE own_credentials (
    credential_id      uuid        NOT NULL PRIMARY KEY,
    account_id         uuid        NOT NULL REFERENCES accounts (account_id),
    -- NULL: every workspace of the account.
    workspace_id       uuid,
    provider           text        NOT NULL,
    kind               text        NOT NULL,
    name               text,
    label              text        NOT NULL,
    -- NULL once it is deleted: with the wrapped key inside it the secret is gone for good.
    sealed             bytea,
    record_version     integer     NOT NULL,
    tenant_key_version integer     NOT NULL,
    -- The hosts its owner chose, which the seal is bound to; NULL for hosts from the catalogue.
    endpoint_host      text,
    -- Tells whether the same secret is there already.
    fingerprint        bytea,
    disabled           boolean     NOT NULL,
    section            text        NOT NULL CHECK (section IN ('prioritized', 'fallback')),
    sort_order         integer     NOT NULL,
    is_required        boolean     NOT NULL,
    is_byok_only       boolean     NOT NULL,
    declared_zdr       boolean,
    declared_region    text,
    -- Lists of models, API key hashes and people that it is for.
    filters            jsonb       NOT NULL,
    created_by         text        NOT NULL,
    created_at         timestamptz NOT NULL,
    updated_at         timestamptz NOT NULL,
    deleted_at         timestamptz,
    revision           bigint      NOT NULL UNIQUE,
    FOREIGN KEY (workspace_id, account_id) REFERENCES workspaces (workspace_id, account_id)
);

CREATE INDEX own_credentials_account ON own_credentials (account_id, provider, sort_order);

INSERT INTO revisions (subject, revision) VALUES ('own_credentials', 0);

-- What is known of a credential's secret from using it. Apart, because it changes with traffic.
CREATE TABLE credential_states (
    credential_id     uuid        NOT NULL PRIMARY KEY,
    record_version    integer     NOT NULL,
    state             text        NOT NULL CHECK (state IN ('unchecked', 'ok', 'failing')),
    changed_at        timestamptz NOT NULL,
    last_ok_at        timestamptz,
    last_error        text,
    last_error_status integer,
    last_error_at     timestamptz
);

-- How often a secret was opened, by UTC hour.
CREATE TABLE credential_opens (
    credential_id uuid        NOT NULL,
    hour          timestamptz NOT NULL,
    opens         bigint      NOT NULL,
    PRIMARY KEY (credential_id, hour)
);

-- What owners should hear of.
CREATE TABLE events (
    event_no     bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at           timestamptz NOT NULL,
    account_id   uuid        NOT NULL,
    workspace_id uuid,
    kind         text        NOT NULL,
    subject      text        NOT NULL,
    detail       jsonb       NOT NULL
);

CREATE INDEX events_account ON events (account_id, event_no);

-- Changes that a client may ask for again. The answer is sealed, since it may hold a new key.
CREATE TABLE idempotent_requests (
    account_id      uuid        NOT NULL,
    route           text        NOT NULL,
    idempotency_key text        NOT NULL,
    request_digest  bytea       NOT NULL CHECK (length(request_digest) = 32),
    claimed_until   timestamptz NOT NULL,
    status          integer,
    sealed          bytea,
    record_id       uuid        NOT NULL,
    expires_at      timestamptz NOT NULL,
    PRIMARY KEY (account_id, route, idempotency_key)
);

CREATE INDEX idempotent_requests_expiry ON idempotent_requests (expires_at);

-- Each entry is linked to the one before it by a keyed hash. Entries before this have no link.
ALTER TABLE audit_log
    ADD COLUMN account_id   uuid,
    ADD COLUMN workspace_id uuid,
    ADD COLUMN via          text,
    ADD COLUMN ip           text,
    ADD COLUMN request_id   text,
    ADD COLUMN outcome      text,
    ADD COLUMN sequence     bigint,
    ADD COLUMN link         bytea,
    ADD COLUMN link_key     integer;

CREATE UNIQUE INDEX audit_log_sequence ON audit_log (sequence) WHERE sequence IS NOT NULL;
CREATE INDEX audit_log_account ON audit_log (account_id, audit_no) WHERE account_id IS NOT NULL;

CREATE TABLE audit_chain (
    chain    integer NOT NULL PRIMARY KEY CHECK (chain = 1),
    sequence bigint  NOT NULL,
    link     bytea   NOT NULL
);

INSERT INTO audit_chain (chain, sequence, link) VALUES (1, 0, '');
