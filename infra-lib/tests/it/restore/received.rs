//! A backup from outside of our own folder: its data comes back, and what else it would do does not happen.

use std::path::{Path, PathBuf};

use sha2::Digest as _;

use super::*;

/// A backup and what is beside it, brought to another folder as somebody sends them.
fn received(shop: &Shop, backup: &Path, name: &str) -> PathBuf {
    let folder = shop.project.path(name);
    std::fs::create_dir_all(&folder).unwrap();
    let stem = backup.file_name().unwrap().to_str().unwrap().split('.').next().unwrap();
    for entry in std::fs::read_dir(backup.parent().unwrap()).unwrap().flatten() {
        if entry.file_name().to_str().unwrap().starts_with(stem) {
            let copied = command("cp").arg("-r").arg(entry.path()).arg(&folder).status().unwrap();
            assert!(copied.success());
        }
    }
    folder.join(backup.file_name().unwrap())
}

fn manifest_of(backup: &Path) -> PathBuf {
    let name = backup.file_name().unwrap().to_str().unwrap();
    backup.with_file_name(format!("{}.json", name.split('.').next().unwrap()))
}

/// Edits a manifest, and signs it as its writer would.
fn edit(backup: &Path, change: impl FnOnce(&mut serde_json::Value)) {
    let path = manifest_of(backup);
    let mut manifest: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    manifest.as_object_mut().unwrap().shift_remove("checksum");
    change(&mut manifest);
    manifest["checksum"] = hex(&serde_json::to_vec(&manifest).unwrap()).into();
    std::fs::write(&path, serde_json::to_vec_pretty(&manifest).unwrap()).unwrap();
}

fn hex(bytes: &[u8]) -> String {
    sha2::Sha256::digest(bytes).iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

/// Puts other bytes into a backup, and has its manifest vouch for them.
fn replace(backup: &Path, bytes: &[u8]) {
    std::fs::write(backup, bytes).unwrap();
    edit(backup, |manifest| {
        manifest["bytes"] = bytes.len().into();
        manifest["sha256"] = hex(bytes).into();
    });
}

const ROLES: &str = "SELECT string_agg(rolname || ' ' || rolsuper, ',' ORDER BY 1) FROM pg_roles WHERE oid >= 16384";

#[test]
fn d32_a_manifest_is_data() {
    let Some(_engine) = engine() else { return };
    let shop = Shop::with("CREATE TABLE goods (id int); INSERT INTO goods VALUES (1)");
    let backup = shop.backup(&[]);
    let before = (shop.probe("shop"), shop.databases());
    let started = shop.project.path("started");
    let touch = format!("touch {}", started.display());
    let hostile = [
        format!("\\! {touch}"),
        format!("ALTER DATABASE :\"db\" CONNECTION LIMIT 5\n\\! {touch}"),
        "DROP DATABASE shop".to_owned(),
        "ALTER DATABASE :\"db\" OWNER TO postgres; DROP DATABASE shop".to_owned(),
        "COMMENT ON DATABASE :\"db\" IS 'a' \\g | touch x".to_owned(),
        "ALTER ROLE postgres PASSWORD 'x'".to_owned(),
    ];
    // In a folder of anybody's, and in our own.
    let theirs = received(&shop, &backup, "received");
    for path in [&theirs, &backup] {
        for sql in sample(&hostile, 3) {
            edit(path, |manifest| manifest["database"]["properties"] = serde_json::json!([sql]));
            shop.restore([path]).args(["--into", "inbox"]).end().code(65).says("is not a property of a database");
            assert!(!started.exists(), "{sql}");
        }
        // What older versions wrote is read, and names and values are quoted.
        edit(path, |manifest| {
            manifest["database"]["attributes"] = serde_json::json!([]);
            manifest["database"]["properties"] = serde_json::json!([
                "ALTER DATABASE :\"db\" CONNECTION LIMIT 7",
                "ALTER DATABASE :\"db\" SET search_path TO \"$user\", public",
                "COMMENT ON DATABASE :\"db\" IS 'it''s; \\! id'",
            ]);
        });
        let ended = shop.restore([path]).args(["--into", "inbox"]).end();
        ended.code(65);
        edit(path, |manifest| {
            manifest["database"]["properties"] = serde_json::json!([
                "ALTER DATABASE :\"db\" CONNECTION LIMIT 7",
                "ALTER DATABASE :\"db\" SET search_path TO \"$user\", public",
                "COMMENT ON DATABASE :\"db\" IS E'it''s; \\\\! id'",
            ]);
            manifest["database"]["attributes"] = serde_json::json!([
                {"kind": "setting", "name": "application_name", "values": ["x'; DROP DATABASE shop; \\! id"]},
            ]);
        });
        shop.restore([path]).args(["--into", "inbox"]).end().ok();
        let found = shop.sql_in(
            "postgres",
            "SELECT datconnlimit, starts_with(shobj_description(d.oid, 'pg_database'), E'it''s; \\\\! id'), setconfig
             FROM pg_database d JOIN pg_db_role_setting ON setdatabase = d.oid WHERE datname = 'inbox'",
        );
        assert!(found.starts_with("7|t|") && found.contains("search_path=\\\"$user\\\", public"), "{found}");
        assert!(found.contains("DROP DATABASE shop"), "as a value: {found}");
        shop.sql_in("postgres", "DROP DATABASE inbox");
    }
    // What would load a program into every session stays out.
    edit(&theirs, |manifest| {
        manifest["database"]["properties"] = serde_json::json!([]);
        manifest["database"]["attributes"] = serde_json::json!([
            {"kind": "setting", "name": "session_preload_libraries", "values": ["/tmp/evil"]},
            {"kind": "setting", "name": "work_mem", "values": ["5MB"]},
        ]);
    });
    shop.restore([&theirs]).args(["--into", "inbox"]).end().ok().says("session_preload_libraries");
    let kept = shop.sql_in("postgres", "SELECT setconfig FROM pg_db_role_setting WHERE setdatabase <> 0");
    assert_eq!(kept, "{work_mem=5MB}");
    shop.sql_in("postgres", "DROP DATABASE inbox");
    assert!(!started.exists());
    assert_eq!((shop.probe("shop"), shop.databases()), before);
}

#[test]
fn d32_received_sql_reaches_nothing_but_its_own_database() {
    let Some(_engine) = engine() else { return };
    let shop = Shop::with("CREATE TABLE goods (id int); INSERT INTO goods VALUES (1); CREATE ROLE other");
    shop.sql_in("postgres", "CREATE DATABASE live");
    let plain = shop.backup(&["--format", "sql"]);
    let mut dump = String::new();
    let mut unpacked = flate2::read::MultiGzDecoder::new(std::fs::File::open(&plain).unwrap());
    std::io::Read::read_to_string(&mut unpacked, &mut dump).unwrap();
    let before = (shop.probe("shop"), shop.databases(), shop.sql(ROLES));
    let hostile = [
        "DROP DATABASE live;",
        "ALTER DATABASE live RENAME TO gone;",
        "COPY public.goods TO PROGRAM 'touch /tmp/started';",
        "COPY public.goods TO '/tmp/started';",
        "SELECT lo_export(lo_from_bytea(0, 'x'), '/tmp/started');",
        "RESET SESSION AUTHORIZATION; DROP DATABASE live;",
        "SET SESSION AUTHORIZATION postgres; DROP DATABASE live;",
        "SET ROLE postgres; DROP DATABASE live;",
        "CREATE DATABASE mine;",
        "CREATE ROLE mine SUPERUSER;",
        "ALTER ROLE postgres PASSWORD 'x';",
        "ALTER SYSTEM SET archive_command = 'touch /tmp/started';",
        "DROP ROLE other;",
        "GRANT pg_execute_server_program TO CURRENT_USER;",
        "SELECT pg_read_file('/etc/passwd');",
        "ALTER FUNCTION pg_catalog.lo_export(oid, text) OWNER TO other;",
    ];
    let at = dump.find("CREATE TABLE").unwrap();
    for sql in sample(&hostile, 5) {
        let text = format!("{}{sql}\n{}", &dump[..at], &dump[at..]);
        // Without a manifest, and with one that vouches for it.
        let bare = shop.project.path("bare.sql");
        std::fs::write(&bare, &text).unwrap();
        let theirs = received(&shop, &plain, "received");
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut packed, text.as_bytes()).unwrap();
        replace(&theirs, &packed.finish().unwrap());
        for call in [shop.restore([&bare]).arg("--unverified"), shop.restore([&theirs])] {
            let ended = call.args(["--into", "inbox"]).end();
            assert_eq!(ended.exit, 77, "{sql}: {ended}");
        }
        assert_eq!((shop.probe("shop"), shop.databases(), shop.sql(ROLES)), before, "{sql}");
    }
    let inside = docker(["exec", &shop.container, "sh", "-c", "ls /tmp/started 2>/dev/null || echo none"]);
    assert_eq!(inside, "none");
}

#[test]
fn d32_a_received_archive_reaches_nothing_but_its_own_database() {
    let Some(_engine) = engine() else { return };
    let shop = Shop::with("CREATE TABLE goods (id int); INSERT INTO goods VALUES (1)");
    shop.sql_in("postgres", "CREATE DATABASE live");
    shop.sql(&format!("CREATE VIEW placeholder AS SELECT '{}' AS a", "x".repeat(200)));
    let backup = shop.backup(&[]);
    let before = (shop.probe("shop"), shop.databases(), shop.sql(ROLES));
    let whole = std::fs::read(&backup).unwrap();
    // An archive has its statements as they are; another of the same length takes the place of one.
    let at = memchr::memmem::find(&whole, b"CREATE VIEW public.placeholder").unwrap();
    let end = at + memchr::memchr(b';', &whole[at..]).unwrap();
    for sql in
        ["DROP DATABASE live", "COPY public.goods TO PROGRAM 'touch /tmp/started'", "ALTER ROLE postgres PASSWORD 'x'"]
    {
        let mut bytes = whole.clone();
        bytes[at..end].fill(b' ');
        bytes[at..at + sql.len()].copy_from_slice(sql.as_bytes());
        let bare = shop.project.path("bare.dump");
        std::fs::write(&bare, &bytes).unwrap();
        let theirs = received(&shop, &backup, "received");
        replace(&theirs, &bytes);
        for call in [shop.restore([&bare]).arg("--unverified"), shop.restore([&theirs])] {
            let ended = call.args(["--into", "inbox"]).end();
            assert_eq!(ended.exit, 77, "{sql}: {ended}");
        }
        assert_eq!((shop.probe("shop"), shop.databases(), shop.sql(ROLES)), before, "{sql}");
    }
    let inside = docker(["exec", &shop.container, "sh", "-c", "ls /tmp/started 2>/dev/null || echo none"]);
    assert_eq!(inside, "none");
}

#[test]
fn d32_no_superuser_owns_code_that_the_server_runs_by_itself() {
    let Some(_engine) = engine() else { return };
    let shop = Shop::with(
        "CREATE TABLE goods (id int); INSERT INTO goods VALUES (1);
         CREATE FUNCTION indexed(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS
           'BEGIN PERFORM pg_catalog.lo_export(4711, ''/tmp/started''); RETURN $1; EXCEPTION WHEN insufficient_privilege THEN RETURN $1; END';
         SELECT lo_from_bytea(4711, 'x');
         CREATE INDEX ON goods (indexed(id));",
    );
    let roles = shop.sql(ROLES);
    let theirs = received(&shop, &shop.backup(&[]), "received");
    docker(["exec", &shop.container, "rm", "-f", "/tmp/started"]);
    shop.restore([&theirs]).args(["--into", "inbox"]).end().ok().says("has no privileges");
    shop.sql_in("inbox", "ANALYZE goods; REINDEX TABLE goods");
    let owner = "SELECT DISTINCT rolsuper, rolcanlogin FROM pg_class JOIN pg_roles r ON r.oid = relowner WHERE relname LIKE 'goods%'";
    assert_eq!(shop.sql_in("inbox", owner), "f|f");
    let inside = docker(["exec", &shop.container, "sh", "-c", "ls /tmp/started 2>/dev/null || echo none"]);
    assert_eq!(inside, "none");
    // Its role goes once its database is gone.
    shop.sql_in("postgres", "DROP DATABASE inbox");
    shop.restore(["latest"]).end().ok();
    assert_eq!(shop.sql(ROLES), roles);
}

#[test]
fn d32_what_was_received_comes_back_with_its_owners() {
    let Some(_engine) = engine() else { return };
    let shop = Shop::with(GOODS);
    shop.sql(
        "CREATE ROLE \"the \"\"owner\"; CREATE ROLE reader; CREATE SCHEMA app AUTHORIZATION \"the \"\"owner\";
         ALTER TABLE sales SET SCHEMA app; ALTER TABLE app.sales OWNER TO \"the \"\"owner\"; GRANT SELECT ON app.sales TO reader WITH GRANT OPTION;
         ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT SELECT ON TABLES TO reader; CREATE EXTENSION hstore; COMMENT ON TABLE goods IS 'x';
         CREATE TABLE texts (t text); INSERT INTO texts VALUES ('ALTER TABLE public.goods OWNER TO reader;');",
    );
    let owners = "SELECT n.nspname, relname, relowner::regrole, relacl FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE n.nspname IN ('public', 'app') AND c.oid >= 16384
        UNION ALL SELECT nspname, NULL, nspowner::regrole, nspacl FROM pg_namespace WHERE nspname IN ('public', 'app')
        UNION ALL SELECT NULL, NULL, defaclrole::regrole, defaclacl FROM pg_default_acl
        UNION ALL SELECT extname, NULL, extowner::regrole, NULL FROM pg_extension
        UNION ALL SELECT lo.oid::text, NULL, lomowner::regrole, lomacl FROM pg_largeobject_metadata lo ORDER BY 1, 2, 3";
    let before = (shop.probe("shop"), shop.sql(owners), shop.sql(ROLES));
    for format in sample(&["custom", "directory", "sql"], 1) {
        let backup = shop.backup(&["--format", format]);
        let theirs = received(&shop, &backup, format);
        shop.restore([&theirs]).args(["--into", "inbox"]).end().ok();
        assert_eq!((shop.probe("inbox"), shop.sql_in("inbox", owners), shop.sql(ROLES)), before, "{format}");
        shop.sql_in("postgres", "DROP DATABASE inbox");
        // In the place of the live one.
        shop.restore([&theirs]).end().ok();
        assert_eq!((shop.probe("shop"), shop.sql(owners), shop.sql(ROLES)), before, "{format}");
        shop.restore(["--drop-previous"]).end().ok();
    }
}
