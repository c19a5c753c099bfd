//! Folders and the tools that own them.

use super::*;

#[test]
fn d24_a_folder_is_recognised_by_what_it_holds() {
    let Some(_postgres) = postgres() else { return };
    let project = project(&[]);
    // None of these is Flyway's or sqlx's, whatever the folder is called.
    for files in [
        &[("db/migration/0001_initial.py", "class Migration(migrations.Migration):\n    pass\n")][..],
        &[("db/migration/env.py", ""), ("db/migration/versions/ab_x.py", "revision = 'ab'\ndown_revision = None\n")],
        &[("migrations/0001_x_up.sql", "SELECT 1;\n"), ("migrations/0001_x_down.sql", "SELECT 1;\n")],
        &[("migrations/0001_x_up.sql", "SELECT 1;\n")],
        &[("migrations/1_x.sql", "-- +goose Up\nSELECT 1;\n-- +goose Down\nSELECT 2;\n")],
        &[("migrations/1700000000000-First.ts", "export class First {}\n")],
        &[("supabase/migrations/readme.txt", "")],
        &[("migrations/a.sql", "SELECT 1;\n")],
    ] {
        for folder in ["db", "migrations", "supabase"] {
            let _ = std::fs::remove_dir_all(project.path(folder));
        }
        for (path, text) in files {
            project.write(path, text);
        }
        for words in ["status", "", "down --yes", "check", "new x"] {
            let refused = migrate(&project, words);
            refused.code(78).says("no known migration tool uses ");
            refused.says("`-- migrate:up` (dbmate)").says("(Flyway)").says("(sqlx)").says("manage.py");
        }
        project.xtask(["db-migrate", "--json"]).end().code(78);
    }
}

#[test]
fn d24_files_of_one_form_belong_to_the_tool_whose_ledger_the_database_has() {
    let Some(_postgres) = postgres() else { return };
    let files = [
        ("db/migration/000001_a.up.sql", "CREATE TABLE a ();\n"),
        ("db/migration/000001_a.down.sql", "DROP TABLE a;\n"),
    ];
    let own = project(&files);
    assert_eq!(states(&own), ["sqlx", "1 pending"]);
    ask(&own, "CREATE TABLE schema_migrations (version bigint not null primary key, dirty boolean not null)");
    assert_eq!(states(&own), ["golang-migrate", "1 pending"]);
    ask(&own, "INSERT INTO schema_migrations VALUES (1, true)");
    assert_eq!(states(&own), ["golang-migrate", "1 failed"]);
    // What infra.toml states goes before everything.
    own.write("infra.toml", &PLAIN.replace("backup-first", "tool = \"sqlx\"\nbackup-first"));
    migrate(&own, "").code(77).says("schema_migrations of golang-migrate");
    own.write("infra.toml", &PLAIN.replace("backup-first", "tool = \"goose\"\nbackup-first"));
    migrate(&own, "status").code(78).says("unknown migration tool `goose`").says("use one of: sqlx, dbmate");

    let both = project(&[DBMATE[0], ("db/migrations/V1__x.sql", "SELECT 1;\n")]);
    migrate(&both, "status").code(78).says("contains files of dbmate and of flyway");
}

#[test]
fn d23_an_edited_file_is_refused_before_its_tool_runs() {
    let Some(_postgres) = postgres() else { return };
    let project = project(&[("db/migration/V1__First_one.sql", "CREATE TABLE a (id int);\r\n")]);
    ask(
        &project,
        "CREATE TABLE flyway_schema_history (installed_rank int primary key, version text, type text, checksum int, installed_on timestamp default now(), success boolean)",
    );
    let sum = crc32("CREATE TABLE a (id int);");
    ask(&project, &format!("INSERT INTO flyway_schema_history VALUES (1, '1', 'SQL', {sum}, now(), true)"));
    assert_eq!(states(&project), ["flyway", "1 applied"]);
    migrate(&project, "").ok().shows("nothing to do");
    project.write("db/migration/V1__First_one.sql", "CREATE TABLE a (id bigint);\n");
    assert_eq!(states(&project), ["flyway", "1 edited"]);
    migrate(&project, "").code(65).says("V1__First_one.sql was changed after flyway applied it");
    // A baseline means everything before it, and what was undone is pending.
    project.write("db/migration/V1.1__Second.sql", "SELECT 1;\n");
    ask(&project, "UPDATE flyway_schema_history SET version = '1.1', type = 'BASELINE', checksum = NULL");
    assert_eq!(states(&project), ["flyway", "1 applied", "1.1 applied"]);
    ask(&project, "INSERT INTO flyway_schema_history VALUES (2, '1.1', 'UNDO_SQL', NULL, now(), true)");
    assert_eq!(states(&project), ["flyway", "1 pending", "1.1 pending"]);
}

fn crc32(text: &str) -> i32 {
    let crc = !text.bytes().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 })
    });
    crc.cast_signed()
}
