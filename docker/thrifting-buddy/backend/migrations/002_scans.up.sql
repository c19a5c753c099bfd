CREATE TYPE scan_status AS ENUM ('queued', 'recognised', 'failed');

CREATE TABLE scans (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    item_id uuid REFERENCES items ON DELETE SET NULL,
    status scan_status NOT NULL DEFAULT 'queued',
    media_type text NOT NULL,
    bytes integer NOT NULL CHECK (bytes > 0),
    sha256 bytea NOT NULL CHECK (length(sha256) = 32),
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX scans_user_id ON scans (user_id);
CREATE INDEX scans_item_id ON scans (item_id);
CREATE INDEX scans_queued ON scans (created_at) WHERE status = 'queued';
