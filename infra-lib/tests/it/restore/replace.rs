//! What a restore replaces, keeps and gives back.

use super::*;

/// All that stands outside of a database's own tables.
const PROPERTIES: &str = "SELECT pg_get_userbyid(datdba), (SELECT string_agg(a::text, ' ' ORDER BY a::text) FROM unnest(datacl) a), datconnlimit, shobj_description(oid, 'pg_database'),
 (SELECT string_agg(concat(setrole::regrole, ':', c), ' ' ORDER BY setrole, c) FROM pg_db_role_setting, unnest(setconfig) c WHERE setdatabase = d.oid),
 (SELECT spcname FROM pg_tablespace t WHERE t.oid = dattablespace), pg_encoding_to_char(encoding), datcollate, datctype
FROM pg_database d WHERE datname = 'shop'";

#[test]
fn c07_c24_c25_a_restore_replaces_everything_and_keeps_what_it_replaced() {
    let Some(_engine) = engine() else { return };
    let shop = Shop::with(GOODS);
    shop.sql(
        "CREATE ROLE keeper LOGIN; CREATE ROLE \"odd, \"\"one\"\"\";
         ALTER DATABASE shop OWNER TO keeper; GRANT CONNECT ON DATABASE shop TO \"odd, \"\"one\"\"\" WITH GRANT OPTION;
         REVOKE ALL ON DATABASE shop FROM PUBLIC; ALTER DATABASE shop CONNECTION LIMIT 33;
         ALTER DATABASE shop SET search_path TO \"$user\", public, pg_temp; ALTER DATABASE shop SET work_mem TO '7MB';
         ALTER DATABASE shop SET datestyle TO 'ISO, DMY'; ALTER ROLE keeper IN DATABASE shop SET statement_timeout TO '3s';
         COMMENT ON DATABASE shop IS 'it''s the shop''s\n:\"db\" :name';",
    );
    let (properties, backed_up) = (shop.sql_in("postgres", PROPERTIES), shop.probe("shop"));
    let backup = shop.backup(&[]);
    shop.sql("DELETE FROM sales WHERE id > 10; DROP TABLE IF EXISTS other; CREATE TABLE other ()");
    let changed = shop.probe("shop");

    // Restored twice, nothing is doubled, and what the backup does not have is gone.
    let first = shop.restore(["latest"]).end();
    first.ok().shows("shop holds").shows("--rollback` swaps it back").shows("20500 rows");
    assert_eq!(shop.probe("shop"), backed_up);
    assert_eq!(shop.sql_in("postgres", PROPERTIES), properties);
    shop.restore([backup.as_os_str()]).end().ok();
    assert_eq!((shop.probe("shop"), shop.sql_in("postgres", PROPERTIES)), (backed_up.clone(), properties.clone()));
    let kept = shop.databases();
    assert_eq!(kept.len(), 3, "{kept:?}");
    assert!(kept[1..].iter().any(|old| shop.probe(old) == changed), "the first one that was replaced is as it was");

    // Back, and back again.
    shop.restore(["--rollback"]).end().ok();
    assert_eq!(shop.probe("shop"), backed_up, "what the second restore replaced");
    shop.sql("CREATE TABLE later ()");
    let later = shop.probe("shop");
    shop.restore(["--rollback"]).end().ok();
    assert_eq!(shop.probe("shop"), backed_up);
    shop.restore(["--undo"]).end().ok();
    assert_eq!((shop.probe("shop"), shop.sql_in("postgres", PROPERTIES)), (later.clone(), properties.clone()));
    shop.project.xtask(["db-restore", "--drop-previous"]).end().code(64);
    assert_eq!(shop.databases().len(), 3, "without a yes nothing is dropped");
    shop.restore(["--drop-previous"]).end().ok().shows("dropped shop__old_");
    assert_eq!(shop.databases(), ["shop"]);
    shop.restore(["--rollback"]).end().code(66);
    assert_eq!(shop.probe("shop"), later);

    // Where there is none, it is made again, with all that it had, and is nobody's leftover.
    shop.sql_in("postgres", "ALTER DATABASE shop RENAME TO aside");
    shop.restore(["latest"]).end().ok();
    assert_eq!(shop.probe("shop"), backed_up);
    let marked =
        properties.replace(":name", &format!(":name\n[infra project={} environment=development]", shop.project.name()));
    assert_eq!(shop.sql_in("postgres", PROPERTIES), marked);
    shop.restore(["--drop-previous"]).end().ok().shows("nothing to do");
    assert_eq!(shop.databases(), ["aside", "shop"]);

    // Beside, with its settings; and never over one that is there.
    shop.restore(["latest", "--into", "odd \"name\""]).end().ok();
    assert_eq!(shop.probe("odd \"name\""), backed_up);
    let into = "SELECT setconfig FROM pg_db_role_setting s JOIN pg_database d ON d.oid = setdatabase WHERE setrole = 0 AND datname = ";
    assert_eq!(shop.sql(&format!("{into} 'odd \"name\"'")), shop.sql(&format!("{into} 'shop'")));
    shop.restore(["latest", "--into", "aside"]).end().code(77).says("the database aside already exists");
    shop.restore(["--drop-previous"]).end().ok();
    assert_eq!(shop.databases(), ["aside", "odd \"name\"", "shop"]);
}

#[test]
fn c07_a_database_that_bears_the_maintenance_databases_name_is_replaced_too() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new();
    let service = DATABASE.replace("environment: {", "command: [postgres, -c, fsync=off]\n    environment: {");
    let project = project.compose(&format!("services:{service}"));
    project.xtask(["start"]).end().ok();
    let shop = Shop { container: project.container("db"), project };
    shop.sql_in("postgres", GOODS);
    let backed_up = shop.probe("postgres");
    shop.backup(&[]);
    shop.sql_in("postgres", "TRUNCATE sales");
    // Nothing vouches for a comment: this one has none, and must not be taken for a leftover afterwards.
    shop.restore(["latest"]).end().ok();
    assert_eq!(shop.probe("postgres"), backed_up);
    shop.sql_in(
        "template1",
        "DO $$ BEGIN EXECUTE (SELECT format('ALTER DATABASE %I RENAME TO aside', 'postgres')); END $$",
    );
    shop.restore(["latest"]).end().ok();
    shop.restore(["--drop-previous"]).end().ok();
    assert_eq!(shop.probe("postgres"), backed_up);
}

#[test]
fn c11_a_protected_database_is_replaced_by_its_typed_name_only() {
    let Some(_script) = tool("script") else { return };
    let Some(_engine) = engine() else { return };
    let shop = Shop::with(GOODS);
    let backed_up = shop.probe("shop");
    shop.backup(&[]);
    shop.sql("TRUNCATE sales");
    let before = (shop.probe("shop"), shop.databases());
    let mark = |environment: &str| {
        let mark = format!("[infra project={} environment={environment}]", shop.project.name());
        shop.sql(&format!("COMMENT ON DATABASE shop IS '{mark}'"));
    };
    let try_with = |consent: &[&str]| {
        shop.project
            .xtask(["db-restore", "latest"])
            .args(consent)
            .env("INFRA_YES", "1")
            .env("INFRA_CONFIRM", shop.project.name())
            .end()
    };
    // The mark of another environment: whoever asks, and whatever they say.
    mark("production");
    for consent in [&["--yes"][..], &["--confirm", shop.project.name()], &[]] {
        try_with(consent).code(77).says("is marked as production of");
    }
    mark("development");
    try_with(&[]).code(64);
    shop.project.xtask(["db-restore", "latest"]).pty([("[y/N]", "n\n")]).end().code(64);

    shop.project.write("infra.toml", "[environments.development]\nprotected = true\n");
    try_with(&[]).code(77).says("--confirm");
    try_with(&["--yes"]).code(77);
    try_with(&["--confirm", "other"]).code(64);
    shop.project.xtask(["db-restore", "latest", "--yes"]).no_tty().input("yes\n").end().code(77);
    assert_eq!((shop.probe("shop"), shop.databases()), before, "nothing was touched");
    try_with(&["--confirm", shop.project.name()]).ok();
    assert_eq!(shop.probe("shop"), backed_up);
    try_with(&["--yes"]).code(77);
    shop.restore(["--rollback"]).end().code(77);
    shop.restore(["--drop-previous"]).end().code(77);
}

#[test]
fn what_an_extension_fills_itself_is_not_taken_for_a_difference() {
    let Some(_engine) = engine() else { return };
    let shop = Shop::with("");
    // Its dump holds only the rows that were added; as PostGIS does it with its reference systems.
    let make = "cd $(pg_config --sharedir)/extension && echo \"default_version = '1'\" >conf.control && \
        echo \"CREATE TABLE conf (id int); INSERT INTO conf SELECT generate_series(1, 3); \
        SELECT pg_extension_config_dump('conf', 'WHERE id > 100');\" >conf--1.sql";
    docker(["exec", &shop.container, "sh", "-c", make]);
    shop.sql("CREATE EXTENSION conf; INSERT INTO conf VALUES (101)");
    let before = shop.probe("shop");
    shop.backup(&[]);
    shop.sql("DELETE FROM conf WHERE id > 100");
    shop.restore(["latest"]).end().ok();
    assert_eq!(shop.probe("shop"), before);
}

/// One look at the containers serves all clients until something is changed.
#[test]
fn the_engine_is_asked_for_its_containers_again_only_after_a_change() {
    let Some(_engine) = engine() else { return };
    let shop = Shop::with(GOODS);
    shop.backup(&[]);
    let fakes = Fakes::new().program("docker", "exec \"$REAL\" \"$@\"");
    shop.restore(["latest"]).env("PATH", fakes.path()).end().ok();
    let calls = fakes.calls();
    let asked = |words: &[&str]| calls.iter().filter(|call| call.has(words)).count();
    let (looks, clients) = (asked(&["docker", "ps"]), asked(&["docker", "exec"]));
    assert!(looks * 3 / 2 < clients, "{looks} looks for {clients} clients");
}
