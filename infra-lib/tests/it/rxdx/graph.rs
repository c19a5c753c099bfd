//! A graph of Apache AGE, through backups and restores. Its tables inherit from each other and take their keys from
//! sequences; which graphs and labels there are stands in tables that belong to the extension, with keys between them.

use crate::support::*;

use super::application::trace;

/// All that the graph holds, asked in its own language: nodes, then edges with where they lead.
fn whole(stack: &Stack, database: Option<&str>) -> Vec<String> {
    let nodes = "SELECT * FROM cypher('traceability', $$ MATCH (n) RETURN id(n), label(n), properties(n) $$) AS (a agtype, b agtype, c agtype) ORDER BY 1";
    let edges = "SELECT * FROM cypher('traceability', $$ MATCH (a)-[e]->(b) RETURN id(e), type(e), a.key, b.key $$) AS (a agtype, b agtype, c agtype, d agtype) ORDER BY 1";
    let labels = "SELECT l.name, l.kind, l.relation FROM ag_label l JOIN ag_graph g ON g.graphid = l.graph ORDER BY 1";
    let connect = database.map(|name| format!("\\connect {name}\n")).unwrap_or_default();
    let ended = stack.run(["db-shell", "--", "-tAq"]).input(format!("{connect}{nodes};\n{edges};\n{labels};\n")).end();
    ended.ok();
    ended.stdout.lines().map(str::to_owned).collect()
}

fn cypher(stack: &Stack, query: &str) -> Vec<String> {
    stack.sql(&[], &format!("SELECT * FROM cypher('traceability', $$ {query} $$) AS (answer agtype)"))
}

pub(super) fn survives(stack: &Stack) {
    stack.run(["db-seed", "--yes"]).end().ok();
    let before = whole(stack, None);
    assert!(
        before.iter().any(|line| line.contains("\"SYS-1\"")) && before.iter().any(|line| line.contains("VERIFIES"))
    );
    for format in ["custom", "directory", "sql"] {
        stack.run(["db-backup", "--name", format, "--format", format]).end().ok().shows("verified");
    }

    // Into a database of its own; the third format goes in place.
    let name = |label: &str| {
        let listed = stack.run(["db-backup", "--list", "--json"]).end().ok().outcome()["backups"].clone();
        let found = listed.as_array().unwrap().iter().find(|backup| backup["label"] == label).cloned();
        found.unwrap_or_else(|| panic!("{label} in {listed}"))["file"].as_str().unwrap().to_owned()
    };
    for format in ["directory", "sql"] {
        let file = name(format);
        let into = format!("copy_{format}");
        let ended = stack.run(["db-restore", &file, "--into", &into, "--jobs", "4"]).arg("--yes").end();
        ended.ok().shows(&into);
        assert_eq!(whole(stack, Some(&into)), before, "{format}");
        stack.sql(&[], &format!("DROP DATABASE {into}"));
    }
    let drill = stack.run(["db-verify", &name("custom"), "--drill"]).end();
    drill.ok().shows("restored in");
    tell(&format!("a drill took {:.1} s", drill.took.as_secs_f32()));

    // Over a graph that was changed, torn and given a new label meanwhile.
    cypher(stack, "MATCH (n:Requirement {key: 'SYS-2'}) DETACH DELETE n");
    cypher(stack, "CREATE (n:Hazard {key: 'HAZ-1'}) RETURN n.key");
    cypher(stack, "MATCH (n:Requirement {key: 'SYS-1'}) SET n.title = 'lost' RETURN n.key");
    assert_ne!(whole(stack, None), before);
    let restored = stack.run(["db-restore", &name("custom"), "--yes"]).end();
    restored.ok().shows("restarted backend");
    tell(&format!("a restore in place took {:.1} s", restored.took.as_secs_f32()));
    assert_eq!(whole(stack, None), before);
    stack.are_healthy("development", &["backend"]);
    assert_eq!(trace(&stack.at("https", "")), ["SYS-2 1", "VER-1 2"]);

    // It goes on living: keys that are new, labels that are new, a second graph.
    let ids = |label: &str| cypher(stack, &format!("MATCH (n:{label}) RETURN id(n)"));
    let known = ids("Requirement");
    cypher(stack, "CREATE (n:Requirement {key: 'SYS-3', title: 'after'}) RETURN n.key");
    let more = ids("Requirement");
    assert_eq!(more.len(), known.len() + 1);
    assert!(more.iter().filter(|id| !known.contains(id)).count() == 1, "a new key: {more:?}");
    cypher(stack, "CREATE (n:Hazard {key: 'HAZ-2'}) RETURN n.key");
    assert_eq!(ids("Hazard").len(), 1, "a new label");
    stack.sql(&[], "SELECT create_graph('second'); SELECT drop_graph('second', true)");
    stack.run(["db-restore", "--rollback", "--yes"]).end().ok();
    assert_eq!(cypher(stack, "MATCH (n:Hazard) RETURN n.key"), ["\"HAZ-1\""], "as it was before the restore");
    stack.run(["db-restore", "--drop-previous", "--yes"]).end().ok();
}
