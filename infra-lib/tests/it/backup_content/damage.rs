//! Bits that rot, files that are cut, manifests that are edited, exchanged or gone.

use std::path::Path;

use super::*;

/// Fails unless the backup is refused everywhere, with the name of the file, before the database is touched.
#[track_caller]
fn refused(project: &TestProject, cluster: &Cluster, database: &str, file: &str, why: &str) {
    for words in [&["db-verify", file][..], &["db-verify", file, "--drill"], &["db-restore", file, "--yes"]] {
        let ended = project.xtask(words.iter().copied()).end();
        assert_eq!(ended.exit, 65, "{why}: {ended}");
        let stem = file.split('.').next().unwrap();
        assert!(ended.stdout.contains(stem) || ended.stderr.contains(stem), "{why}: the file is not named: {ended}");
    }
    let sql = "SELECT string_agg(a::text, ',') FROM kept; SELECT count(*) FROM pg_database WHERE datname ~ '__';";
    assert_eq!(cluster.ask(database, sql), "1\n0", "{why}");
}

#[test]
fn a32_a33_c02_c03_damage_is_noticed_by_name_before_anything_is_touched() {
    let Some(_postgres) = postgres() else { return };
    let (project, cluster, name) = set_up();
    cluster.ask(&name, "CREATE TABLE kept AS SELECT 1 AS a;");
    for format in ["custom", "directory", "sql"] {
        let made = project.xtask(["db-backup", "--format", format, "--json"]).end().ok().outcome();
        let path = PathBuf::from(made["path"].as_str().unwrap());
        let file = path.file_name().unwrap().to_str().unwrap();
        let data = if format == "directory" { path.join("toc.dat") } else { path.clone() };
        let whole = std::fs::read(&data).unwrap();
        let damaged = |why: &str, bytes: &[u8]| {
            std::fs::write(&data, bytes).unwrap();
            refused(&project, &cluster, &name, file, &format!("{format}: {why}"));
        };
        damaged("cut", &whole[..whole.len() - 1]);
        damaged("empty", b"");
        damaged("longer", &[&whole[..], b"\n"].concat());
        let mut flipped = whole.clone();
        flipped[whole.len() / 2] ^= 0x10;
        damaged("one bit", &flipped);
        std::fs::write(&data, &whole).unwrap();
        project.xtask(["db-verify", file]).end().ok();
        if format == "directory" {
            std::fs::write(path.join("more.dat"), "x").unwrap();
            refused(&project, &cluster, &name, file, "a file more");
            std::fs::remove_file(path.join("more.dat")).unwrap();
        }
        std::fs::rename(&path, path.with_extension("away")).unwrap();
        refused(&project, &cluster, &name, file, "gone");
        project.xtask(["db-backup", "--list"]).end().code(2).shows("file missing or truncated");
        std::fs::rename(path.with_extension("away"), &path).unwrap();
    }
    project.xtask(["db-verify", "--all"]).end().ok();
}

/// A backup whose name has dots, so that no name is taken for the beginning of another's.
#[test]
fn a33_a_manifest_that_was_edited_exchanged_or_removed_is_never_guessed_at() {
    let Some(_postgres) = postgres() else { return };
    let (project, cluster, _) = set_up();
    let name = "shop.v2";
    cluster.ask("postgres", "CREATE DATABASE \"shop.v2\";");
    project.write("infra.toml", "[project]\nname = \"@name@\"\n[database]\nname = \"shop.v2\"\n");
    cluster.ask(name, "CREATE TABLE kept AS SELECT 1 AS a;");
    let (_, first) = back_up(&project);
    // Otherwise two of the same second would be the same, to the byte.
    cluster.ask(name, "CREATE TABLE more AS SELECT 2 AS b;");
    let (_, second) = back_up(&project);
    let [first, second] = [first, second].map(|path| path.file_name().unwrap().to_str().unwrap().to_owned());
    let path = |name: &str| project.path("backups").join(name);
    let json = |file: &str| path(&file.replace(".dump", ".json"));
    let text = |file: &str| std::fs::read_to_string(json(file)).unwrap();
    let (one, two) = (text(&first), text(&second));
    let restored = |file: &str, text: &str| {
        std::fs::write(json(file), text).unwrap();
        project.xtask(["db-verify", "--all"]).end().ok();
    };

    // Edited: whatever the key.
    for (from, to) in
        [("\"rows\": 1", "\"rows\": 2"), ("\"sequence\": 1", "\"sequence\": 9"), ("\"schema\": 1", "\"schema\": 2")]
    {
        std::fs::write(json(&first), one.replace(from, to)).unwrap();
        refused(&project, &cluster, name, &first, from);
        project.xtask(["db-verify", "--all"]).end().code(65).shows(&first.replace(".dump", ".json"));
        project.xtask(["db-backup", "--list"]).end().code(2).shows("problem: ");
        // The other one is as good as before, and `latest` says that it may not be the latest.
        project.xtask(["db-verify", &second]).end().ok();
        project.xtask(["db-verify", "latest"]).end().ok().says("an older backup may be used");
    }
    for (why, bytes) in [("cut", &one[..40]), ("cut to its first brace", "{"), ("empty", ""), ("no JSON", "hello")] {
        std::fs::write(json(&first), bytes).unwrap();
        refused(&project, &cluster, name, &first, why);
    }
    restored(&first, &one);

    // Exchanged: each is whole, and says another file.
    std::fs::write(json(&first), &two).unwrap();
    std::fs::write(json(&second), &one).unwrap();
    refused(&project, &cluster, name, &first, "exchanged");
    refused(&project, &cluster, name, &second, "exchanged");
    restored_both(&project, [(json(&first), &one), (json(&second), &two)]);

    // The files exchanged, and the manifests not. The databases are the same, and so may be the files' sizes.
    let swap = |a: &Path, b: &Path| {
        let aside = a.with_extension("aside");
        std::fs::rename(a, &aside).unwrap();
        std::fs::rename(b, a).unwrap();
        std::fs::rename(&aside, b).unwrap();
    };
    swap(&path(&first), &path(&second));
    refused(&project, &cluster, name, &first, "files exchanged");
    swap(&path(&first), &path(&second));

    // Gone: the file is no backup any more, and a path does not make it one.
    std::fs::remove_file(json(&second)).unwrap();
    refused(&project, &cluster, name, &second, "no manifest");
    project.xtask(["db-restore", path(&second).to_str().unwrap(), "--yes"]).end().code(65).says("--unverified");
    let list = project.xtask(["db-backup", "--list", "--json"]).end().ok().outcome();
    assert_eq!(list["backups"].as_array().unwrap().len(), 1, "{list}");
    restored(&second, &two);

    // Roles and grants are a part of it.
    let globals = path(&first.replace(".dump", ".globals.sql"));
    let roles = std::fs::read_to_string(&globals).unwrap();
    std::fs::write(&globals, roles.replace("NOBYPASSRLS", "BYPASSRLS").replace("-- ", "--  ")).unwrap();
    refused(&project, &cluster, name, &first, "roles edited");
    std::fs::write(&globals, roles).unwrap();
    project.xtask(["db-verify", "--all"]).end().ok();
}

fn restored_both(project: &TestProject, texts: [(PathBuf, &String); 2]) {
    for (path, text) in texts {
        std::fs::write(path, text).unwrap();
    }
    project.xtask(["db-verify", "--all"]).end().ok();
}

/// What has nothing to do with us does not get in the way.
#[test]
fn a37_b08_other_peoples_files_in_the_folder_are_none_of_our_business() {
    let Some(_postgres) = postgres() else { return };
    let (project, _, _) = set_up();
    back_up(&project);
    let path = |name: &str| project.path("backups").join(name);
    std::fs::write(path("package.json"), "{\"sequence\": 1}").unwrap();
    std::fs::write(path("notes.json"), "no JSON at all").unwrap();
    std::fs::write(path("old.dump"), "not ours").unwrap();
    std::fs::create_dir(path("folder.json")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", path("link.json")).unwrap();
    assert!(command("mkfifo").arg(path("pipe.json")).status().unwrap().success());
    let list = project.xtask(["db-backup", "--list", "--json"]).end();
    assert_eq!(list.outcome()["backups"].as_array().unwrap().len(), 1, "{list}");
    back_up(&project);
    project.xtask(["db-verify", "latest"]).end().ok();
    for name in ["package.json", "notes.json", "old.dump", "folder.json", "link.json", "pipe.json"] {
        assert!(path(name).symlink_metadata().is_ok(), "{name}");
    }
}
