//! The compose files, before anything runs: variables, start order, build contexts, log files.

use camino::Utf8Path;

use crate::compose::{Condition, Service};
use crate::config::ServicesAxis;
use crate::probe::{Check, Snapshot, failure};
use crate::project::nearby::Nearby;

const KIND: &str = "compose";

pub(super) fn check(snapshot: &Snapshot<'_>) -> Vec<Check> {
    let project = snapshot.project;
    if project.compose().files.is_empty() && project.services() == ServicesAxis::Compose {
        let nearby = Nearby::below(project.root());
        return nearby.map(|nearby| failure(KIND, "files", &nearby.error(project.root(), true))).into_iter().collect();
    }
    let Some(model) = snapshot.model() else { return Vec::new() };
    let mut checks = Vec::new();
    for variable in &model.unset {
        checks.push(
            Check::fail(KIND, variable, "missing environment variable: the compose files use it and it is set nowhere")
                .with_hint(format!(
                    "set it in {}, or give it a default in the compose file: ${{{variable}:-}}",
                    snapshot.project.environment().own_env_file
                )),
        );
    }
    for (name, service) in &snapshot.services {
        checks.extend(order(snapshot, name, service));
    }
    if checks.is_empty() {
        let services = match snapshot.services.len() {
            1 => "1 service is on".to_owned(),
            count => format!("{count} services are on"),
        };
        checks.push(Check::ok(KIND, "files", format!("valid; {services}")));
    }
    checks
}

/// Builds that cannot succeed.
pub(super) fn contexts(snapshot: &Snapshot<'_>) -> Vec<Check> {
    snapshot.services.iter().filter_map(|(name, service)| missing_context(name, service)).collect()
}

/// Whether the folder and the Dockerfile of a build exist. Other contexts are addresses.
fn missing_context(name: &str, service: &Service) -> Option<Check> {
    let build = service.build.as_ref()?;
    let context = Utf8Path::new(build.context.as_deref()?);
    if !context.is_absolute() {
        return None;
    }
    let dockerfile = build.dockerfile_path()?;
    let (what, path) = match (context.is_dir(), dockerfile.is_file() || build.dockerfile_inline.is_some()) {
        (true, true) => return None,
        (false, _) => ("build context", context),
        (true, false) => ("Dockerfile", dockerfile.as_path()),
    };
    let check = Check::fail(KIND, name, format!("cannot be built: the {what} {path} does not exist"));
    Some(check.with_hint("create it, or correct `build:` in the compose file"))
}

/// Whether a service waits until its dependencies with a health check are ready.
fn order(snapshot: &Snapshot<'_>, name: &str, service: &Service) -> Vec<Check> {
    let too_early = service.depends_on.iter().filter(|(dependency, how)| {
        let has_check = snapshot
            .services
            .get(dependency.as_str())
            .and_then(|service| service.healthcheck.as_ref())
            .is_some_and(|check| !check.disable && !check.test.is_null());
        has_check && how.condition == Condition::Started
    });
    too_early
        .map(|(dependency, _)| {
            Check::warn(
                KIND,
                name,
                format!("does not wait until {dependency} is ready: it may connect too early at each start"),
            )
            .with_hint(format!("write `depends_on: {{{dependency}: {{condition: service_healthy}}}}`"))
        })
        .collect()
}

/// Build contexts that send more than the build needs.
pub(super) fn builds(snapshot: &Snapshot<'_>) -> Vec<Check> {
    const KIND: &str = "build";
    const HEAVY: [&str; 6] = ["node_modules", ".git", "target", ".venv", "dist", "build"];
    let mut checks = Vec::new();
    let disabled = std::env::var("DOCKER_BUILDKIT").is_ok_and(|value| value == "0");
    let builds = snapshot.services.iter().filter_map(|(name, service)| Some((*name, service.build.as_ref()?)));
    let mut seen = Vec::new();
    for (name, build) in builds {
        if disabled && checks.is_empty() {
            checks.push(
                Check::warn(KIND, "buildkit", "slow builds: DOCKER_BUILDKIT=0 switches the fast builder off")
                    .with_hint("`unset DOCKER_BUILDKIT`"),
            );
        }
        let Some(context) = build.context.as_deref().map(Utf8Path::new).filter(|context| context.is_dir()) else {
            continue;
        };
        let own = build.dockerfile.as_deref().map(|file| context.join(format!("{file}.dockerignore")));
        let ignored = context.join(".dockerignore").is_file() || own.is_some_and(|file| file.is_file());
        let heavy: Vec<&str> = HEAVY.into_iter().filter(|folder| context.join(folder).is_dir()).collect();
        if !ignored && !heavy.is_empty() && !seen.contains(&context) {
            seen.push(context);
            checks.push(
                Check::warn(KIND, name, format!("slow builds: each one sends {} to the builder", heavy.join(", ")))
                    .with_hint(format!("list them in {}", context.join(".dockerignore"))),
            );
        }
    }
    checks
}

/// Logs without a size limit, a common cause of a full disk.
pub(super) fn log_files(snapshot: &Snapshot<'_>) -> Vec<Check> {
    let endless: Vec<&str> =
        snapshot.services.iter().filter(|(_, service)| grows(service)).map(|(name, _)| *name).collect();
    if endless.is_empty() {
        return Vec::new();
    }
    let check = Check::warn("logs", "rotation", format!("the logs of {} grow without a limit", endless.join(", ")));
    vec![check.with_hint(
        "give them `logging: {driver: json-file, options: {max-size: 10m, max-file: \"3\"}}` in the compose file",
    )]
}

fn grows(service: &Service) -> bool {
    let logging = service.rest.get("logging");
    let field = |path: &str| logging.and_then(|logging| logging.pointer(path)).and_then(serde_json::Value::as_str);
    matches!(field("/driver"), None | Some("json-file")) && field("/options/max-size").is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::snapshot::tests::in_stack;

    #[test]
    fn database_connection_errors_restart_services_in_order() {
        let model = r#"{"name":"x","services":{
            "hasty":{"depends_on":{"db":{"condition":"service_started"}}},
            "patient":{"depends_on":{"db":{"condition":"service_healthy"}}},
            "db":{"image":"postgres","healthcheck":{"test":["CMD","pg_isready"]}}}}"#;
        in_stack("", model, vec![], |snapshot| {
            let checks = check(snapshot);
            assert!(
                matches!(&checks[..], [only] if only.target == "hasty" && only.hint.as_ref().unwrap().contains("service_healthy")),
                "{checks:?}"
            );
        });
    }

    #[test]
    fn out_of_disk_space_large_logs() {
        let model = r#"{"name":"x","services":{
            "endless":{"image":"a"},
            "bounded":{"image":"a","logging":{"driver":"json-file","options":{"max-size":"10m"}}},
            "elsewhere":{"image":"a","logging":{"driver":"journald"}}}}"#;
        in_stack("", model, vec![], |snapshot| {
            let checks = log_files(snapshot);
            assert!(
                checks[0].detail.contains("endless")
                    && !checks[0].detail.contains("bounded")
                    && !checks[0].detail.contains("elsewhere")
            );
        });
    }

    #[test]
    fn slow_builds() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().to_str().unwrap();
        std::fs::create_dir(dir.path().join("node_modules")).unwrap();
        let model = format!(
            r#"{{"name":"x","services":{{"web":{{"build":{{"context":"{path}","dockerfile":"Dockerfile"}}}}}}}}"#
        );
        in_stack("", &model, vec![], |snapshot| {
            assert!(builds(snapshot)[0].detail.contains("node_modules"));
            std::fs::write(dir.path().join(".dockerignore"), "node_modules\n").unwrap();
            assert_eq!(builds(snapshot), []);
        });
    }
}
