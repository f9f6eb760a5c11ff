-- What an account is: one person's own, or an organization's. An organization's `email` is where its mail
-- goes, and its `email_folded` is its id, since one address may have several.
ALTER TABLE accounts
    ADD COLUMN kind text NOT NULL DEFAULT 'personal' CHECK (kind IN ('personal', 'organization'));

-- NULL: whoever reads mail at the address has not shown it. People that operators made count as having.
ALTER TABLE people ADD COLUMN email_verified_at timestamptz;
UPDATE people SET email_verified_at = created_at;

-- Somebody signed in on one device. The token itself is only in the cookie.
CREATE TABLE person_sessions (
    session_id   uuid        NOT NULL PRIMARY KEY,
    person_id    uuid        NOT NULL REFERENCES people (person_id),
    token_hash   bytea       NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    -- What is looked at, and where in it.
    account_id   uuid        NOT NULL,
    workspace_id uuid        NOT NULL,
    -- How and when the person last proved to be who they say.
    proof        text        NOT NULL,
    proved_at    timestamptz NOT NULL,
    ip           text,
    user_agent   text,
    created_at   timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL,
    ended_at     timestamptz
);

CREATE INDEX person_sessions_person ON person_sessions (person_id, created_at);

-- A link that was sent to somebody and does one thing once.
CREATE TABLE person_links (
    link_hash  bytea       NOT NULL PRIMARY KEY CHECK (length(link_hash) = 32),
    purpose    text        NOT NULL,
    person_id  uuid        NOT NULL REFERENCES people (person_id),
    -- The address it was sent to, and whatever else its purpose needs.
    detail     jsonb       NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at    timestamptz
);

CREATE INDEX person_links_person ON person_links (person_id, created_at);
