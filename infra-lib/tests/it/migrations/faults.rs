//! What can be wrong with the files, the ledger and the database.

use super::*;

#[test]
fn d01_an_error_in_the_middle_leaves_nothing_of_its_file() {
    let Some(_postgres) = postgres() else { return };
    let project = migrated();
    project.write("migrations/2_good.sql", "CREATE TABLE good ();\n");
    project.write("migrations/3_half.sql", "CREATE TABLE half (id int);\n\nSELECT 1/0;\nCREATE TABLE rest ();\n");
    let failed = project.xtask(["db-migrate", "--json"]).end();
    let message = failed.code(1).error()["message"].as_str().unwrap().to_owned();
    assert!(message.contains("migrations/3_half.sql:3: division by zero (SQLSTATE 22012)"), "{message}");
    assert_eq!(ask(&project, "SELECT to_regclass('half') IS NULL AND to_regclass('good') IS NOT NULL"), "t");
    assert_eq!(ask(&project, ROWS), "1:true 2:true");

    // Where the server points at a place, it is the file's.
    project.write(
        "migrations/3_half.sql",
        "-- first\nCREATE TABLE half (id int);\nCREATE TABLE x (\n  a int,\n  b nonsense\n);\n",
    );
    migrate(&project, "").code(1).says("3_half.sql:5: type \"nonsense\" does not exist");
    project.write("migrations/3_half.sql", "CREATE TABLE half (id int);\n");
    migrate(&project, "").ok().shows("applied 3\n");
}

#[test]
fn d04_d05_d06_d12_edited_missing_and_late_files_are_refused_before_any_change() {
    let Some(_postgres) = postgres() else { return };
    let project = migrated();
    project.write("migrations/3_last.sql", "CREATE TABLE last ();\n");
    migrate(&project, "").ok();
    project.write("migrations/4_next.sql", "CREATE TABLE next ();\n");

    project.write("migrations/2_late.sql", "CREATE TABLE late ();\n");
    migrate(&project, "").code(65).says("--out-of-order");
    migrate(&project, "status").code(2).shows("older than the newest applied one");
    std::fs::remove_file(project.path("migrations/2_late.sql")).unwrap();

    project.write("migrations/3_last.sql", "CREATE TABLE last (a int);\n");
    let edited = migrate(&project, "");
    // Both checksums are told.
    edited.code(65).says("was changed after it was applied (applied: ").says(", now: ");
    migrate(&project, "status").code(2).shows("edited after it was applied");
    project.write("migrations/3_last.sql", "CREATE TABLE last ();\r\n");
    migrate(&project, "").code(65).says("only its line ends");
    migrate(&project, "repair").ok().shows("accepted as edited: 3\n");
    project.write("migrations/3_last.sql", "CREATE TABLE last ();\n");
    migrate(&project, "status").code(2).shows("applied with other line endings");
    migrate(&project, "repair").ok();

    std::fs::remove_file(project.path("migrations/3_last.sql")).unwrap();
    migrate(&project, "").code(65).says("its file is missing");
    migrate(&project, "repair").code(2).shows("still without a file: 3");
    project.write("migrations/3_last.sql", "CREATE TABLE last ();\n");
    assert_eq!(ask(&project, "SELECT to_regclass('late') IS NULL AND to_regclass('next') IS NULL"), "t");

    project.write("migrations/2_late.sql", "CREATE TABLE late ();\n");
    migrate(&project, "up --out-of-order").ok().shows("applied 2, 4\n");
    migrate(&project, "status").ok();
}

#[test]
fn d07_d10_d11_bad_names_and_texts_are_refused_before_anything_runs() {
    let Some(_postgres) = postgres() else { return };
    let project = migrated();
    project.write("migrations/2_first.sql", "CREATE TABLE first ();\n");
    let refuse = |file: &str, text: &str, says: &str| {
        project.write(file, text);
        migrate(&project, "").code(78).says(says);
        std::fs::remove_file(project.path(file)).unwrap();
    };
    refuse("migrations/3_ends.sql", "CREATE TABLE a ();\n-- not here: COMMIT\nCOMMIT;\n", "3_ends.sql:3: `COMMIT`");
    refuse("migrations/3_copy.sql", "COPY shop FROM STDIN;\nx\n\\.\n", "3_copy.sql:1: `COPY … FROM STDIN`");
    refuse("migrations/no-version.sql", "SELECT 1;\n", "has no version in its name");
    refuse("migrations/0002_again.sql", "SELECT 1;\n", "have the same version");
    assert_eq!(ask(&project, "SELECT to_regclass('first') IS NULL"), "t");
    project.write("migrations/3_savepoint.sql", "SAVEPOINT a;\nCREATE TABLE b ();\nROLLBACK TO a;\n");
    migrate(&project, "").ok();
    assert_eq!(ask(&project, "SELECT to_regclass('b') IS NULL"), "t");
}

#[test]
fn d10_a_commit_that_no_reader_sees_is_caught_by_the_transactions_number() {
    let Some(_postgres) = postgres() else { return };
    let project = migrated();
    // To the server, the string ends before the COMMIT; to whoever does not know of the setting, behind it.
    let text = "SELECT set_config('standard_conforming' || '_strings', 'off', false);\nCREATE TABLE half ();\nSELECT '\\''; COMMIT; --'\n";
    project.write("migrations/2_hidden.sql", text);
    migrate(&project, "").code(3).says("ended the transaction");
    assert_eq!(ask(&project, ROWS), "1:true");
    assert_eq!(ask(&project, "SELECT to_regclass('half') IS NOT NULL"), "t", "that much cannot be undone");
}

#[test]
fn d08_what_needs_no_transaction_says_so() {
    let Some(_postgres) = postgres() else { return };
    let project = migrated();
    let index = "CREATE INDEX CONCURRENTLY shop_name ON shop (name);\n";
    project.write("migrations/2_index.up.sql", &format!("SELECT 1;\n{index}"));
    migrate(&project, "").code(78).says("2_index.up.sql:2: `CREATE INDEX CONCURRENTLY`").says("-- no-transaction");
    project.write("migrations/2_index.up.sql", &format!("-- no-transaction\nSELECT 1;\n{index}"));
    migrate(&project, "").code(78).says("a second statement");
    project.write("migrations/2_index.up.sql", &format!("-- no-transaction\n{index}"));
    project.write("migrations/2_index.down.sql", "-- no-transaction\nDROP INDEX CONCURRENTLY shop_name;\n");
    project.write("migrations/3_vacuum.sql", "-- no-transaction\nVACUUM shop;\n");
    migrate(&project, "").ok().shows("applied 2, 3\n");
    assert_eq!(ask(&project, ROWS), "1:true 2:true 3:true");
    std::fs::remove_file(project.path("migrations/3_vacuum.sql")).unwrap();
    ask(&project, "DELETE FROM _sqlx_migrations WHERE version = 3");
    migrate(&project, "down --yes").ok().shows("reverted 2\n");
    assert_eq!(ask(&project, "SELECT to_regclass('shop_name') IS NULL"), "t");
}

#[test]
fn d09_a_failed_index_is_named_and_blocks_until_it_is_gone() {
    let Some(_postgres) = postgres() else { return };
    let project = migrated();
    ask(&project, "INSERT INTO shop VALUES ('corner')");
    project.write(
        "migrations/2_unique.sql",
        "-- no-transaction\nCREATE UNIQUE INDEX CONCURRENTLY shop_one ON shop (name);\n",
    );
    migrate(&project, "").code(3).says("SQLSTATE 23505").says("DROP INDEX CONCURRENTLY shop_one;");
    migrate(&project, "").code(3).says("failed partway");
    migrate(&project, "status").code(2).shows("failed partway");
    migrate(&project, "repair").code(3).says("DROP INDEX CONCURRENTLY shop_one;");
    ask(&project, "DROP INDEX CONCURRENTLY shop_one");
    ask(&project, "DELETE FROM shop");
    migrate(&project, "repair").ok().shows("pending again: 2\n");
    migrate(&project, "").ok().shows("applied 2\n");
}

#[test]
fn d14_a_ledger_that_is_gone_or_closed_is_refused() {
    let Some(_postgres) = postgres() else { return };
    let project = migrated();
    project.write("migrations/2_more.sql", "CREATE TABLE more ();\n");
    ask(&project, "CREATE TABLE kept AS SELECT * FROM _sqlx_migrations");
    ask(&project, "DROP TABLE _sqlx_migrations");
    migrate(&project, "").code(77).says("nothing says which migrations made them");
    ask(&project, "ALTER TABLE kept RENAME TO _sqlx_migrations");
    let user = ask(&project, "SELECT current_user");
    ask(&project, "CREATE ROLE other; ALTER TABLE _sqlx_migrations OWNER TO other");
    // A superuser may do everything; so it becomes an ordinary role, once another one could make it whole again.
    ask(&project, &format!("CREATE ROLE root SUPERUSER; ALTER ROLE \"{user}\" NOSUPERUSER"));
    let refused = migrate(&project, "");
    refused.code(1);
    assert!(refused.stderr.contains("_sqlx_migrations"), "{refused}");
}

#[test]
fn d15_another_environments_database_is_refused() {
    let Some(_postgres) = postgres() else { return };
    let project = migrated();
    project.write("migrations/2_more.sql", "CREATE TABLE more ();\n");
    let name = ask(&project, "SELECT current_database()");
    ask(&project, &format!("COMMENT ON DATABASE \"{name}\" IS 'the shop [infra project=x environment=production]'"));
    for words in ["up", "status", "down --yes", "repair", "baseline 2"] {
        migrate(&project, words).code(77).says("environment=production");
    }
    assert_eq!(ask(&project, "SELECT to_regclass('more') IS NULL"), "t");
}

#[test]
fn d16_never_two_owners() {
    let Some(_postgres) = postgres() else { return };
    let project = migrated();
    project.write("migrations/2_more.sql", "CREATE TABLE more ();\n");
    for (table, owner) in [
        ("schema_migrations (version bigint PRIMARY KEY, dirty boolean)", "golang-migrate"),
        ("schema_migrations (version varchar(255) PRIMARY KEY)", "dbmate"),
        ("schema_migrations (version bigint PRIMARY KEY, inserted_at timestamp)", "ecto"),
        ("_prisma_migrations (id text)", "prisma"),
        ("flyway_schema_history (installed_rank int)", "flyway"),
    ] {
        ask(&project, &format!("CREATE TABLE {table}"));
        let refused = migrate(&project, "");
        refused.code(77).says(&format!("of {owner}"));
        migrate(&project, "status").code(2).shows(owner);
        ask(&project, &format!("DROP TABLE {}", table.split(' ').next().unwrap()));
    }
    migrate(&project, "").ok();
}

#[test]
fn d17_meta_commands_and_variables_are_inert() {
    let Some(_postgres) = postgres() else { return };
    let project = migrated();
    let trap = project.path("trap");
    for command in
        [format!("\\! touch {}", trap.display()), "\\connect postgres".to_owned(), format!("\\o {}", trap.display())]
    {
        project.write("migrations/2_trap.sql", &format!("SELECT 1;\n{command}\n"));
        migrate(&project, "").code(1).says("syntax error");
        assert!(!trap.exists(), "a meta-command of a migration was run");
    }
    project.write("migrations/2_trap.sql", "INSERT INTO shop VALUES (':tx $1 \\! :''tx'' :ledger');\n");
    migrate(&project, "").ok();
    assert_eq!(ask(&project, "SELECT name FROM shop WHERE name LIKE '%tx%'"), r":tx $1 \! :'tx' :ledger");
}

#[test]
fn what_a_file_sets_does_not_hold_for_the_next_one() {
    let Some(_postgres) = postgres() else { return };
    let project = migrated();
    let text = "CREATE ROLE nobody_at_all;\nSELECT pg_catalog.set_config('search_path', '', false);\nSET statement_timeout = 1;\n\
                RESET statement_timeout;\nSET ROLE nobody_at_all;\n";
    project.write("migrations/2_dump.sql", text);
    project.write("migrations/3_after.sql", "\u{feff}CREATE TABLE after (id int);\n");
    migrate(&project, "").ok().shows("applied 2, 3\n");
    assert_eq!(ask(&project, "SELECT to_regclass('public.after') IS NOT NULL"), "t");
}
