-- How somebody came to an account.
ALTER TABLE memberships
    ADD COLUMN source text NOT NULL DEFAULT 'manual'
        CHECK (source IN ('manual', 'invite', 'single_sign_on', 'scim'));

-- Somebody asked to join, at one address. The link's secret part is only in the mail.
CREATE TABLE invitations (
    invitation_id uuid        NOT NULL PRIMARY KEY,
    account_id    uuid        NOT NULL REFERENCES accounts (account_id),
    email         text        NOT NULL,
    email_folded  text        NOT NULL,
    role          text        NOT NULL CHECK (role IN ('owner', 'admin', 'billing', 'member', 'viewer')),
    token_hash    bytea       NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    invited_by    uuid        NOT NULL REFERENCES people (person_id),
    created_at    timestamptz NOT NULL,
    sent_at       timestamptz NOT NULL,
    expires_at    timestamptz NOT NULL,
    -- Accepted or withdrawn.
    closed_at     timestamptz,
    accepted_by   uuid        REFERENCES people (person_id)
);

CREATE UNIQUE INDEX invitations_open ON invitations (account_id, email_folded) WHERE closed_at IS NULL;

-- Programs that ask people for keys, by where they are.
CREATE TABLE oauth_apps (
    app_no     bigint      NOT NULL PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    origin     text        NOT NULL UNIQUE,
    created_at timestamptz NOT NULL
);

-- A code that is exchanged for a key once. What the key will be is fixed here. The code itself is not.
CREATE TABLE oauth_codes (
    code_hash        bytea       NOT NULL PRIMARY KEY CHECK (length(code_hash) = 32),
    account_id       uuid        NOT NULL,
    workspace_id     uuid        NOT NULL,
    person_id        uuid,
    app_no           bigint      NOT NULL REFERENCES oauth_apps (app_no),
    -- NULL: the code is shown, not sent.
    callback_url     text,
    challenge        text,
    challenge_method text        CHECK (challenge_method IN ('S256', 'plain')),
    key_name         text        NOT NULL,
    limit_nanos      bigint,
    limit_reset      text        CHECK (limit_reset IN ('daily', 'weekly', 'monthly')),
    key_expires_at   timestamptz,
    created_at       timestamptz NOT NULL,
    expires_at       timestamptz NOT NULL,
    used_at          timestamptz,
    key_hash         text,
    CHECK ((challenge IS NULL) = (challenge_method IS NULL)),
    FOREIGN KEY (workspace_id, account_id) REFERENCES workspaces (workspace_id, account_id)
);

CREATE INDEX oauth_codes_account ON oauth_codes (account_id, created_at);
