-- Receipts of generations, for workspaces that ask. One is written with its generation, and gets its place
-- in its workspace's chain and its signature soon after. The document is kept as text, byte for byte as it
-- was signed. No foreign keys: a charge is posted whatever became of its workspace.
CREATE TABLE receipts (
    generation_id text        NOT NULL PRIMARY KEY,
    workspace_id  uuid        NOT NULL,
    settled_at    timestamptz NOT NULL,
    -- NULL until it is signed; from then on the row stays as it is.
    sequence      bigint      CHECK (sequence > 0),
    document      text        NOT NULL
);

CREATE UNIQUE INDEX receipts_chain ON receipts (workspace_id, sequence) WHERE sequence IS NOT NULL;
CREATE INDEX receipts_unsigned ON receipts (workspace_id, settled_at, generation_id)
WHERE sequence IS NULL;

-- Where each workspace's chain ends. Whoever appends moves it from where it was found, or not at all.
CREATE TABLE receipt_chains (
    workspace_id uuid   NOT NULL PRIMARY KEY,
    sequence     bigint NOT NULL CHECK (sequence > 0),
    hash         bytea  NOT NULL CHECK (length(hash) = 32)
);

CREATE TABLE signing_keys (
    key_id     text        NOT NULL PRIMARY KEY,
    public_key bytea       NOT NULL CHECK (length(public_key) = 32),
    sealed     bytea       NOT NULL,
    created_at timestamptz NOT NULL,
    retired_at timestamptz
);

-- Of nodes that each make a key, one wins.
CREATE UNIQUE INDEX signing_keys_one_active ON signing_keys ((retired_at IS NULL))
WHERE retired_at IS NULL;

CREATE TRIGGER receipts_signed_no_update BEFORE UPDATE ON receipts
FOR EACH ROW WHEN (OLD.sequence IS NOT NULL) EXECUTE FUNCTION refuse_change();
CREATE TRIGGER receipts_no_delete BEFORE DELETE OR TRUNCATE ON receipts
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
