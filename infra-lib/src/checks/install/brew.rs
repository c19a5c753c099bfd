//! macOS, and Homebrew elsewhere.

use crate::exec::Invocation;

use super::{Need, Steps};

pub(super) fn steps(needs: &[Need]) -> Steps {
    let brew = || Invocation::new("brew").arg("install");
    let mut steps = Steps::default();
    // Docker Desktop contains the engine, Compose and the builder.
    let desktop = needs.iter().any(|need| matches!(need, Need::Engine | Need::Compose | Need::Buildx));
    if desktop {
        steps.commands.push(brew().args(["--cask", "docker-desktop"]));
    }
    let formulas: Vec<&str> = needs.iter().filter_map(|need| formula(*need)).collect();
    if !formulas.is_empty() {
        steps.commands.push(brew().args(formulas));
    }
    if desktop {
        steps.start.push(Invocation::new("open").args(["-a", "Docker"]));
        steps.remarks.push("Docker Desktop asks for your consent when it is opened for the first time".to_owned());
    }
    steps
}

fn formula(need: Need) -> Option<&'static str> {
    match need {
        Need::Engine | Need::Compose | Need::Buildx => None,
        Need::PostgresServer => Some("postgresql@17"),
        Need::PostgresClient => Some("libpq"),
        Need::Git => Some("git"),
        Need::Curl => Some("curl"),
        Need::Openssl => Some("openssl"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn docker_desktop_is_one_package_for_three_needs() {
        let steps = steps(&[Need::Engine, Need::Compose, Need::Buildx, Need::PostgresServer]);
        let lines: Vec<String> = steps.commands.iter().chain(&steps.start).map(ToString::to_string).collect();
        assert_eq!(lines, ["brew install --cask docker-desktop", "brew install postgresql@17", "open -a Docker"]);
    }
}
