//! `flow dags check`: every mistake of every file.

use std::{path::PathBuf, process::ExitCode};

use anstyle::AnsiColor;
use flow_core::dag::Severity;
use serde::Serialize;

use crate::{
    context::Cx,
    dag_folder::{self, File},
    output::{Refusal, paint},
};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  flow dags check
  flow dags check dags/tutorial.yaml pipelines
  flow dags check -o json

Editors check while you type when a file begins with the schema that `flow schema dag` prints.")]
pub(crate) struct Args {
    /// Files and folders [default: the DAG folder]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
}

#[derive(Debug, Serialize)]
struct Report {
    files: usize,
    dags: Vec<String>,
    errors: usize,
    warnings: usize,
    problems: Vec<Problem>,
}

#[derive(Debug, Serialize)]
struct Problem {
    path: String,
    line: usize,
    column: usize,
    severity: &'static str,
    message: String,
    help: Option<String>,
}

pub(crate) fn run(args: &Args, cx: &Cx) -> anyhow::Result<ExitCode> {
    let paths = if args.paths.is_empty() { vec![cx.config.nearby(&cx.config.dags.folder)] } else { args.paths.clone() };
    if args.paths.is_empty() && !cx.config.dags.folder.is_dir() {
        let folder = cx.config.dags.folder.display();
        return Err(Refusal::failed(format!("there is no DAG folder `{folder}`"))
            .help("name files or folders, or the folder with --dags")
            .into());
    }
    let mut files = dag_folder::read(&paths, &cx.catalog())?;
    dag_folder::warn_of_missing(&mut files, &flow_operators::all());
    let report = report(&files);
    if cx.out.is_for_people() {
        for file in &files {
            let path = file.path.display().to_string();
            for complaint in &file.diagnostics {
                let text = complaint.render(&path, &file.text, cx.out.colour);
                cx.out.raw(&format!("{}\n\n", text.trim_end()))?;
            }
        }
        cx.out.remark(&summary(&report, cx.out.colour))?;
    } else {
        cx.out.list_or(&report, &report.problems, |problem| {
            let place = format!("{}:{}:{}", problem.path, problem.line, problem.column);
            vec![place.into(), problem.severity.into(), problem.message.as_str().into()]
        })?;
    }
    Ok(if report.errors == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn report(files: &[File]) -> Report {
    let problems: Vec<Problem> = files
        .iter()
        .flat_map(|file| file.diagnostics.iter().map(move |complaint| (file, complaint)))
        .map(|(file, complaint)| Problem {
            path: file.path.display().to_string(),
            line: complaint.line,
            column: complaint.column,
            severity: word(complaint.severity),
            message: complaint.message.clone(),
            help: complaint.help.clone(),
        })
        .collect();
    let count = |severity| problems.iter().filter(|problem| problem.severity == word(severity)).count();
    Report {
        files: files.len(),
        dags: files.iter().flat_map(|file| &file.dags).map(|dag| dag.id.to_string()).collect(),
        errors: count(Severity::Error),
        warnings: count(Severity::Warning),
        problems,
    }
}

fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

/// `3 files, 4 DAGs: 1 error, no warnings`
fn summary(report: &Report, colour: bool) -> String {
    let many = |number: usize, word: &str| match number {
        0 => format!("no {word}s"),
        1 => format!("1 {word}"),
        _ => format!("{number} {word}s"),
    };
    let verdict = format!("{}, {}", many(report.errors, "error"), many(report.warnings, "warning"));
    let verdict = match (colour, report.errors, report.warnings) {
        (false, ..) => verdict,
        (true, 0, 0) => paint(&verdict, AnsiColor::Green),
        (true, 0, _) => paint(&verdict, AnsiColor::Yellow),
        (true, ..) => paint(&verdict, AnsiColor::Red),
    };
    format!("{}, {}: {verdict}", many(report.files, "file"), many(report.dags.len(), "DAG"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(files: usize, dags: usize, errors: usize, warnings: usize, expected: &str) {
        let dags = vec![String::new(); dags];
        assert_eq!(summary(&Report { files, dags, errors, warnings, problems: Vec::new() }, false), expected);
    }

    #[test]
    fn the_summary_counts_in_words() {
        check(0, 0, 0, 0, "no files, no DAGs: no errors, no warnings");
        check(1, 2, 1, 0, "1 file, 2 DAGs: 1 error, no warnings");
        check(3, 1, 2, 1, "3 files, 1 DAG: 2 errors, 1 warning");
    }
}
