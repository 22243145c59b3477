//! Runs Python in a process of its own.
//!
//! A small driver, kept beside this file, loads the script, calls its `main` and leaves the result as JSON.
//! Packages go into a virtual environment that is shared by all tasks with the same requirements.

use std::{
    fs::{self, File, OpenOptions},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, anyhow};
use nix::fcntl::{Flock, FlockArg};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::bash;
use crate::{
    context::TaskContext,
    operator::{Done, Operator, OperatorError},
    process,
    values::{Env, OneOrMany, Scalar},
};

const DRIVER: &str = include_str!("python_driver.py");

/// The driver's exit code for a result that is not JSON; the sentence is in the log.
const NOT_JSON: i32 = 113;

/// `uses: python`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Python {
    /// The script. If it defines `main`, that is called, and what it returns is the result. It imports modules that
    /// are beside the DAG file.
    #[serde(default)]
    script: Option<String>,
    /// A script instead of `script`; a relative path is beside the DAG file.
    #[serde(default)]
    file: Option<String>,
    /// The interpreter: a name to be found in `PATH`, or a path.
    #[serde(default = "python")]
    python: String,
    /// Packages to install first, as in `requirements.txt`: a list, or a text with a line each. Kept in a virtual
    /// environment that tasks with the same list share.
    #[serde(default)]
    requirements: Option<OneOrMany>,
    /// Positional arguments of `main`.
    #[serde(default)]
    op_args: Option<Vec<Value>>,
    /// Arguments of `main` by name.
    #[serde(default)]
    op_kwargs: Option<Map<String, Value>>,
}

fn python() -> String {
    "python3".to_owned()
}

impl Operator for Python {
    const NAME: &'static str = "python";
    const SUMMARY: &'static str = "Runs a Python script in a process of its own.";
    const TEMPLATED: &'static [&'static str] = &["script", "op_args", "op_kwargs"];
    const READS: &'static [&'static str] = &["file"];
    const EXAMPLE: &'static str = "\
id: mean
uses: python
with:
  script: |
    def main(day, values):
        return {\"day\": day, \"mean\": sum(values) / len(values)}
  op_kwargs: { day: \"{{ ds }}\", values: [1, 2, 3] }
";

    async fn run(self, cx: &mut TaskContext) -> Result<Done, OperatorError> {
        let (path, folder) = self.place(cx)?;
        let driver = cx.scratch.join(".flow_driver.py");
        let arguments = cx.scratch.join(".flow_arguments.json");
        let given = json!({
            "script": path, "folder": folder,
            "args": self.op_args.clone().unwrap_or_default(),
            "kwargs": self.op_kwargs.clone().unwrap_or_default(),
        });
        write(&driver, DRIVER.as_bytes())?;
        write(&arguments, given.to_string().as_bytes())?;
        let python = match &self.requirements {
            Some(wanted) if !wanted.items.iter().all(|line| line.trim().is_empty()) => {
                environment(cx, &self.python, wanted).await?.to_string_lossy().into_owned()
            }
            Some(_) | None => self.python.clone(),
        };
        let command = command(&python, [&driver, &arguments].map(|path| path.to_string_lossy().into_owned()).to_vec());
        let ended = process::run(cx, &command).await?;
        match ended.code {
            0 => Ok(Done::success(process::read_xcom_file(cx)?.unwrap_or_default())),
            NOT_JSON => {
                Err(OperatorError::fatal(anyhow!("the result of `main` cannot be written as JSON, see the log")))
            }
            code => Err(OperatorError::exit_code(code, anyhow!("the script ended with {}", ended.describe()))),
        }
    }
}

impl Python {
    /// Returns the script's path, and the folder it imports from.
    fn place(&self, cx: &TaskContext) -> Result<(PathBuf, PathBuf), OperatorError> {
        match (&self.script, &self.file) {
            (Some(script), None) => {
                fs::create_dir_all(&cx.scratch)
                    .context("could not make the attempt's folder")
                    .map_err(OperatorError::retry)?;
                let path = cx.scratch.join("script.py");
                write(&path, script.as_bytes())?;
                Ok((path, cx.file_folder.clone().unwrap_or_else(|| cx.scratch.clone())))
            }
            (None, Some(file)) => {
                let path = cx.path_to_read(file)?;
                if !path.is_file() {
                    return Err(OperatorError::retry(anyhow!("there is no file `{}`", path.display())));
                }
                let folder = path.parent().map(Path::to_owned).unwrap_or_default();
                Ok((path, folder))
            }
            _ => Err(OperatorError::fatal(anyhow!("give one of `script` and `file`"))),
        }
    }
}

fn command(python: &str, args: Vec<String>) -> process::Command {
    let env = Env::from([("PYTHONUNBUFFERED".to_owned(), Scalar("1".to_owned()))]);
    process::Command { program: python.to_owned(), args, env, inherit_env: true, cwd: None }
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), OperatorError> {
    let folder = path.parent().map_or(Ok(()), fs::create_dir_all);
    folder
        .and_then(|()| fs::write(path, bytes))
        .with_context(|| format!("could not write `{}`", path.display()))
        .map_err(OperatorError::retry)
}

/// Returns the interpreter of a virtual environment with these packages, made if need be.
async fn environment(cx: &TaskContext, python: &str, wanted: &OneOrMany) -> Result<PathBuf, OperatorError> {
    let text = wanted.items.join("\n");
    let digest = Sha256::digest(format!("{python}\0{text}"));
    let name: String = digest.iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    let home = cache_folder();
    fs::create_dir_all(&home)
        .with_context(|| format!("could not make the folder `{}`", home.display()))
        .map_err(OperatorError::retry)?;
    let folder = home.join(&name);
    let interpreter = folder.join("bin/python");
    let ready = folder.join(".flow_ready");
    let _lock = lock(cx, &home.join(format!("{name}.lock"))).await?;
    if ready.exists() && interpreter.exists() {
        return Ok(interpreter);
    }
    if folder.exists() {
        fs::remove_dir_all(&folder)
            .with_context(|| format!("could not remove the unfinished folder `{}`", folder.display()))
            .map_err(OperatorError::retry)?;
    }
    bash::say(cx, "making a virtual environment for `requirements`");
    let list = cx.scratch.join(".flow_requirements.txt");
    write(&list, text.as_bytes())?;
    let path = |path: &Path| path.to_string_lossy().into_owned();
    let venv = command(python, vec!["-m".into(), "venv".into(), path(&folder)]);
    step(cx, &venv, "could not make a virtual environment").await?;
    let mut install: Vec<String> =
        ["-m", "pip", "install", "--disable-pip-version-check", "--no-input", "-q", "-r"].map(str::to_owned).to_vec();
    install.push(path(&list));
    let pip = command(&path(&interpreter), install);
    step(cx, &pip, "could not install `requirements` (is the package index reachable?)").await?;
    write(&ready, b"")?;
    Ok(interpreter)
}

async fn step(cx: &TaskContext, command: &process::Command, what: &str) -> Result<(), OperatorError> {
    let ended = process::run(cx, command).await?;
    if ended.code == 0 {
        return Ok(());
    }
    Err(OperatorError::retry(anyhow!("{what}: {}, see the log", ended.describe())))
}

fn cache_folder() -> PathBuf {
    let named = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = named("XDG_CACHE_HOME").or_else(|| named("HOME").map(|home| home.join(".cache")));
    cache.unwrap_or_else(|| std::env::temp_dir().join(format!("flow-{}", nix::unistd::getuid()))).join("flow/venvs")
}

/// Waits for a file's lock, until asked to end.
async fn lock(cx: &TaskContext, path: &Path) -> Result<Flock<File>, OperatorError> {
    let open = || OpenOptions::new().create(true).truncate(false).write(true).open(path);
    let mut file =
        open().with_context(|| format!("could not open `{}`", path.display())).map_err(OperatorError::retry)?;
    loop {
        file = match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(lock) => return Ok(lock),
            Err((file, nix::errno::Errno::EWOULDBLOCK)) => file,
            Err((_, error)) => return Err(OperatorError::retry(anyhow!(error).context("could not lock a file"))),
        };
        tokio::select! {
            () = cx.cancel.cancelled() => return Err(OperatorError::cancelled()),
            () = tokio::time::sleep(Duration::from_millis(200)) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use flow_core::run::{FailureCause, Outcome};

    use super::*;
    use crate::testing::World;

    async fn result(arguments: Value) -> Option<Value> {
        let world = World::new();
        let finished = world.run("python", arguments).await;
        assert_eq!(finished.outcome(), &Outcome::Success, "{}", world.text());
        finished.result().cloned()
    }

    #[tokio::test]
    async fn what_main_returns_is_the_result() {
        let script = "def main(a, b=0, *, c):\n    return {'sum': a + b + c, 'none': None, 'list': (1, 2)}\n";
        let arguments = json!({ "script": script, "op_args": [1, 2], "op_kwargs": { "c": 3 } });
        assert_eq!(result(arguments).await, Some(json!({ "sum": 6, "none": null, "list": [1, 2] })));
        assert_eq!(result(json!({ "script": "async def main():\n    return 'x'" })).await, Some(json!("x")));
        assert_eq!(result(json!({ "script": "def main():\n    pass" })).await, None);
    }

    #[tokio::test]
    async fn a_guard_runs_without_main_and_not_beside_it() {
        let world = World::new();
        let guard = "if __name__ == '__main__':\n    print('guarded')\n";
        world.run("python", json!({ "script": guard })).await.succeeded_without_result();
        assert_eq!(world.stdout(), "guarded\n");
        let world = World::new();
        let both = format!("def main():\n    print('main')\n{guard}    main()\n");
        world.run("python", json!({ "script": both })).await.succeeded_without_result();
        assert_eq!(world.stdout(), "main\n");
    }

    #[tokio::test]
    async fn a_script_without_main_may_leave_a_result_itself() {
        let script = "import json, os\njson.dump([1], open(os.environ['FLOW_XCOM'], 'w'))";
        assert_eq!(result(json!({ "script": script })).await, Some(json!([1])));
    }

    #[tokio::test]
    async fn an_exception_shows_its_lines_and_fails() {
        let world = World::new();
        let finished = world.run("python", json!({ "script": "def main():\n    raise ValueError('sour')\n" })).await;
        let failure = finished.failed("the script ended with exit code 1");
        assert_eq!(failure.cause, FailureCause::ExitCode(1));
        let text = world.text();
        assert!(text.contains("ValueError: sour") && text.contains("raise ValueError('sour')"), "{text}");
        assert!(!text.contains(".flow_driver.py"), "the driver's own lines are of no use to anyone: {text}");
    }

    #[tokio::test]
    async fn a_result_that_is_not_json_fails_for_good() {
        let world = World::new();
        let finished = world.run("python", json!({ "script": "def main():\n    return {1, 2}\n" })).await;
        finished.failed_for_good("cannot be written as JSON");
        assert!(world.text().contains("set"), "{}", world.text());
        let nan = World::new().run("python", json!({ "script": "def main():\n    return float('nan')\n" })).await;
        nan.failed_for_good("cannot be written as JSON");
    }

    #[tokio::test]
    async fn exit_codes_and_syntax_errors_fail() {
        let exits = World::new().run("python", json!({ "script": "import sys; sys.exit(7)" })).await;
        assert_eq!(exits.failed("exit code 7").cause, FailureCause::ExitCode(7));
        let world = World::new();
        world.run("python", json!({ "script": "def (" })).await.failed("exit code 1");
        assert!(world.text().contains("SyntaxError"), "{}", world.text());
    }

    #[tokio::test]
    async fn a_file_is_beside_the_dag_file_and_imports_its_neighbours() {
        let mut world = World::new();
        world.cx.file_folder = Some(world.folder.path().to_owned());
        fs::write(world.folder.path().join("tool.py"), "from other import x\ndef main():\n    return x\n").unwrap();
        fs::write(world.folder.path().join("other.py"), "x = 42\n").unwrap();
        let finished = world.run("python", json!({ "file": "tool.py" })).await;
        assert_eq!(finished.result(), Some(&json!(42)), "{}", world.text());
        world.run("python", json!({ "file": "ghost.py" })).await.failed("there is no file");
        world.cx.file_folder = None;
        world.run("python", json!({ "file": "tool.py" })).await.failed_for_good("does not have the DAG folder");
    }

    #[tokio::test]
    async fn a_missing_interpreter_is_named() {
        let finished = World::new().run("python", json!({ "script": "", "python": "python9.99" })).await;
        finished.failed("could not start `python9.99`: there is no such program");
    }

    #[tokio::test]
    #[ignore = "needs a package index; keeps an environment in the user's cache folder"]
    async fn requirements_are_installed_once() {
        let of = |package: &str| {
            let script =
                "import sys\nfrom importlib import metadata\ndef main():\n    return metadata.version('tomli')\n";
            json!({ "script": script, "requirements": [package] })
        };
        for _ in 0..2 {
            assert_eq!(result(of("tomli==2.0.1")).await, Some(json!("2.0.1")));
        }
        let finished = World::new().run("python", of("tomli==0.0.0.nothing")).await;
        finished.failed("could not install `requirements`");
    }

    #[tokio::test]
    async fn exactly_one_script_is_needed() {
        World::new().run("python", json!({})).await.failed_for_good("one of `script` and `file`");
        World::new().run("python", json!({ "script": "", "file": "" })).await.failed_for_good("one of");
    }
}
