-- What an account, a workspace, a member or a key allows, whatever a request asks for. A policy that is
-- cleared keeps its row without rules, so that a poll after the last revision seen learns of it.
CREATE TABLE policies (
    scope      text        NOT NULL CHECK (scope IN ('account', 'workspace', 'member', 'key')),
    subject_id uuid        NOT NULL,
    account_id uuid        NOT NULL REFERENCES accounts (account_id),
    rules      jsonb,
    revision   bigint      NOT NULL UNIQUE,
    updated_at timestamptz NOT NULL,
    updated_by text        NOT NULL,
    PRIMARY KEY (scope, subject_id)
);

CREATE INDEX policies_account ON policies (account_id);

INSERT INTO revisions (subject, revision) VALUES ('policies', 0);
