-- How somebody came to an account.
ALTER TABLE memberships ADD COLUMN source TEXT NOT NULL DEFAULT 'manual'
    CHECK (source IN ('manual', 'invite', 'single_sign_on', 'scim'));

-- Somebody asked to join, at one address. The link's secret part is only in the mail.
CREATE TABLE invitations (
    invitation_id BLOB    NOT NULL PRIMARY KEY,
    account_id    BLOB    NOT NULL REFERENCES accounts (account_id),
    email         TEXT    NOT NULL,
    email_folded  TEXT    NOT NULL,
    role          TEXT    NOT NULL CHECK (role IN ('owner', 'admin', 'billing', 'member', 'viewer')),
    token_hash    BLOB    NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    invited_by    BLOB    NOT NULL REFERENCES people (person_id),
    created_at    INTEGER NOT NULL,
    sent_at       INTEGER NOT NULL,
    expires_at    INTEGER NOT NULL,
    -- Accepted or withdrawn.
    closed_at     INTEGER,
    accepted_by   BLOB    REFERENCES people (person_id)
) STRICT;

CREATE UNIQUE INDEX invitations_open ON invitations (account_id, email_folded) WHERE closed_at IS NULL;

-- Programs that ask people for keys, by where they are.
CREATE TABLE oauth_apps (
    app_no     INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    origin     TEXT    NOT NULL UNIQUE,
    created_at INTEGER NOT NULL
) STRICT;

-- A code that is exchanged for a key once. What the key will be is fixed here. The code itself is not.
CREATE TABLE oauth_codes (
    code_hash        BLOB    NOT NULL PRIMARY KEY CHECK (length(code_hash) = 32),
    account_id       BLOB    NOT NULL,
    workspace_id     BLOB    NOT NULL,
    person_id        BLOB,
    app_no           INTEGER NOT NULL REFERENCES oauth_apps (app_no),
    -- NULL: the code is shown, not sent.
    callback_url     TEXT,
    challenge        TEXT,
    challenge_method TEXT    CHECK (challenge_method IN ('S256', 'plain')),
    key_name         TEXT    NOT NULL,
    limit_nanos      INTEGER,
    limit_reset      TEXT    CHECK (limit_reset IN ('daily', 'weekly', 'monthly')),
    key_expires_at   INTEGER,
    created_at       INTEGER NOT NULL,
    expires_at       INTEGER NOT NULL,
    used_at          INTEGER,
    key_hash         TEXT,
    CHECK ((challenge IS NULL) = (challenge_method IS NULL)),
    FOREIGN KEY (workspace_id, account_id) REFERENCES workspaces (workspace_id, account_id)
) STRICT;

CREATE INDEX oauth_codes_account ON oauth_codes (account_id, created_at);
