//! Databases whose text is not UTF-8.

use super::*;

/// Creates a database of another encoding, with a table whose name and content are made of these bytes.
fn create(cluster: &Cluster, name: &str, encoding: &str) {
    let create =
        format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C';");
    cluster.ask("postgres", &create);
    // No client's encoding comes in between: the bytes are the server's own.
    cluster.ask(name, "SET client_encoding = SQL_ASCII; CREATE TABLE plain (t text);
        DO $$ BEGIN
            EXECUTE format('CREATE TABLE %I (t text)', convert_from('\\x636166e9205c'::bytea, getdatabaseencoding()));
            EXECUTE format('INSERT INTO %I VALUES (convert_from(''\\x63e9'', getdatabaseencoding())), (''b'')', convert_from('\\x636166e9205c'::bytea, getdatabaseencoding()));
            EXECUTE format('CREATE TABLE %I (t text)', convert_from('\\xc3a9'::bytea, getdatabaseencoding()));
        END $$;
        INSERT INTO plain VALUES (convert_from('\\xe4f6fc', getdatabaseencoding()));");
}

#[test]
fn a28_c22_names_and_data_that_are_no_utf8_come_back_as_they_were() {
    let Some(_postgres) = postgres() else { return };
    let (project, cluster, _) = set_up();
    for encoding in ["SQL_ASCII", "LATIN1"] {
        let name = format!("of_{}", encoding.to_lowercase());
        create(&cluster, &name, encoding);
        project.write("infra.toml", &format!("[project]\nname = \"@name@\"\n[database]\nname = \"{name}\"\n"));
        let content = "SET client_encoding = SQL_ASCII;
            SELECT string_agg(encode(convert_to(t, getdatabaseencoding()), 'hex'), ',') FROM plain;
            SELECT string_agg(encode(convert_to(relname, getdatabaseencoding()), 'hex'), ',' ORDER BY relname)
            FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace;";
        let before = cluster.ask(&name, content);
        for format in ["custom", "directory", "sql"] {
            let made = project.xtask(["db-backup", "--format", format, "--verify", "drill", "--json"]).end();
            let made = made.ok().outcome();
            assert_eq!((&made["tables"], &made["rows"]), (&3.into(), &3.into()), "{encoding} {format}");
            let manifest = manifest(std::path::Path::new(made["path"].as_str().unwrap()));
            assert_eq!(manifest["database"]["encoding"], encoding);
            let tables: Vec<_> =
                manifest["tables"].as_array().unwrap().iter().map(|table| table["name"].as_str().unwrap()).collect();
            assert!(tables.contains(&"caf\\xE9 \\\\"), "{tables:?}");
        }
        cluster.ask(&name, "TRUNCATE plain;");
        project.xtask(["db-restore", "latest", "--yes"]).end().ok();
        assert_eq!(cluster.ask(&name, content), before, "{encoding}");
        let shown = cluster.ask(
            "postgres",
            &format!("SELECT pg_encoding_to_char(encoding) || datcollate FROM pg_database WHERE datname = '{name}';"),
        );
        assert_eq!(shown, format!("{encoding}C"));
    }
}
