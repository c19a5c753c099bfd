//! The old way: the scripts that such stacks come with.
//!
//! They are written as well as such scripts are: identifiers are asked for once, `docker exec` goes without the slower
//! `docker compose exec` where it can, and nothing sleeps where there is nothing to wait for.

use std::fmt::Write as _;

use super::stack::Stack;

/// Starts the stack and polls once a second until everything answers.
pub(super) fn start(stack: &Stack) -> String {
    let super::stack::Database { service, user, name, .. } = &stack.database;
    let mut script = format!(
        "#!/bin/sh
# Starts the stack and waits until it answers.
set -eu
docker compose up -d
until docker compose exec -T {service} pg_isready -q -U {user} -d {name}; do sleep 1; done
"
    );
    for url in &stack.urls {
        let _ = writeln!(script, "until curl -fs -o /dev/null {url}; do sleep 1; done");
    }
    script
}

/// Looks at what `health` looks at, one after another. `with_stats`: at the containers' resources too.
pub(super) fn health(stack: &Stack, with_stats: bool) -> String {
    let super::stack::Database { service: db, user, name, password } = &stack.database;
    let services = stack.services.join(" ");
    let mut script = format!(
        r#"#!/bin/sh
# Looks at one thing after another.
set -u
failed=0
probe() {{
  what=$1; shift
  if "$@" >/dev/null 2>&1; then echo "ok    $what"; else echo "FAIL  $what"; failed=1; fi
}}
ids=
for service in {services}; do
  id=$(docker compose ps -q "$service")
  ids="$ids $id"
  state=$(docker inspect -f '{{{{.State.Status}}}} {{{{.State.Health.Status}}}}' "$id")
  probe "$service: $state" [ "$state" = "running healthy" ]
  echo "      $service: $(docker logs --since 5m "$id" 2>&1 | grep -ciE 'error|fatal|panic') lines to look at"
  [ "$service" != {db} ] || db=$id
done
probe "pg_isready" docker exec "$db" pg_isready -q -U {user} -d {name}
export PGPASSWORD={password}
probe "login" docker exec -e PGPASSWORD "$db" psql -Xqw -h 127.0.0.1 -U {user} -d {name} -c "SELECT 1"
probe "network" docker network inspect {network}
probe "disk" sh -c '[ "$(df -P . | awk "NR == 2 {{ print \$5 + 0 }}")" -lt 90 ]'
probe "memory" awk '/MemAvailable/ {{ exit $2 < 500000 }}' /proc/meminfo
probe "volumes" docker system df -v --format '{{{{json .Volumes}}}}'
"#,
        network = stack.network,
    );
    for url in &stack.urls {
        let _ = writeln!(script, "probe {url} curl -fs -m 5 -o /dev/null {url}");
    }
    for (from, to, port) in stack.reaches {
        // Not every nc has -z; without it, nc waits for a server that has nothing to say.
        let ask = format!("nc -z -w 3 {to} {port} 2>/dev/null || nc -w 3 {to} {port} </dev/null");
        let _ = writeln!(script, "probe '{from} reaches {to}' docker compose exec -T {from} sh -c '{ask}'");
    }
    if with_stats {
        script += "probe resources docker stats --no-stream $ids\n";
    }
    script + "exit $failed\n"
}
