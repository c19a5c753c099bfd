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
