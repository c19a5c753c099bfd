//! What the init scripts make, asked of the server's catalogue.

use super::stack::Stack;

pub(super) const TABLES: [&str; 14] = [
    "blocked_users",
    "comments",
    "custom_feeds",
    "follows",
    "likes",
    "media_files",
    "messages",
    "notifications",
    "posts",
    "profile_customizations",
    "profile_sections",
    "reposts",
    "sessions",
    "users",
];

const TYPES: [&str; 6] = [
    "notification_type: follow, like, comment, repost, mention, message",
    "post_type: text_short, text_long, image_single, image_gallery, video_short, video_long, audio, link",
    "profile_visibility: public, private, followers_only",
    "section_type: feed, gallery, links, static_text, image, video, audio, embed",
    "storage_tier: free, paid_basic, paid_premium",
    "user_role: user, creator, business, admin, moderator",
];

/// The tables of the project, without the ledger of migrations and seeds.
pub(super) const LIST_TABLES: &str = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' \
    AND table_type = 'BASE TABLE' AND table_name NOT LIKE '\\_%' ORDER BY 1";

pub(super) fn is_whole(stack: &Stack) {
    assert_eq!(stack.sql(&[], LIST_TABLES), TABLES);
    let sql = "SELECT extname FROM pg_extension WHERE extname <> 'plpgsql' ORDER BY 1";
    assert_eq!(stack.sql(&[], sql), ["btree_gin", "btree_gist", "pg_trgm", "uuid-ossp"]);
    let sql = "SELECT t.typname || ': ' || string_agg(e.enumlabel, ', ' ORDER BY e.enumsortorder) \
               FROM pg_type t JOIN pg_enum e ON e.enumtypid = t.oid GROUP BY t.typname ORDER BY 1";
    assert_eq!(stack.sql(&[], sql), TYPES);
    keys_are_uuids(stack);
    indexes_are_of_every_kind(stack);
}

/// Every table has a primary key, of UUIDs alone.
fn keys_are_uuids(stack: &Stack) {
    let keys = stack.sql(
        &[],
        "SELECT c.relname FROM pg_class c JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'p' \
         WHERE c.relnamespace = 'public'::regnamespace AND c.relname NOT LIKE '\\_%' AND NOT EXISTS (SELECT FROM pg_attribute a \
         WHERE a.attrelid = c.oid AND a.attnum = ANY (k.conkey) AND a.atttypid <> 'uuid'::regtype) ORDER BY 1",
    );
    assert_eq!(keys, TABLES);
}

fn indexes_are_of_every_kind(stack: &Stack) {
    let count = |what: &str| -> u32 {
        let sql = format!(
            "SELECT count(*) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am m ON m.oid = c.relam \
             WHERE c.relnamespace = 'public'::regnamespace AND {what}"
        );
        stack.sql(&[], &sql)[0].parse().unwrap()
    };
    let definition = "pg_get_indexdef(i.indexrelid)";
    assert!(count("m.amname = 'gin' AND pg_get_indexdef(i.indexrelid) LIKE '%gin_trgm_ops%'") >= 3, "full text");
    assert!(count(&format!("m.amname = 'gin' AND {definition} LIKE '%(hashtags)%'")) == 1, "array fields");
    assert!(count(&format!("m.amname = 'gin' AND {definition} LIKE '%(user_id, hashtags)%'")) == 1, "btree_gin");
    assert!(count("m.amname = 'gist'") >= 1, "btree_gist");
    assert!(count(&format!("{definition} ~ '\\(user_id, created_at'")) >= 6, "user and time");
    assert!(count(&format!("{definition} LIKE '%WHERE (deleted_at IS NULL)%'")) >= 9, "what is not deleted");
    assert_eq!(count("NOT i.indisvalid"), 0);
    // Whatever refers to another table can be found from there: without an index each deletion there reads all of it.
    let bare = stack.sql(
        &[],
        "SELECT k.conrelid::regclass || '.' || k.conname FROM pg_constraint k WHERE k.contype = 'f' \
         AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = k.conrelid AND i.indkey[0] = k.conkey[1])",
    );
    assert_eq!(bare, [""; 0], "foreign keys without an index");
}

pub(super) fn settings_are_the_tuned_ones(stack: &Stack) {
    let settings = [
        ("shared_buffers", "256MB"),
        ("effective_cache_size", "1GB"),
        ("work_mem", "16MB"),
        ("maintenance_work_mem", "128MB"),
        ("random_page_cost", "1.1"),
        ("effective_io_concurrency", "200"),
        ("max_connections", "100"),
        ("checkpoint_completion_target", "0.9"),
        ("data_checksums", "on"),
        ("server_encoding", "UTF8"),
        ("TimeZone", "UTC"),
    ];
    let shows: Vec<String> = settings.iter().map(|(name, _)| format!("SHOW {name}")).collect();
    let words = shows.iter().flat_map(|show| ["-c", show.as_str()]);
    let ended = stack.project.xtask(["db-shell"].into_iter().chain(words).chain(["--", "-tA"])).end();
    let found: Vec<(&str, &str)> = settings.iter().map(|(name, _)| *name).zip(ended.ok().stdout.lines()).collect();
    assert_eq!(found, settings);
}
