//! The managed server: PostgreSQL outside the stack, which lets nobody in without TLS.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;

use crate::support::*;

/// It goes with the stack's test project, whose name its label begins with.
pub(super) struct Managed {
    container: String,
    files: TempDir,
    address: String,
    port: u16,
    pub(super) password: String,
}

/// The provider's work: a certificate, a role without privileges but for making databases, and no way in but TLS.
const PREPARE: &str = r#"
set -e
for file in server.crt server.key; do
    cp "/docker-entrypoint-initdb.d/$file" "$PGDATA/" && chmod 600 "$PGDATA/$file"
done
printf 'ssl = on\nlog_connections = on\n' >>"$PGDATA/postgresql.conf"
printf 'local all all trust\nhostssl all all all scram-sha-256\n' >"$PGDATA/pg_hba.conf"
docker_process_sql -c "CREATE ROLE isntgram LOGIN CREATEDB PASSWORD '$ROLE_PASSWORD'" -c "CREATE DATABASE isntgram OWNER isntgram"
"#;

impl Managed {
    /// Starts one that is reached alike from this machine and from containers.
    pub(super) fn start(stack: &Stack) -> Self {
        let address = docker(["network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}"]);
        let files = tempfile::tempdir().unwrap();
        authority(files.path(), "ca");
        openssl(
            files.path(),
            "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=managed -keyout server.key -out server.csr",
        );
        std::fs::write(files.path().join("names"), format!("subjectAltName=IP:{address}\n")).unwrap();
        openssl(
            files.path(),
            "x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 -extfile names -out server.crt",
        );
        std::fs::write(files.path().join("prepare.sh"), PREPARE).unwrap();
        // The server's user is another one; its own copy of the key is closed.
        for entry in std::fs::read_dir(files.path()).unwrap().flatten() {
            std::fs::set_permissions(entry.path(), std::fs::Permissions::from_mode(0o644)).unwrap();
        }
        std::fs::set_permissions(files.path(), std::fs::Permissions::from_mode(0o755)).unwrap();

        let (port, password) = (stack.project.port("managed"), random_hex());
        let publish = [format!("{address}:{port}:5432"), format!("127.0.0.1:{port}:5432")];
        let mount = format!("{}:/docker-entrypoint-initdb.d:ro", files.path().display());
        let label = format!("com.docker.compose.project={}-managed", stack.project.name());
        let role = format!("ROLE_PASSWORD={password}");
        let run = [
            "run",
            "-d",
            "--label",
            &label,
            "-p",
            &publish[0],
            "-p",
            &publish[1],
            "-v",
            &mount,
            "--tmpfs",
            "/var/lib/postgresql/data",
        ];
        let set = ["-e", "POSTGRES_PASSWORD=the-providers-own", "-e", &role, "postgres:17-alpine"];
        let container = docker(run.iter().chain(&set).chain(&["-c", "fsync=off"]));
        let managed = Self { container, files, address, port, password };
        wait_until("the managed server takes connections", Duration::from_secs(60), || {
            try_docker([
                "exec",
                &managed.container,
                "psql",
                "-h",
                "/var/run/postgresql",
                "-U",
                "postgres",
                "-c",
                "SHOW ssl",
                "isntgram",
            ])
            .and_then(|text| if text.contains("on") { Ok(()) } else { Err(text) })
        });
        managed
    }

    /// Its URL with these options.
    pub(super) fn url(&self, options: &str) -> String {
        self.url_at(&self.address, options)
    }

    /// The same server under a name that its certificate does not have.
    pub(super) fn url_by_another_name(&self, options: &str) -> String {
        self.url_at("localhost", options)
    }

    fn url_at(&self, host: &str, options: &str) -> String {
        format!("postgres://isntgram:{}@{host}:{}/isntgram{options}", self.password, self.port)
    }

    /// What the provider hands out.
    pub(super) fn authority(&self) -> String {
        std::fs::read_to_string(self.files.path().join("ca.crt")).unwrap()
    }

    /// The certificate of an authority that has not signed the server's.
    pub(super) fn another_authority(&self) -> String {
        authority(self.files.path(), "other");
        std::fs::read_to_string(self.files.path().join("other.crt")).unwrap()
    }

    /// What the provider's own superuser sees.
    pub(super) fn sql(&self, sql: &str) -> String {
        docker([
            "exec",
            &self.container,
            "psql",
            "-h",
            "/var/run/postgresql",
            "-U",
            "postgres",
            "-XtA",
            "-c",
            sql,
            "isntgram",
        ])
    }

    /// Keeps everybody from a table while `run` runs.
    pub(super) fn holding<T>(&self, table: &str, run: impl FnOnce() -> T) -> T {
        let sql = format!("BEGIN; LOCK TABLE {table}; SELECT pg_sleep(300)");
        let words =
            ["exec", &self.container, "psql", "-h", "/var/run/postgresql", "-U", "postgres", "-c", &sql, "isntgram"];
        let mut client = command("docker").args(words).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let holder = "FROM pg_stat_activity WHERE usename = 'postgres' AND wait_event = 'PgSleep'";
        wait_until("the table is locked", Duration::from_secs(20), || {
            match self.sql(&format!("SELECT count(*) {holder}")).as_str() {
                "1" => Ok(()),
                other => Err(other.to_owned()),
            }
        });
        let result = run();
        self.sql(&format!("SELECT pg_terminate_backend(pid) {holder}"));
        client.wait().unwrap();
        result
    }

    /// Whoever has logged in as the role, as the server's log has it.
    pub(super) fn logins(&self) -> Vec<String> {
        let output = command("docker").args(["logs", &self.container]).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        text.lines().filter(|line| line.contains("connection authorized: user=isntgram")).map(str::to_owned).collect()
    }
}

fn authority(dir: &Path, name: &str) {
    openssl(
        dir,
        &format!(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN={name} -keyout {name}.key -out {name}.crt"
        ),
    );
}

fn openssl(dir: &Path, words: &str) {
    let made = command("openssl").args(words.split(' ')).current_dir(dir).output().unwrap();
    assert!(made.status.success(), "openssl {words}: {}", String::from_utf8_lossy(&made.stderr));
}
