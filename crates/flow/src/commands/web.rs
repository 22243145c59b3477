//! `flow web`: the API and the screens.

use std::process::ExitCode;

use anyhow::Context as _;
use flow_runtime::{Stop, measure::Measures};

use crate::{
    cli::Flags,
    context::Cx,
    metrics::Beside,
    node::{self, Parts},
    own_log,
};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  flow web
  flow web --host 0.0.0.0 --port 80")]
pub(crate) struct Args {
    /// Address to listen on [default: 127.0.0.1]
    #[arg(long)]
    host: Option<String>,
    /// Port to listen on, 0 for any free one [default: 8080]
    #[arg(long)]
    port: Option<u16>,
}

impl Args {
    pub(crate) fn set(&self, flags: &mut Flags) {
        flags.add("web.host", self.host.as_ref(), "--host");
        flags.add("web.port", self.port, "--port");
    }
}

pub(crate) async fn run(_args: Args, cx: &Cx) -> anyhow::Result<ExitCode> {
    own_log::start(cx);
    let listener = node::listen(cx).await?;
    let mut parts = Parts::of_database(cx).await?;
    parts.check_key().await?;
    parts.trace(cx).await?;
    let stop = Stop::new();
    tokio::spawn(stop.listen().context("cannot take over the signals")?);
    let login = node::first_admin(cx, &parts, &listener).await?;
    cx.out.remark(&format!("flow {} at http://{}\nlog in at {login}", node::VERSION, listener.local_addr()?))?;
    let beside = Beside::start(cx, &parts, None, &stop).await?;
    let measures = Measures::new(parts.metrics.clone(), "webjob");
    measures.starts();
    node::serve(cx, &parts, listener, stop).await;
    measures.ends();
    beside.end().await;
    parts.store.close().await;
    Ok(ExitCode::SUCCESS)
}
