//! Tools that are here.

use super::*;

#[test]
fn d23_diesel() {
    let (Some(_postgres), Some(_diesel)) = (postgres(), tool("diesel")) else { return };
    let project = project(&[
        ("diesel.toml", "[migrations_directory]\ndir = \"migrations\"\n"),
        ("migrations/2024-01-01-000000_a/up.sql", "CREATE TABLE a (id int PRIMARY KEY);\n"),
        ("migrations/2024-01-01-000000_a/down.sql", "DROP TABLE a;\n"),
        ("migrations/2024-01-02-000000_b/up.sql", "CREATE TABLE b (id int PRIMARY KEY);\n"),
        ("migrations/2024-01-02-000000_b/down.sql", "DROP TABLE b;\n"),
    ]);
    goes_up_and_down(&project, "diesel", ["20240101000000", "20240102000000"]);
}

#[test]
fn d23_alembic() {
    let (Some(_postgres), Some(_alembic)) = (postgres(), tool("alembic")) else { return };
    let env = "import os\nfrom alembic import context\nfrom sqlalchemy import create_engine\n\
        url = os.environ['DATABASE_URL'].replace('postgres://', 'postgresql+psycopg://')\n\
        with create_engine(url).connect() as connection:\n    context.configure(connection=connection)\n    with context.begin_transaction():\n        context.run_migrations()\n";
    let revision = |name: &str, before: &str| {
        format!(
            "from alembic import op\nrevision: str = '{name}'\ndown_revision = {before}\n\
             def upgrade():\n    op.execute('CREATE TABLE t_{name} (id int)')\ndef downgrade():\n    op.execute('DROP TABLE t_{name}')\n"
        )
    };
    let project = project(&[
        ("alembic.ini", "[alembic]\nscript_location = migrations\n"),
        ("migrations/env.py", env),
        ("migrations/script.py.mako", ""),
        // Their order is that of the links, not of the names.
        ("migrations/versions/f1_first.py", &revision("f1", "None")),
        ("migrations/versions/a2_second.py", &revision("a2", "'f1'")),
    ]);
    goes_up_and_down(&project, "alembic", ["f1", "a2"]);
}

#[test]
fn d23_django() {
    let (Some(_postgres), Some(python)) = (postgres(), django()) else { return };
    let settings = "import os\nfrom urllib.parse import urlparse\nurl = urlparse(os.environ['DATABASE_URL'])\n\
        SECRET_KEY = 'x'\nINSTALLED_APPS = ['shop']\nUSE_TZ = True\n\
        DATABASES = {'default': {'ENGINE': 'django.db.backends.postgresql', 'NAME': url.path[1:], 'USER': url.username, 'PASSWORD': url.password, 'HOST': url.hostname, 'PORT': url.port}}\n";
    let manage = "import os, sys\nfrom django.core.management import execute_from_command_line\n\
        os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'settings')\nexecute_from_command_line(sys.argv)\n";
    let migration = |table: &str, before: &str| {
        format!(
            "from django.db import migrations\n\nclass Migration(migrations.Migration):\n    dependencies = [{before}]\n    operations = [migrations.RunSQL('CREATE TABLE {table} (id int)')]\n"
        )
    };
    let project = project(&[
        ("manage.py", manage),
        ("settings.py", settings),
        ("shop/__init__.py", ""),
        ("shop/migrations/__init__.py", ""),
        ("shop/migrations/0001_initial.py", &migration("a", "")),
    ]);
    std::os::unix::fs::symlink(python.parent().unwrap().parent().unwrap(), project.path(".venv")).unwrap();
    assert_eq!(states(&project), ["django", "shop.0001_initial pending"]);
    migrate(&project, "").ok().shows("applied shop.0001_initial\n");
    migrate(&project, "status").ok().shows("1 applied, 0 pending");
    project.write("shop/migrations/0002_more.py", &migration("b", "('shop', '0001_initial')"));
    migrate(&project, "status").code(2).shows("django reports pending migrations").shows("1 applied, 1 pending");
    migrate(&project, "").ok().shows("applied shop.0002_more\n");
    migrate(&project, "down --yes").code(66).says("django has no command that reverts");
    // Without Django, files and ledger say the same.
    std::fs::remove_file(project.path(".venv")).unwrap();
    let path = Fakes::new().path_without(&["python3", "alembic"]);
    project.xtask(["db-migrate", "status"]).env("PATH", path).end().ok().shows("2 applied, 0 pending");
}

#[test]
fn d23_node_pg_migrate() {
    let (Some(_postgres), Some(_tool)) = (postgres(), tool("node-pg-migrate")) else { return };
    let file = |table: &str| {
        format!(
            "exports.up = (pgm) => pgm.createTable('{table}', {{ id: 'id' }});\nexports.down = (pgm) => pgm.dropTable('{table}');\n"
        )
    };
    let project = project(&[
        ("package.json", r#"{"devDependencies": {"node-pg-migrate": "8", "pg": "8"}}"#),
        ("migrations/1700000000000_a.js", &file("a")),
        ("migrations/1700000000001_b.js", &file("b")),
    ]);
    goes_up_and_down(&project, "node-pg-migrate", ["1700000000000_a", "1700000000001_b"]);
}

#[test]
fn d23_knex() {
    let (Some(_postgres), Some(_tool)) = (postgres(), tool("knex")) else { return };
    let file = |table: &str| {
        format!(
            "exports.up = (knex) => knex.schema.createTable('{table}', (t) => t.increments());\nexports.down = (knex) => knex.schema.dropTable('{table}');\n"
        )
    };
    let project = project(&[
        ("package.json", r#"{"dependencies": {"knex": "3", "pg": "8"}}"#),
        ("knexfile.js", "module.exports = { client: 'pg', connection: process.env.DATABASE_URL };\n"),
        ("migrations/20240101000000_a.js", &file("a")),
        ("migrations/20240102000000_b.js", &file("b")),
    ]);
    // Knex is found below the project as well, as npm installs it.
    std::os::unix::fs::symlink(node_modules("knex"), project.path("node_modules")).unwrap();
    goes_up_and_down(&project, "knex", ["20240101000000_a.js", "20240102000000_b.js"]);
}

/// The folder in which npm has put a tool.
fn node_modules(name: &str) -> std::path::PathBuf {
    let program = std::fs::canonicalize(which::which(name).unwrap()).unwrap();
    program.ancestors().find(|above| above.ends_with("node_modules")).unwrap().to_owned()
}

/// Two migrations, applied, reverted one by one, and applied again by the tool itself.
#[track_caller]
fn goes_up_and_down(project: &TestProject, tool: &str, [first, second]: [&str; 2]) {
    let list =
        |states: [&str; 2]| vec![tool.to_owned(), format!("{first} {}", states[0]), format!("{second} {}", states[1])];
    assert_eq!(states(project), list(["pending", "pending"]));
    let ran = migrate(project, "up -v");
    ran.ok().shows(&format!("applied {first}, {second}\n"));
    assert_eq!(states(project), list(["applied", "applied"]));
    migrate(project, "status").ok().shows("2 applied, 0 pending");
    migrate(project, "").ok().shows("nothing to do");
    migrate(project, "down --yes").ok().shows(&format!("reverted {second}\n"));
    assert_eq!(states(project), list(["applied", "pending"]));
    migrate(project, "status").code(2).shows("1 applied, 1 pending");
    migrate(project, "").ok().shows(&format!("applied {second}\n"));
    migrate(project, "down --to 0 --yes").ok();
    assert_eq!(states(project), list(["pending", "pending"]));
}
