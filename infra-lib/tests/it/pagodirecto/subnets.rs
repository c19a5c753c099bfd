//! A network's range that somebody else has is named before anything is started.

use crate::support::*;

/// A range that no other test has: it is made from a port that is kept for this one.
pub(super) fn own(project: &TestProject, key: &str) -> String {
    let port = project.port(&format!("net-{key}"));
    format!("10.{}.{}.0/24", port >> 8, port & 0xff)
}

/// A project with one network, whose range is a variable.
fn with_network(range: &str) -> TestProject {
    TestProject::new().file(".env", &format!("NETWORK_SUBNET={range}\n")).compose(&format!(
        "services: {{web: {{{SLEEPS}, networks: [back]}}}}\n\
         networks: {{back: {{ipam: {{config: [{{subnet: '${{NETWORK_SUBNET:-172.28.0.0/16}}'}}]}}}}}}\n"
    ))
}

#[test]
fn pagodirecto_a_subnet_of_another_project_is_named_before_the_start() {
    let Some(_engine) = engine() else { return };
    let other = with_network("");
    let range = own(&other, "mine");
    other.write(".env", &format!("NETWORK_SUBNET={range}\n"));
    other.xtask(["start"]).end().ok();
    let project = with_network(&range);
    let holder = format!("{range} of the network {}_back (project {})", other.name(), other.name());

    // Before: which network, which range, whose; and which variable, with a range that is free.
    let ended = project.xtask(["start"]).end();
    ended.code(1).says(&format!("the subnet {range} of the network {}_back overlaps {holder}", project.name()));
    ended.says("set NETWORK_SUBNET=").says("in .env").says("nothing was started");
    assert_eq!(project.containers(""), [""; 0]);
    let ended = project.xtask(["doctor"]).end();
    ended.code(2).shows(&holder).shows("set NETWORK_SUBNET=");
    project.xtask(["setup", "--yes"]).end().code(1).says(&holder);
    // Whoever has the range may go on and start again.
    other.xtask(["stop"]).end().ok();
    other.xtask(["start"]).end().ok();

    // What is offered is free indeed.
    let said = project.xtask(["start"]).end().stderr;
    let free = said.split("NETWORK_SUBNET=").nth(1).and_then(|rest| rest.split_whitespace().next()).expect("a range");
    project.write(".env", &format!("NETWORK_SUBNET={free}\n"));
    // Unless another test of this machine has taken that one meanwhile.
    let range = own(&project, "other");
    let ended = project.xtask(["start"]).end();
    if ended.exit != 0 {
        project.write(".env", &format!("NETWORK_SUBNET={range}\n"));
        project.xtask(["start"]).end().ok();
    }
    project.xtask(["doctor"]).end().never_says("overlaps");
}

#[test]
fn pagodirecto_two_networks_of_one_project_cannot_have_one_range() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new();
    let range = own(&project, "both");
    let network = format!("{{ipam: {{config: [{{subnet: {range}}}]}}}}");
    let project = project.compose(&format!(
        "services: {{web: {{{SLEEPS}, networks: [a, b]}}}}\nnetworks: {{a: {network}, b: {network}}}\n"
    ));
    let ended = project.xtask(["start"]).end();
    ended.code(1).says("of these compose files").says("give it another subnet in the compose file");
}

/// A machine's interface, gone with this.
struct Interface(String);

impl Interface {
    /// `None` where interfaces cannot be made.
    fn with(address: &str) -> Option<Self> {
        tool("ip")?;
        let name = format!("it{}", std::process::id());
        let run = |args: &[&str]| command("ip").args(args).output().is_ok_and(|output| output.status.success());
        let made = run(&["link", "add", &name, "type", "dummy"]).then(|| Self(name.clone()))?;
        (run(&["addr", "add", address, "dev", &name]) && run(&["link", "set", &name, "up"])).then_some(made)
    }
}

impl Drop for Interface {
    fn drop(&mut self) {
        let _ = command("ip").args(["link", "del", &self.0]).output();
    }
}

#[test]
fn pagodirecto_a_subnet_of_this_machine_is_named_before_the_start() {
    let Some(_engine) = engine() else { return };
    let project = with_network("");
    let range = own(&project, "host");
    project.write(".env", &format!("NETWORK_SUBNET={range}\n"));
    let Some(interface) = Interface::with(&range.replace(".0/24", ".1/24")) else { return };
    let ended = project.xtask(["start"]).end();
    ended.code(1).says(&format!("overlaps {range} of this machine's interface {}", interface.0));
    project.xtask(["doctor"]).end().code(2).shows(&interface.0).shows("set NETWORK_SUBNET=");
    drop(interface);
    project.xtask(["start"]).end().ok();
}
