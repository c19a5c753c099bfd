//! Damage is found before the target is touched.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

/// What must not change, and what shows that nothing was even begun: a database that was made has used up a number.
fn untouched(shop: &Shop) -> (String, String) {
    let made = "SELECT count(*) || ' ' || max(oid::bigint) FROM pg_database";
    (shop.probe("shop"), shop.sql_in("postgres", made))
}

#[test]
fn c01_c02_c03_damage_is_found_before_anything_is_made() {
    let Some(_engine) = engine() else { return };
    let shop = Shop::with(
        "CREATE TABLE goods (id int PRIMARY KEY, name text); INSERT INTO goods SELECT i, md5(i::text) FROM generate_series(1, 3000) i",
    );
    let before = untouched(&shop);
    for format in ["custom", "sql", "directory"] {
        let backup = shop.backup(&["--format", format]);
        let file = if format == "directory" { backup.join("toc.dat") } else { backup.clone() };
        let whole = std::fs::read(&file).unwrap();
        let (cuts, flips): (Vec<usize>, Vec<usize>) = match format {
            "custom" => (vec![0, 1, 4, whole.len() / 2, whole.len() - 1], vec![0, 9, whole.len() / 3, whole.len() - 1]),
            _ => (vec![whole.len() - 1], vec![whole.len() / 2]),
        };
        for cut in cuts {
            std::fs::write(&file, &whole[..cut]).unwrap();
            shop.restore([&backup]).end().code(65).says("is damaged");
        }
        for flip in flips {
            let mut bytes = whole.clone();
            bytes[flip] ^= 1 << (flip % 8);
            std::fs::write(&file, &bytes).unwrap();
            shop.restore([&backup]).end().code(65).says("SHA-256");
        }
        std::fs::write(&file, &whole).unwrap();
    }
    assert_eq!(untouched(&shop), before, "nothing was made");
    shop.restore(["latest"]).end().ok();
}

#[test]
fn c01_c02_c21_a_cut_file_without_a_manifest_is_refused_too() {
    let Some(_engine) = engine() else { return };
    let shop = Shop::with(
        "CREATE TABLE goods (id int PRIMARY KEY, name text); INSERT INTO goods SELECT i, md5(i::text) FROM generate_series(1, 3000) i",
    );
    let dump = |args: &str| {
        let made = command("docker")
            .args(["exec", "-e", "PGUSER=postgres", &shop.container, "sh", "-c", &format!("pg_dump {args} shop")])
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        made.stdout
    };
    let (plain, custom) = (dump(""), dump("-Fc"));
    let before = untouched(&shop);
    let end = memchr::memmem::find(&plain, b"-- PostgreSQL database dump complete").unwrap();
    let path = shop.project.path("theirs");
    let refused = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        shop.restore([path.as_os_str()]).arg("--unverified").end().code(65);
    };
    // In the schema, in the data, behind the data; a line whole or not; and as gzip, whole within and cut without.
    for cut in [900, plain.len() / 2, end, end + 10] {
        refused(&plain[..cut]);
    }
    let line = memchr::memrchr(b'\n', &plain[..plain.len() / 2]).unwrap();
    refused(&gzip(&plain[..=line]));
    let packed = gzip(&plain);
    refused(&packed[..packed.len() - 1]);
    refused(&packed[..packed.len() / 2]);
    for cut in [4, 100, custom.len() / 2, custom.len() - 1] {
        refused(&custom[..cut]);
    }
    // As `docker exec -t` mangles it.
    refused(&String::from_utf8(plain.clone()).unwrap().replace('\n', "\r\n").into_bytes());
    assert_eq!(untouched(&shop), before, "nothing was made");

    std::fs::write(&path, &packed).unwrap();
    shop.restore([path.as_os_str()]).end().code(65).says("--unverified");
    assert_eq!(untouched(&shop), before);
    shop.restore([path.as_os_str()]).arg("--unverified").end().ok();
    assert_eq!(shop.probe("shop"), before.0);
}

#[test]
fn c06_c20_what_does_not_come_out_right_is_not_exchanged() {
    let Some(_engine) = engine() else { return };
    // What is restored runs the triggers for events that came before it: this one loses a row of each table that is indexed.
    let shop = Shop::with(
        "CREATE TABLE goods (id int, name text); INSERT INTO goods SELECT i, md5(i::text) FROM generate_series(1, 3000) i;
         CREATE TABLE other (id int); INSERT INTO other VALUES (1);
         CREATE FUNCTION loses() RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN
           IF current_database() <> 'shop' THEN DELETE FROM public.other; END IF; RETURN 1; END $$;
         CREATE MATERIALIZED VIEW hook AS SELECT 1 AS loses;",
    );
    shop.backup(&["--name", "good"]);
    // `REFRESH`, which comes last, is run with a function that works elsewhere only.
    shop.sql(
        "DROP MATERIALIZED VIEW hook; CREATE FUNCTION hook() RETURNS int VOLATILE LANGUAGE plpgsql AS $$ BEGIN RETURN public.loses(); END $$;
         ALTER FUNCTION loses() VOLATILE; CREATE MATERIALIZED VIEW hook AS SELECT public.hook();",
    );
    shop.backup(&["--name", "loses"]);
    // A function that fails where it is restored.
    shop.sql(
        "CREATE OR REPLACE FUNCTION hook() RETURNS int LANGUAGE plpgsql AS $$ BEGIN
           IF current_database() <> 'shop' THEN RAISE 'not here'; END IF; RETURN 1; END $$",
    );
    shop.backup(&["--name", "fails"]);
    let before = (shop.probe("shop"), shop.databases());
    let lost = shop.restore(["loses"]).end();
    lost.code(65).says("public.other has 0 rows instead of 1").says("the database is unchanged");
    assert_eq!((shop.probe("shop"), shop.databases()), before);
    shop.restore(["fails"]).end().code(1).says("not here").says("the database is unchanged");
    assert_eq!((shop.probe("shop"), shop.databases()), before);
    shop.restore(["fails", "--into", "beside"]).end().code(1);
    assert_eq!(shop.databases(), before.1);
    shop.restore(["good"]).end().ok();
}
