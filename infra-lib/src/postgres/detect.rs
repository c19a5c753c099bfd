//! Detecting which service is PostgreSQL.

use serde_json::Value;

use crate::compose::software::{self, Software};
use crate::compose::{Model, Service};

use super::PostgresError;

/// A score of how much a service looks like PostgreSQL; 0 means not at all.
fn likeness(name: &str, service: &Service) -> u32 {
    let mut score = 0;
    if software::of_service(service).is_some_and(Software::is_postgres) {
        score += 4;
    }
    // A server stores data in a volume; a client does not.
    if has_data(service) || service.volumes.iter().any(|mount| mount.target.starts_with("/docker-entrypoint-initdb.d"))
    {
        score += 4;
    }
    if service.healthcheck.as_ref().is_some_and(|check| check.test.to_string().contains("pg_isready")) {
        score += 2;
    }
    if score > 0 {
        let password = ["POSTGRES_PASSWORD", "POSTGRESQL_PASSWORD"];
        let is_password = |key: &String| password.contains(&key.trim_end_matches("_FILE"));
        score += u32::from(service.environment.keys().any(is_password));
        score += u32::from(matches!(name, "db" | "database" | "postgres" | "postgresql" | "pg"));
        // A service that runs another command instead of the server is a client, such as a backup service.
        if ["command", "entrypoint"].iter().any(|key| runs_something_else(service, key)) && !has_data(service) {
            return 0;
        }
    }
    score
}

/// The port of the server inside its container: from its command, else its environment, else the default.
pub(crate) fn port(service: &Service) -> u16 {
    let command = service.rest.get("command").and_then(Value::as_array).into_iter().flatten();
    let words: Vec<&str> = command.filter_map(Value::as_str).collect();
    let stated = words.iter().enumerate().find_map(|(at, word)| {
        let next = || words.get(at + 1).copied();
        match *word {
            "-p" | "--port" => next(),
            "-c" => next()?.strip_prefix("port="),
            word => word
                .strip_prefix("--port=")
                .or_else(|| word.strip_prefix("-cport="))
                .or_else(|| word.strip_prefix("-p")),
        }
    });
    let variable = service.environment.get("PGPORT").and_then(Option::as_deref);
    stated.or(variable).and_then(|text| text.trim().parse().ok()).unwrap_or(5432)
}

fn runs_something_else(service: &Service, key: &str) -> bool {
    let own =
        service.rest.get(key).filter(|words| !words.is_null() && words.as_array().is_none_or(|all| !all.is_empty()));
    own.is_some_and(|words| {
        // An entrypoint may be the image's own, or a wrapper that calls it.
        let text = words.to_string();
        !text.contains("postgres") && !text.contains("docker-entrypoint") && !text.starts_with("[\"-")
    })
}

fn has_data(service: &Service) -> bool {
    let data = Software::postgres_data();
    service.volumes.iter().any(|mount| data.iter().any(|folder| mount.target.starts_with(folder)))
}

/// All services that look like PostgreSQL.
pub(super) fn all(model: &Model) -> Vec<&str> {
    let services = model.services.iter().filter(|(name, service)| likeness(name, service) >= 3);
    services.map(|(name, _)| name.as_str()).collect()
}

/// The service that looks most like PostgreSQL.
pub(super) fn service(model: &Model) -> Result<&str, PostgresError> {
    let scores = model.services.iter().map(|(name, service)| (likeness(name, service), name.as_str()));
    let scores: Vec<_> = scores.filter(|(score, _)| *score >= 3).collect();
    let best = scores.iter().map(|(score, _)| *score).max().ok_or(PostgresError::NotFound)?;
    let candidates: Vec<&str> = scores.iter().filter(|(score, _)| *score == best).map(|(_, name)| *name).collect();
    match &candidates[..] {
        [one] => Ok(one),
        several => Err(PostgresError::Ambiguous { candidates: several.iter().map(|&name| name.to_owned()).collect() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detect(services: &str) -> Result<String, PostgresError> {
        let model = Model::parse(format!(r#"{{"name":"x","services":{services}}}"#).as_bytes()).unwrap();
        service(&model).map(str::to_owned)
    }

    #[test]
    fn the_server_is_found_among_its_clients() {
        let services = r#"{
            "store":{"image":"example.com/team/postgres:16","volumes":[{"type":"volume","source":"d","target":"/var/lib/postgresql/data"}]},
            "api":{"image":"api","environment":{"POSTGRES_HOST":"store","POSTGRES_PASSWORD":"x"}},
            "dump":{"image":"postgres:16","command":["/backup.sh"]},
            "idle":{"image":"postgres:16","entrypoint":["sleep","infinity"]},
            "metrics":{"image":"prom/postgres-exporter"}}"#;
        assert_eq!(detect(services).unwrap(), "store");
    }

    #[test]
    fn a_built_image_is_recognised_by_where_its_data_lies() {
        assert_eq!(detect(r#"{"sql":{"build":{"context":"."},"volumes":[{"type":"bind","source":"/x","target":"/var/lib/postgresql/data"}]}}"#).unwrap(), "sql");
    }

    #[test]
    fn a_server_may_listen_elsewhere() {
        let port = |text: &str| port(&serde_json::from_str::<Service>(text).unwrap());
        assert_eq!(port("{}"), 5432);
        assert_eq!(port(r#"{"environment":{"PGPORT":"5440"}}"#), 5440);
        for command in [
            r#"["postgres","-p","5441"]"#,
            r#"["-c","fsync=off","-c","port=5441"]"#,
            r#"["postgres","--port=5441"]"#,
            r#"["postgres","-p5441"]"#,
        ] {
            assert_eq!(port(&format!(r#"{{"command":{command},"environment":{{"PGPORT":"1"}}}}"#)), 5441, "{command}");
        }
    }

    #[test]
    fn p17_servers_of_real_images_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let build = |text: &str| {
            std::fs::write(folder.path().join("Dockerfile"), text).unwrap();
            let context = serde_json::json!(folder.path());
            format!(r#""build":{{"context":{context},"dockerfile":"Dockerfile"}},"environment":{{"POSTGRES_DB":"x"}}"#)
        };
        for image in [
            "timescale/timescaledb-ha:pg16",
            "bitnami/postgresql:16",
            "supabase/postgres:15",
            "pgvector/pgvector:pg16",
            "postgis/postgis:16-3.4",
            "ghcr.io/zalando/spilo-16",
        ] {
            for more in ["", r#","command":["-c","fsync=off"]"#, r#","command":["postgres","-c","x=y"]"#] {
                let services = format!(r#"{{"sql":{{"image":"{image}"{more}}},"api":{{"image":"api"}}}}"#);
                assert_eq!(detect(&services).unwrap(), "sql", "{services}");
            }
        }
        let own = build("ARG PG=postgres:16\nFROM $PG AS base\nFROM base\nCOPY x /docker-entrypoint-initdb.d/\n");
        assert_eq!(detect(&format!(r#"{{"sql":{{{own}}}}}"#)).unwrap(), "sql");
        // The client programs of such an image are no server.
        let own = build("FROM postgres:16\nENTRYPOINT [\"/backup.sh\"]\n");
        assert!(detect(&format!(r#"{{"sql":{{{own}}}}}"#)).is_err());
    }

    #[test]
    fn two_servers_are_ambiguous_and_none_is_none() {
        assert!(matches!(
            detect(r#"{"a":{"image":"postgres"},"b":{"image":"postgres"}}"#),
            Err(PostgresError::Ambiguous { .. })
        ));
        assert!(matches!(detect(r#"{"a":{"image":"redis"}}"#), Err(PostgresError::NotFound)));
    }
}
