-- What an account, a workspace, a member or a key allows, whatever a request asks for. A policy that is
-- cleared keeps its row without rules, so that a poll after the last revision seen learns of it.
CREATE TABLE policies (
    scope      TEXT    NOT NULL CHECK (scope IN ('account', 'workspace', 'member', 'key')),
    subject_id BLOB    NOT NULL,
    account_id BLOB    NOT NULL REFERENCES accounts (account_id),
    rules      TEXT    CHECK (json_valid(rules)),
    revision   INTEGER NOT NULL UNIQUE,
    updated_at INTEGER NOT NULL,
    updated_by TEXT    NOT NULL,
    PRIMARY KEY (scope, subject_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX policies_account ON policies (account_id);

INSERT INTO revisions (subject, revision) VALUES ('policies', 0);
