//! Reads DAG files once, as the scheduler does, for commands that need no database.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use flow_core::{
    Dag,
    catalog::Catalog,
    dag::{self, Arg, Diagnostic, Severity, Source},
};
use flow_operators::Registry;
use flow_runtime::{
    Clock,
    dag_files::{self, ChangeKind, Content, DagFolder, FOLDER, Limits, Problem},
};

use crate::{config::near, output::Refusal};

/// A DAG file and what was understood of it.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
    pub(crate) dags: Vec<Dag>,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// Reads files, and all DAG files of folders. Complaints about a file are among its diagnostics.
pub(crate) fn read(paths: &[PathBuf], catalog: &Catalog) -> Result<Vec<File>, Refusal> {
    let mut found: BTreeMap<PathBuf, Result<Content, Problem>> = BTreeMap::new();
    for path in paths {
        if path.is_dir() {
            found.extend(files_of(path));
        } else if path.exists() {
            found.insert(path.clone(), dag_files::read_file(path, Limits::default()));
        } else {
            return Err(Refusal::usage(format!("there is no file or folder `{}`", path.display())));
        }
    }
    let mut files: Vec<File> = found.into_iter().map(|(path, content)| understand(path, content, catalog)).collect();
    complain_of_repeats(&mut files);
    Ok(files)
}

/// Reads what is in a folder; a problem of the folder itself has the folder's path.
fn files_of(folder: &Path) -> Vec<(PathBuf, Result<Content, Problem>)> {
    let changes = DagFolder::new(folder, Limits::default(), Clock::system()).scan();
    let contents = changes.into_iter().filter_map(|change| {
        let path = if change.path == FOLDER { folder.to_owned() } else { folder.join(change.path) };
        match change.kind {
            ChangeKind::Changed(content) => Some((path, Ok(content))),
            ChangeKind::Problem(problem) => Some((path, Err(problem))),
            ChangeKind::Removed => None,
        }
    });
    contents.collect()
}

fn understand(path: PathBuf, content: Result<Content, Problem>, catalog: &Catalog) -> File {
    let content = match content {
        Ok(content) => content,
        Err(problem) => {
            let mut complaint = about_file(format!("`{}` {}", path.display(), problem.sentence));
            (complaint.line, complaint.column) = problem.place.unwrap_or((0, 0));
            return File { path, text: String::new(), dags: Vec::new(), diagnostics: vec![complaint] };
        }
    };
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let parsed = dag::parse(&Source { text: &content.text, stem: &stem, files: content.files }, catalog);
    let dags = parsed.dags.into_iter().map(|parsed| parsed.dag).collect();
    File { dags, diagnostics: parsed.diagnostics, path, text: content.text }
}

/// Two files that hold the same DAG: the later one is wrong.
fn complain_of_repeats(files: &mut [File]) {
    let mut seen: BTreeMap<flow_core::DagId, PathBuf> = BTreeMap::new();
    for file in files {
        for dag in &file.dags {
            match seen.get(&dag.id) {
                Some(first) if *first != file.path => {
                    let message = format!("DAG `{}` is in `{}` already", dag.id, first.display());
                    file.diagnostics.push(about_file(message));
                }
                Some(_) => {}
                None => {
                    seen.insert(dag.id.clone(), file.path.clone());
                }
            }
        }
    }
}

/// Warns of files and folders that tasks need and that are not beside the DAG file. Templates are not looked at.
pub(crate) fn warn_of_missing(files: &mut [File], registry: &Registry) {
    for file in files {
        let folder = file.path.parent().unwrap_or(Path::new(""));
        let mut missing: BTreeMap<&str, &str> = BTreeMap::new();
        for task in file.dags.iter().flat_map(|dag| &dag.tasks) {
            let reads = registry.reads(&task.operator);
            for (_, arg) in task.with.iter().filter(|(name, _)| reads.contains(&name.as_str())) {
                let Arg::Value(value) = arg else { continue };
                let paths = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
                let paths = paths.iter().filter_map(|path| path.as_str()).map(str::trim);
                missing.extend(
                    paths
                        .filter(|path| !path.is_empty() && Path::new(path).is_relative() && !folder.join(path).exists())
                        .map(|path| (path, task.id.as_str())),
                );
            }
        }
        let found = missing.into_iter().map(|(path, task)| not_there(path, task, folder, &file.text));
        let found: Vec<Diagnostic> = found.collect();
        file.diagnostics.extend(found);
        file.diagnostics.sort_by_key(|complaint| complaint.span.start);
    }
}

/// The warning about a path, at the first place in the text where it stands by itself.
fn not_there(path: &str, task: &str, folder: &Path, text: &str) -> Diagnostic {
    let is_apart = |at: usize| {
        let is_path = |found: char| found.is_alphanumeric() || "/._-".contains(found);
        !text[..at].ends_with(is_path) && !text[at + path.len()..].starts_with(is_path)
    };
    let is_remark = |at: usize| text[..at].rsplit('\n').next().is_some_and(|line| line.trim_start().starts_with('#'));
    let mut places = text.match_indices(path).map(|(at, _)| at);
    let at = places.find(|at| is_apart(*at) && !is_remark(*at));
    let before = at.map(|at| &text[..at]);
    Diagnostic {
        severity: Severity::Warning,
        message: format!("task `{task}` needs `{path}`, and there is no `{}`", folder.join(path).display()),
        help: Some("relative paths are beside the DAG file".to_owned()),
        line: before.map_or(0, |before| before.matches('\n').count() + 1),
        column: before.map_or(0, |before| before.rsplit('\n').next().unwrap_or_default().chars().count() + 1),
        span: at.map_or(0..0, |at| at..at + path.len()),
    }
}

fn about_file(message: String) -> Diagnostic {
    Diagnostic { severity: Severity::Error, message, help: None, line: 0, column: 0, span: 0..0 }
}

/// Finds a DAG in a folder of DAG files.
pub(crate) fn find(folder: &Path, id: &str, catalog: &Catalog) -> Result<Dag, Refusal> {
    find_among(folder, id, catalog).map(|found| found.dag)
}

/// A DAG, and what is around it.
pub(crate) struct Found {
    pub(crate) dag: Dag,
    /// Where its file is.
    pub(crate) folder: PathBuf,
    /// The other DAGs of the DAG folder.
    pub(crate) others: Vec<Dag>,
}

/// Finds a DAG in a folder of DAG files; returns also the others.
pub(crate) fn find_among(folder: &Path, id: &str, catalog: &Catalog) -> Result<Found, Refusal> {
    if !folder.is_dir() {
        return Err(Refusal::failed(format!("there is no DAG folder `{}`", folder.display()))
            .help("name one with --dags, or make it and put DAG files into it"));
    }
    let files = read(&[folder.to_owned()], catalog)?;
    let is_broken =
        files.iter().any(|file| file.diagnostics.iter().any(|complaint| complaint.severity == Severity::Error));
    let mut dags: Vec<(PathBuf, Dag)> = files
        .into_iter()
        .flat_map(|file| {
            let folder = file.path.parent().map(Path::to_owned).unwrap_or_default();
            file.dags.into_iter().map(move |dag| (folder.clone(), dag))
        })
        .collect();
    let known: Vec<String> = dags.iter().map(|(_, dag)| dag.id.to_string()).collect();
    if let Some(at) = dags.iter().position(|(_, dag)| dag.id.as_str() == id) {
        let (folder, dag) = dags.swap_remove(at);
        return Ok(Found { dag, folder, others: dags.into_iter().map(|(_, dag)| dag).collect() });
    }
    let refusal = Refusal::failed(format!("there is no DAG `{id}` in `{}`", folder.display()));
    Err(match near(id, known.into_iter()) {
        Some(name) => refusal.help(format!("did you mean `{name}`?")),
        None if is_broken => refusal.help("some files have errors: see `flow dags check`"),
        None => refusal,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "dag_id: one\ntasks: [{ id: a }]\n";

    fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in files {
            std::fs::write(folder.path().join(name), bytes).unwrap();
        }
        folder
    }

    #[track_caller]
    fn check(files: &[(&str, &[u8])], expected: &[&str]) {
        let folder = folder(files);
        let files = read(&[folder.path().to_owned()], &flow_operators::all().catalog()).unwrap();
        let place = format!("{}/", folder.path().display());
        let complaints = files.iter().flat_map(|file| &file.diagnostics);
        let messages: Vec<String> = complaints.map(|one| one.message.replace(&place, "")).collect();
        assert_eq!(messages, expected);
    }

    #[test]
    fn what_cannot_be_read_is_a_complaint_about_its_file() {
        check(&[("large.yaml", &[b'#'; (1 << 20) + 1])], &["`large.yaml` is larger than 1 MiB (1048577 bytes)"]);
        check(&[("latin.yaml", b"a: 1\nb: \xe4\n")], &["`latin.yaml` is not UTF-8: the byte 0xe4 is no character"]);
    }

    #[test]
    fn what_a_task_needs_and_is_not_beside_the_file_is_a_warning_at_its_place() {
        let text = "\
dag_id: one
tasks:
- { id: a, uses: python, with: { file: here.py } }
# not there.py
- { id: b, uses: python, with: { file: there.py } }
- { id: c, uses: bash, with: { bash_command: ls, cwd: nowhere } }
- { id: d, uses: bash, with: { bash_command: ls, cwd: '{{ ds }}' } }
- { id: e, uses: bash, with: { bash_command: ls, cwd: /no/such/folder } }
- { id: f, uses: file_sensor, with: { filepath: later.csv } }
- { id: g, uses: email, with: { to: a@b.c, subject: s, html_content: c, files: [here.py, gone.csv] } }
";
        let folder = folder(&[("one.yaml", text.as_bytes()), ("here.py", b"")]);
        let registry = flow_operators::all();
        let mut files = read(&[folder.path().to_owned()], &registry.catalog()).unwrap();
        warn_of_missing(&mut files, &registry);
        let place = format!("{}/", folder.path().display());
        let found: Vec<(usize, usize, String)> = files[0]
            .diagnostics
            .iter()
            .map(|found| (found.line, found.column, found.message.replace(&place, "")))
            .collect();
        let warning = |line, column, task, path| {
            (line, column, format!("task `{task}` needs `{path}`, and there is no `{path}`"))
        };
        let expected =
            [warning(5, 40, "b", "there.py"), warning(6, 55, "c", "nowhere"), warning(10, 90, "g", "gone.csv")];
        assert_eq!(found, expected);
        assert!(files[0].diagnostics.iter().all(|found| found.severity == Severity::Warning));
    }

    #[test]
    fn a_dag_that_is_in_two_files_is_a_complaint_about_the_second() {
        check(&[("a.yaml", ONE.as_bytes()), ("b.yaml", ONE.as_bytes())], &["DAG `one` is in `a.yaml` already"]);
    }

    #[test]
    fn a_dag_that_is_not_there_may_be_meant_otherwise() {
        let folder = folder(&[("a.yaml", ONE.as_bytes())]);
        assert_eq!(
            find(folder.path(), "one", &flow_operators::all().catalog()).map(|dag| dag.id.to_string()).ok().as_deref(),
            Some("one")
        );
        let error = format!("{:?}", find(folder.path(), "onee", &flow_operators::all().catalog()).map(|dag| dag.id));
        assert!(error.contains("did you mean `one`?"), "{error}");
    }
}
