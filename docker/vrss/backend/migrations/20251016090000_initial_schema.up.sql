-- Extensions, types and functions of VRSS. Together with 02-create-tables.sql this is, byte for byte, the
-- first migration (backend/migrations/20251016090000_initial_schema.up.sql); scripts/check-schema.sh compares them.

CREATE EXTENSION IF NOT EXISTS "uuid-ossp";
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS btree_gin;
CREATE EXTENSION IF NOT EXISTS btree_gist;

CREATE TYPE user_role AS ENUM ('user', 'creator', 'business', 'admin', 'moderator');
CREATE TYPE post_type AS ENUM (
    'text_short', 'text_long', 'image_single', 'image_gallery', 'video_short', 'video_long', 'audio', 'link'
);
CREATE TYPE profile_visibility AS ENUM ('public', 'private', 'followers_only');
CREATE TYPE storage_tier AS ENUM ('free', 'paid_basic', 'paid_premium');
CREATE TYPE notification_type AS ENUM ('follow', 'like', 'comment', 'repost', 'mention', 'message');
CREATE TYPE section_type AS ENUM ('feed', 'gallery', 'links', 'static_text', 'image', 'video', 'audio', 'embed');

-- Keeps updated_at true, whoever writes the row.
CREATE FUNCTION set_updated_at() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END
$$;

-- What a storage tier may hold. Immutable, so that a CHECK may use it.
CREATE FUNCTION storage_quota_bytes(tier storage_tier) RETURNS bigint
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE tier
    WHEN 'free' THEN 50 * 1024 * 1024::bigint
    WHEN 'paid_basic' THEN 1024 * 1024 * 1024::bigint
    ELSE 10 * 1024 * 1024 * 1024::bigint
END;

-- Tells every listening backend of a new post; they pass it on to their WebSocket clients.
CREATE FUNCTION notify_post_created() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('post_created', NEW.id::text);
    RETURN NULL;
END
$$;
-- The fourteen tables of VRSS, with their keys, checks, indexes and triggers.

CREATE TABLE users (
    id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
    username text NOT NULL CHECK (username ~ '^[a-z0-9_]{3,30}$'),
    email text NOT NULL CHECK (email ~ '^[^@[:space:]]+@[^@[:space:]]+$' AND char_length(email) <= 254),
    password_hash text NOT NULL,
    display_name text NOT NULL CHECK (char_length(display_name) BETWEEN 1 AND 80),
    bio text NOT NULL DEFAULT '' CHECK (char_length(bio) <= 500),
    role user_role NOT NULL DEFAULT 'user',
    visibility profile_visibility NOT NULL DEFAULT 'public',
    tier storage_tier NOT NULL DEFAULT 'free',
    storage_used_bytes bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz,
    CHECK (storage_used_bytes BETWEEN 0 AND storage_quota_bytes(tier))
);
-- A deleted account gives its names back.
CREATE UNIQUE INDEX users_username_key ON users (username) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX users_email_key ON users (lower(email)) WHERE deleted_at IS NULL;
CREATE INDEX users_username_trgm_idx ON users USING gin (username gin_trgm_ops);
CREATE INDEX users_display_name_trgm_idx ON users USING gin (display_name gin_trgm_ops);

CREATE TABLE profile_customizations (
    user_id uuid PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    theme jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(theme) = 'object'),
    layout jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(layout) = 'object'),
    background_media_id uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE profile_sections (
    id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    type section_type NOT NULL,
    title text NOT NULL DEFAULT '' CHECK (char_length(title) <= 120),
    content jsonb NOT NULL DEFAULT '{}',
    position integer NOT NULL CHECK (position >= 0),
    visible boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    -- Deferrable: sections change places within one transaction.
    UNIQUE (user_id, position) DEFERRABLE INITIALLY IMMEDIATE
);

CREATE TABLE posts (
    id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    type post_type NOT NULL DEFAULT 'text_short',
    content text NOT NULL CHECK (char_length(content) <= 20000),
    hashtags text[] NOT NULL DEFAULT '{}' CHECK (cardinality(hashtags) <= 30),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz,
    CHECK (type <> 'text_short' OR char_length(content) BETWEEN 1 AND 500)
);
CREATE INDEX posts_timeline_idx ON posts (created_at DESC, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX posts_user_created_idx ON posts (user_id, created_at DESC, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX posts_hashtags_idx ON posts USING gin (hashtags) WHERE deleted_at IS NULL;
CREATE INDEX posts_user_hashtags_idx ON posts USING gin (user_id, hashtags) WHERE deleted_at IS NULL;
CREATE INDEX posts_content_trgm_idx ON posts USING gin (content gin_trgm_ops) WHERE deleted_at IS NULL;

CREATE TABLE media_files (
    id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    post_id uuid REFERENCES posts (id) ON DELETE SET NULL,
    storage_key text NOT NULL UNIQUE,
    mime_type text NOT NULL CHECK (mime_type ~ '^[a-z]+/[a-z0-9.+-]+$'),
    size_bytes bigint NOT NULL CHECK (size_bytes > 0),
    width integer CHECK (width > 0),
    height integer CHECK (height > 0),
    duration_ms integer CHECK (duration_ms > 0),
    uploaded_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz
);
CREATE INDEX media_files_user_created_idx ON media_files (user_id, created_at DESC) WHERE deleted_at IS NULL;
CREATE INDEX media_files_post_idx ON media_files (post_id) WHERE post_id IS NOT NULL;
-- The second phase of an upload looks for what the first one left open.
CREATE INDEX media_files_pending_idx ON media_files (created_at) WHERE uploaded_at IS NULL;

ALTER TABLE profile_customizations
    ADD FOREIGN KEY (background_media_id) REFERENCES media_files (id) ON DELETE SET NULL;
CREATE INDEX profile_customizations_background_idx ON profile_customizations (background_media_id)
    WHERE background_media_id IS NOT NULL;

CREATE TABLE follows (
    follower_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    followed_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (follower_id, followed_id),
    CHECK (follower_id <> followed_id)
);
CREATE INDEX follows_followed_created_idx ON follows (followed_id, created_at DESC);

CREATE TABLE likes (
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    post_id uuid NOT NULL REFERENCES posts (id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, post_id)
);
CREATE INDEX likes_post_created_idx ON likes (post_id, created_at DESC);

CREATE TABLE comments (
    id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
    post_id uuid NOT NULL REFERENCES posts (id) ON DELETE CASCADE,
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    parent_id uuid REFERENCES comments (id) ON DELETE CASCADE,
    content text NOT NULL CHECK (char_length(content) BETWEEN 1 AND 2000),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz,
    CHECK (parent_id <> id)
);
CREATE INDEX comments_post_created_idx ON comments (post_id, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX comments_user_created_idx ON comments (user_id, created_at DESC) WHERE deleted_at IS NULL;
CREATE INDEX comments_parent_idx ON comments (parent_id) WHERE parent_id IS NOT NULL;

CREATE TABLE reposts (
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    post_id uuid NOT NULL REFERENCES posts (id) ON DELETE CASCADE,
    quote text CHECK (char_length(quote) BETWEEN 1 AND 500),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, post_id)
);
CREATE INDEX reposts_post_created_idx ON reposts (post_id, created_at DESC);
CREATE INDEX reposts_user_created_idx ON reposts (user_id, created_at DESC);

CREATE TABLE custom_feeds (
    id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 60),
    algorithm jsonb NOT NULL CHECK (jsonb_typeof(algorithm) = 'object'),
    is_default boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (user_id, name)
);
CREATE UNIQUE INDEX custom_feeds_one_default_key ON custom_feeds (user_id) WHERE is_default;

CREATE TABLE messages (
    id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
    sender_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    recipient_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    content text NOT NULL CHECK (char_length(content) BETWEEN 1 AND 5000),
    read_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz,
    CHECK (sender_id <> recipient_id)
);
-- One conversation, whoever wrote.
CREATE INDEX messages_conversation_idx
    ON messages (least(sender_id, recipient_id), greatest(sender_id, recipient_id), created_at DESC)
    WHERE deleted_at IS NULL;
CREATE INDEX messages_sender_idx ON messages (sender_id);
CREATE INDEX messages_unread_idx ON messages (recipient_id, created_at DESC) WHERE read_at IS NULL AND deleted_at IS NULL;

CREATE TABLE notifications (
    id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    actor_id uuid REFERENCES users (id) ON DELETE CASCADE,
    type notification_type NOT NULL,
    post_id uuid REFERENCES posts (id) ON DELETE CASCADE,
    comment_id uuid REFERENCES comments (id) ON DELETE CASCADE,
    read_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX notifications_user_created_idx ON notifications (user_id, created_at DESC);
CREATE INDEX notifications_unread_idx ON notifications (user_id) WHERE read_at IS NULL;
CREATE INDEX notifications_actor_idx ON notifications (actor_id) WHERE actor_id IS NOT NULL;
CREATE INDEX notifications_post_idx ON notifications (post_id) WHERE post_id IS NOT NULL;
CREATE INDEX notifications_comment_idx ON notifications (comment_id) WHERE comment_id IS NOT NULL;

CREATE TABLE blocked_users (
    id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
    blocker_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    blocked_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    period tstzrange NOT NULL DEFAULT tstzrange(now(), NULL) CHECK (NOT isempty(period)),
    reason text CHECK (char_length(reason) <= 500),
    CHECK (blocker_id <> blocked_id),
    -- A history of blocks: the same pair again and again, but never twice at the same time.
    EXCLUDE USING gist (blocker_id WITH =, blocked_id WITH =, period WITH &&)
);
CREATE INDEX blocked_users_blocked_idx ON blocked_users (blocked_id);

CREATE TABLE sessions (
    id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    user_agent text NOT NULL DEFAULT '' CHECK (char_length(user_agent) <= 400),
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz,
    CHECK (expires_at > created_at)
);
CREATE INDEX sessions_user_created_idx ON sessions (user_id, created_at DESC) WHERE revoked_at IS NULL;
CREATE INDEX sessions_expires_idx ON sessions (expires_at);

CREATE TRIGGER set_updated_at BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION set_updated_at();
CREATE TRIGGER set_updated_at BEFORE UPDATE ON profile_customizations FOR EACH ROW EXECUTE FUNCTION set_updated_at();
CREATE TRIGGER set_updated_at BEFORE UPDATE ON profile_sections FOR EACH ROW EXECUTE FUNCTION set_updated_at();
CREATE TRIGGER set_updated_at BEFORE UPDATE ON posts FOR EACH ROW EXECUTE FUNCTION set_updated_at();
CREATE TRIGGER set_updated_at BEFORE UPDATE ON comments FOR EACH ROW EXECUTE FUNCTION set_updated_at();
CREATE TRIGGER set_updated_at BEFORE UPDATE ON custom_feeds FOR EACH ROW EXECUTE FUNCTION set_updated_at();

CREATE TRIGGER notify_post_created AFTER INSERT ON posts FOR EACH ROW EXECUTE FUNCTION notify_post_created();
