-- How people prove to be who they say. A password as a PHC string, which says how it was made.
CREATE TABLE person_passwords (
    person_id  uuid        NOT NULL PRIMARY KEY REFERENCES people (person_id),
    phc        text        NOT NULL,
    changed_at timestamptz NOT NULL
);

-- An authenticator app. Its seed is sealed under the operator's key.
CREATE TABLE person_authenticators (
    person_id    uuid        NOT NULL PRIMARY KEY REFERENCES people (person_id),
    record_id    uuid        NOT NULL UNIQUE,
    sealed       bytea       NOT NULL,
    created_at   timestamptz NOT NULL,
    -- NULL: set up, but no code of it was seen yet.
    confirmed_at timestamptz,
    -- The step of the last code that was used; no earlier one works.
    last_step    bigint
);

CREATE TABLE person_recovery_codes (
    person_id uuid        NOT NULL REFERENCES people (person_id),
    code_hash bytea       NOT NULL CHECK (length(code_hash) = 32),
    used_at   timestamptz,
    PRIMARY KEY (person_id, code_hash)
);

CREATE TABLE person_passkeys (
    passkey_id    uuid        NOT NULL PRIMARY KEY,
    person_id     uuid        NOT NULL REFERENCES people (person_id),
    credential_id bytea       NOT NULL UNIQUE,
    passkey       jsonb       NOT NULL,
    name          text        NOT NULL,
    created_at    timestamptz NOT NULL,
    last_used_at  timestamptz
);

CREATE INDEX person_passkeys_person ON person_passkeys (person_id, created_at);

-- What a browser is in the middle of, such as a sign-in that lacks its second factor. The token is in a
-- cookie.
CREATE TABLE unfinished_proofs (
    token_hash bytea       NOT NULL PRIMARY KEY CHECK (length(token_hash) = 32),
    purpose    text        NOT NULL,
    -- NULL: not known yet.
    person_id  uuid,
    state      jsonb       NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);

CREATE INDEX unfinished_proofs_expiry ON unfinished_proofs (expires_at);

-- How often somebody tried lately: by a digest of whom and what, so that addresses are not kept.
CREATE TABLE proof_attempts (
    subject      bytea       NOT NULL PRIMARY KEY CHECK (length(subject) = 32),
    attempts     integer     NOT NULL,
    last_at      timestamptz NOT NULL,
    locked_until timestamptz
);

CREATE INDEX proof_attempts_last ON proof_attempts (last_at);
