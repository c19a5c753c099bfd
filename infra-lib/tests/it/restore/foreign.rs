//! Dumps that others have made, judged by what is in them.

use std::path::{Path, PathBuf};

use super::*;

/// Runs a line of shell in the container, and brings what it wrote to `/tmp/out` here, under this name.
fn made_by(shop: &Shop, line: &str, name: &str) -> PathBuf {
    let line = format!("export PGUSER=postgres; rm -rf /tmp/out; {line}");
    docker(["exec", &shop.container, "sh", "-c", &line]);
    let path = shop.project.path(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    docker(["cp", &format!("{}:/tmp/out", shop.container), path.to_str().unwrap()]);
    path
}

fn unverified(shop: &Shop, path: &Path) -> Call {
    shop.restore([path]).arg("--unverified")
}

#[test]
fn dumps_as_common_scripts_make_them_are_restored() {
    let Some(_engine) = engine() else { return };
    let shop = Shop::with(GOODS);
    shop.sql(
        "CREATE FUNCTION tricky() RETURNS text LANGUAGE sql AS $body$ SELECT $$\n\\restrict x\nCOPY public.goods FROM stdin;\n\\unrestrict x\n$$ $body$;
         CREATE TABLE parts (id int) PARTITION BY RANGE (id); CREATE TABLE part1 PARTITION OF parts FOR VALUES FROM (0) TO (10);
         CREATE TABLE part2 PARTITION OF parts FOR VALUES FROM (10) TO (20); INSERT INTO parts VALUES (1), (11), (12);
         CREATE TABLE parent (id int); CREATE TABLE child () INHERITS (parent); INSERT INTO parent VALUES (1); INSERT INTO child VALUES (2), (3);",
    );
    let whole = shop.probe("shop");
    let files = [
        ("pg_dump shop >/tmp/out", "plain.sql"),
        ("pg_dump shop | gzip >/tmp/out", "pgsql_shop_db_20261120-023000.sql.gz"),
        ("pg_dump --clean --if-exists shop | gzip -9 >/tmp/out", "daily/shop-20261120.sql.gz"),
        ("pg_dump --load-via-partition-root --quote-all-identifiers shop >/tmp/out", "backup/no extension"),
        (
            "{ printf '\\357\\273\\277'; pg_dump shop | grep -vE '^.(un)?restrict [A-Za-z0-9]+$'; } >/tmp/out",
            "older.sql",
        ),
        ("pg_dump --inserts shop >/tmp/out", "inserts.sql"),
        ("pg_dump -Fc shop >/tmp/out", "shop_2026-11-20T02:30:00.dump"),
        ("pg_dump -Fc -Z0 shop >/tmp/out", "named-wrongly.sql.gz"),
        ("pg_dump -Ft shop >/tmp/out", "shop.tar"),
        ("pg_dump -Fd -j2 -f /tmp/out shop", "folder"),
    ];
    for (line, name) in sample(&files, 3) {
        let path = made_by(&shop, line, name);
        shop.sql("DELETE FROM sales");
        let ended = unverified(&shop, &path).end();
        ended.ok();
        assert_eq!(ended.stderr.contains("has no COPY"), name == "inserts.sql", "{name}");
        assert_eq!(shop.probe("shop"), whole, "{line}");
        shop.restore(["--drop-previous"]).end().ok();
    }
}

#[test]
fn what_is_no_dump_of_a_database_is_refused_with_the_way_out() {
    let Some(_engine) = engine() else { return };
    let shop = Shop::with("CREATE TABLE goods (id int); INSERT INTO goods VALUES (1)");
    let before = (shop.probe("shop"), shop.databases());
    let cases = [
        ("pg_dump shop | zstd >/tmp/out", "zstd -d"),
        ("pg_dump -Fc shop | gzip >/tmp/out", "gunzip"),
        ("pg_dump -Fd -f /tmp/d shop; tar czf /tmp/out -C /tmp d", "tar xzf"),
        ("pg_dumpall >/tmp/out", "pg_dumpall"),
        ("pg_dumpall | gzip >/tmp/out", "psql -f"),
        ("pg_dump --create shop >/tmp/out", "\\connect"),
        ("pg_dump shop | iconv -t UTF-16 >/tmp/out", "UTF-16"),
        ("true >/tmp/out", "is empty"),
        ("mkdir /tmp/out; touch /tmp/out/x", "toc.dat"),
        ("head -c 3000 /bin/sh >/tmp/out", "is neither SQL"),
        ("echo x >/tmp/x; tar cf /tmp/out -C /tmp x", "toc.dat"),
        ("pg_dump shop | bzip2 >/tmp/out || printf BZh >/tmp/out", "bunzip2"),
    ];
    for (number, (line, way)) in cases.into_iter().enumerate() {
        let path = made_by(&shop, line, &format!("{number}/file"));
        unverified(&shop, &path).end().code(65).says(way);
    }
    // B08: only plain files and folders.
    let pipe = shop.project.path("pipe");
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR, 0).unwrap();
    std::os::unix::fs::symlink("0/file", shop.project.path("shop-latest.sql.gz")).unwrap();
    unverified(&shop, &pipe).end().code(64);
    unverified(&shop, Path::new("/dev/zero")).end().code(64);
    unverified(&shop, &shop.project.path("shop-latest.sql.gz")).end().code(64).says("it is a link to 0/file");
    unverified(&shop, Path::new("nowhere.dump")).end().code(66);
    assert_eq!((shop.probe("shop"), shop.databases()), before);
}

#[test]
fn c14_c15_somebody_elses_sql_starts_no_program() {
    let Some(_engine) = engine() else { return };
    let shop = Shop::with("CREATE TABLE goods (id int); INSERT INTO goods VALUES (1)");
    let before = (shop.probe("shop"), shop.databases());
    let dump = std::fs::read_to_string(made_by(&shop, "pg_dump shop >/tmp/out", "whole.sql")).unwrap();
    let word =
        dump.lines().find_map(|line| line.strip_prefix("\\restrict ")).expect("this pg_dump writes it").to_owned();
    let here = shop.project.path("started");
    let (middle, start) = (dump.find("CREATE TABLE").unwrap(), format!("touch {} /tmp/started", here.display()));
    let hostile = [
        // A line of its own is seen before anything is made, one within a line psql refuses.
        (format!("\\! {start}\n"), "the psql command `\\!`"),
        (format!("SELECT 1; \\! {start}\n"), "restricted"),
        (format!("SELECT 1 \\g |{start}\n"), "restricted"),
        (format!("SELECT 'a' \\\\ \\o |{start}\n"), "restricted"),
        (format!("SELECT 1; \\copy goods to program '{start}'\n"), "restricted"),
        (format!("\\unrestrict {word}\n\\! {start}\n"), "the psql command"),
        (format!("SELECT 1; \\unrestrict {word}\nSELECT 1; \\! {start}\n"), "restrict"),
        (format!("SELECT 1; \\set x `{start}`\n"), "restricted"),
    ];
    for (number, (line, why)) in hostile.into_iter().enumerate() {
        let path = shop.project.path("hostile.sql");
        // An older pg_dump wrote no such lines.
        let older = dump.replace(&format!("\\restrict {word}\n"), "").replace(&format!("\\unrestrict {word}\n"), "");
        let text = if number % 2 == 0 { &dump } else { &older };
        let at = text.find("CREATE TABLE").unwrap();
        std::fs::write(&path, format!("{}{line}{}", &text[..at], &text[at..])).unwrap();
        let ended = unverified(&shop, &path).end();
        assert!([1, 65].contains(&ended.exit), "{line}: {ended}");
        ended.says(why);
        assert!(!here.exists(), "{line}");
    }
    let inside = docker(["exec", &shop.container, "sh", "-c", "ls /tmp/started 2>/dev/null || echo none"]);
    assert_eq!(inside, "none");
    assert_eq!((shop.probe("shop"), shop.databases()), before);
    // What is in no command: data, and bodies of functions.
    let harmless = "CREATE FUNCTION public.f() RETURNS text LANGUAGE sql AS $$ SELECT '\n\\! ls\n' $$;\n";
    let path = shop.project.path("harmless.sql");
    std::fs::write(&path, format!("{}{harmless}{}", &dump[..middle], &dump[middle..])).unwrap();
    unverified(&shop, &path).end().ok();
    assert_eq!(shop.sql("SELECT f()"), "\n\\! ls");
}
