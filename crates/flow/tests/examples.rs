//! The pages of `examples/` as a stranger reads them: commands that exist, connections that fit the servers beside them,
//! DAGs without mistakes. Whether the pipelines work is another matter: `pipelines.rs`.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the message")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use flow_core::{connection::Connection, secret::Secret};
use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples")
}

/// An example that is a pipeline.
struct Example {
    name: String,
    folder: PathBuf,
    readme: String,
    /// What stands in its DAG files.
    documents: Vec<Value>,
    services: Vec<Value>,
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn yaml(path: &Path) -> Value {
    serde_saphyr::from_str(&read(path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn folders() -> Vec<(String, PathBuf)> {
    let entries = fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    let mut folders: Vec<_> =
        entries.map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), path)).collect();
    folders.sort();
    folders
}

fn examples() -> Vec<Example> {
    let pipelines = folders().into_iter().filter(|(_, folder)| folder.join("dags").is_dir());
    let examples: Vec<_> = pipelines
        .map(|(name, folder)| {
            let files = fs::read_dir(folder.join("dags")).unwrap().map(|entry| entry.unwrap().path());
            let documents =
                files.filter(|path| path.extension().is_some_and(|end| end == "yaml")).map(|path| yaml(&path));
            let documents = documents.collect();
            let compose = yaml(&folder.join("compose.yaml"));
            let services = compose["services"].as_object().unwrap().values().cloned().collect();
            Example { readme: read(&folder.join("README.md")), name, folder, documents, services }
        })
        .collect();
    assert!(examples.len() >= 7, "the examples were not found");
    examples
}

/// The commands of a page, without what goes on after a pipe or is said beside them.
fn commands(page: &str) -> Vec<String> {
    let blocks = page.split("```console\n").skip(1).filter_map(|rest| rest.split("```").next());
    let mut commands = Vec::new();
    for line in blocks.flat_map(|block| block.replace("\\\n", " ").lines().map(str::to_owned).collect::<Vec<_>>()) {
        let line = line.trim_start_matches(['$', '#', ' ']).split("  #").next().unwrap_or_default().to_owned();
        commands.extend(line.split(" | ").map(|part| part.trim_start_matches("done").trim().to_owned()));
    }
    commands
}

/// The connections that a page tells to make, by the name of their variables.
fn connections(readme: &str) -> Vec<(String, Connection)> {
    let exports = readme.lines().filter_map(|line| line.split("FLOW_CONN_").nth(1)?.split_once('='));
    exports
        .map(|(id, rest)| {
            let uri = rest.trim().trim_end_matches('`').trim_end_matches('.').trim_matches('\'');
            let id = id.to_lowercase();
            let connection = Connection::parse(&id, uri).unwrap();
            (id, connection)
        })
        .collect()
}

/// The connections that the tasks and the schedule of a DAG name, or take when they name none.
fn wanted(document: &Value) -> BTreeSet<String> {
    let mut wanted = BTreeSet::new();
    let kafka = |settings: &Value| settings["kafka_config_id"].as_str().unwrap_or("kafka_default").to_owned();
    wanted.extend(document["schedule"].get("kafka").map(kafka));
    for task in document["tasks"].as_array().unwrap() {
        let given = &task["with"];
        let named = |key: &str, usual: &str| given[key].as_str().unwrap_or(usual).to_owned();
        match task["uses"].as_str().unwrap_or_default() {
            uses if uses.starts_with("kafka") => {
                wanted.insert(kafka(given));
            }
            "email" => {
                wanted.insert(named("conn_id", "smtp_default"));
            }
            "http" | "http_sensor" => {
                wanted.insert(named("http_conn_id", "http_default"));
            }
            _ => {}
        }
        let others = given.as_object().into_iter().flatten().filter(|(key, _)| key.ends_with("conn_id"));
        wanted.extend(others.filter_map(|(_, id)| id.as_str().map(str::to_owned)));
    }
    wanted
}

#[test]
fn every_example_is_in_the_list() {
    let list = read(&root().join("README.md"));
    for (name, _) in folders() {
        assert!(list.contains(&format!("]({name})")), "examples/README.md does not name {name}");
    }
}

#[test]
fn dags_of_examples_have_no_mistakes() {
    for example in examples() {
        let checked = Command::new(env!("CARGO_BIN_EXE_flow"))
            .args(["dags", "check", "-o", "json"])
            .arg(example.folder.join("dags"))
            .env_clear()
            .env("HOME", tempfile::tempdir().unwrap().path())
            .output()
            .unwrap();
        let report: Value = serde_json::from_slice(&checked.stdout).unwrap();
        assert_eq!(report["problems"], Value::Array(Vec::new()), "{}", example.name);
        let named = report["dags"].as_array().unwrap().iter().any(|id| *id == example.name.as_str());
        assert!(named, "{} has no DAG of its name", example.name);
    }
}

#[test]
fn every_command_of_a_page_exists_with_its_flags() {
    let folder = tempfile::tempdir().unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_flow"));
    let path = format!("{}:{}", program.parent().unwrap().display(), std::env::var("PATH").unwrap_or_default());
    let mut seen = 0;
    let pages = folders().into_iter().map(|(_, folder)| folder.join("README.md")).filter(|page| page.exists());
    for page in pages {
        for command in commands(&read(&page)).into_iter().filter(|command| command.starts_with("flow ")) {
            // Whatever flags are wrong come before the one that asks for help.
            let asked = Command::new("bash")
                .args(["-c", &format!("{command} --help")])
                .current_dir(folder.path())
                .env_clear()
                .env("HOME", folder.path())
                .env("PATH", &path)
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&asked.stderr);
            assert!(asked.status.success(), "{}: `{command}`: {said}", page.display());
            seen += 1;
        }
    }
    assert!(seen > 20, "only {seen} commands were found");
}

#[test]
fn a_page_names_the_connections_that_its_dags_need_and_no_others() {
    for example in examples() {
        let told: BTreeSet<String> = connections(&example.readme).into_iter().map(|(id, _)| id).collect();
        let wanted: BTreeSet<String> = example.documents.iter().flat_map(wanted).collect();
        assert_eq!(told, wanted, "{}: connections of README.md and of the DAGs", example.name);
    }
}

/// What a service of ours may say: Compose refuses a file with anything else, and nobody here starts one.
const KEYS: [&str; 6] = ["image", "command", "ports", "environment", "volumes", "healthcheck"];

/// Images, the ports that they listen on, and what says that they are ready. Mailpit's image looks after its own health.
const IMAGES: [(&str, &[&str], Option<&str>); 5] = [
    ("postgres", &["5432"], Some("pg_isready -h 127.0.0.1 ")),
    ("mariadb", &["3306"], Some("healthcheck.sh --connect --innodb_initialized")),
    ("apache/kafka", &["9092"], Some("/opt/kafka/bin/kafka-topics.sh --bootstrap-server 127.0.0.1:9092 --list")),
    ("axllent/mailpit", &["1025", "8025"], None),
    ("python", &["8070"], Some("python -c ")),
];

#[test]
fn compose_files_say_only_what_their_images_know() {
    let mut versions = BTreeSet::new();
    for example in examples() {
        let name = &example.name;
        let compose = yaml(&example.folder.join("compose.yaml"));
        assert_eq!(compose.as_object().unwrap().keys().collect::<Vec<_>>(), ["services"], "{name}");
        for service in &example.services {
            let unknown = service.as_object().unwrap().keys().find(|key| !KEYS.contains(&key.as_str()));
            assert_eq!(unknown, None, "{name}");
            let (image, version) = service["image"].as_str().unwrap().split_once(':').unwrap();
            versions.insert((image.to_owned(), version.to_owned()));
            let known = IMAGES.iter().find(|(known, _, _)| *known == image);
            let (_, inside, check) = known.unwrap_or_else(|| panic!("{name}: what is {image}?"));
            for port in service["ports"].as_array().unwrap() {
                let port = port.as_str().unwrap().rsplit(':').next().unwrap();
                assert!(inside.contains(&port), "{name}: {image} does not listen on {port}");
            }
            let asked = service["healthcheck"]["test"].as_str();
            assert_eq!(asked.is_some(), check.is_some(), "{name}: `--wait` waits for nothing: {image}");
            assert!(asked.unwrap_or("").starts_with(check.unwrap_or("")), "{name}: {asked:?}");
            for volume in service["volumes"].as_array().into_iter().flatten() {
                let [from, to, "ro"] = volume.as_str().unwrap().split(':').collect::<Vec<_>>()[..] else {
                    panic!("{name}: {volume}")
                };
                let command = service["command"].as_str().unwrap();
                let program = command.split(' ').find_map(|word| word.strip_prefix(to)).unwrap();
                assert!(example.folder.join(from).join(program.trim_start_matches('/')).is_file(), "{name}: {command}");
            }
        }
    }
    let images: BTreeSet<_> = versions.iter().map(|(image, _)| image).collect();
    assert_eq!(images.len(), versions.len(), "one version of each is enough: {versions:?}");
    let script = read(&root().join("../scripts/with-kafka"));
    let tested = script.lines().find_map(|line| line.strip_prefix("version=")).unwrap();
    assert!(versions.contains(&("apache/kafka".to_owned(), tested.to_owned())), "{versions:?}");
}

#[test]
fn addresses_on_a_page_are_those_of_its_connections_and_servers() {
    for Example { name, readme, services, .. } in examples() {
        let of_user = |connection: &Connection| {
            let word = |text: &Option<String>| text.clone().unwrap_or_default();
            format!("{}:{}", word(&connection.login), connection.password.as_ref().map_or("", Secret::expose))
                + &format!("@{}/{}", word(&connection.host), word(&connection.schema))
        };
        let known: Vec<_> = connections(&readme).iter().map(|(_, connection)| of_user(connection)).collect();
        for asked in readme.split("psql postgres://").skip(1).filter_map(|rest| rest.split_whitespace().next()) {
            assert!(known.iter().any(|known| known == asked), "{name}: nobody set `{asked}`, but {known:?}");
        }
        for port in readme.split("http://127.0.0.1:").skip(1) {
            let port = port.split(|c: char| !c.is_ascii_digit()).next().unwrap();
            let is_published = services
                .iter()
                .flat_map(|service| service["ports"].as_array().unwrap())
                .any(|given| given.as_str().unwrap().starts_with(&format!("127.0.0.1:{port}:")));
            assert!(is_published || port == "8080", "{name}: nothing is at {port}");
        }
    }
}

#[test]
fn connections_of_a_page_lead_to_the_servers_beside_it() {
    for Example { name, readme, services, .. } in examples() {
        for service in &services {
            assert!(service["image"].as_str().is_some_and(|image| image.contains(':')), "{name}: {service}");
            let ports = service["ports"].as_array().unwrap();
            let is_ours = |port: &Value| port.as_str().is_some_and(|port| port.starts_with("127.0.0.1:"));
            assert!(ports.iter().all(is_ours), "{name}: other machines could reach {ports:?}");
        }
        for (id, connection) in connections(&readme) {
            // Another database that may be taken instead.
            if connection.conn_type == "sqlite" {
                continue;
            }
            assert_eq!(connection.host.as_deref(), Some("127.0.0.1"), "{name}: {id}");
            let port = connection.port.unwrap_or_else(|| panic!("{name}: {id} has no port"));
            let published = |service: &&Value| {
                let ports = service["ports"].as_array().into_iter().flatten().filter_map(Value::as_str);
                ports.into_iter().any(|given| given.starts_with(&format!("127.0.0.1:{port}:")))
            };
            let service = services.iter().find(published);
            let service = service.unwrap_or_else(|| panic!("{name}: no service at the port of {id}, {port}"));
            let said = |key: &str| service["environment"][key].as_str();
            let given = (
                connection.login.as_deref(),
                connection.password.as_ref().map(Secret::expose),
                connection.schema.as_deref(),
            );
            match connection.conn_type.as_str() {
                "postgres" => {
                    assert_eq!(
                        given,
                        (said("POSTGRES_USER"), said("POSTGRES_PASSWORD"), said("POSTGRES_DB")),
                        "{name}"
                    );
                    let check = service["healthcheck"]["test"].as_str().unwrap();
                    let asked = format!("-U {} -d {}", said("POSTGRES_USER").unwrap(), said("POSTGRES_DB").unwrap());
                    assert!(check.ends_with(&asked), "{name}: {check}");
                }
                "mysql" => assert_eq!(
                    given,
                    (said("MARIADB_USER"), said("MARIADB_PASSWORD"), said("MARIADB_DATABASE")),
                    "{name}"
                ),
                "kafka" => {
                    let advertised = format!("PLAINTEXT://127.0.0.1:{port}");
                    assert_eq!(said("KAFKA_ADVERTISED_LISTENERS"), Some(advertised.as_str()), "{name}");
                    // Named ones must all be there, or the broker does not start.
                    let listeners = said("KAFKA_LISTENERS").unwrap();
                    let names: BTreeSet<_> = listeners.split(',').map(|at| at.split("://").next().unwrap()).collect();
                    let kinds = said("KAFKA_LISTENER_SECURITY_PROTOCOL_MAP").unwrap();
                    let mapped: BTreeSet<_> = kinds.split(',').map(|kind| kind.split(':').next().unwrap()).collect();
                    assert_eq!(names, mapped, "{name}");
                    assert!(names.contains(said("KAFKA_CONTROLLER_LISTENER_NAMES").unwrap()), "{name}");
                    let controller = said("KAFKA_CONTROLLER_QUORUM_VOTERS").unwrap().rsplit(':').next().unwrap();
                    assert!(listeners.contains(&format!("CONTROLLER://:{controller}")), "{name}: {listeners}");
                    // One broker cannot keep three copies.
                    for topic in ["OFFSETS_TOPIC", "TRANSACTION_STATE_LOG"] {
                        let copies = &service["environment"][&format!("KAFKA_{topic}_REPLICATION_FACTOR")];
                        assert_eq!(*copies, 1, "{name}: {topic}");
                    }
                }
                "smtp" => assert_eq!(said("MP_SMTP_AUTH_ACCEPT_ANY"), Some("1"), "{name}"),
                "http" => {
                    let command = service["command"].as_str().unwrap();
                    assert!(command.ends_with(&format!("--port {port}")), "{name}: {command}");
                }
                other => panic!("{name}: how is {id}, of type {other}, compared with its server?"),
            }
        }
    }
}
