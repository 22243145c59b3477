//! `flow standalone`: scheduler, worker and web server in one process.

use std::{path::PathBuf, process::ExitCode};

use anyhow::Context as _;
use flow_runtime::Stop;
use flow_store::ProcessKind;
use tokio::net::TcpListener;

use crate::{
    cli::Flags,
    config::Origin,
    context::Cx,
    node::{self, Parts},
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
    node::start_logging(cx);
    let settings = &cx.config.settings;
    let listener = node::listen(cx).await?;
    let parts = Parts::of_process(cx).await?;
    let stop = Stop::new();
    tokio::spawn(stop.listen().context("cannot take over the signals")?);
    greet(cx, &listener)?;
    // Whoever starts everything in one process wants to see it run.
    let paused = settings.core.dags_are_paused_at_creation
        && cx.config.origin("core.dags_are_paused_at_creation") != &Origin::Default;
    let folder = tokio::spawn(parts.folder(cx, paused).run(stop.clone()));
    let node = parts.node(cx, ProcessKind::Standalone);
    let (ran, ()) = tokio::join!(
        async {
            let ran = node.run(stop.clone()).await;
            stop.drain();
            ran
        },
        node::serve(&parts, listener, stop.clone())
    );
    // It looks at the stop between two files.
    let _ = tokio::time::timeout(node::FAREWELL, folder).await;
    parts.store.close().await;
    ran?;
    Ok(ExitCode::SUCCESS)
}

/// Says where things are and what to do next.
fn greet(cx: &Cx, listener: &TcpListener) -> anyhow::Result<()> {
    let settings = &cx.config.settings;
    let address = listener.local_addr()?;
    let database = crate::config::masked(&settings.database.url);
    cx.out.remark(&format!(
        "flow {}\n  web       http://{address}\n  DAGs      {}\n  home      {}\n  database  {database}\n\n\
         Put YAML files into the DAG folder; they show up within a second. In another terminal:\n  \
         flow dags list\n  flow trigger DAG --wait\n  flow tasks log DAG latest TASK\n\
         Those need the same home: {}\n",
        node::VERSION,
        settings.dags.folder.display(),
        cx.config.home.display(),
        if std::env::var_os("FLOW_HOME").is_some() || cx.config.home.ends_with(".flow") && is_default_home(cx) {
            "it is the one they take by themselves.".to_owned()
        } else {
            format!("export FLOW_HOME={}", cx.config.home.display())
        }
    ))?;
    if !settings.dags.folder.exists() {
        std::fs::create_dir_all(&settings.dags.folder)
            .with_context(|| format!("cannot make the DAG folder `{}`", settings.dags.folder.display()))?;
    }
    Ok(())
}

fn is_default_home(cx: &Cx) -> bool {
    std::env::home_dir().is_some_and(|home| home.join(".flow") == cx.config.home)
}
