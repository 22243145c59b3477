//! Runs a shell command.

use anyhow::anyhow;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::{
    context::{Stream, TaskContext},
    operator::{Done, Operator, OperatorError},
    process,
    values::{Env, ExitCodes},
    xcom,
};

/// Longest command that is given as an argument; Linux takes 128 KiB at most. A longer one goes through a file.
const INLINE_MAX: usize = 100_000;

/// `uses: bash`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bash {
    /// The command, given to `bash -c`.
    pub bash_command: String,
    /// Environment variables. Given, they are the whole environment, unless `append_env` is true.
    #[serde(default)]
    pub env: Option<Env>,
    /// Add `env` to the worker's environment instead of replacing it.
    #[serde(default)]
    pub append_env: bool,
    /// Working directory; a relative one is beside the DAG file. Without it an empty folder that is removed afterwards.
    #[serde(default)]
    pub cwd: Option<String>,
    /// Exit codes that mean "skipped" rather than "failed": a number, a list, or null for none.
    #[serde(default = "skip_on_exit_code")]
    pub skip_on_exit_code: ExitCodes,
    /// Accepted for Airflow's sake; must be `utf-8`. Bytes that are no text are kept in the log as well as they can be.
    #[serde(default = "output_encoding")]
    pub output_encoding: String,
}

fn skip_on_exit_code() -> ExitCodes {
    ExitCodes(vec![99])
}

pub(super) fn output_encoding() -> String {
    "utf-8".to_owned()
}

impl Operator for Bash {
    const NAME: &'static str = "bash";
    const CLASS: &'static str = "airflow.providers.standard.operators.bash.BashOperator";
    const SUMMARY: &'static str = "Runs a shell command.";
    const TEMPLATED: &'static [&'static str] = &["bash_command", "env", "cwd"];
    const READS: &'static [&'static str] = &["cwd"];
    const EXAMPLE: &'static str = "\
id: count
uses: bash
with:
  bash_command: wc -l < \"$INPUT\"
  env: { INPUT: \"/data/{{ ds }}.csv\" }
  append_env: true
";

    async fn run(self, cx: &mut TaskContext) -> Result<Done, OperatorError> {
        check_encoding(&self.output_encoding)?;
        let mut command = command(cx, self.bash_command, self.env, self.append_env)?;
        command.cwd = self.cwd.map(|cwd| cx.path_to_read(&cwd)).transpose()?;
        let ended = process::run(cx, &command).await?;
        if self.skip_on_exit_code.0.contains(&ended.code) {
            say(cx, &format!("the command ended with {}: skipped", ended.describe()));
            return Ok(Done::skipped());
        }
        if ended.code != 0 {
            return Err(OperatorError::exit_code(ended.code, anyhow!("the command ended with {}", ended.describe())));
        }
        result(cx, ended)
    }
}

/// The result of a process that ended well: what it left in `$FLOW_XCOM`, or its last line.
fn result(cx: &TaskContext, ended: process::Ended) -> Result<Done, OperatorError> {
    if !cx.do_xcom_push {
        return Ok(Done::success(Value::Null));
    }
    if let Some(value) = process::read_xcom_file(cx)? {
        return Ok(Done::success(value));
    }
    let line = ended.last_line.ok_or_else(|| xcom::too_large(xcom::RETURN_VALUE))?;
    if !cx.multiple_outputs {
        return Ok(Done::success(line));
    }
    match serde_json::from_str::<Value>(&line) {
        Ok(map @ Value::Object(_)) => Ok(Done::success(map)),
        Ok(_) | Err(_) => Err(OperatorError::fatal(anyhow!(
            "`multiple_outputs` needs a JSON object in the file `$FLOW_XCOM` or as the last line of output"
        ))),
    }
}

/// Makes the process of a shell command.
pub(super) fn command(
    cx: &TaskContext,
    text: String,
    env: Option<Env>,
    append_env: bool,
) -> Result<process::Command, OperatorError> {
    let args = if text.len() <= INLINE_MAX {
        vec!["-c".to_owned(), text]
    } else {
        let script = cx.scratch.join(".flow_command.sh");
        std::fs::create_dir_all(&cx.scratch)
            .and_then(|()| std::fs::write(&script, &text))
            .map_err(|e| OperatorError::retry(anyhow!(e).context("could not write the command to a file")))?;
        vec![script.to_string_lossy().into_owned()]
    };
    Ok(process::Command {
        program: "bash".to_owned(),
        args,
        inherit_env: env.is_none() || append_env,
        env: env.unwrap_or_default(),
        cwd: None,
    })
}

pub(super) fn check_encoding(encoding: &str) -> Result<(), OperatorError> {
    match encoding.to_ascii_lowercase().as_str() {
        "utf-8" | "utf8" | "utf_8" | "ascii" | "us-ascii" => Ok(()),
        _ => Err(OperatorError::fatal(anyhow!("`output_encoding` must be `utf-8`, not `{encoding}`"))),
    }
}

pub(super) fn say(cx: &TaskContext, sentence: &str) {
    cx.log.write(Stream::Info, format!("{sentence}\n").as_bytes());
}

#[cfg(test)]
mod tests {
    use std::fs;

    use flow_core::run::{FailureCause, Outcome};
    use serde_json::json;

    use super::*;
    use crate::testing::World;

    #[tokio::test]
    async fn the_result_is_the_last_line_stripped() {
        for (command, expected) in [
            ("echo one; echo two", "two"),
            ("printf 'no line end'", "no line end"),
            ("echo 'a   '", "a"),
            ("echo '  a'", "  a"),
            ("true", ""),
            ("echo a; echo", ""),
        ] {
            World::new().run("bash", json!({ "bash_command": command })).await.succeeded_with(expected);
        }
    }

    #[tokio::test]
    async fn a_bad_end_is_a_failure_with_its_code() {
        for (command, code, words) in [
            ("exit 3", 3, "exit code 3"),
            ("kill -9 $$", 137, "signal 9 (SIGKILL)"),
            ("no_such_command_xyz", 127, "exit code 127"),
        ] {
            let finished = World::new().run("bash", json!({ "bash_command": command })).await;
            assert_eq!(finished.failed(words).cause, FailureCause::ExitCode(code), "{command}");
        }
    }

    #[tokio::test]
    async fn some_exit_codes_skip() {
        let skip = |code: i32, more: Value| async move {
            let mut arguments = json!({ "bash_command": format!("exit {code}") });
            arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            World::new().run("bash", arguments).await.outcome() == &Outcome::Skipped
        };
        assert!(skip(99, json!({})).await);
        assert!(!skip(98, json!({})).await);
        assert!(!skip(99, json!({ "skip_on_exit_code": null })).await);
        assert!(skip(7, json!({ "skip_on_exit_code": 7 })).await);
        assert!(skip(8, json!({ "skip_on_exit_code": [7, 8] })).await);
    }

    #[tokio::test]
    async fn an_environment_replaces_or_adds() {
        let show = "echo ${HOME:-none} ${GREETING:-none} $FLOW_CTX_TASK_ID";
        let home = std::env::var("HOME").unwrap();
        let world = World::new();
        world.run("bash", json!({ "bash_command": show })).await.succeeded_with(&format!("{home} none task"));
        let env = json!({ "GREETING": "hi", "N": 5, "B": true });
        world.run("bash", json!({ "bash_command": show, "env": env })).await.succeeded_with("none hi task");
        let added = json!({ "bash_command": show, "env": env, "append_env": true });
        world.run("bash", added).await.succeeded_with(&format!("{home} hi task"));
        let ours = json!({ "bash_command": show, "env": { "FLOW_CTX_TASK_ID": "forged" } });
        world.run("bash", ours).await.succeeded_with("none none task");
    }

    #[tokio::test]
    async fn the_working_directory_is_empty_or_as_given() {
        let mut world = World::new();
        world.run("bash", json!({ "bash_command": "ls" })).await.succeeded_with("");
        world.cx.file_folder = Some(world.folder.path().to_owned());
        fs::create_dir(world.path("beside")).unwrap();
        let beside = world.path("beside").canonicalize().unwrap();
        let run = world.run("bash", json!({ "bash_command": "pwd", "cwd": "beside" })).await;
        run.succeeded_with(beside.to_str().unwrap());
        fs::write(world.path("file"), "").unwrap();
        let run = world.run("bash", json!({ "bash_command": "pwd", "cwd": "file" })).await;
        run.failed("is not a directory");
    }

    #[tokio::test]
    async fn a_line_that_is_too_large_fails_and_says_what_to_do() {
        let world = World::new();
        let of = |length: usize| json!({ "bash_command": format!("head -c {length} /dev/zero | tr '\\0' x") });
        assert_eq!(world.run("bash", of(xcom::MAX_BYTES)).await.outcome(), &Outcome::Success);
        world.run("bash", of(xcom::MAX_BYTES + 1)).await.failed_for_good("pass its path");
        world.run("bash", of(3 * xcom::MAX_BYTES)).await.failed_for_good("pass its path");
    }

    #[tokio::test]
    async fn a_line_that_nobody_wants_may_be_of_any_size() {
        let mut world = World::new();
        world.cx.do_xcom_push = false;
        let command = format!("head -c {} /dev/zero | tr '\\0' x", 2 * xcom::MAX_BYTES);
        world.run("bash", json!({ "bash_command": command })).await.succeeded_without_result();
    }

    #[tokio::test]
    async fn several_results_come_from_a_json_object() {
        let mut world = World::new();
        world.cx.multiple_outputs = true;
        let run = world.run("bash", json!({ "bash_command": r#"echo '{"a": 1}' > $FLOW_XCOM"# })).await;
        assert_eq!((run.xcom("a"), run.result()), (Some(&json!(1)), Some(&json!({ "a": 1 }))));
        let world = {
            world.cx.scratch = world.path("other");
            world
        };
        let run = world.run("bash", json!({ "bash_command": r#"echo '{"b": 2}'"# })).await;
        assert_eq!(run.xcom("b"), Some(&json!(2)));
        world.run("bash", json!({ "bash_command": "echo text" })).await.failed_for_good("`multiple_outputs`");
    }

    #[tokio::test]
    async fn a_command_too_long_for_an_argument_goes_through_a_file() {
        let command = format!(": {}\necho reached", "x".repeat(300_000));
        World::new().run("bash", json!({ "bash_command": command })).await.succeeded_with("reached");
    }

    #[tokio::test]
    async fn only_utf_8_is_spoken() {
        let of = |encoding: &str| json!({ "bash_command": "true", "output_encoding": encoding });
        World::new().run("bash", of("UTF-8")).await.succeeded_with("");
        World::new().run("bash", of("latin-1")).await.failed_for_good("must be `utf-8`");
    }
}
