//! Client tools of another version than the server's.

use infra_lib::postgres::TempDatabase;

use super::*;

#[test]
fn d22_tools_whose_dumps_the_server_cannot_take_are_refused_and_nothing_is_called_damaged() {
    let (Some(_postgres), Some(_psql)) = (postgres(), tool("psql")) else { return };
    let server = TempDatabase::start().unwrap();
    let url = server.url().expose().to_owned();
    let sql = |sql: &str| {
        let output = command("psql").args(["-XAtq", "-v", "ON_ERROR_STOP=1", "-d", &url, "-c", sql]).output().unwrap();
        assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    };
    let own: u32 = sql("SELECT current_setting('server_version_num')::int / 10000").parse().unwrap();
    let newer: Vec<u32> = sample(&[17, 18], 1).into_iter().filter(|version| own < 17 && *version > own).collect();
    let image = |version: u32| format!("postgres:{version}-alpine");
    let Some(_engine) = images(&[&image(own)]) else { return };
    sql(GOODS);
    let project = TestProject::new().file(".env", &format!("DATABASE_URL={url}\n"));
    let use_client = |version: u32| {
        project.write(
            "infra.toml",
            &format!(
                "[project]\nname = \"@name@\"\n[compose]\nservices = \"none\"\n\
                 [database]\nurl = \"env:DATABASE_URL\"\nclient = \"{}\"\n",
                image(version)
            ),
        );
    };
    for newer in newer {
        let Some(_engine) = images(&[&image(newer)]) else { continue };
        use_client(newer);
        let refused = project.xtask(["db-backup"]).end();
        refused.code(65).says(&format!("pg_dump is {newer}.")).says(&format!("client = \"{}\"", image(own)));
        project.xtask(["db-backup", "--list"]).end().ok().never_says(".dump");

        use_client(own);
        project.xtask(["db-backup", "--verify", "drill"]).end().ok();
        use_client(newer);
        let refused = project.xtask(["db-verify", "--drill"]).end();
        refused.code(65).says(&format!("pg_restore is {newer}.")).never_says("damaged");
        project.xtask(["db-verify", "--drill", "--all"]).end().code(65).never_says("damaged");
        project.xtask(["db-restore", "latest", "--confirm", project.name()]).end().code(65).says("pg_restore is");
        // Dumps of such tools, from wherever they are.
        for format in ["custom", "plain"] {
            let theirs = project.path(&format!("theirs.{format}"));
            let words =
                ["run", "--rm", "--network", "host", "--entrypoint", "pg_dump", &image(newer), "-F", format, &url];
            let output = command("docker").args(words).output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            std::fs::write(&theirs, output.stdout).unwrap();
            let file = theirs.to_str().unwrap();
            let refused = project.xtask(["db-restore", file, "--unverified", "--into", "theirs"]).end();
            refused.code(65).says(&format!("written by pg_dump {newer}"));
        }
        use_client(own);
        project.xtask(["db-restore", "latest", "--confirm", project.name()]).end().ok();
    }
}
