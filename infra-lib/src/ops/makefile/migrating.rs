//! Recipes that migrate or seed the database, which `[migrations]` of infra.toml takes over.

use super::arguments;
use super::compose::compose_call;
use super::contexts::{Contexts, Place};
use super::facts::Facts;
use super::recipe::Step;
use super::risk;

/// What a recipe does to the schema or the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Action {
    Up,
    Down,
    Status,
    Seed,
}

/// The command that does it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Way {
    /// The service in whose running container the words run; `None`: on this machine.
    pub(super) service: Option<String>,
    pub(super) words: Vec<String>,
}

/// What one recipe turned out to be.
#[derive(Debug, Clone)]
pub(super) struct Migrating {
    pub(super) action: Action,
    pub(super) way: Way,
    pub(super) environment: Option<String>,
    pub(super) notes: Vec<String>,
}

/// The calls of known tools. Options may follow that only affect output or questions.
const TOOLS: [(Action, &[&str]); 4] = [
    (
        Action::Up,
        &[
            "alembic upgrade head",
            "flask db upgrade",
            "manage.py migrate",
            "prisma migrate deploy",
            "knex migrate:latest",
            "typeorm migration:run",
            "sequelize db:migrate",
            "sequelize-cli db:migrate",
            "rails db:migrate",
            "rake db:migrate",
            "sqlx migrate run",
            "diesel migration run",
            "dbmate up",
            "dbmate migrate",
            "flyway migrate",
            "atlas migrate apply",
            "artisan migrate",
            "mix ecto.migrate",
            "liquibase update",
            "drizzle-kit migrate",
            "run migrate",
            "run migrate:up",
            "run migrate:deploy",
            "run migrate:latest",
            "run db:migrate",
            "run migration:run",
            "yarn migrate",
        ],
    ),
    (
        Action::Down,
        &[
            "alembic downgrade -1",
            "flask db downgrade",
            "knex migrate:rollback",
            "typeorm migration:revert",
            "sequelize db:migrate:undo",
            "sequelize-cli db:migrate:undo",
            "rails db:rollback",
            "rake db:rollback",
            "sqlx migrate revert",
            "diesel migration revert",
            "dbmate down",
            "dbmate rollback",
            "artisan migrate:rollback",
            "mix ecto.rollback",
            "run migrate:rollback",
            "run migrate:down",
            "run migration:revert",
            "run db:rollback",
        ],
    ),
    (
        Action::Status,
        &[
            "alembic current",
            "manage.py showmigrations",
            "prisma migrate status",
            "knex migrate:status",
            "typeorm migration:show",
            "rails db:migrate:status",
            "sqlx migrate info",
            "diesel migration list",
            "dbmate status",
            "flyway info",
            "artisan migrate:status",
            "run migrate:status",
        ],
    ),
    (
        Action::Seed,
        &[
            "rails db:seed",
            "rake db:seed",
            "artisan db:seed",
            "prisma db seed",
            "sequelize db:seed:all",
            "sequelize-cli db:seed:all",
            "knex seed:run",
            "run seed",
            "run db:seed",
            "yarn seed",
        ],
    ),
];

/// What a known tool is called for.
fn by_tool(words: &[String]) -> Option<Action> {
    let quiet = ["--no-input", "--noinput", "--verbose", "-v", "--force", "--all"];
    let end = words.iter().rposition(|word| !quiet.contains(&word.as_str()))? + 1;
    let words: Vec<&str> = words[..end].iter().map(|word| word.rsplit('/').next().unwrap_or(word)).collect();
    let has = |line: &&str| {
        let wanted: Vec<&str> = line.split(' ').collect();
        words.ends_with(&wanted)
    };
    if let Some((action, _)) = TOOLS.iter().find(|(_, lines)| lines.iter().any(&has)) {
        return Some(*action);
    }
    match words[..] {
        ["migrate" | "goose", .., "up"] => Some(Action::Up),
        ["migrate" | "goose", .., "down"] | ["migrate", .., "down", "1"] => Some(Action::Down),
        ["migrate", .., "version"] | ["goose", .., "status"] => Some(Action::Status),
        _ => None,
    }
}

/// What a target's name says about a recipe that runs one command.
fn by_name(target: &str, text: &str) -> Option<Action> {
    let name = target.to_lowercase().replace(['_', '.', ':'], "-");
    let name =
        ["prod-", "production-", "staging-", "dev-"].iter().find_map(|start| name.strip_prefix(start)).unwrap_or(&name);
    match name {
        "migrate" | "db-migrate" | "migrate-db" | "migrate-up" | "db-migrate-up" | "migrate-all" => Some(Action::Up),
        "migrate-down" | "db-migrate-down" | "migrate-rollback" | "db-rollback" | "rollback-db" => Some(Action::Down),
        // A deployment has a rollback as well.
        "rollback" if text.contains("migrat") || text.contains("rollback") && text.contains("exec") => {
            Some(Action::Down)
        }
        "migrate-status" | "db-migrate-status" | "migration-status" => Some(Action::Status),
        "seed" | "db-seed" | "seed-db" => Some(Action::Seed),
        _ => None,
    }
}

/// What a recipe of one step does to the schema or the data. `host` gives the step's words on this machine.
pub(super) fn migrating(
    target: &str,
    step: &Step,
    contexts: &Contexts,
    facts: &Facts<'_>,
    host: impl FnOnce(&mut Vec<String>) -> Vec<String>,
) -> Option<Migrating> {
    if step.may_fail || risk::is_remote(&step.text) || risk::loads_a_file(&step.text) {
        return None;
    }
    let call = step.words.as_deref().and_then(compose_call);
    let mut notes = Vec::new();
    if let Some(call) = call {
        let inner = call.inside();
        let words = inner.map_or(&[][..], |(_, words)| words);
        let tool = by_tool(words);
        let action = tool.or_else(|| by_name(target, &step.text))?;
        if words.iter().any(|word| arguments::looks_marked(word)) {
            return None;
        }
        let place = contexts.place(&call.options);
        let environment = match &place {
            Place::Environment(name) => Some(name.clone()),
            _ => None,
        };
        if let Some((service, words)) = inner.filter(|(_, words)| !words.is_empty() && place != Place::Own) {
            let is_running = call.command == "exec" || tool.is_some() && facts.services.contains(service);
            if call.command == "run" && is_running {
                notes.push(format!("it runs in the running container of {service}; make started a new one"));
            }
            if is_running {
                let way = Way { service: Some(service.to_owned()), words: words.to_vec() };
                return Some(Migrating { action, way, environment, notes });
            }
        }
        if environment.is_some() {
            return None;
        }
        let is_call = ["exec", "run"].contains(&call.command.as_str());
        return is_call.then(|| {
            let words = host(&mut notes);
            Migrating { action, way: Way { service: None, words }, environment: None, notes }
        });
    }
    let tool = step.words.as_deref().and_then(by_tool);
    let action = tool.or_else(|| by_name(target, &step.text))?;
    let words = host(&mut notes);
    Some(Migrating { action, way: Way { service: None, words }, environment: None, notes })
}

/// Which commands infra.toml takes over.
#[derive(Debug, Default)]
pub(super) struct Ways {
    up: Option<Way>,
    down: Option<Way>,
    status: Option<Way>,
    seed: Option<Way>,
}

impl Ways {
    pub(super) fn new(all: &[&Migrating]) -> Self {
        let only = |action: Action| {
            let mut ways = all.iter().filter(|it| it.action == action).map(|it| &it.way);
            let first = ways.next()?;
            ways.all(|way| way == first).then(|| first.clone())
        };
        let up = only(Action::Up);
        let with_up = |action: Action| {
            let service = &up.as_ref()?.service;
            only(action).filter(|way| way.service == *service)
        };
        Self { down: with_up(Action::Down), status: with_up(Action::Status), seed: only(Action::Seed), up }
    }

    /// The command that does what this recipe does, where it was taken over.
    pub(super) fn command(&self, it: &Migrating) -> Option<Vec<String>> {
        let (way, line) = match it.action {
            Action::Up => (&self.up, "db-migrate"),
            Action::Down => (&self.down, "db-migrate down"),
            Action::Status => (&self.status, "db-migrate status"),
            Action::Seed => (&self.seed, "db-seed"),
        };
        let environment = it.environment.iter().flat_map(|name| ["-e".to_owned(), name.clone()]);
        (way.as_ref() == Some(&it.way)).then(|| environment.chain(line.split(' ').map(str::to_owned)).collect())
    }

    pub(super) fn write(self, migrations: &mut crate::config::Migrations) {
        let words = |way: Option<Way>| way.map(|way| way.words).unwrap_or_default();
        migrations.service = self.up.as_ref().and_then(|way| way.service.clone());
        migrations.seeds.service = self.seed.as_ref().and_then(|way| way.service.clone());
        (migrations.up, migrations.down, migrations.status) = (words(self.up), words(self.down), words(self.status));
        migrations.seeds.command = words(self.seed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tools_are_known_by_their_words() {
        let tool = |text: &str| by_tool(&shlex::split(text).unwrap());
        assert_eq!(tool("poetry run alembic upgrade head"), Some(Action::Up));
        assert_eq!(tool("python manage.py migrate --no-input"), Some(Action::Up));
        assert_eq!(tool("python manage.py migrate shop 0001"), None);
        assert_eq!(tool("npm run migrate:rollback"), Some(Action::Down));
        assert_eq!(tool("npm run migrate:fresh"), None);
        assert_eq!(tool("migrate -path db -database x up"), Some(Action::Up));
        assert_eq!(tool("bin/rails db:seed"), Some(Action::Seed));
        assert_eq!(tool("prisma migrate dev"), None);
    }

    #[test]
    fn p23_a_rollback_is_one_of_migrations_or_none() {
        assert_eq!(by_name("rollback", "./scripts/rollback.sh"), None);
        assert_eq!(by_name("rollback", "docker compose exec api ./migrate down"), Some(Action::Down));
        assert_eq!(by_name("deploy", "docker compose exec api ./migrate"), None);
        assert_eq!(by_name("db_rollback", "x"), Some(Action::Down));
    }
}
