//! Environments and checkouts are kept apart.

use crate::support::*;

/// A database with a volume of the file's own making, and an env file for each environment.
fn shop(volume: &str, volumes: &str) -> TestProject {
    let database = DATABASE.replace("fixture-password", "'${DB_PASSWORD:?}'");
    let text = format!("services:{database}    volumes: ['{volume}:/var/lib/postgresql/data']\n{volumes}\n");
    TestProject::new()
        .compose(&text)
        .file(".env.example", "DB_PASSWORD=\n")
        .file(".env.production.example", "DB_PASSWORD=\n")
        .file("infra.toml", "[environments.production]\nenv-files = [\".env.production\"]\n")
}

fn production<'a>(words: &[&'a str]) -> Vec<&'a str> {
    ["-e", "production"].into_iter().chain(words.iter().copied()).collect()
}

#[test]
fn production_on_a_laptop_cannot_open_the_development_data() {
    let Some(_engine) = engine() else { return };
    let project = shop("data", "volumes: {data: {}}");
    project.xtask(["setup", "--yes"]).end().ok();
    project.xtask(["db-shell", "-c", "create table development_only (n int)"]).end().ok();
    // Without an env file of its own, production has no password at all, least of all development's.
    project.xtask(production(&["start"])).end().code(78).says(".env.production").says("-e production setup");
    project.xtask(production(&["setup", "--yes"])).end().ok();
    project
        .xtask(production(&["db-shell", "-c", "select * from development_only"]))
        .end()
        .code(1)
        .says("does not exist");
    assert_ne!(project.read(".env"), project.read(".env.production"));
    let volumes =
        |name: &str| docker(["volume", "ls", "-q", "--filter", &format!("label=com.docker.compose.project={name}")]);
    let (own, other) = (project.name().to_owned(), format!("{}-production", project.name()));
    assert_eq!((volumes(&own), volumes(&other)), (format!("{own}_data"), format!("{other}_data")));
    // Removing one leaves the other.
    let clean = production(&["clean", "--all", "--discard-data", "--confirm", &other]).join(" ");
    project.xtask(clean.split(' ')).end().ok();
    assert_eq!((volumes(&own), volumes(&other)), (format!("{own}_data"), String::new()));
    project.xtask(["db-shell", "-c", "select * from development_only"]).end().ok();
}

#[test]
fn a_volume_with_a_fixed_name_is_not_opened_by_two_environments() {
    let Some(_engine) = engine() else { return };
    for (volumes, what) in [
        ("volumes: {data: {name: '@name@-fixed'}}", "-fixed"),
        ("volumes: {data: {name: '@name@-fixed', external: true}}", "-fixed"),
        // Compose itself would name development's so.
        ("volumes: {data: {name: '@name@_data'}}", "_data"),
    ] {
        let project = shop("data", volumes);
        let fixed = format!("{}{what}", project.name());
        if volumes.contains("external") {
            docker(["volume", "create", &fixed]);
        }
        let mut removed_in_the_end = Bystanders::new();
        project.xtask(["setup", "--yes"]).end().ok();
        project.xtask(production(&["setup", "--yes", "--no-start"])).end().ok();
        let ended = project.xtask(production(&["start"])).end();
        ended
            .code(78)
            .says(&format!("service `db` keeps its data in the volume {fixed}"))
            .says("environment `development`");
        ended.says("${DATA_VOLUME}").says("nothing was started");
        assert_eq!(docker(["ps", "-aq", "--filter", &format!("name={}-production", project.name())]), "");
        project.xtask(["start"]).end().ok();
        // The way out: one name for each.
        project.write("compose.yml", &project.read("compose.yml").replace(&fixed, "${DATA_VOLUME:?}"));
        project.write(".env", &format!("{}DATA_VOLUME={fixed}\n", project.read(".env")));
        project.write(".env.production", &format!("{}DATA_VOLUME={fixed}-2\n", project.read(".env.production")));
        if volumes.contains("external") {
            docker(["volume", "create", &format!("{fixed}-2")]);
        }
        project.xtask(production(&["start"])).end().ok();
        project.xtask(["start"]).end().ok();
        project.xtask(["clean", "--yes"]).end().ok();
        project.xtask(production(&["clean", "--confirm", &format!("{}-production", project.name())])).end().ok();
        for volume in [fixed.clone(), format!("{fixed}-2")] {
            removed_in_the_end.watch("volume", volume);
        }
    }
}

#[test]
fn a_folder_with_a_databases_files_is_not_opened_by_two_environments() {
    let Some(_engine) = engine() else { return };
    let project = shop("./pgdata", "");
    project.xtask(["setup", "--yes"]).end().ok();
    project.xtask(production(&["setup", "--yes", "--no-start"])).end().ok();
    let ended = project.xtask(production(&["start"])).end();
    ended.code(78).says("keeps its data in the folder").says("/pgdata").says("${DATA_DIR:-./data}");
    project.xtask(["start"]).end().ok();
    // The folder's owner is the container's user; nobody else may remove it.
    let mount = format!("{}:/it", project.dir().display());
    docker(["run", "--rm", "--pull", "never", "--entrypoint", "rm", "-v", &mount, IMAGE, "-rf", "/it/pgdata"]);
}

#[test]
fn whoever_made_the_shared_volume_keeps_it() {
    let Some(_engine) = engine() else { return };
    let project = shop("data", "volumes: {data: {name: '@name@-fixed'}}");
    // On a server, where nobody has set development up: its env file is missing.
    project.xtask(production(&["setup", "--yes"])).end().ok();
    project.xtask(["setup", "--yes", "--no-start"]).end().ok();
    let ended = project.xtask(["start"]).end();
    ended.code(78).says(&format!("{}-fixed", project.name())).says("environment `production`");
    project.xtask(production(&["ps"])).end().ok().shows("healthy");
}

#[test]
fn a_project_name_that_is_stated_for_both_is_one_project() {
    let Some(_engine) = engine() else { return };
    let project = shop("data", "volumes: {data: {name: '@name@-fixed'}}");
    let manifest = "[environments.staging]\nproject-name = \"@name@\"\nenv-files = [\".env\"]\n";
    project.write("infra.toml", manifest);
    project.xtask(["setup", "--yes"]).end().ok();
    project.xtask(["-e", "staging", "start"]).end().ok();
    project.xtask(["clean", "--all", "--yes"]).end().ok();
}

#[test]
fn two_checkouts_of_one_project_get_along() {
    let Some(_engine) = engine() else { return };
    let make = |project: TestProject, name: &str, port: u16| {
        let text = format!(
            "services:{}    ports: ['127.0.0.1:${{DB_PORT:-{port}}}:5432']\n    volumes: ['data:/var/lib/postgresql/data']\nvolumes: {{data: {{}}}}\n",
            DATABASE.replace("fixture-password", "'${DB_PASSWORD:?}'")
        );
        let text = format!("name: {name}\n{text}");
        project.compose(&text).file(".env.example", "DB_PASSWORD=\n")
    };
    let port = free_port();
    let first = TestProject::new();
    let name = first.name().to_owned();
    let first = make(first, &name, port);
    first.xtask(["setup", "--yes"]).end().ok();
    first.xtask(["db-shell", "-c", "create table of_the_first (n int)"]).end().ok();

    let second = make(TestProject::new(), &name, port);
    let ended = second.xtask(["setup", "--yes"]).end();
    ended.ok().shows("named this checkout's compose project").shows(&format!("{port} is taken by"));
    let record: serde_json::Value = serde_json::from_str(&second.read(".infra/setup.json")).unwrap();
    let other = record["project_name"].as_str().unwrap().to_owned();
    assert!(other.starts_with(&format!("{name}-")), "{other}");
    let second = second.owns(&other);
    for project in [&first, &second] {
        project.xtask(["health"]).end().ok();
    }
    second.xtask(["db-shell", "-c", "select * from of_the_first"]).end().code(1);
    // The second run keeps what was chosen, and neither touches the other's.
    second.xtask(["setup", "--yes"]).end().ok().never_says("named this");
    second.xtask(["clean", "--all", "--yes"]).end().ok().never_says(&format!("{name}-db-1"));
    first.xtask(["db-shell", "-c", "select * from of_the_first"]).end().ok();
    first.xtask(["setup", "--yes"]).end().ok().never_says("named this");
}

#[test]
fn a_container_name_that_two_environments_would_share_is_refused_by_name() {
    let Some(_engine) = engine() else { return };
    let project = shop("data", "volumes: {data: {}}");
    project.write(
        "compose.yml",
        &project.read("compose.yml").replace("  db:\n", "  db:\n    container_name: @name@-db\n"),
    );
    project.xtask(["setup", "--yes"]).end().ok();
    project.xtask(production(&["setup", "--yes", "--no-start"])).end().ok();
    let ended = project.xtask(production(&["start"])).end();
    ended.code(1).says(
        &format!("`{}-db` of service `db` is taken by the project {0}", project.name()).replace("{0}", project.name()),
    );
    project.xtask(["health"]).end().ok();
}

#[test]
fn an_environment_has_a_database_of_its_own_whatever_setup_has_chosen() {
    let Some(_postgres) = postgres() else { return };
    let project = TestProject::new()
        .file(".env.live", "DATABASE_URL=postgres://app@db.example.com/app\n")
        .file("infra.toml", "[project]\nname = \"@name@\"\n[environments.live.database]\nurl = \"env:DATABASE_URL\"\n");
    project.xtask(["setup", "--services", "none", "--no-start"]).end().ok();
    let axis = |words: &[&str]| {
        let words = words.iter().copied().chain(["describe", "--json"]);
        project.xtask(words).end().ok().outcome()["database_axis"].clone()
    };
    let chosen = project.read(".infra/setup.json");
    assert_eq!((axis(&[]), axis(&["-e", "live"])), ("local".into(), "url".into()));
    let live = ["-e", "live", "setup", "--services", "none", "--no-start"];
    project.xtask(live.into_iter().chain(["--database", "local"])).end().code(64).says("[environments.live.database]");
    // What is stated for one is not chosen for the other.
    project.xtask(live).end().ok();
    assert_eq!(project.read(".infra/setup.json"), chosen);
    assert_eq!((axis(&[]), axis(&["-e", "live"])), ("local".into(), "url".into()));
}
