//! The command of ours that does exactly what one call of Compose does.

use super::arguments;
use super::compose::ComposeCall;
use super::contexts::Place;
use super::database;
use super::facts::Facts;

/// The words of our command, and what is different about it.
pub(super) type Builtin = (Vec<String>, Vec<String>);

/// The command of ours, where every option of the call is known.
pub(super) fn builtin(call: &ComposeCall, place: &Place, facts: &Facts<'_>) -> Option<Builtin> {
    if *place == Place::Own {
        return None;
    }
    let with = |command: &str, services: Vec<String>| {
        let words = command.split(' ').map(str::to_owned).chain(services).collect::<Vec<_>>();
        Some((words, Vec::new()))
    };
    let note = |command: &str, note: &str| {
        Some((command.split(' ').map(str::to_owned).collect::<Vec<_>>(), vec![note.to_owned()]))
    };
    let found = match call.command.as_str() {
        "up" => {
            let services = call.services(&["-d", "--detach", "--wait"])?;
            if !call.has(&["-d", "--detach", "--wait"]) {
                return None;
            }
            with("start", services)
        }
        "down" => match (call.services(&["-v", "--volumes"])?.is_empty(), call.has(&["-v", "--volumes"])) {
            (true, false) => note("stop", "it keeps the containers and networks; `clean` removes them"),
            (true, true) => note("clean --volumes", "it asks before it removes data"),
            _ => None,
        },
        "stop" => with("stop", call.services(&[])?),
        "restart" => with("restart", call.services(&[])?),
        "ps" if call.services(&["-a", "--all"])?.is_empty() => with("ps", Vec::new()),
        "logs" => logs(&call.args),
        "build" => {
            let services = call.services(&["--no-cache"])?;
            with(if call.has(&["--no-cache"]) { "build --no-cache" } else { "build" }, services)
        }
        "pull" if call.args.is_empty() => note("update", "it also rebuilds images on newer base images"),
        "exec" => {
            if let Some(service) = database::is_plain_shell(call) {
                return in_place(with("shell", vec![service.to_owned()]), place);
            }
            let (service, words) = call.inside()?;
            let is_ours = *place == Place::Base && database::is_shell(service, words, facts);
            is_ours.then(|| with("db-shell", Vec::new())).flatten()
        }
        _ => None,
    };
    in_place(found, place)
}

fn in_place(found: Option<Builtin>, place: &Place) -> Option<Builtin> {
    let (words, mut notes) = found?;
    Some(match place {
        Place::Environment(name) => {
            notes.push(format!("what the recipe passed to Compose is `[environments.{name}]` now"));
            (["-e".to_owned(), name.clone()].into_iter().chain(words).collect(), notes)
        }
        _ => (words, notes),
    })
}

fn logs(args: &[String]) -> Option<Builtin> {
    let mut words = vec!["logs".to_owned()];
    let mut args = args.iter().map(String::as_str);
    while let Some(arg) = args.next() {
        let (option, value) = arg.split_once('=').map_or((arg, None), |(option, value)| (option, Some(value)));
        match option {
            "-f" | "--follow" | "-t" | "--timestamps" if value.is_none() => words.push(arg.to_owned()),
            "-n" | "--tail" => {
                let lines = value.or_else(|| args.next())?;
                lines.parse::<usize>().ok()?;
                words.extend(["--tail".to_owned(), lines.to_owned()]);
            }
            _ if arg.starts_with('-') || arguments::looks_marked(arg) => return None,
            _ => words.push(arg.to_owned()),
        }
    }
    Some((words, Vec::new()))
}

/// Whether a task may need this command: it takes nothing, and ends by itself.
pub(super) fn can_be_needed(words: &[String]) -> bool {
    matches!(words, [word] if !["help", "db-shell"].contains(&word.as_str()))
}
