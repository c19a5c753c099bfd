//! Databases that cannot be dropped as they are.

use super::*;

#[test]
fn d21_a_subscription_is_detached_and_nothing_is_left_over() {
    for version in sample(&[15, 16, 17, 18], 1) {
        let image = format!("postgres:{version}-alpine");
        let Some(_engine) = images(&[&image]) else { continue };
        let shop = Shop::of(&image, "", GOODS);
        shop.sql("CREATE SUBSCRIPTION \"the news\" CONNECTION 'dbname=nowhere' PUBLICATION p WITH (connect = false, slot_name = 's')");
        shop.backup(&[]);
        shop.project.xtask(["db-verify", "--drill"]).end().ok();
        assert_eq!(shop.databases(), ["shop"], "PostgreSQL {version}");
        // It fails at the end, when there is a subscription in the new database already.
        shop.sql("BEGIN; INSERT INTO sales (good) VALUES (1); PREPARE TRANSACTION 'open'");
        shop.restore(["latest"]).end().code(75).says("the prepared transaction 'open' of postgres, since 2");
        assert_eq!(shop.databases(), ["shop"], "PostgreSQL {version}");
        shop.sql("ROLLBACK PREPARED 'open'");
        for _ in 0..2 {
            shop.restore(["latest"]).end().ok();
        }
        let found = "SELECT subname, subslotname FROM pg_subscription JOIN pg_database d ON d.oid = subdbid WHERE datname = 'shop'";
        assert_eq!(shop.sql(found), "the news|s");
        shop.restore(["--drop-previous"]).end().ok();
        assert_eq!(shop.databases(), ["shop"], "PostgreSQL {version}");
        assert_eq!(shop.sql(found), "the news|s", "that of the live database stays");
        shop.project.xtask(["db-reset", "--yes"]).end().ok();
        assert_eq!(shop.databases(), ["shop"], "PostgreSQL {version}");
    }
}

#[test]
fn d21_what_keeps_a_database_is_named_and_it_is_never_0() {
    let Some(_engine) = engine() else { return };
    let shop = Shop::with(GOODS);
    shop.backup(&[]);
    shop.restore(["latest"]).end().ok();
    let old = shop.databases().into_iter().find(|name| name != "shop").unwrap();
    shop.sql_in("postgres", &format!("ALTER DATABASE {old} IS_TEMPLATE true"));
    shop.sql_in(&old, "BEGIN; INSERT INTO sales (good) VALUES (1); PREPARE TRANSACTION 'open'");
    let kept = shop.restore(["--drop-previous"]).end();
    kept.code(75).says("could not be dropped").says("the prepared transaction 'open'").never_says("psql:");
    assert!(shop.databases().contains(&old));
    shop.sql_in(&old, "ROLLBACK PREPARED 'open'");
    shop.restore(["--drop-previous"]).end().ok();
    assert_eq!(shop.databases(), ["shop"]);
}
