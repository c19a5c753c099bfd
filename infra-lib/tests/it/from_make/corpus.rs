//! Makefiles of many styles: each target compared with what make prints for it, and with what it does to a real stack.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::*;

/// A Makefile, its targets that are commands from now on (`target=command`, separated by commas), and those that are not
/// converted.
struct Sample {
    name: &'static str,
    text: &'static str,
    commands: &'static str,
    left: &'static [&'static str],
}

macro_rules! sample {
    ($name:literal, $commands:literal $(, $left:literal)*) => {
        Sample { name: $name, text: include_str!(concat!("corpus/", $name, ".mk")), commands: $commands, left: &[$($left),*] }
    };
}

const CORPUS: &[Sample] = &[
    sample!(
        "api",
        "up=start,down=stop,logs=logs -f api,migrate=db-migrate,rollback=db-migrate down,seed=db-seed,shell=shell api,\
         psql=db-shell"
    ),
    sample!("names", ""),
    sample!("wrong_names", "stop=start,start=restart,down=clean --volumes"),
    sample!("backup", "dump=db-backup,dump-gz=db-backup"),
    sample!(
        "overlays",
        "up=start,prod=-e production start,prod-logs=-e production logs -f api,prod-shell=-e production shell api,down=stop"
    ),
    sample!("flags", "up=start,ps=ps,restart=restart api"),
    sample!("profiles", "up=start,staging=-e staging start,staging-down=-e staging stop"),
    sample!("options", "rebuild=build --no-cache api,one=start api,tail=logs -f --tail 50 api"),
    sample!("args", ""),
    sample!("conditions_both", "up=start"),
    sample!("recursive_calls", "build=build"),
    sample!("scripts", ""),
    sample!("quoted", "up=start,stop=stop"),
    sample!("prune", "", "target `clean`", "target `images`", "target `everything`"),
    sample!("twoways", "seed=db-seed"),
    sample!(
        "host_tools",
        "migrate=db-migrate,migrate-down=db-migrate down,migrate-status=db-migrate status,seed=db-seed"
    ),
    sample!("exports", ""),
    sample!("needs", "wipe=clean --volumes,images=build --no-cache"),
    sample!("help", "help=help,up=start"),
];

const COMPOSE: &str = "services:
  api: {image: @image@, labels: {tag: '${TAG:-none}'}}
  worker: {image: @image@}
  db:
    image: @image@
    environment: {POSTGRES_USER: app, POSTGRES_DB: shop, POSTGRES_PASSWORD: fixture-password}
";

fn project(text: &str) -> TestProject {
    let more = ["compose.prod.yml", "stack/compose.yml"];
    let project = TestProject::new().file("Makefile", text).file("words", "a\n").compose(COMPOSE);
    more.iter().fold(project, |project, path| project.file(path, "services: {api: {restart: always}}\n"))
}

#[test]
fn p23_each_target_does_what_make_prints_for_it() {
    let (Some(_engine), Some(make)) = (engine(), tool("make")) else { return };
    for sample in CORPUS {
        let converted = Converted::of(sample);
        let fakes = ["docker", "go", "golint", "npm", "aws", "git", "curl", "dbmate"]
            .iter()
            .fold(Fakes::new(), |fakes, name| fakes.program(name, "exit 0"));
        let copy = project(sample.text);
        let targets: BTreeSet<&str> = converted.targets();
        for target in &targets {
            let arguments = ["FILE", "ARGS", "NAME", "SERVICE", "SQL"].map(|name| format!("{name}=$${{{name}}}"));
            let printed = command(make.to_str().unwrap())
                .args(["-n", "--no-print-directory", target])
                .args(arguments)
                .env("PATH", fakes.path())
                .current_dir(copy.dir())
                .output()
                .unwrap();
            let text = String::from_utf8(printed.stdout).unwrap();
            assert!(
                printed.status.success(),
                "{}: {target}: {}",
                sample.name,
                String::from_utf8_lossy(&printed.stderr)
            );
            converted.compare(sample.name, target, &logical(&text));
        }
        assert!(fakes.calls().is_empty(), "{}: make -n ran {:?}", sample.name, fakes.calls());
    }
}

#[test]
fn p23_only_exact_calls_are_commands() {
    let Some(_engine) = engine() else { return };
    for sample in CORPUS {
        let converted = Converted::of(sample);
        let commands: BTreeSet<String> = list(&converted.made["commands"])
            .map(|now| format!("{}={}", text(now, "target"), text(now, "command")))
            .collect();
        let expected = sample.commands.split(',').filter(|pair| !pair.is_empty()).map(str::to_owned).collect();
        assert_eq!(commands, expected, "{}: {:#}", sample.name, converted.made);
        let left: Vec<&str> = list(&converted.made["left"]).map(|left| text(left, "what")).collect();
        assert_eq!(left, sample.left, "{}", sample.name);
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().unwrap().iter()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

/// Lines as make sees them: a continued one is one.
fn logical(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines() {
        match lines.last_mut().filter(|last| last.ends_with('\\')) {
            Some(last) => {
                last.push('\n');
                last.push_str(line);
            }
            None => lines.push(line.to_owned()),
        }
    }
    lines
}

/// Something that ours runs.
#[derive(Debug)]
enum Step {
    Words(Vec<String>),
    Line(String),
    InService(String, Vec<String>),
    Command(String),
}

struct Converted {
    made: Value,
    settings: toml::Table,
}

impl Converted {
    fn of(sample: &Sample) -> Self {
        let project = project(sample.text);
        let ended = project.xtask(["init", "--from", "Makefile", "--json"]).end();
        let made = ended.ok().json()["outcome"]["makefile"].clone();
        Self { made, settings: project.read("infra.toml").parse().unwrap() }
    }

    fn targets(&self) -> BTreeSet<&str> {
        list(&self.made["commands"]).chain(list(&self.made["tasks"])).map(|made| text(made, "target")).collect()
    }

    /// What a task runs, with what it needs, each once.
    fn steps(&self, name: &str, seen: &mut BTreeSet<String>, steps: &mut Vec<Step>) {
        if !seen.insert(name.to_owned()) {
            return;
        }
        let Some(made) = list(&self.made["tasks"]).find(|made| made["name"] == name) else {
            steps.push(Step::Command(name.to_owned()));
            return;
        };
        let task = &made["task"];
        for need in list(&task["needs"]) {
            self.steps(need.as_str().unwrap(), seen, steps);
        }
        let run: Vec<String> = list(&task["run"]).map(|word| word.as_str().unwrap().to_owned()).collect();
        let service = task["service"].as_str().or(task["oneoff"].as_str());
        match (service, &run[..]) {
            (_, []) => {}
            (Some(service), _) => steps.push(Step::InService(service.to_owned(), run)),
            (None, [shell, flag, script]) if ["sh", "bash"].contains(&shell.as_str()) && flag == "-c" => {
                let is_own = |line: &String| !line.starts_with("export ") && !line.starts_with("[ ! -f ");
                steps.extend(logical(script).into_iter().filter(is_own).map(|line| Step::Line(bare(&line))));
            }
            (None, _) => steps.push(Step::Words(run)),
        }
    }

    /// Each line that make prints is one step of ours, in order; only what prints, waits or makes a folder may have none.
    fn compare(&self, sample: &str, target: &str, printed: &[String]) {
        let mut steps = Vec::new();
        let now = list(&self.made["commands"]).find(|now| now["target"] == target);
        let task = list(&self.made["tasks"]).find(|made| made["target"] == target);
        match (now, task) {
            (Some(now), _) => steps.push(Step::Command(text(now, "command").to_owned())),
            (None, Some(task)) => self.steps(text(task, "name"), &mut BTreeSet::new(), &mut steps),
            (None, None) => panic!("{sample}: {target} is gone"),
        }
        let said = format!("{sample}: {target}: ours {steps:?}, make {printed:#?}");
        if matches!(&steps[..], [Step::Command(help)] if help == "help") {
            return;
        }
        let mut steps = steps.iter().peekable();
        for line in printed.iter().map(|line| line.trim()).filter(|line| !is_make(line)) {
            if steps.next_if(|step| self.is_same(step, line)).is_none() {
                let may_lack = ["echo ", "printf ", "sleep ", "test -n ", "mkdir -p "];
                assert!(may_lack.iter().any(|start| line.starts_with(start)), "{line}: {said}");
            }
        }
        assert!(steps.peek().is_none(), "{:?} is more than make does: {said}", steps.peek());
    }

    fn is_same(&self, step: &Step, line: &str) -> bool {
        let words = shlex::split(line).unwrap_or_default();
        match step {
            Step::Words(own) => words == *own,
            Step::Line(own) => own == line,
            Step::InService(service, run) => {
                // What follows the task's name takes the place of the last argument.
                let given = words.last().filter(|word| word.starts_with("${")).map_or(words.len(), |_| words.len() - 1);
                words.contains(service) && (words.ends_with(run) || words[..given].ends_with(run))
            }
            Step::Command(command) => self.is_call(command, line),
        }
    }

    /// Whether a line of make is what this command stands for.
    fn is_call(&self, command: &str, line: &str) -> bool {
        let has = |word: &str| line.split(' ').any(|other| other == word);
        let (environment, command) = match command.strip_prefix("-e ") {
            Some(rest) => rest.split_once(' ').unwrap(),
            None => ("", command),
        };
        let carried = |key: &str| {
            let migrations = &self.settings["migrations"];
            let words = if key == "seeds" { &migrations["seeds"]["command"] } else { &migrations[key] };
            let words: Vec<&str> = words.as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
            line.ends_with(&words.join(" "))
        };
        let (verb, rest) = command.split_once(' ').unwrap_or((command, ""));
        let is_verb = match (verb, rest) {
            ("start", _) => has("up") && (has("-d") || has("--wait")),
            ("stop", _) => (has("down") || has("stop")) && !has("-v") && !has("--volumes"),
            ("clean", "--volumes") => has("down") && (has("-v") || has("--volumes")),
            ("restart" | "ps" | "logs" | "build", _) => has(verb),
            ("update", "") => has("pull"),
            ("shell", _) => has("exec") && (has("sh") || has("bash")),
            ("db-shell", "") => has("psql") && has("app") && has("shop"),
            ("db-backup", "") => has("pg_dump") && has("app") && has("shop") && has(">"),
            ("db-migrate", "") => carried("up"),
            ("db-migrate", action) => carried(action),
            ("db-seed", "") => carried("seeds"),
            _ => false,
        };
        is_verb
            && (environment.is_empty() || line.contains(&environment[..4]))
            && rest.split(' ').all(|word| verb == "db-migrate" || word.starts_with('-') || line.contains(word))
    }
}

/// `make lint`, whose own lines follow.
fn is_make(line: &str) -> bool {
    line.split(' ').next().is_some_and(|program| program.rsplit('/').next() == Some("make"))
}

/// A line of a script as the Makefile has it.
fn bare(line: &str) -> String {
    let line = line.strip_suffix(" || exit").or_else(|| line.strip_suffix(" || true")).unwrap_or(line);
    let line = line.strip_prefix('(').and_then(|line| line.strip_suffix(')')).unwrap_or(line);
    line.replace("'\"${", "${").replace("}\"'", "}")
}

const STACK: &str = "services:
  web: {@sleeps@, volumes: ['data:/data']}
  db:
    image: @image@
    environment: {POSTGRES_USER: app, POSTGRES_DB: shop, POSTGRES_PASSWORD: fixture-password}
    volumes: ['dbdata:/var/lib/postgresql/data']
    healthcheck: {test: [CMD, pg_isready, -q, -h, 127.0.0.1], start_period: 60s, start_interval: 200ms}
volumes: {data: {}, dbdata: {}}
";

const STACK_MAKEFILE: &str = "\
up:
\t@echo 'starting; please wait'
\tdocker compose up -d --wait
restart:
\tdocker compose restart -t 0 web
migrate:
\tdocker compose exec -T db psql -q -U app -d shop -c 'CREATE TABLE items (id int)'
seed:
\tdocker compose exec -T db psql -q -U app -d shop -c 'INSERT INTO items VALUES (1), (2)'
more: seed
\tdocker compose exec -T db psql -q -U app -d shop -c 'INSERT INTO items VALUES (3)'
mark:
\tdocker compose exec -T web touch /data/$(NAME)
\t@echo marked
twice:
\tdocker compose exec -T web touch /data/one
\tdocker compose exec -T web touch /data/two
dump:
\t@mkdir -p dumps
\tdocker compose exec -T db pg_dump -U app shop > dumps/shop.sql
down:
\tdocker compose down -t 0
wipe:
\tdocker compose down -t 0 -v
stop:
\tdocker compose down
clear:
\tdocker compose down -v
";

/// What there is: running services, volumes, rows, files of the volume.
fn state(project: &TestProject) -> String {
    let label = format!("label=com.docker.compose.project={}", project.name());
    let running = docker(["ps", "--filter", &label, "--format", "{{.Label \"com.docker.compose.service\"}}"]);
    let mut running: Vec<&str> = running.lines().collect();
    running.sort_unstable();
    let volumes =
        docker(["volume", "ls", "-q", "--filter", &label]).lines().filter(|name| name.ends_with("_data")).count();
    let inside = |service: &str, words: &[&str]| {
        let name = format!("{}-{service}-1", project.name());
        try_docker([&["exec", &name], words].concat()).unwrap_or_default()
    };
    let rows = inside("db", &["psql", "-U", "app", "-d", "shop", "-Atc", "SELECT count(*) FROM items"]);
    format!("{running:?} volumes {volumes} rows {rows} files {}", inside("web", &["ls", "/data"]))
}

#[test]
fn p23_the_commands_and_tasks_change_a_stack_as_make_does() {
    let (Some(_engine), Some(make)) = (engine(), tool("make")) else { return };
    let stack = || TestProject::new().file("Makefile", STACK_MAKEFILE).compose(&STACK.replace("@sleeps@", SLEEPS));
    let (theirs, ours) = (stack(), stack());
    ours.xtask(["init", "--from", "Makefile"]).end().ok();
    for (target, words) in [
        ("up", &["start"][..]),
        ("migrate", &["db-migrate"]),
        ("more", &["more", "--yes"]),
        ("mark", &["mark"]),
        ("twice", &["twice"]),
        ("restart", &["make-restart"]),
        ("dump", &["db-backup"]),
        ("stop", &["stop"]),
        ("up", &["up"]),
        ("wipe", &["wipe"]),
        ("up", &["start"]),
        ("clear", &["clean", "--volumes", "--yes"]),
    ] {
        let ended = command(make.to_str().unwrap())
            .arg(target)
            .env("NAME", "named")
            .current_dir(theirs.dir())
            .output()
            .unwrap();
        assert!(ended.status.success(), "{target}: {}", String::from_utf8_lossy(&ended.stderr));
        // A global option comes before the task's name.
        let (flags, names): (Vec<&str>, Vec<&str>) = words.iter().partition(|word| **word == "--yes");
        ours.xtask(flags.into_iter().chain(names)).env("NAME", "named").end().ok();
        assert_eq!(state(&ours), state(&theirs), "{target}");
    }
    let dumped = ours.path("backups");
    assert!(theirs.path("dumps/shop.sql").is_file() && dumped.read_dir().unwrap().count() > 0);
}
