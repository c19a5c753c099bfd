//! The ledgers are found where they are, whatever `search_path` says.

use super::*;

#[test]
fn d26_a_migration_may_change_the_databases_search_path() {
    let Some(_postgres) = postgres() else { return };
    let project = project();
    project.write("seeds/1_shops.sql", "INSERT INTO public.shop VALUES ('corner');\n");
    setup(&project).code(0);
    let cluster = Cluster::of(&project);
    let name = cluster.user.clone();
    migrate(&project, "").ok();
    project.xtask(["db-seed"]).end().ok();
    project.write(
        "migrations/2_paths.sql",
        "CREATE SCHEMA app;\nDO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path TO app', current_database()); END $$;\n",
    );
    migrate(&project, "").ok();
    migrate(&project, "status").ok();
    project.write("migrations/3_more.sql", "CREATE TABLE more (id int);\n");
    migrate(&project, "").ok();
    migrate(&project, "status").ok();
    project.xtask(["db-seed"]).end().ok();
    let ledgers = "SELECT string_agg(relnamespace::regnamespace || '.' || relname, ' ' ORDER BY relname) FROM pg_class
        WHERE relname IN ('_sqlx_migrations', '_infra_seeds') AND relkind = 'r'";
    assert_eq!(cluster.ask(&name, ledgers), "public._infra_seeds public._sqlx_migrations");
    assert_eq!(cluster.ask(&name, &ROWS.replace("_sqlx", "public._sqlx")), "1:true 2:true 3:true");
    assert_eq!(cluster.ask(&name, "SELECT count(*) FROM public.shop"), "1", "the seed ran once");
    let made = project.xtask(["db-backup", "--json"]).end();
    let path = std::path::PathBuf::from(made.ok().outcome()["path"].as_str().unwrap());
    let manifest = std::fs::read_to_string(path.with_extension("json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    assert_eq!(manifest["migration"]["version"], "3");
    // What was edited is repaired in place.
    project.write("migrations/3_more.sql", "CREATE TABLE more (id int); -- edited\n");
    migrate(&project, "").code(65);
    migrate(&project, "repair --yes").ok();
    migrate(&project, "").ok();
}
