//! `flow standalone`: scheduler, worker and web server in one process.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context as _;
use flow_runtime::Stop;
use flow_store::ProcessKind;
use tokio::net::TcpListener;

use crate::{
    cli::Flags,
    context::Cx,
    node::{self, Parts},
    output::Refusal,
    own_log,
};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  flow standalone
  flow standalone --dags pipelines --port 9000
  flow standalone --host 0.0.0.0 --workers 8

Stop it with Ctrl-C: running tasks get time to end (worker.drain); once more ends them now.")]
pub(crate) struct Args {
    /// Folder of DAG files [default: ./dags if it exists, else dags in the home]
    #[arg(long, value_name = "DIR")]
    dags: Option<PathBuf>,
    /// Address to listen on [default: 127.0.0.1]
    #[arg(long)]
    host: Option<String>,
    /// Port to listen on, 0 for any free one [default: 8080]
    #[arg(long)]
    port: Option<u16>,
    /// Most tasks at once [default: 16]
    #[arg(long, value_name = "N")]
    workers: Option<u32>,
    /// Time that running tasks get at shutdown [default: 30s]
    #[arg(long, value_name = "DURATION")]
    drain: Option<String>,
}

impl Args {
    pub(crate) fn set(&self, flags: &mut Flags) {
        flags.add_path("dags.folder", self.dags.as_ref(), "--dags");
        flags.add("web.host", self.host.as_ref(), "--host");
        flags.add("web.port", self.port, "--port");
        flags.add("worker.slots", self.workers, "--workers");
        flags.add("worker.drain", self.drain.as_ref(), "--drain");
    }
}

pub(crate) async fn run(_args: Args, cx: &Cx) -> anyhow::Result<ExitCode> {
    own_log::start(cx);
    let settings = &cx.config.settings;
    let listener = node::listen(cx).await?;
    let parts = Parts::of_process(cx).await?;
    make_dag_folder(&settings.dags.folder)?;
    let stop = Stop::new();
    tokio::spawn(stop.listen().context("cannot take over the signals")?);
    let login = node::first_admin(cx, &parts, &listener).await?;
    greet(cx, &listener, &login)?;
    let folder = tokio::spawn(parts.folder(cx, settings.core.dags_are_paused_at_creation).run(stop.clone()));
    let (ran, ()) = tokio::join!(
        parts.run_node(cx, ProcessKind::Standalone, &stop),
        node::serve(cx, &parts, listener, stop.clone())
    );
    // It looks at the stop between two files.
    let _ = tokio::time::timeout(node::FAREWELL, folder).await;
    parts.store.close().await;
    ran?;
    Ok(ExitCode::SUCCESS)
}

fn make_dag_folder(folder: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder).map_err(|error| {
        Refusal::failed(format!("cannot make the DAG folder `{}`: {error}", folder.display()))
            .help("make it for the user that Flow runs as, or name another with `--dags`")
            .into()
    })
}

/// Says where things are and what to do next.
fn greet(cx: &Cx, listener: &TcpListener, login: &str) -> anyhow::Result<()> {
    let settings = &cx.config.settings;
    let address = listener.local_addr()?;
    let database = crate::config::masked(&settings.database.url);
    cx.out.remark(&format!(
        "flow {}\n  web       http://{address}\n  login     {login}\n  DAGs      {}\n  home      {}\n  database  {database}\n\n\
         Put YAML files into the DAG folder; they show up within a second. In another terminal:\n\
         {}  flow dags list\n  flow trigger DAG --wait\n  flow tasks log DAG latest TASK\n",
        node::VERSION,
        settings.dags.folder.display(),
        cx.config.home.display(),
        exports(
            (!is_default_home(&cx.config.home)).then_some(&*cx.config.home),
            std::env::current_exe()
                .and_then(|path| path.canonicalize())
                .ok()
                .filter(|path| !is_called_flow(path))
                .as_deref()
                .and_then(Path::parent)
        )
    ))?;
    Ok(())
}

/// Returns what another terminal must be told first: the home, and where the program is.
///
/// `FLOW_HOME` of this process says nothing about other terminals: it may have been set for it alone.
fn exports(home: Option<&Path>, programs: Option<&Path>) -> String {
    let home = home.map(|home| format!("  export FLOW_HOME={}\n", word(home)));
    let programs = programs.map(|folder| format!("  export PATH={}:$PATH\n", word(folder)));
    home.into_iter().chain(programs).collect()
}

fn is_default_home(home: &Path) -> bool {
    std::env::home_dir().is_some_and(|user| user.join(".flow") == home)
}

/// Says whether `flow`, typed in a terminal, is this program.
fn is_called_flow(binary: &Path) -> bool {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let first = std::env::split_paths(&folders).map(|folder| folder.join("flow")).find(|path| path.is_file());
    first.and_then(|path| path.canonicalize().ok()).is_some_and(|path| path == binary)
}

/// Writes a path as one word of a shell.
fn word(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@%,:=".contains(c);
    if text.chars().all(is_plain) { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_terminal_is_told_what_it_cannot_know() {
        assert_eq!(exports(None, None), "");
        assert_eq!(exports(Some(Path::new("/srv/flow")), None), "  export FLOW_HOME=/srv/flow\n");
        let both = exports(Some(Path::new("/my home")), Some(Path::new("/it's")));
        assert_eq!(both, "  export FLOW_HOME='/my home'\n  export PATH='/it'\\''s':$PATH\n");
    }
}
