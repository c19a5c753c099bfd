//! Old scripts that no test may let loose, with programs that only record how they were called.

use super::old::{lay, run};
use crate::support::*;

/// `docker` and whatever else a script calls; each plays this.
fn fakes(programs: &[(&str, &str)]) -> Fakes {
    programs.iter().fold(Fakes::new(), |fakes, (name, script)| fakes.program(name, script))
}

fn lines(fakes: &Fakes) -> Vec<String> {
    fakes.calls().iter().map(|call| call.argv.join(" ")).collect()
}

/// `deploy.sh staging` looks whether `.env.staging` is there, and deploys production; a failed check is "complete".
#[test]
fn the_old_deploy_ignores_its_environment() {
    if tool("bash").is_none() {
        return;
    }
    let project = TestProject::new().file(".env.staging", "A=1\n").file("docker-compose.yml", "services: {}\n");
    lay("rxdx", &project);
    let fakes =
        fakes(&[("docker", "exit 0"), ("git", "exit 0"), ("sleep", "exit 0"), ("curl", "exit 7"), ("tar", "exit 0")]);
    let path = fakes.path().into_string().unwrap();
    let done = run(&project, &["scripts/deploy.sh", "staging"], &[("PATH", &path)], "");
    done.code(0).says("FAIL backend").says("Deployment complete!");
    let calls = lines(&fakes);
    // Its name is in the archive of the configuration, and in no call of Compose.
    let told = calls.iter().filter(|call| call.starts_with("docker ") && call.contains("staging"));
    assert_eq!(told.count(), 0, "{calls:#?}");
    let at = |part: &str| calls.iter().position(|call| call.contains(part)).unwrap();
    assert!(at(" down") < at(" up -d"), "everything is away before anything new is there: {calls:#?}");
    // Ours refuses an environment that is not there.
    let ours = TestProject::new().compose("services: {}\n");
    ours.xtask(["-e", "stagign", "ps"]).end().code(78);
}

#[test]
fn the_old_health_check_always_says_yes() {
    if tool("bash").is_none() {
        return;
    }
    let project = TestProject::new();
    lay("rxdx", &project);
    let fakes = fakes(&[("docker", "exit 1"), ("curl", "exit 7"), ("mail", "exit 0")]);
    let path = fakes.path().into_string().unwrap();
    let done = run(&project, &["scripts/health-check.sh"], &[("PATH", &path)], "");
    done.code(0).says("FAIL backend").says("FAIL postgres").says("Health check complete!");
}

/// The image that is broken is the one that is tagged as the way back, and started again.
#[test]
fn the_old_rollbacks_roll_nothing_back() {
    if tool("bash").is_none() {
        return;
    }
    let project = TestProject::new();
    lay("thrifting-buddy", &project);
    let docker = fakes(&[("docker", "exit 0")]);
    let path = docker.path().into_string().unwrap();
    run(&project, &["./rollback.sh"], &[("PATH", &path)], "").code(0).says("Rolled back");
    let calls = lines(&docker);
    assert_eq!(calls[0], "docker tag thrifting-buddy/backend:latest thrifting-buddy/backend:rollback");
    assert!(
        calls.iter().skip(1).all(|call| !call.contains("rollback") || call.contains("migrate:rollback")),
        "{calls:#?}"
    );

    let project = TestProject::new();
    lay("isntgram", &project);
    let remote = fakes(&[("remote", "case \"$1\" in curl*) exit 22;; esac"), ("sleep", "exit 0")]);
    let path = remote.path().into_string().unwrap();
    let env = [("PATH", path.as_str()), ("SSH", "remote"), ("APPROVED", "yes")];
    run(&project, &["./deploy.sh"], &env, "").code(0).says("rolling back").says("Deployment complete");
    let calls = lines(&remote);
    assert_eq!(
        calls.iter().filter(|call| call.contains("pull")).count(),
        1,
        "what was pulled starts again: {calls:#?}"
    );
}

/// The build procedure would clean the whole machine twice; here it says so, and does not.
#[test]
fn g03_the_old_cleaning_is_held_back() {
    if tool("bash").is_none() {
        return;
    }
    let project = TestProject::new();
    lay("thrifting-buddy", &project);
    let fakes = fakes(&[("docker", "exit 0")]);
    let path = fakes.path().into_string().unwrap();
    let done = run(&project, &["./build.sh"], &[("PATH", &path)], "");
    done.code(0).says("left out: docker system prune -f");
    assert!(lines(&fakes).iter().all(|call| !call.contains("prune")));
}
