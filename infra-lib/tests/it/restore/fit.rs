//! What the server cannot take, or should not, is refused before anything is made.

use sha2::Digest as _;

use super::*;

/// Edits a manifest, and signs it as its writer would.
fn edit(shop: &Shop, backup: &std::path::Path, change: impl FnOnce(&mut serde_json::Value)) {
    let path = std::fs::read_dir(shop.project.path("backups"))
        .unwrap()
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|kind| kind == "json") && path.file_stem() == backup.file_stem())
        .unwrap();
    let mut manifest: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    manifest.as_object_mut().unwrap().shift_remove("checksum");
    change(&mut manifest);
    let sum = sha2::Sha256::digest(serde_json::to_vec(&manifest).unwrap());
    manifest["checksum"] = sum.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}")).into();
    std::fs::write(&path, serde_json::to_vec_pretty(&manifest).unwrap()).unwrap();
}

#[test]
fn c10_c12_c13_what_does_not_fit_is_refused_with_the_way_out() {
    let Some(_engine) = engine() else { return };
    let shop = Shop::with(GOODS);
    shop.sql(
        "CREATE ROLE \"the \"\"owner\"; CREATE ROLE reader; CREATE EXTENSION hstore;
         ALTER TABLE sales OWNER TO \"the \"\"owner\"; GRANT SELECT ON goods TO reader;",
    );
    docker(["exec", &shop.container, "install", "-d", "-o", "postgres", "/tmp/fast"]);
    shop.sql("CREATE TABLESPACE fast LOCATION '/tmp/fast'");
    shop.sql("CREATE TABLE quick (id int) TABLESPACE fast");
    let backup = shop.backup(&[]);
    let theirs = shop.project.path("theirs.sql");
    let plain = docker(["exec", &shop.container, "pg_dump", "-U", "postgres", "shop"]) + "\n";
    std::fs::write(&theirs, plain).unwrap();
    shop.sql(
        "DROP TABLE quick; DROP TABLESPACE fast; ALTER TABLE sales OWNER TO postgres; REVOKE ALL ON goods FROM reader;
         DROP ROLE \"the \"\"owner\"; DROP ROLE reader; DROP EXTENSION hstore",
    );
    // As on a server whose packages are fewer.
    let control = docker(["exec", &shop.container, "sh", "-c", "ls $(pg_config --sharedir)/extension/hstore.control"]);
    docker(["exec", &shop.container, "mv", &control, "/tmp/hstore.control"]);
    let before = (shop.probe("shop"), shop.databases());

    for ended in [shop.restore([&backup]).end(), shop.restore([&theirs]).arg("--unverified").end()] {
        ended
            .code(65)
            .says("the extension hstore is not installed")
            .says("the tablespace fast does not exist")
            .says("the role reader does not exist");
        ended
            .says(r#"CREATE ROLE "the ""owner";"#)
            .says(r#"CREATE ROLE "reader";"#)
            .says(r#"CREATE TABLESPACE "fast""#);
        ended.says(r#"CREATE EXTENSION "hstore";"#);
    }
    docker(["exec", &shop.container, "mv", "/tmp/hstore.control", &control]);
    shop.restore([&backup])
        .arg("--create-roles")
        .end()
        .code(65)
        .says("the tablespace fast does not exist")
        .never_says("the role reader does not");
    shop.sql("CREATE TABLESPACE fast LOCATION '/tmp/fast'");
    assert_eq!((shop.probe("shop"), shop.databases()), before, "nothing was touched");
    shop.restore([&theirs]).arg("--unverified").end().ok();
    shop.restore(["--drop-previous"]).end().ok();
    shop.restore([&backup]).end().ok();
    shop.restore(["--drop-previous"]).end().ok();
    let before = (shop.probe("shop"), shop.databases());

    edit(&shop, &backup, |manifest| manifest["server"] = "99.1".into());
    shop.restore([&backup]).end().code(65).says("the backup is of PostgreSQL 99, and the server is 16");
    edit(&shop, &backup, |manifest| {
        manifest["server"] = "16.1".into();
        manifest["project"] = "other".into();
    });
    let foreign = shop.restore([&backup]).end();
    foreign.code(77).says("of other").says(&format!("of {}", shop.project.name())).says("--allow-foreign");
    assert_eq!((shop.probe("shop"), shop.databases()), before, "nothing was touched");
    shop.restore([&backup]).arg("--allow-foreign").end().ok();
}

#[test]
fn c12_a_dump_of_a_newer_server_is_refused() {
    let Some(_engine) = images(&["postgres:17-alpine", "postgres:16-alpine"]) else { return };
    let newer = Shop::of("postgres:17-alpine", "", "CREATE TABLE goods (id int); INSERT INTO goods VALUES (1)");
    let older = Shop::with("");
    for format in ["custom", "sql"] {
        let backup = newer.backup(&["--format", format]);
        // Its manifest is beside it; and then it is anybody's file.
        older
            .restore([&backup])
            .arg("--allow-foreign")
            .end()
            .code(65)
            .says("is of PostgreSQL 17, and the server is 16");
        let alone = older.project.path(&format!("alone.{format}"));
        std::fs::copy(&backup, &alone).unwrap();
        older.restore([&alone]).arg("--unverified").end().code(65);
    }
    assert_eq!(older.databases(), ["shop"]);
}

#[test]
fn c18_c23_one_restore_at_a_time_and_no_limit_of_the_role_ends_it() {
    let Some(_engine) = engine() else { return };
    let shop = Shop::with(GOODS);
    shop.sql(
        "CREATE FUNCTION slowly(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.003); RETURN $1; END';
         CREATE INDEX ON sales (slowly(good));
         ALTER ROLE postgres SET statement_timeout TO '1s'; ALTER ROLE postgres SET lock_timeout TO '1s'; ALTER DATABASE shop SET statement_timeout TO '1s';
         ALTER ROLE postgres SET default_transaction_read_only TO on;",
    );
    let limits = shop.probe("shop");
    // Building that index takes more than one second.
    shop.backup(&[]);
    shop.backup(&["--format", "sql", "--name", "text"]);
    let first = shop.restore(["latest"]).spawn();
    first.until("restoring");
    // It takes as long as the others wait, and longer.
    first.signal(rustix::process::Signal::STOP);
    let others = [&["db-restore", "latest", "--yes"][..], &["db-restore", "--rollback", "--yes"], &["db-backup"]];
    let others = others.map(|words| shop.project.xtask(words).spawn());
    for other in others {
        other.wait().code(75).says("db-restore");
    }
    first.signal(rustix::process::Signal::CONT);
    first.wait().ok();
    assert_eq!(shop.probe("shop"), limits);
    shop.restore(["text"]).end().ok();
    assert_eq!(shop.probe("shop"), limits);
}

#[test]
fn c22_encoding_and_collation_are_those_of_the_backup() {
    let Some(_engine) = engine() else { return };
    let shop = Shop::with("");
    let make = |name: &str, how: &str| {
        shop.sql_in("postgres", &format!("CREATE DATABASE {name} TEMPLATE template0 {how}"));
        shop.sql_in(name, "CREATE TABLE t (word text); INSERT INTO t VALUES ('b'), ('A'), ('a'), ('B')");
    };
    make("bytes", "ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'");
    shop.sql_in("bytes", r"INSERT INTO t VALUES (E'caf\351')");
    make("latin", "ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'");
    shop.sql_in("latin", "SET client_encoding = 'UTF8'; INSERT INTO t VALUES ('café')");
    make("icu", "ENCODING 'UTF8' LOCALE_PROVIDER icu ICU_LOCALE 'en-US' LC_COLLATE 'C' LC_CTYPE 'C'");
    let facts = |name: &str| {
        let sql = format!(
            "SELECT concat_ws(' ', pg_encoding_to_char(encoding), datcollate, datctype, datlocprovider, daticulocale) FROM pg_database WHERE datname = '{name}'"
        );
        let words = "SELECT string_agg(encode(word::bytea, 'hex'), ' ' ORDER BY word) FROM t";
        let words = words.replace("word::bytea", "convert_to(word, getdatabaseencoding())");
        (shop.sql_in("postgres", &sql), shop.sql_in(name, &words))
    };
    for name in sample(&["bytes", "latin", "icu"], 1) {
        shop.project.write("infra.toml", &format!("[database]\nname = \"{name}\"\n"));
        let before = facts(name);
        let backup = shop.backup(&[]);
        shop.sql_in(name, "TRUNCATE t");
        shop.restore([&backup]).end().ok();
        assert_eq!(facts(name), before);
        // Somebody else's dump, into a server whose databases are UTF-8.
        let theirs = shop.project.path(&format!("{name}.sql"));
        docker(["exec", &shop.container, "pg_dump", "-U", "postgres", "-f", "/tmp/x.sql", name]);
        docker(["cp", &format!("{}:/tmp/x.sql", shop.container), theirs.to_str().unwrap()]);
        shop.project.write("infra.toml", "");
        let into = format!("their_{name}");
        shop.restore([&theirs]).args(["--unverified", "--into", &into]).end().ok();
        let (encoding, words) = facts(&into);
        match name {
            "bytes" => assert_eq!((encoding.split(' ').next(), words), (Some("SQL_ASCII"), before.1)),
            _ => assert_eq!(words.replace("c3a9", "e9").len(), before.1.replace("c3a9", "e9").len()),
        }
    }
}
