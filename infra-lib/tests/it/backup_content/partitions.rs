//! Partitioned tables whose rows `pg_dump` loads through the table that is partitioned.

use super::*;

/// Where a partition's rows belong depends on the number of an enum's value, which is another one after a restore.
const SCHEMA: &str = "CREATE TYPE kind AS ENUM ('a', 'b', 'c', 'd', 'e');
    CREATE TABLE car (c kind, n int) PARTITION BY HASH (c);
    CREATE TABLE car_0 PARTITION OF car FOR VALUES WITH (MODULUS 2, REMAINDER 0);
    CREATE TABLE car_1 PARTITION OF car FOR VALUES WITH (MODULUS 2, REMAINDER 1);
    INSERT INTO car SELECT (enum_range(NULL::kind))[1 + n % 5], n FROM generate_series(1, 100) n;
    CREATE SCHEMA \"other one\";
    CREATE TABLE mixed (region text, c kind) PARTITION BY LIST (region);
    CREATE TABLE \"other one\".north PARTITION OF mixed FOR VALUES IN ('north') PARTITION BY HASH (c);
    CREATE TABLE north_0 PARTITION OF \"other one\".north FOR VALUES WITH (MODULUS 2, REMAINDER 0);
    CREATE TABLE north_1 PARTITION OF \"other one\".north FOR VALUES WITH (MODULUS 2, REMAINDER 1);
    CREATE TABLE south PARTITION OF mixed FOR VALUES IN ('south');
    INSERT INTO mixed SELECT r, (enum_range(NULL::kind))[1 + n % 5]
      FROM generate_series(1, 30) n, unnest(ARRAY['north', 'south']) r;
    CREATE EXTENSION postgres_fdw; CREATE SERVER nowhere FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1', port '1');
    CREATE FOREIGN TABLE west PARTITION OF mixed FOR VALUES IN ('west') SERVER nowhere;";

#[test]
fn d20_rows_that_arrive_in_several_blocks_are_counted_as_those_of_their_table() {
    let Some(_postgres) = postgres() else { return };
    let (project, cluster, name) = set_up();
    cluster.ask(&name, SCHEMA);
    let rows = "SELECT count(*), sum(n) FROM car;
        SELECT region, count(*) FROM mixed WHERE region <> 'west' GROUP BY 1 ORDER BY 1;";
    let before = cluster.ask(&name, rows);
    for format in ["custom", "directory", "sql"] {
        let made = project.xtask(["db-backup", "--format", format, "--verify", "drill", "--json"]).end();
        let made = made.ok().outcome();
        assert_eq!(made["rows"], 160, "{format}: {made}");
        let manifest = manifest(std::path::Path::new(made["path"].as_str().unwrap()));
        let tables = manifest["tables"].as_array().unwrap();
        let car: Vec<_> = tables.iter().filter(|table| table["name"] == "car").collect();
        assert!(car.len() == 1 && car[0]["rows"] == 100, "{format}: {tables:?}");
        cluster.ask(&name, "TRUNCATE car, ONLY south;");
        project.xtask(["db-restore", "latest", "--yes"]).end().ok();
        assert_eq!(cluster.ask(&name, rows), before, "{format}");
        project.xtask(["db-restore", "--drop-previous", "--yes"]).end().ok();
    }
}
