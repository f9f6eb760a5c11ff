-- Receipts of generations, for workspaces that ask. One is written with its generation, and gets its place
-- in its workspace's chain and its signature soon after. The document is kept as text, byte for byte as it
-- was signed. No foreign keys: a charge is posted whatever became of its workspace.
CREATE TABLE receipts (
    generation_id TEXT    NOT NULL PRIMARY KEY,
    workspace_id  BLOB    NOT NULL,
    settled_at    INTEGER NOT NULL,
    -- NULL until it is signed; from then on the row stays as it is.
    sequence      INTEGER CHECK (sequence > 0),
    document      TEXT    NOT NULL
) STRICT;

CREATE UNIQUE INDEX receipts_chain ON receipts (workspace_id, sequence) WHERE sequence IS NOT NULL;
CREATE INDEX receipts_unsigned ON receipts (workspace_id, settled_at, generation_id)
WHERE sequence IS NULL;

-- Where each workspace's chain ends. Whoever appends moves it from where it was found, or not at all.
CREATE TABLE receipt_chains (
    workspace_id BLOB    NOT NULL PRIMARY KEY,
    sequence     INTEGER NOT NULL CHECK (sequence > 0),
    hash         BLOB    NOT NULL CHECK (length(hash) = 32)
) STRICT, WITHOUT ROWID;

CREATE TABLE signing_keys (
    key_id     TEXT    NOT NULL PRIMARY KEY,
    public_key BLOB    NOT NULL CHECK (length(public_key) = 32),
    sealed     BLOB    NOT NULL,
    created_at INTEGER NOT NULL,
    retired_at INTEGER
) STRICT;

-- Of nodes that each make a key, one wins.
CREATE UNIQUE INDEX signing_keys_one_active ON signing_keys ((retired_at IS NULL))
WHERE retired_at IS NULL;

CREATE TRIGGER receipts_signed_no_update BEFORE UPDATE ON receipts WHEN OLD.sequence IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'receipts is append-only'); END;
CREATE TRIGGER receipts_no_delete BEFORE DELETE ON receipts
BEGIN SELECT RAISE(ABORT, 'receipts is append-only'); END;
