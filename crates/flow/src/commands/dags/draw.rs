//! `flow dags graph`: a picture of a DAG.

use std::process::ExitCode;

use crate::{
    context::Cx,
    dag_folder,
    graph::{ascii, dot, picture, svg},
};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  flow dags graph tutorial
  flow dags graph tutorial --format svg > tutorial.svg
  flow dags graph tutorial --format dot > tutorial.dot")]
pub(crate) struct Args {
    /// The DAG's id
    dag: String,
    /// ascii (for the terminal), svg (for a browser) or dot (for Graphviz)
    #[arg(long, value_enum, default_value = "ascii", hide_possible_values = true)]
    format: Format,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Format {
    Ascii,
    Svg,
    Dot,
}

pub(crate) fn run(args: &Args, cx: &Cx) -> anyhow::Result<ExitCode> {
    let dag = dag_folder::find(&cx.config.dags.folder, &args.dag, &cx.catalog())?;
    let drawing = match args.format {
        Format::Ascii => ascii::draw(&picture::of(&dag)),
        Format::Svg => svg::draw(&picture::of(&dag), dag.id.as_str()),
        Format::Dot => dot::draw(&picture::of(&dag), dag.id.as_str()),
    };
    cx.out.raw(&drawing)?;
    Ok(ExitCode::SUCCESS)
}
