//! The name, user and password of the local database.

use crate::dotenv::interpolate;
use crate::postgres::url::Url;
use crate::project::Project;
use crate::project::error::Result;
use crate::secret::Secret;

/// The login from the project's files, which may contain no password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Login {
    pub(super) name: String,
    pub(super) user: String,
    pub(super) password: Option<Secret>,
}

/// Three settings that belong together. They are never combined with those of another family.
#[derive(Debug, Default)]
struct Family {
    name: Option<String>,
    user: Option<String>,
    password: Option<String>,
    /// The image's default user, if none is set.
    default_user: Option<&'static str>,
}

impl Login {
    /// The login from `infra.toml`, else from the image settings in the compose files, else from the env files under
    /// the usual names, else based on the project's name. Does not call Compose, which may be missing.
    pub(super) fn for_project(project: &Project) -> Result<Self> {
        let settings = &project.config().database;
        let family = families(project).into_iter().find(|family| !family.is_empty()).unwrap_or_default();
        let user = project
            .configured(settings.user.as_ref(), "`[database] user`")?
            .or(family.user)
            .or(family.default_user.map(str::to_owned))
            .unwrap_or_else(|| plain_name(project.name()));
        let name = project
            .configured(settings.name.as_ref(), "`[database] name`")?
            .or(family.name)
            .unwrap_or_else(|| user.clone());
        let password = project.configured(settings.password.as_ref(), "`[database] password`")?.or(family.password);
        Ok(Self { name, user, password: password.map(Secret::new) })
    }
}

impl Family {
    fn is_empty(&self) -> bool {
        self.name.is_none() && self.user.is_none() && self.password.is_none()
    }
}

fn families(project: &Project) -> [Family; 4] {
    let own = |key: &str| project.variables().value(key).filter(|value| !value.is_empty()).map(str::to_owned);
    let first = |keys: &[&str]| keys.iter().find_map(|key| own(key));
    let lookup = |key: &str| project.variable(key).map(|value| value.expose().to_owned());
    let given = |key: &str| {
        let value = project.sources().environment_value(key)?;
        let value = interpolate(&value, lookup).ok()?.value;
        Some(value.to_string()).filter(|value| !value.is_empty())
    };
    [
        Family {
            name: given("POSTGRES_DB"),
            user: given("POSTGRES_USER"),
            password: given("POSTGRES_PASSWORD"),
            default_user: Some("postgres"),
        },
        Family {
            name: own("POSTGRES_DB"),
            user: own("POSTGRES_USER"),
            password: own("POSTGRES_PASSWORD"),
            default_user: Some("postgres"),
        },
        Family {
            name: first(&["DB_NAME", "DB_DATABASE"]),
            user: first(&["DB_USER", "DB_USERNAME"]),
            password: first(&["DB_PASSWORD", "DB_PASS"]),
            default_user: None,
        },
        own("DATABASE_URL").and_then(|url| from_url(&url)).unwrap_or_default(),
    ]
}

/// Reads a URL. One of another machine's database is ignored.
fn from_url(text: &str) -> Option<Family> {
    let url = Url::parse(text).ok().filter(|url| url.sslmode() != "verify-full" || !url.host.contains('.'))?;
    Some(Family {
        name: Some(url.database),
        user: url.user,
        password: url.password.map(|password| password.expose().to_owned()),
        default_user: None,
    })
}

/// A database name that needs no quoting and is not reserved by PostgreSQL.
fn plain_name(project: &str) -> String {
    let plain = project.replace('-', "_");
    let reserved = plain.starts_with("pg_") || plain.starts_with(|c: char| c.is_ascii_digit());
    let name = if reserved { format!("app_{plain}") } else { plain };
    name.chars().take(63).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(files: &[(&str, &str)]) -> Login {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("my-shop");
        std::fs::create_dir(&root).unwrap();
        std::fs::write(root.join("infra.toml"), "").unwrap();
        for (name, text) in files {
            std::fs::write(root.join(name), text).unwrap();
        }
        Login::for_project(&Project::discover(&root).unwrap()).unwrap()
    }

    fn complete(name: &str, user: &str, password: Option<&str>) -> Login {
        Login { name: name.into(), user: user.into(), password: password.map(Secret::new) }
    }

    #[test]
    fn the_manifest_wins_then_compose_then_the_env_file_then_the_projects_name() {
        assert_eq!(login(&[]), complete("my_shop", "my_shop", None));
        assert_eq!(login(&[(".env", "DATABASE_URL=postgres://u:pw@db:5432/x\n")]), complete("x", "u", Some("pw")));
        let remote = "DATABASE_URL=postgres://u:pw@db.example.com/x\n";
        assert_eq!(login(&[(".env", remote)]), complete("my_shop", "my_shop", None));
        let env = "DB_NAME=a\nDB_USER=b\nDB_PASSWORD=c\nDATABASE_URL=postgres://u:pw@db/x\n";
        assert_eq!(login(&[(".env", env)]), complete("a", "b", Some("c")));
        assert_eq!(login(&[(".env", "POSTGRES_PASSWORD=c\nDB_NAME=a\n")]), complete("postgres", "postgres", Some("c")));
        let compose = "services:\n  db:\n    image: postgres\n    environment:\n      POSTGRES_DB: ${DB_NAME:-d}\n      \
                       POSTGRES_USER: \"shop\" # ours\n      POSTGRES_PASSWORD: ${PW:?set it}\n";
        assert_eq!(login(&[("compose.yml", compose)]), complete("d", "shop", None));
        assert_eq!(login(&[("compose.yml", compose), (".env", "PW=s\nDB_NAME=e\n")]), complete("e", "shop", Some("s")));
        let manifest = "[database]\nname = \"n\"\nuser = \"env:U\"\n";
        assert_eq!(
            login(&[("infra.toml", manifest), (".env", "U=v\nDB_PASSWORD=p\n"), ("compose.yml", "services: {}\n")]),
            complete("n", "v", Some("p"))
        );
    }

    #[test]
    fn a_name_made_from_the_projects_is_a_plain_one() {
        assert_eq!(plain_name("my-shop"), "my_shop");
        assert_eq!(plain_name("2048"), "app_2048");
        assert_eq!(plain_name("pg_tools"), "app_pg_tools");
        assert_eq!(plain_name(&"x".repeat(80)).len(), 63);
    }
}
