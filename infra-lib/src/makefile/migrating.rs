//! The words by which migration tools are called.

/// What a migration tool is told; a word that is not known, such as `migrate:fresh`, is nothing that we do.
pub(super) fn command(text: &str) -> Option<&'static str> {
    const UP: [&str; 10] = [
        "run migrate",
        "run migrate:up",
        "run migrate:deploy",
        "migrate deploy",
        "upgrade head",
        "migration run",
        "run migration:run",
        "dbmate up",
        "flyway migrate",
        "sqlx migrate run",
    ];
    const DOWN: [&str; 6] = [
        "run migrate:rollback",
        "run migrate:down",
        "run migration:revert",
        "alembic downgrade -1",
        "dbmate down",
        "sqlx migrate revert",
    ];
    const STATUS: [&str; 5] =
        ["run migrate:status", "migrate status", "dbmate status", "flyway info", "sqlx migrate info"];
    let words: Vec<&str> = text.split_whitespace().collect();
    let has = |lines: &[&str]| {
        lines.iter().any(|line| {
            let wanted: Vec<&str> = line.split(' ').collect();
            words.windows(wanted.len()).any(|words| words == wanted)
        })
    };
    match () {
        () if has(&STATUS) => Some("db-migrate status"),
        () if has(&DOWN) => Some("db-migrate down"),
        () if has(&UP) => Some("db-migrate"),
        () => None,
    }
}
