-- How people prove to be who they say. A password as a PHC string, which says how it was made.
CREATE TABLE person_passwords (
    person_id  BLOB    NOT NULL PRIMARY KEY REFERENCES people (person_id),
    phc        TEXT    NOT NULL,
    changed_at INTEGER NOT NULL
) STRICT;

-- An authenticator app. Its seed is sealed under the operator's key.
CREATE TABLE person_authenticators (
    person_id    BLOB    NOT NULL PRIMARY KEY REFERENCES people (person_id),
    record_id    BLOB    NOT NULL UNIQUE,
    sealed       BLOB    NOT NULL,
    created_at   INTEGER NOT NULL,
    -- NULL: set up, but no code of it was seen yet.
    confirmed_at INTEGER,
    -- The step of the last code that was used; no earlier one works.
    last_step    INTEGER
) STRICT;

CREATE TABLE person_recovery_codes (
    person_id BLOB    NOT NULL REFERENCES people (person_id),
    code_hash BLOB    NOT NULL CHECK (length(code_hash) = 32),
    used_at   INTEGER,
    PRIMARY KEY (person_id, code_hash)
) STRICT;

CREATE TABLE person_passkeys (
    passkey_id    BLOB    NOT NULL PRIMARY KEY,
    person_id     BLOB    NOT NULL REFERENCES people (person_id),
    credential_id BLOB    NOT NULL UNIQUE,
    passkey       TEXT    NOT NULL CHECK (json_valid(passkey)),
    name          TEXT    NOT NULL,
    created_at    INTEGER NOT NULL,
    last_used_at  INTEGER
) STRICT;

CREATE INDEX person_passkeys_person ON person_passkeys (person_id, created_at);

-- What a browser is in the middle of, such as a sign-in that lacks its second factor. The token is in a
-- cookie.
CREATE TABLE unfinished_proofs (
    token_hash BLOB    NOT NULL PRIMARY KEY CHECK (length(token_hash) = 32),
    purpose    TEXT    NOT NULL,
    -- NULL: not known yet.
    person_id  BLOB,
    state      TEXT    NOT NULL CHECK (json_valid(state)),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE INDEX unfinished_proofs_expiry ON unfinished_proofs (expires_at);

-- How often somebody tried lately: by a digest of whom and what, so that addresses are not kept.
CREATE TABLE proof_attempts (
    subject      BLOB    NOT NULL PRIMARY KEY CHECK (length(subject) = 32),
    attempts     INTEGER NOT NULL,
    last_at      INTEGER NOT NULL,
    locked_until INTEGER
) STRICT;

CREATE INDEX proof_attempts_last ON proof_attempts (last_at);
