//! The engine, Compose, networks, volumes, certificates and env files.

use super::*;

#[test]
fn permission_on_a_volume() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new().compose(
        "services: {web: {image: @image@, init: true, user: '4321', entrypoint: [sleep, infinity], volumes: ['media:/media/x']}}\nvolumes: {media: {}}\n",
    );
    up(&project);
    doctor(&project).fails().names("mount", "web", "may not write /media/x", "chown");
}

#[test]
fn permission_denied_in_the_log() {
    ailment("Error: EACCES: permission denied, mkdir '/app/storage/media'", "permissions", "chown");
}

const EXPIRED: &str = "-----BEGIN CERTIFICATE-----
MIIBEDCBtgIBATAKBggqhkjOPQQDAjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwHhcN
MjAwMTAxMDAwMDAwWhcNMjAwMjAxMDAwMDAwWjAUMRIwEAYDVQQDDAlsb2NhbGhv
c3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATNIkiGDP0hhsniZB0v/+I1xJd2
tUEHZDzec3HOwzr6ApfdPWSkaTvOQFe4ogo3xlJIggu3GSCPBBmeYD9RdShaMAoG
CCqGSM49BAMCA0kAMEYCIQD+zPnlXAYkJ8GcBFCGhT7VtexFJhs3crz/SRjqqxzi
YwIhANpo6hEz7z/n21ko/WhRnVKmSx6gG9LYH3xZLAzLOfFh
-----END CERTIFICATE-----
";

#[test]
fn tls_certificate_expired() {
    let Some(_engine) = engine() else { return };
    let Some(_openssl) = tool("openssl") else { return };
    let project = TestProject::new()
        .file("ssl/server.crt", EXPIRED)
        .compose("services: {nginx: {image: @image@, volumes: ['./ssl:/etc/nginx/ssl:ro']}}\n");
    doctor(&project).fails().names("certificate", "nginx", "TLS certificate expired", "renew it");
}

#[test]
fn tls_certificate_missing() {
    let Some(_engine) = engine() else { return };
    let project =
        TestProject::new().compose("services: {nginx: {image: @image@, volumes: ['./ssl:/etc/nginx/ssl:ro']}}\n");
    std::fs::create_dir(project.path("ssl")).unwrap();
    doctor(&project).fails().names("certificate", "nginx", "TLS certificate missing", "/etc/nginx/ssl expects them");
}

#[test]
fn network_missing() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new().compose(
        "services: {web: {image: @image@, networks: [out]}}\nnetworks: {out: {external: true, name: '@name@-out'}}\n",
    );
    let name = format!("{}-out", project.name());
    doctor(&project).fails().names("network", &name, "network missing", "docker network create");
}

#[test]
fn subnet_taken() {
    let Some(_engine) = engine() else { return };
    let other = TestProject::new().compose("services: {web: {image: @image@, entrypoint: [sleep, infinity], init: true}}\nnetworks: {default: {ipam: {config: [{subnet: 10.213.7.0/24}]}}}\n");
    up(&other);
    let project = TestProject::new().compose(
        "services: {web: {image: @image@}}\nnetworks: {default: {ipam: {config: [{subnet: 10.213.0.0/16}]}}}\n",
    );
    let name = format!("{}_default", project.name());
    doctor(&project).fails().names("subnet", &name, &format!("project {}", other.name()), "is free");
}

// The fault table.

#[test]
fn e01_e09_e10_the_env_file() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new()
        .file(".env.example", "DB_PASSWORD=change_me\n")
        .compose("services: {web: {image: @image@, environment: {A: '$DB_PASSWORD'}}}\n");
    doctor(&project).fails().names("env", ".env", "is missing", "cargo xtask setup");
    project.write(".env", "DB_PASSWORD=change_me\n");
    std::fs::set_permissions(project.path(".env"), std::fs::Permissions::from_mode(0o644)).unwrap();
    doctor(&project).names("env", "DB_PASSWORD", "placeholder", "cargo xtask env rotate").names(
        "env",
        ".env",
        "readable by group or others",
        "chmod 600",
    );
}

#[test]
fn e06_the_shell_overrides_the_env_file() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new()
        .file(".env", "POSTGRES_DB=shop\n")
        .compose("services: {web: {image: @image@, environment: {A: '$POSTGRES_DB'}}}\n");
    let ended = project.xtask(["doctor", "--json"]).env("POSTGRES_DB", "other").end();
    Diagnosis(ended).names("env", "POSTGRES_DB", "overrides the env file", "unset POSTGRES_DB");
}

#[test]
fn s09_e10_a_committed_env_file() {
    let Some(_git) = tool("git") else { return };
    let project = TestProject::new()
        .file("infra.toml", "[compose]\nservices = \"none\"\n")
        .file(".env", "A=1\n")
        .file("backups/x", "");
    let git = |args: &[&str]| {
        let dir = project.dir();
        let mut call = command("git");
        call.arg("-C").arg(dir).args(["-c", "user.name=t", "-c", "user.email=t@example.com"]).args(args);
        let ended = call.env("HOME", dir).output().unwrap();
        assert!(ended.status.success(), "{ended:?}");
    };
    git(&["init", "-q"]);
    doctor(&project).names("git", ".env", "is not ignored", ".gitignore").names(
        "git",
        "backups",
        "is not ignored",
        ".gitignore",
    );
    git(&["add", "-f", ".env"]);
    doctor(&project).fails().names("git", ".env", "is committed", "git rm --cached .env");
}

#[test]
fn f03_the_engine_is_down() {
    let Some(()) = compose() else { return };
    let project = TestProject::new().compose("services: {web: {image: @image@}}\n");
    let ended = project.xtask(["doctor", "--json"]).env("DOCKER_HOST", "unix:///nonexistent/docker.sock").end();
    Diagnosis(ended).fails().names("engine", "answers", "unix:///nonexistent/docker.sock", "start Docker");
}

#[test]
fn f04_no_right_on_the_socket() {
    let Some(_engine) = engine() else { return };
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let project = TestProject::new().open_to_all().compose("services: {web: {image: @image@}}\n");
    std::fs::set_permissions(project.path("compose.yml"), std::fs::Permissions::from_mode(0o644)).unwrap();
    let ended = project.xtask(["doctor", "--json"]).env("HOME", "/nonexistent").user(65534).end();
    Diagnosis(ended).fails().names("engine", "answers", "permission denied", "usermod -aG docker");
}

#[test]
fn f04_a_plugin_that_cannot_be_run() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new()
        .file("home/.docker/cli-plugins/docker-compose", "")
        .compose("services: {web: {image: @image@}}\n");
    let ended = project.xtask(["doctor", "--json"]).env("HOME", project.path("home")).end();
    Diagnosis(ended).fails().names("tool", "compose", "cannot be run by this user", "chmod 755");
}

#[test]
fn f05_only_compose_1() {
    let project = TestProject::new().compose("services: {web: {image: @image@}}\n");
    let fakes = Fakes::new()
        .program("docker", "case \"$*\" in *version*--short*) echo 1.29.2;; *) echo 'Docker version 20.10.5';; esac");
    let ended =
        project.xtask(["doctor", "--json"]).env("PATH", fakes.path_without(&["docker", "docker-compose"])).end();
    Diagnosis(ended).fails().names("tool", "compose", "1.29.2 is too old", "docker-compose-plugin");
}

#[test]
fn f05_no_docker_at_all() {
    let project = TestProject::new().compose("services: {web: {image: @image@}}\n");
    let path = Fakes::new().path_without(&["docker", "docker-compose"]);
    let ended = project.xtask(["doctor", "--json"]).env("PATH", path).end();
    Diagnosis(ended).fails().names(
        "tool",
        "docker",
        "neither `docker compose` nor `docker-compose`",
        "setup --install",
    );
}

#[test]
fn g01_another_checkout_with_the_same_name() {
    let Some(_engine) = engine() else { return };
    let compose = "services: {web: {image: @image@, entrypoint: [sleep, infinity], init: true}}\n";
    let first = TestProject::new().compose(compose);
    up(&first);
    let second =
        TestProject::in_folder("elsewhere", first.name()).compose(&format!("name: {}\n{compose}", first.name()));
    let name = first.name().to_owned();
    doctor(&second).fails().names("project", &name, first.dir().to_str().unwrap(), "another name");
}

#[test]
fn a_volume_of_another_project() {
    let Some(_engine) = engine() else { return };
    let compose = |name: &str| {
        format!(
            "services: {{web: {{image: @image@, entrypoint: [sleep, infinity], init: true, volumes: ['data:/d']}}}}\nvolumes: {{data: {{name: {name}}}}}\n"
        )
    };
    let first = TestProject::new().compose(&compose("@name@-data"));
    up(&first);
    let volume = format!("{}-data", first.name());
    let second = TestProject::new().compose(&compose(&volume));
    doctor(&second).fails().names("volume", &volume, &format!("compose project {}", first.name()), "name:");
}

#[test]
fn a_volume_that_two_environments_would_share() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new()
        .file("infra.toml", "[environments.production]\nprofiles = [\"production\"]\n")
        .compose("services: {web: {image: @image@, volumes: ['data:/d']}}\nvolumes: {data: {name: '@name@-data'}}\n");
    let volume = format!("{}-data", project.name());
    doctor(&project).names("volume", &volume, "every environment of this project would use the same data", "`name:`");
}
