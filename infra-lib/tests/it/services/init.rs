//! `init`.

use super::*;

#[test]
fn init_writes_what_the_next_command_reads() {
    let project = TestProject::new().file(".gitignore", "/target\nbackups").compose("services: {web: {image: x}}");
    let dry = project.xtask(["init", "--dry-run"]).end();
    dry.ok().shows("# write [dir]/infra.toml".replace("[dir]", project.dir().to_str().unwrap()).as_str());
    assert!(!project.path("infra.toml").exists());
    project.xtask(["init"]).stdout("wrote [dir]/infra.toml\nadded to .gitignore: .env, .infra/\n").check();
    assert!(project.read("infra.toml").contains(&format!("name = \"{}\"", project.name())));
    assert_eq!(project.read(".gitignore"), "/target\nbackups\n.env\n.infra/\n");
    let before = project.read("infra.toml");
    project.xtask(["init"]).end().code(73).says("already exists");
    assert_eq!(project.read("infra.toml"), before);
    project.xtask(["tasks"]).end().ok();
}

#[test]
fn init_works_where_there_is_nothing_yet() {
    let project = TestProject::new();
    project.xtask(["ps"]).end().code(78).says("`cargo xtask init` writes an infra.toml");
    project.xtask(["init"]).end().ok();
    project.xtask(["ps"]).stdout("this environment has no services\n").check();
}
