DROP TABLE
    sessions, blocked_users, notifications, messages, custom_feeds, reposts, comments, likes, follows,
    profile_customizations, profile_sections, media_files, posts, users;

DROP FUNCTION notify_post_created();
DROP FUNCTION storage_quota_bytes(storage_tier);
DROP FUNCTION set_updated_at();

DROP TYPE section_type, notification_type, storage_tier, profile_visibility, post_type, user_role;

DROP EXTENSION btree_gist, btree_gin, pg_trgm, "uuid-ossp";
