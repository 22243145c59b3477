//! `flow dags graph`: a picture of a DAG.

use std::{collections::BTreeSet, process::ExitCode};

use flow_core::{Dag, graph::Picture};
use serde::Serialize;

use crate::{
    context::Cx,
    graph::{ascii, dot, svg},
    output::{self, Refusal},
};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  flow dags graph tutorial
  flow dags graph tutorial --format svg > tutorial.svg
  flow dags graph tutorial --format dot > tutorial.dot
  flow dags graph tutorial -o json")]
pub(crate) struct Args {
    /// The DAG's id
    dag: String,
    /// ascii (for the terminal), svg (for a browser) or dot (for Graphviz) [default: ascii]
    #[arg(long, value_enum, hide_possible_values = true)]
    format: Option<Format>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Format {
    Ascii,
    Svg,
    Dot,
}

/// The graph for programs: Airflow's names.
#[derive(Debug, Serialize)]
struct View {
    dag_id: String,
    nodes: Vec<Node>,
    edges: Vec<Edge>,
}

#[derive(Debug, Serialize)]
struct Node {
    id: String,
    label: String,
    operator: String,
    task_group: Option<String>,
}

#[derive(Debug, Serialize)]
struct Edge {
    source_id: String,
    target_id: String,
}

impl View {
    fn of(dag: &Dag) -> Self {
        let node = |task: &flow_core::Task| Node {
            id: task.id.to_string(),
            label: task.display_name.clone().unwrap_or_else(|| task.id.to_string()),
            operator: task.operator.clone(),
            task_group: task.group.and_then(|at| dag.groups.get(at)).map(|group| group.id.clone()),
        };
        let into = |task: &flow_core::Task| {
            let target_id = task.id.to_string();
            let edge = |source: String| Edge { source_id: source, target_id: target_id.clone() };
            task.upstream.iter().map(|from| edge(dag.task(*from).id.to_string())).collect::<Vec<_>>()
        };
        Self {
            dag_id: dag.id.to_string(),
            nodes: dag.tasks.iter().map(node).collect(),
            edges: dag.tasks.iter().flat_map(into).collect(),
        }
    }
}

pub(crate) async fn run(args: &Args, cx: &Cx) -> anyhow::Result<ExitCode> {
    let is_data = matches!(cx.out.format, output::Format::Json | output::Format::Yaml);
    if is_data && args.format.is_some() {
        return Err(Refusal::usage("`--format` draws a picture, and `-o` asks for data: give one of them").into());
    }
    let dag = super::read(cx, &args.dag).await?;
    if is_data {
        cx.out.data(&View::of(&dag))?;
        return Ok(ExitCode::SUCCESS);
    }
    let picture = Picture::of(&dag, &BTreeSet::new());
    let drawing = match args.format.unwrap_or(Format::Ascii) {
        Format::Ascii => ascii::draw(&picture),
        Format::Svg => svg::draw(&picture, dag.id.as_str()),
        Format::Dot => dot::draw(&picture, dag.id.as_str()),
    };
    cx.out.raw(&drawing)?;
    Ok(ExitCode::SUCCESS)
}
