//! Suggestions for unknown names.

/// The hint for an unknown name: the nearest known one, or else all of them. `kind` is the plural noun for them.
pub(crate) fn hint<'a>(kind: &str, given: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    did_you_mean(given, known.iter().copied()).unwrap_or_else(|| match &known[..] {
        [] => format!("there are no {kind}"),
        known => format!("the {kind} are: {}", known.join(", ")),
    })
}

/// The question whether the nearest known name was meant, if it is similar enough.
pub(crate) fn did_you_mean<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(given, known).map(|near| format!("did you mean `{near}`?"))
}

/// The nearest known name: the shortest that begins with the given one, or else one that is similar enough.
pub(crate) fn nearest<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let known: Vec<&str> = known.into_iter().collect();
    let limit = (given.chars().count() / 3).max(1) + 1;
    let longer = known.iter().copied().filter(|name| given.chars().count() > 1 && name.starts_with(given));
    if let Some(name) = longer.min_by_key(|name| name.len()) {
        return Some(name);
    }
    known
        .into_iter()
        .map(|name| (strsim::osa_distance(given, name), name))
        .filter(|(distance, name)| *distance <= limit && *distance < name.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggests_what_was_meant_and_nothing_far_away() {
        let known = ["start", "stop", "status", "db-backup"];
        assert_eq!(nearest("strat", known), Some("start"));
        assert_eq!(nearest("db-bakcup", known), Some("db-backup"));
        assert_eq!(nearest("frobnicate", known), None);
        assert_eq!((nearest("sta", known), nearest("sto", known)), (Some("start"), Some("stop")));
        assert_eq!(hint("services", "wbe", ["web", "db"]), "did you mean `web`?");
        assert_eq!(hint("services", "frobnicate", ["web", "db"]), "the services are: web, db");
        assert_eq!(hint("volumes", "media", []), "there are no volumes");
    }
}
