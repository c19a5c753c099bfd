//! Other tools' migrations, each with the real tool where it can be had here.

use super::*;

mod real;
mod recognised;

const PLAIN: &str =
    "[project]\nname = \"@name@\"\n[compose]\nservices = \"none\"\n[migrations]\nbackup-first = false\n";

/// A project with a local database and these files, nothing of which is migrated yet.
fn project(files: &[(&str, &str)]) -> TestProject {
    let project = TestProject::new().file("infra.toml", PLAIN);
    setup(&project).code(0);
    for (path, text) in files {
        project.write(path, text);
    }
    project
}

/// The tool, and each migration with its state.
fn states(project: &TestProject) -> Vec<String> {
    let status = project.xtask(["db-migrate", "status", "--json"]).end().outcome();
    let one = |it: &serde_json::Value| format!("{} {}", it["version"].as_str().unwrap(), it["state"].as_str().unwrap());
    let all: Vec<String> = status["migrations"].as_array().unwrap().iter().map(one).collect();
    [vec![status["tool"].as_str().unwrap().to_owned()], all].concat()
}

const DBMATE: [(&str, &str); 2] = [
    (
        "db/migrations/20240101000000_a.sql",
        "-- migrate:up\nCREATE TABLE a (id int);\n\n-- migrate:down\nDROP TABLE a;\n",
    ),
    (
        "db/migrations/20240102000000_i.sql",
        "-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY i ON a (id);\n-- migrate:down transaction:false\nDROP INDEX CONCURRENTLY i;\n",
    ),
];

#[test]
fn d23_dbmate_applies_and_reverts_its_own_files() {
    let (Some(_postgres), Some(_dbmate)) = (postgres(), tool("dbmate")) else { return };
    let project = project(&DBMATE);
    assert_eq!(states(&project), ["dbmate", "20240101000000 pending", "20240102000000 pending"]);
    migrate(&project, "up --dry-run").ok().never_says("postgres://").never_says("applied 2024");
    assert_eq!(states(&project)[1], "20240101000000 pending");
    migrate(&project, "").ok().shows("applied 20240101000000, 20240102000000\n").shows("`dbmate migrate`");
    assert_eq!(states(&project), ["dbmate", "20240101000000 applied", "20240102000000 applied"]);
    migrate(&project, "").ok().shows("nothing to do");
    migrate(&project, "status").ok().shows("2 applied, 0 pending");
    migrate(&project, "down").code(64);
    migrate(&project, "down --yes").ok().shows("reverted 20240102000000\n");
    migrate(&project, "").ok().shows("applied 20240102000000\n");
    migrate(&project, "down --to 0 --yes").ok().shows("reverted 20240102000000, 20240101000000\n");
    assert_eq!(ask(&project, "SELECT count(*) || coalesce(to_regclass('a')::text, '-') FROM schema_migrations"), "0-");
    migrate(&project, "down --to 7 --yes").code(66);
    migrate(&project, "up --steps 1").code(64).says("only for migrations in sqlx's format");
    migrate(&project, "new more").code(77).says("`dbmate new NAME`");
    migrate(&project, "repair").code(77);
    migrate(&project, "check").code(77);

    // dbmate refuses statements above the first marker, and nothing is recorded.
    project.write("db/migrations/20240103000000_b.sql", "CREATE TABLE lost ();\n-- migrate:up\nSELECT 1;\n");
    let refused = migrate(&project, "");
    refused.code(1).says("-- migrate:up");
    assert_eq!(ask(&project, "SELECT to_regclass('lost') IS NULL"), "t");
    assert_eq!(states(&project)[3], "20240103000000 pending");
}

#[test]
fn d23_a_ledger_is_found_in_its_schema() {
    let Some(_postgres) = postgres() else { return };
    let project = project(&DBMATE);
    ask(&project, "CREATE SCHEMA app CREATE TABLE schema_migrations (version varchar(255) primary key)");
    ask(&project, "INSERT INTO app.schema_migrations VALUES ('20240101000000')");
    assert_eq!(states(&project), ["dbmate", "20240101000000 applied", "20240102000000 pending"]);
    ask(&project, "CREATE SCHEMA other CREATE TABLE schema_migrations (version varchar(255) primary key)");
    migrate(&project, "status").code(78).says("app.schema_migrations and other.schema_migrations");
}

#[test]
fn d23_a_tool_in_an_image_and_in_a_service_gets_the_database_without_a_password_in_argv() {
    let Some(_engine) = engine() else { return };
    // The program records its call, and keeps dbmate's ledger as dbmate would.
    let program = "#!/bin/sh\ntr '\\\\0' ' ' </proc/$$/cmdline >/tmp/called\necho \"$DATABASE_URL\" >>/tmp/called\n\
        echo argv: $@; echo url: $(echo $DATABASE_URL | sed 's/:[^:@/]*@/@/'); ls $2/1_a.sql\n\
        psql -qX \"$DATABASE_URL\" -c \"CREATE TABLE IF NOT EXISTS schema_migrations (version varchar(255) primary key); INSERT INTO schema_migrations VALUES ('1')\"\n";
    let quoted = program.replace('\\', "\\\\").replace('\n', "\\n").replace('\'', "'\\''").replace('%', "%%");
    let image = format!(
        "FROM @image@\nRUN printf '{quoted}' > /usr/local/bin/dbmate && chmod 755 /usr/local/bin/dbmate\nWORKDIR /srv\nCOPY . .\n"
    );
    let project = TestProject::new()
        .compose(&format!(
            "services:{DATABASE}  backend:\n    build: backend\n    entrypoint: [sleep, infinity]\n    init: true\n"
        ))
        .file("backend/Dockerfile", &image)
        .file("backend/db/migrations/1_a.sql", "-- migrate:up\nSELECT 1;\n")
        .file("infra.toml", "[migrations]\nbackup-first = false\nservice = \"backend\"\n");
    let state = || states(&project)[1].clone();
    project.xtask(["start"]).limit(BUILD).end().ok();
    assert_eq!(state(), "1 pending");
    let ran = migrate(&project, "-v");
    ran.ok().shows("applied 1").never_says("fixture-password");
    ran.says("argv: --migrations-dir db/migrations --no-dump-schema migrate")
        .says("url: postgres://postgres@db:5432/postgres");
    assert_eq!(state(), "1 applied");

    ask(&project, "DROP TABLE schema_migrations");
    let built = docker(["inspect", "--format", "{{.Image}}", &project.container("backend")]);
    let manifest = format!("[migrations]\nbackup-first = false\nimage = \"{}\"\n", built.trim());
    project.write("infra.toml", &manifest);
    let ran = migrate(&project, "-v");
    ran.ok().shows("applied 1").never_says("fixture-password");
    ran.says("argv: --migrations-dir /project/backend/db/migrations --no-dump-schema migrate");
    assert_eq!(state(), "1 applied");

    // One that ends well without doing anything is noticed.
    ask(&project, "DELETE FROM schema_migrations");
    project.write("infra.toml", "[migrations]\nbackup-first = false\nservice = \"backend\"\n");
    docker(["exec", &project.container("backend"), "sh", "-c", "printf '#!/bin/sh\\n' > /usr/local/bin/dbmate"]);
    migrate(&project, "").code(2).says("ended without an error, but 1 is not in its ledger public.schema_migrations");
}

#[test]
fn d23_a_tool_that_is_not_installed_is_69_and_status_still_reports() {
    let Some(_postgres) = postgres() else { return };
    let project = project(&DBMATE);
    let path = Fakes::new().path_without(&["dbmate"]);
    let missing = project.xtask(["db-migrate"]).env("PATH", &path).end();
    missing.code(69).says("dbmate is not installed").says("on this machine").says("in a service").says("in an image");
    project.xtask(["db-migrate", "down", "--yes"]).env("PATH", &path).end().ok().shows("nothing to do");
    project.xtask(["db-migrate", "status"]).env("PATH", &path).end().code(2).shows("0 applied, 2 pending");
    assert_eq!(ask(&project, "SELECT count(*) FROM pg_class WHERE relname = 'a'"), "0");
}

/// A tool, its program, the project's files with their contents, and what the program is expected to record.
type RecordedTool = (&'static str, &'static str, &'static [(&'static str, &'static str)], &'static str);

/// What golang-migrate, Flyway and Prisma get: no such program can be had here, so one that records its call replaces it.
#[test]
fn d23_recorded_tools_get_the_database_as_they_take_it_and_no_password_in_argv() {
    let Some(_postgres) = postgres() else { return };
    let cases: [RecordedTool; 3] = [
        (
            "golang-migrate",
            "migrate",
            &[
                ("go.mod", "module x\nrequire github.com/golang-migrate/migrate/v4 v4.17.0\n"),
                ("migrations/000001_a.up.sql", "CREATE TABLE a ();\n"),
                ("migrations/000001_a.down.sql", "DROP TABLE a;\n"),
            ],
            "CREATE TABLE schema_migrations (version bigint not null primary key, dirty boolean not null); INSERT INTO schema_migrations VALUES (1, false)",
        ),
        (
            "flyway",
            "flyway",
            &[("db/migration/V1.0__First.sql", "CREATE TABLE ${name} ();\n")],
            "CREATE TABLE flyway_schema_history (installed_rank int primary key, version text, description text, type text, script text, checksum int, \
             installed_by text, installed_on timestamp default now(), execution_time int, success boolean); \
             INSERT INTO flyway_schema_history (installed_rank, version, type, success) VALUES (1, '1.0', 'SQL', true)",
        ),
        (
            "prisma",
            "prisma",
            &[
                ("package.json", "{}"),
                ("prisma/schema.prisma", ""),
                ("prisma/migrations/migration_lock.toml", "provider = \"postgresql\"\n"),
                ("prisma/migrations/20240101000000_a/migration.sql", "SELECT 1;\n"),
            ],
            "CREATE TABLE _prisma_migrations (id text, checksum text, finished_at timestamptz, migration_name text, logs text, rolled_back_at timestamptz, \
             started_at timestamptz default now(), applied_steps_count int); \
             INSERT INTO _prisma_migrations (migration_name, checksum, finished_at) VALUES ('20240101000000_a', encode(sha256(E'SELECT 1;\\n'), 'hex'), now())",
        ),
    ];
    for (name, program, files, ledger) in cases {
        let project = project(files);
        let url = locks::url(&project);
        let fakes = Fakes::new()
            .program(program, &format!("PATH=/usr/bin:/bin; psql -qX -c \"{}\"", ledger.replace('$', "\\$")));
        let call = |words: &[&str]| project.xtask(words.iter().copied()).env("PATH", fakes.path()).end();
        assert_eq!(states(&project)[0], name);
        let ran = call(&["db-migrate", "-v"]);
        ran.ok().shows("applied ").never_says("known-to-both");
        let calls = fakes.calls();
        let recorded = calls.iter().find(|call| call.argv[0] == program).unwrap();
        let argv = recorded.argv.join(" ");
        assert!(!argv.contains("known-to-both"), "{argv}");
        assert_eq!(recorded.var("PGPASSWORD"), Some("known-to-both"), "{name}");
        let address = url.split_once('@').unwrap().1;
        let dir = project.dir().display().to_string();
        match name {
            "golang-migrate" => {
                let user = url.trim_start_matches("postgres://").split(':').next().unwrap();
                let expected =
                    format!("migrate -path {dir}/migrations -database postgres://{user}@{address}?sslmode=disable up");
                assert_eq!(argv, expected);
            }
            "flyway" => {
                assert_eq!(argv, "flyway migrate");
                let expected = format!("jdbc:postgresql://{address}?sslmode=disable");
                assert_eq!(recorded.var("FLYWAY_URL"), Some(&*expected));
                assert_eq!(recorded.var("FLYWAY_PASSWORD"), Some("known-to-both"));
                assert_eq!(recorded.var("FLYWAY_LOCATIONS"), Some(&*format!("filesystem:{dir}/db/migration")));
            }
            _ => {
                assert_eq!(argv, format!("prisma migrate deploy --schema {dir}/prisma/migrations/../schema.prisma"));
                assert_eq!(recorded.var("DATABASE_URL"), Some(&*format!("{url}?sslmode=disable")));
            }
        }
        assert!(states(&project)[1].ends_with(" applied"), "{:?}", states(&project));
    }
}

#[test]
fn d23_consent_and_backup_are_those_of_our_own_migrations() {
    let (Some(_postgres), Some(_dbmate)) = (postgres(), tool("dbmate")) else { return };
    let project = project(&DBMATE);
    let protected = PLAIN.to_owned() + "[environments.development]\nprotected = true\n";
    project.write("infra.toml", &protected);
    ask(&project, "CREATE TABLE precious ()");
    project.xtask(["db-migrate"]).no_tty().end().code(64).says("--yes");
    let up = project.xtask(["db-migrate", "--yes", "--json"]).end();
    let backup = up.ok().outcome()["backup"].as_str().unwrap().to_owned();
    assert!(project.path(&backup).is_file());
    migrate(&project, "down --yes").code(77).says("--confirm");
    let confirmed = project.xtask(["db-migrate", "down", "--confirm", project.name()]).end();
    confirmed.ok().shows("reverted 20240102000000").shows("backed up first");
}

#[test]
fn the_scripts_of_a_services_package_are_found() {
    let Some(_engine) = engine() else { return };
    // `npm` here is a program that only records how it was called.
    let image = "FROM @image@\nRUN printf '#!/bin/sh\\necho npm $@ >> /tmp/called; [ \"$2\" != migrate:status ]' > /usr/local/bin/npm && chmod 755 /usr/local/bin/npm\n";
    let project = TestProject::new()
        .compose(&format!(
            "services:{DATABASE}  backend:\n    build: backend\n    entrypoint: [sleep, infinity]\n    init: true\n"
        ))
        .file("backend/Dockerfile", image)
        .file(
            "backend/package.json",
            r#"{"scripts": {"migrate": "x", "migrate:rollback": "x", "migrate:status": "x"}}"#,
        )
        .file("infra.toml", "[migrations]\nbackup-first = false\n");
    project.xtask(["start"]).end().ok();
    migrate(&project, "").ok().shows("done by `npm run migrate`");
    migrate(&project, "up --steps 1").code(64).says("cannot be passed on");
    migrate(&project, "down").code(64);
    migrate(&project, "down --yes").ok().shows("done by `npm run migrate:rollback`");
    migrate(&project, "status").code(2);
    let called = docker(["exec", &project.container("backend"), "cat", "/tmp/called"]);
    assert_eq!(
        called.lines().collect::<Vec<_>>(),
        ["npm run migrate", "npm run migrate:rollback", "npm run migrate:status"]
    );
}
