-- A rotated key and its successor: where a key comes from, and whose limit it shares. NULL is a key of its own.
ALTER TABLE api_keys
    ADD COLUMN rotated_from uuid REFERENCES api_keys (api_key_id),
    ADD COLUMN limit_key_id uuid REFERENCES api_keys (api_key_id);

-- A key has one successor at a time.
CREATE UNIQUE INDEX api_keys_successor ON api_keys (rotated_from)
WHERE rotated_from IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX api_keys_limit ON api_keys (limit_key_id) WHERE limit_key_id IS NOT NULL;
