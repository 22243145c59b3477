//! What wins, what is refused and in which words; the reference page is fresh.

use flow_core::dag::{About, CallbackEvent};

use super::*;

struct World {
    folder: tempfile::TempDir,
    around: Surroundings,
}

fn world(toml: &str, environment: &[(&str, &str)]) -> World {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("home")).unwrap();
    if !toml.is_empty() {
        std::fs::write(folder.path().join("home/flow.toml"), toml).unwrap();
    }
    let environment = environment.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    let around = Surroundings {
        environment,
        folder: folder.path().to_owned(),
        home: Some(PathBuf::from("home")),
        ..Surroundings::default()
    };
    World { folder, around }
}

impl World {
    fn load(&self) -> Config {
        Config::load(&self.around).unwrap()
    }
}

#[track_caller]
fn check_refused(toml: &str, environment: &[(&str, &str)], expected: &str) {
    let world = world(toml, environment);
    let error = Config::load(&world.around).expect_err("must be refused").to_string();
    let error = error.replace(&format!("{}/", world.folder.path().display()), "");
    assert_eq!(error, expected);
}

#[test]
fn a_flag_goes_before_the_environment_before_the_file_before_the_default() {
    let mut world = world("[web]\nport = 1\nhost = 'file'\n[worker]\nslots = 2\n", &[("FLOW__WEB__PORT", "3")]);
    let config = world.load();
    assert_eq!((config.web.port, config.web.host.as_str(), config.worker.slots), (3, "file", value::Count(2)));
    assert_eq!(config.worker.queues, ["default"]);
    assert_eq!(config.origin("web.port"), &Origin::Env("FLOW__WEB__PORT".to_owned()));
    assert!(matches!(config.origin("web.host"), Origin::File { line: 3, .. }));
    assert_eq!(config.origin("worker.queues"), &Origin::Default);

    world.around.flags = vec![("web.port", "4".to_owned(), "--port")];
    let config = world.load();
    assert_eq!(config.web.port, 4);
    assert_eq!(config.origin("web.port"), &Origin::Flag("--port"));
}

#[test]
fn paths_are_in_the_home_unless_they_are_set() {
    let world = world("", &[]);
    let (config, home) = (world.load(), world.folder.path().join("home"));
    assert_eq!(config.database.url, format!("sqlite:{}/flow.db", home.display()));
    assert_eq!(config.dags.folder, home.join("dags"));
    assert_eq!(config.logging.folder, home.join("logs"));
}

#[test]
fn a_dags_folder_where_flow_is_started_goes_before_the_home_but_not_before_a_setting() {
    let mut world = world("", &[]);
    let beside = world.folder.path().join("dags");
    std::fs::create_dir(&beside).unwrap();
    assert_eq!(world.load().dags.folder, beside);
    world.around.environment.insert("FLOW__DAGS__FOLDER".to_owned(), "/srv/dags".to_owned());
    assert_eq!(world.load().dags.folder, PathBuf::from("/srv/dags"));
}

#[test]
fn a_path_in_the_file_counts_from_the_file_and_elsewhere_from_here() {
    let mut world = world("[dags]\nfolder = 'mine'\n[logging]\nfolder = '$FLOW_HOME/x'\n", &[]);
    let here = world.folder.path().to_owned();
    assert_eq!(world.load().dags.folder, here.join("home/mine"));
    assert_eq!(world.load().logging.folder, here.join("home/x"));
    world.around.flags = vec![("dags.folder", "mine".to_owned(), "--dags")];
    assert_eq!(world.load().dags.folder, here.join("mine"));
}

#[track_caller]
fn check_database(toml: &str, environment: &[(&str, &str)], expected: &str) {
    let world = world(toml, environment);
    let url = world.load().database.url.replace(&world.folder.path().display().to_string(), "HERE");
    assert_eq!(url, expected);
}

#[test]
fn the_path_of_a_database_counts_from_the_file_and_elsewhere_from_here() {
    check_database("[database]\nurl = 'sqlite:a.db'\n", &[], "sqlite:HERE/home/a.db");
    check_database("[database]\nurl = 'sqlite://b/a.db'\n", &[], "sqlite:HERE/home/b/a.db");
    check_database("[database]\nurl = 'sqlite:$FLOW_HOME/a.db'\n", &[], "sqlite:HERE/home/a.db");
    check_database("[database]\nurl = 'sqlite:/srv/a.db'\n", &[], "sqlite:/srv/a.db");
    check_database("[database]\nurl = 'postgres://host/a'\n", &[], "postgres://host/a");
    check_database("", &[("FLOW_DATABASE_URL", "sqlite:a.db")], "sqlite:HERE/a.db");
    check_database("", &[("FLOW__DATABASE__URL", "sqlite:///srv/a.db")], "sqlite:///srv/a.db");
}

#[test]
fn the_home_is_the_flag_then_the_variable_then_the_users() {
    let mut world = world("", &[("HOME", "/home/ada"), ("FLOW_HOME", "/srv/flow")]);
    assert_eq!(world.load().home, world.folder.path().join("home"));
    world.around.home = None;
    assert_eq!(world.load().home, PathBuf::from("/srv/flow"));
    world.around.environment.insert("FLOW_HOME".to_owned(), String::new());
    assert_eq!(world.load().home, PathBuf::from("/home/ada/.flow"));
    world.around.environment.remove("HOME");
    assert!(matches!(Config::load(&world.around), Err(ConfigError::NoHome)));
}

#[test]
fn what_is_not_known_is_refused_with_its_place_and_a_near_name() {
    check_refused("[web]\n\nprot = 1\n", &[], "home/flow.toml:3: unknown setting `web.prot`, did you mean `web.port`?");
    check_refused("[wbe]\nport = 1\n", &[], "home/flow.toml:1: unknown setting `wbe`, did you mean `web`?");
    check_refused("port = 1\n", &[], "home/flow.toml:1: unknown setting `port`, did you mean `web.port`?");
    check_refused("[core]\nzzz = 1\n", &[], "home/flow.toml:2: unknown setting `core.zzz`");
    check_refused(
        "",
        &[("FLOW__WEB__PROT", "1")],
        "environment variable `FLOW__WEB__PROT`: unknown setting `FLOW__WEB__PROT`, did you mean `FLOW__WEB__PORT`?",
    );
}

#[test]
fn a_bad_value_says_what_would_be_right() {
    check_refused(
        "[web]\nport = 70000\n",
        &[],
        "home/flow.toml:2: `web.port` must be a port from 0 (any free one) to 65535, not `70000`",
    );
    check_refused(
        "",
        &[("FLOW__WORKER__LEASE", "soon")],
        "environment variable `FLOW__WORKER__LEASE`: `worker.lease` must be a duration such as `500ms`, `10s`, `5m` or `1h30m`, not `soon`",
    );
    check_refused(
        "[worker]\nslots = [1]\n",
        &[],
        "home/flow.toml:2: `worker.slots` must be a number from 1, not `[1]`",
    );
    check_refused(
        "[worker]\nslots = 0\n",
        &[],
        "home/flow.toml:2: `worker.slots` must be a whole number from 1 to 1000000, not `0`",
    );
    check_refused("web = 1\n", &[], "home/flow.toml:1: `web` must be a section, `[web]`, not `1`");
    check_refused(
        "[logging]\nlevel = 'loud'\n",
        &[],
        "home/flow.toml:2: `logging.level` must be `error`, `warn`, `info`, `debug` or `trace`, and for modules such as `info,flow_runtime=debug`, not `loud`",
    );
    check_refused(
        "[worker]\nlease = '10s'\n",
        &[],
        "`worker.heartbeat` (5s) must be at most a third of `worker.lease` (10s)",
    );
}

#[test]
fn a_file_that_is_not_toml_is_refused_with_its_line() {
    let world = world("[web]\nport = = 1\n", &[]);
    let error = Config::load(&world.around).expect_err("must be refused");
    assert!(matches!(error, ConfigError::Syntax { line: 2, .. }), "{error}");
}

#[test]
fn a_named_file_must_exist() {
    let mut world = world("", &[]);
    world.around.file = Some(PathBuf::from("no.toml"));
    assert!(matches!(Config::load(&world.around), Err(ConfigError::Read { .. })));
}

#[test]
fn lists_are_written_with_commas_or_as_a_list() {
    assert_eq!(world("[worker]\nqueues = ['a', 'b']\n", &[]).load().worker.queues, ["a", "b"]);
    assert_eq!(world("", &[("FLOW__WORKER__QUEUES", "a, b")]).load().worker.queues, ["a", "b"]);
    check_refused(
        "[worker]\nqueues = ['a,b']\n",
        &[],
        "home/flow.toml:2: `worker.queues` must be a list of names, not `['a,b']`",
    );
}

#[test]
fn two_different_databases_are_refused() {
    let both = [("FLOW_DATABASE_URL", "sqlite:a"), ("FLOW__DATABASE__URL", "sqlite:b")];
    assert!(matches!(Config::load(&world("", &both).around), Err(ConfigError::TwoDatabases)));
    let world = world("[database]\nurl = 'sqlite:c'\n", &both[..1]);
    assert_eq!(world.load().database.url, format!("sqlite:{}/a", world.folder.path().display()));
}

#[track_caller]
fn check_masked(url: &str, expected: &str) {
    assert_eq!(masked(url), expected);
}

#[test]
fn passwords_are_not_shown() {
    check_masked("postgres://ada:s3cret@host:5432/flow", "postgres://ada:***@host:5432/flow");
    check_masked("postgres://ada:a@b@host/flow?x=1", "postgres://ada:***@host/flow?x=1");
    check_masked("postgres://ada@host/flow", "postgres://ada@host/flow");
    check_masked("postgres:///flow?user=ada&password=x&a=b", "postgres:///flow?user=ada&password=***&a=b");
    check_masked("sqlite:/home/ada/flow.db", "sqlite:/home/ada/flow.db");
    let world = world("", &[("FLOW_DATABASE_URL", "postgres://ada:s3cret@host/flow")]);
    let shown = serde_json::to_string(&world.load().shown()).unwrap();
    assert!(!shown.contains("s3cret") && shown.contains("ada:***@host"), "{shown}");
}

#[test]
fn everything_is_shown_with_its_source() {
    let world = world("[web]\nport = 1\n", &[("FLOW__WEB__HOST", "h")]);
    let shown = world.load().shown();
    assert_eq!(shown.len(), TABLE.len() + 1);
    let source = |name: &str| shown.iter().find(|one| one.name == name).map(|one| one.source);
    assert_eq!(source("home"), Some("flag"));
    assert_eq!(source("web.port"), Some("file"));
    assert_eq!(source("web.host"), Some("env"));
    assert_eq!(source("web.zzz"), None);
    assert_eq!(source("core.kill_grace"), Some("default"));
}

/// The page about settings; `UPDATE_EXPECT=1` writes it.
#[test]
fn callbacks_for_every_dag_are_lists_of_toml_or_json() {
    let toml = "[[notifications.on_failure_callback]]\nuses = 'slack'\nwith = { message = '{{ run_id }} failed' }\n\
        [[notifications.on_failure_callback]]\nuses = 'bash'\n[notifications.on_failure_callback.with]\n\
        bash_command = 'true'\nskip_on_exit_code = 0x63\n";
    let variable = r#"{"uses": "email", "with": {"to": "ops@example.org", "subject": "again", "html_content": "x"}}"#;
    let config = world(toml, &[("FLOW__NOTIFICATIONS__ON_RETRY_CALLBACK", variable)]).load();
    let names = |about, event| {
        config.notifications.of(about, event).iter().map(|one| one.operator.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(names(About::Runs, CallbackEvent::Failure), ["slack", "bash"]);
    assert_eq!(names(About::Tasks, CallbackEvent::Retry), ["email"]);
    assert!(names(About::Runs, CallbackEvent::Success).is_empty());
    let given = &config.notifications.of(About::Runs, CallbackEvent::Failure)[1].text;
    assert_eq!(given, r#"{"uses":"bash","with":{"bash_command":"true","skip_on_exit_code":99}}"#);
}

#[test]
fn a_callback_for_every_dag_that_cannot_be_done_is_refused_at_the_start() {
    check_refused(
        "[notifications]\non_failure_callback = [{ uses = 'bash', with = { bash_command = 'true' } }, { uses = 'bassh' }]\n",
        &[],
        "home/flow.toml:2: `notifications.on_failure_callback`, entry 2: a callback cannot use `bassh`; did you mean `bash`?",
    );
    check_refused(
        "[notifications]\non_retry_callback = { uses = 'bash', with = { bash_comand = 'true' } }\n",
        &[],
        "home/flow.toml:2: `notifications.on_retry_callback`, entry 1: `bash_command` is missing; unknown key `bash_comand`; did you mean `bash_command`?",
    );
    check_refused(
        "[notifications]\non_retry_callback = [{ uses = 'bash', with = { bash_command = { '$f' = 'a.sh' } } }]\n",
        &[],
        "home/flow.toml:2: `notifications.on_retry_callback`, entry 1: could not read `a.sh`",
    );
    check_refused(
        "",
        &[("FLOW__NOTIFICATIONS__ON_FAILURE_CALLBACK", "ops@example.org")],
        "environment variable `FLOW__NOTIFICATIONS__ON_FAILURE_CALLBACK`: `notifications.on_failure_callback` must be a list of callbacks such as `[{\"uses\":\"email\",\"with\":{\"to\":\"ops@example.org\",\"subject\":\"…\"}}]`, in a variable as JSON, not `ops@example.org`",
    );
}

#[test]
fn the_reference_page_is_fresh() {
    let mut page = String::from(include_str!("reference_head.md"));
    for (section, about) in SECTIONS {
        let about: Vec<&str> = about.iter().map(|line| line.trim()).collect();
        page.push_str(&format!("\n## [{section}]\n\n{}\n\n", about.join(" ")));
        page.push_str("| key | kind | default | meaning |\n|---|---|---|---|\n");
        for entry in TABLE.iter().filter(|entry| entry.section == *section) {
            let doc: Vec<&str> = entry.doc.iter().map(|line| line.trim()).collect();
            let (key, kind, default, doc) = (entry.key, entry.kind, entry.default, doc.join(" "));
            page.push_str(&format!("| `{key}` | {kind} | `{default}` | {doc} |\n"));
        }
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/configuration.md");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap_or_default(), page, "run the test with UPDATE_EXPECT=1");
}

/// Returns the texts of the sources below a folder, the configuration's own left out.
fn sources(folder: &Path) -> String {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let wanted = entries.filter(|path| !path.ends_with("config") && !path.ends_with("config.rs"));
    wanted
        .map(|path| if path.is_dir() { sources(&path) } else { std::fs::read_to_string(&path).unwrap_or_default() })
        .collect()
}

#[test]
fn every_setting_is_used_by_something() {
    let text = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let unused: Vec<String> =
        TABLE.iter().filter(|entry| !text.contains(&format!(".{}", entry.key))).map(Entry::name).collect();
    assert!(unused.is_empty(), "nothing reads {unused:?}");
}

#[test]
fn a_server_that_a_flag_names_goes_before_the_environment() {
    let mut world = world("", &[("FLOW_SERVER", "http://env"), ("FLOW_TOKEN", "from-env\n")]);
    let remote = world.load().remote.unwrap();
    assert_eq!((remote.url.as_str(), &remote.origin), ("http://env", &Origin::Env("FLOW_SERVER".to_owned())));
    assert_eq!(remote.token().unwrap().unwrap().expose(), "from-env");
    assert!(!format!("{remote:?}").contains("from-env"));

    world.around.remote.server = Some("http://flag".to_owned());
    std::fs::write(world.folder.path().join("token"), " from-file \n").unwrap();
    world.around.remote.token_file = Some(PathBuf::from("token"));
    let remote = world.load().remote.unwrap();
    assert_eq!((remote.url.as_str(), &remote.origin), ("http://flag", &Origin::Flag("--server")));
    assert_eq!(remote.token().unwrap().unwrap().expose(), "from-file");

    world.around.remote.token = Some("from-flag".into());
    assert_eq!(world.load().remote.unwrap().token().unwrap().unwrap().expose(), "from-flag");
}

#[test]
fn a_token_file_without_a_token_is_refused_when_it_is_needed() {
    let mut world = world("", &[("FLOW_SERVER", "http://env")]);
    assert_eq!(world.load().remote.unwrap().token().unwrap(), None);
    world.around.remote.token_file = Some(PathBuf::from("none"));
    assert!(world.load().remote.unwrap().token().unwrap_err().to_string().contains("No such file"));
    std::fs::write(world.folder.path().join("none"), "\n").unwrap();
    assert!(world.load().remote.unwrap().token().unwrap_err().to_string().ends_with("it is empty"));
}
