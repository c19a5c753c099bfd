//! A database with everything in it, backed up and restored: what comes back is the same, to the last comment.
//!
//! CI does one format of each version; a sweep does all of them, and many tables and large rows.

use std::time::Duration;

use crate::restore::Shop;
use crate::support::*;

const EVERYTHING: &str = include_str!("everything.sql");

/// What is big in it: 5000 tables and a value of 300 MB in a sweep.
fn heavy() -> String {
    let (tables, megabytes) = if is_sweep() { (5000, 300) } else { (500, 30) };
    HEAVY.replace("@tables@", &tables.to_string()).replace("@megabytes@", &megabytes.to_string())
}

const HEAVY: &str = "
DO $$ BEGIN FOR i IN 1..@tables@ LOOP
  EXECUTE format('CREATE TABLE public.table_%s (id int PRIMARY KEY, name text DEFAULT %L)', i, i);
  IF i % 50 = 0 THEN EXECUTE format('INSERT INTO public.table_%s VALUES (%s)', i, i); END IF;
  IF i % 1000 = 0 THEN COMMIT; END IF;
END LOOP; END $$;
CREATE TABLE public.big (value text STORAGE EXTERNAL);
INSERT INTO public.big SELECT repeat('0123456789abcde' || E'\\n', @megabytes@ * 65536);
";

/// Everything that can be seen of it: rows and their hashes, every definition as `pg_dump` writes it, where the sequences
/// stand, and what belongs to the database itself.
fn picture(shop: &Shop) -> Vec<(&'static str, String)> {
    let schema = docker(["exec", &shop.container, "pg_dump", "-U", "postgres", "--schema-only", "shop"]);
    let is_word = |line: &&str| !line.starts_with("\\restrict ") && !line.starts_with("\\unrestrict ");
    let sequences =
        "SELECT json_agg(s) FROM (SELECT schemaname, sequencename, last_value FROM pg_sequences ORDER BY 1, 2) s";
    let properties = "SELECT pg_get_userbyid(datdba), datacl::text[] @> datacl::text[], (SELECT array_agg(a::text ORDER BY a::text) FROM unnest(datacl) a),
        shobj_description(d.oid, 'pg_database'), pg_encoding_to_char(encoding), datcollate, datctype,
        (SELECT array_agg(concat(setrole::regrole, c) ORDER BY concat(setrole::regrole, c)) FROM pg_db_role_setting, unnest(setconfig) c WHERE setdatabase = d.oid)
        FROM pg_database d WHERE datname = 'shop'";
    let large = "SELECT json_agg(l) FROM (SELECT m.oid, lomowner::regrole, lomacl, obj_description(m.oid, 'pg_largeobject'), md5(lo_get(m.oid)) FROM pg_largeobject_metadata m ORDER BY 1) l";
    let filled = "SELECT json_agg(c) FROM (SELECT relname, relispopulated, relpersistence FROM pg_class WHERE relkind IN ('r', 'm') AND relnamespace = 'app'::regnamespace ORDER BY 1) c";
    vec![
        ("rows", shop.probe("shop")),
        ("definitions", schema.lines().filter(is_word).collect::<Vec<_>>().join("\n")),
        ("sequences", shop.sql(sequences)),
        ("properties", shop.sql(properties)),
        ("large objects", shop.sql(large)),
        ("relations", shop.sql(filled)),
    ]
}

#[track_caller]
fn same(before: &[(&str, String)], after: &[(&str, String)], how: &str) {
    for ((what, before), (_, after)) in before.iter().zip(after) {
        if before != after {
            let (b, a): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
            let at = b.iter().zip(&a).position(|(b, a)| b != a).unwrap_or_else(|| b.len().min(a.len()));
            let near =
                |lines: &[&str]| lines[at.saturating_sub(8).min(lines.len())..(at + 3).min(lines.len())].join("\n");
            panic!("{how}: {what} differ in line {at}\n--- before\n{}\n--- after\n{}", near(&b), near(&a));
        }
    }
}

/// The whole of it, in these formats.
fn round_trip(version: u32, formats: &[&[&str]], more: &str) {
    let image = format!("postgres:{version}-alpine");
    let Some(_engine) = images(&[&image]) else { return };
    let shop = Shop::of(&image, "", &(EVERYTHING.to_owned() + more));
    let before = picture(&shop);
    for format in formats {
        let made = shop
            .project
            .xtask(["db-backup", "--json"])
            .args(format.iter().copied())
            .limit(Duration::from_secs(600))
            .end();
        made.ok();
        shop.sql("DROP EVENT TRIGGER watch; DROP SCHEMA app CASCADE; COMMENT ON SCHEMA public IS 'changed'");
        let restored = shop.restore(["latest"]).limit(Duration::from_secs(600)).end();
        restored.ok();
        same(&before, &picture(&shop), &format!("PostgreSQL {version}, {format:?}"));
        shop.restore(["--drop-previous"]).end().ok();
    }
}

const ALL: [&[&str]; 3] = [&["--format", "custom"], &["--format", "directory", "--jobs", "2"], &["--format", "sql"]];

#[test]
fn everything_comes_back_on_15() {
    round_trip(15, if is_sweep() { &ALL } else { &ALL[..1] }, "");
}

#[test]
fn everything_comes_back_on_16() {
    if is_sweep() { round_trip(16, &ALL, &heavy()) } else { round_trip(16, &ALL[1..2], "") }
}

#[test]
fn everything_comes_back_on_17() {
    if is_sweep() {
        round_trip(17, &ALL, "");
    } else {
        round_trip(17, &ALL[..1], &heavy());
    }
}

#[test]
fn everything_comes_back_on_18() {
    round_trip(18, if is_sweep() { &ALL } else { &ALL[2..] }, "");
}
