//! Three environments of one checkout, and which value of a variable holds.

use crate::support::*;

/// The value of a variable that a container was given.
fn given(stack: &Stack, environment: &str, service: &str, key: &str) -> String {
    let container = stack.container(environment, service);
    let all = container["Config"]["Env"].as_array().unwrap().clone();
    let found = all.iter().find_map(|line| line.as_str()?.strip_prefix(key)?.strip_prefix('='));
    found.unwrap_or_else(|| panic!("{service} has no {key}")).to_owned()
}

/// The process environment, `.env.development`, `.env`, the default of the compose file: the first that has a value.
pub(super) fn shell_goes_before_files_before_defaults(stack: &Stack) {
    let (common, own) = (stack.project.read(".env"), stack.project.read(".env.development"));
    let without =
        |text: &str| text.lines().filter(|line| !line.starts_with("LOG_LEVEL=")).collect::<Vec<_>>().join("\n") + "\n";
    let explain = || stack.run(["env", "explain", "LOG_LEVEL", "--json"]);
    let found = |call: Call| {
        let variable = call.end().ok().outcome()["variables"][0].clone();
        let place =
            variable["origin"]["path"].as_str().unwrap_or_default().rsplit('/').next().unwrap_or_default().to_owned();
        (variable["value"].as_str().unwrap_or_default().to_owned(), place)
    };
    let pair = |value: &str, place: &str| (value.to_owned(), place.to_owned());
    stack.project.write(".env", &common.replace("LOG_LEVEL=debug", "LOG_LEVEL=info"));
    stack.project.write(".env.development", &own.replace("LOG_LEVEL=debug", "LOG_LEVEL=warning"));
    assert_eq!(found(explain().env("LOG_LEVEL", "error")), pair("error", ""), "the shell's");
    assert_eq!(found(explain()), pair("warning", ".env.development"));
    stack.project.write(".env.development", &without(&own));
    assert_eq!(found(explain()), pair("info", ".env"));
    // What a container is given, by the shell, by a file, and where neither has it.
    stack.project.write(".env", &without(&common));
    stack.run(["start", "backend"]).env("DATABASE_POOL_SIZE", "3").env("BACKEND_MEMORY", "1G").end().ok();
    assert_eq!(given(stack, "development", "backend", "DATABASE_POOL_SIZE"), "3");
    assert_eq!(
        stack.container("development", "backend")["HostConfig"]["Memory"],
        1 << 30,
        "it can be given more or less"
    );
    assert_eq!(given(stack, "development", "backend", "ENVIRONMENT"), "development");
    assert_eq!(given(stack, "development", "backend", "LOG_LEVEL"), "debug", "the default of development");
    stack.project.write(".env", &common);
    stack.project.write(".env.development", &own);
}
