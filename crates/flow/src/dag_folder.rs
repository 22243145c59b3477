//! Reads a folder of DAG files once, for commands that need no database.
//!
//! Reads at most what a DAG file may have, and never outside the folder of the file. What the texts mean is
//! `flow_core::dag`'s business.

use std::{
    collections::BTreeMap,
    io::Read,
    path::{Path, PathBuf},
};

use flow_core::{
    Dag,
    catalog::Catalog,
    dag::{self, Diagnostic, Severity, Source},
};

use crate::{config::near, output::Refusal};

/// Largest DAG file, and largest file that a `$f` may name.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Most files read from one folder.
const FILES_MAX: usize = 100_000;

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
    let mut found: Vec<PathBuf> = Vec::new();
    for path in paths {
        if path.is_dir() {
            found.extend(files_of(path)?);
        } else if path.exists() {
            found.push(path.clone());
        } else {
            return Err(Refusal::usage(format!("there is no file or folder `{}`", path.display())));
        }
    }
    found.sort();
    found.dedup();
    let mut files: Vec<File> = found.into_iter().map(|path| read_file(path, catalog)).collect();
    complain_of_repeats(&mut files);
    Ok(files)
}

/// Lists `*.yaml` and `*.yml`, heeding `.flowignore` and `.airflowignore`.
fn files_of(folder: &Path) -> Result<Vec<PathBuf>, Refusal> {
    let walk = ignore::WalkBuilder::new(folder)
        .standard_filters(false)
        .hidden(true)
        .follow_links(true)
        .add_custom_ignore_filename(".flowignore")
        .add_custom_ignore_filename(".airflowignore")
        .build();
    let mut files = Vec::new();
    for entry in walk {
        let entry =
            entry.map_err(|error| Refusal::failed(format!("could not read `{}`: {error}", folder.display())))?;
        let is_yaml = entry.path().extension().is_some_and(|ending| ending == "yaml" || ending == "yml");
        if is_yaml && entry.file_type().is_some_and(|kind| kind.is_file()) {
            files.push(entry.into_path());
        }
        if files.len() > FILES_MAX {
            return Err(Refusal::failed(format!("`{}` has more than {FILES_MAX} DAG files", folder.display())));
        }
    }
    Ok(files)
}

fn read_file(path: PathBuf, catalog: &Catalog) -> File {
    let text = match read_text(&path) {
        Ok(text) => text,
        Err(why) => {
            let message = format!("the file could not be read: {why}");
            return File { path, text: String::new(), dags: Vec::new(), diagnostics: vec![about_file(message)] };
        }
    };
    let folder = path.parent().unwrap_or(Path::new("."));
    let files: BTreeMap<String, Result<String, String>> =
        dag::file_references(&text).into_iter().map(|name| (name.clone(), read_beside(folder, &name))).collect();
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let parsed = dag::parse(&Source { text: &text, stem: &stem, files }, catalog);
    let dags = parsed.dags.into_iter().map(|parsed| parsed.dag).collect();
    File { dags, diagnostics: parsed.diagnostics, path, text }
}

/// Reads a file that a `$f` names; it must be in the folder of the DAG file or below.
fn read_beside(folder: &Path, name: &str) -> Result<String, String> {
    let path = folder.join(name).canonicalize().map_err(|error| error.to_string())?;
    let folder = folder.canonicalize().map_err(|error| error.to_string())?;
    if !path.starts_with(&folder) {
        return Err("it is outside the folder of the DAG file".to_owned());
    }
    read_text(&path)
}

fn read_text(path: &Path) -> Result<String, String> {
    let facts = std::fs::metadata(path).map_err(|error| error.to_string())?;
    if !facts.is_file() {
        return Err("it is not a file".to_owned());
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err("it is larger than 1 MiB".to_owned());
    }
    String::from_utf8(bytes).map_err(|error| {
        let line = 1 + error.as_bytes()[..error.utf8_error().valid_up_to()].iter().filter(|b| **b == b'\n').count();
        format!("it is not UTF-8 text (line {line})")
    })
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

fn about_file(message: String) -> Diagnostic {
    Diagnostic { severity: Severity::Error, message, help: None, line: 0, column: 0, span: 0..0 }
}

/// Finds a DAG in a folder of DAG files.
pub(crate) fn find(folder: &Path, id: &str, catalog: &Catalog) -> Result<Dag, Refusal> {
    if !folder.is_dir() {
        return Err(Refusal::failed(format!("there is no DAG folder `{}`", folder.display()))
            .help("name one with --dags, or make it and put DAG files into it"));
    }
    let files = read(&[folder.to_owned()], catalog)?;
    let is_broken =
        files.iter().any(|file| file.diagnostics.iter().any(|complaint| complaint.severity == Severity::Error));
    let dags: Vec<Dag> = files.into_iter().flat_map(|file| file.dags).collect();
    let known: Vec<String> = dags.iter().map(|dag| dag.id.to_string()).collect();
    dags.into_iter().find(|dag| dag.id.as_str() == id).ok_or_else(|| {
        let refusal = Refusal::failed(format!("there is no DAG `{id}` in `{}`", folder.display()));
        match near(id, known.into_iter()) {
            Some(name) => refusal.help(format!("did you mean `{name}`?")),
            None if is_broken => refusal.help("some files have errors: see `flow dags check`"),
            None => refusal,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_found(files: &[&str], ignored: &[(&str, &str)], expected: &[&str]) {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files.iter().map(|name| (name, &"")).chain(ignored.iter().map(|(name, text)| (name, text)))
        {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let mut found: Vec<String> = files_of(folder.path())
            .unwrap()
            .iter()
            .map(|path| path.strip_prefix(folder.path()).unwrap().to_string_lossy().into_owned())
            .collect();
        found.sort();
        assert_eq!(found, expected);
    }

    #[test]
    fn yaml_files_are_found_in_folders_unless_they_are_ignored() {
        check_found(&["a.yaml", "b.yml", "c.txt", "d/e.yaml", ".hidden/f.yaml"], &[], &["a.yaml", "b.yml", "d/e.yaml"]);
        check_found(&["a.yaml", "d/e.yaml"], &[(".flowignore", "d/\n")], &["a.yaml"]);
        check_found(&["a.yaml", "d/e.yaml"], &[("d/.airflowignore", "*.yaml\n")], &["a.yaml"]);
        check_found(&["a.yaml"], &[(".gitignore", "*\n")], &["a.yaml"]);
    }

    #[test]
    fn what_cannot_be_read_is_a_complaint_about_its_file() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("latin.yaml"), b"a: 1\nb: \xe4\n").unwrap();
        std::fs::write(folder.path().join("large.yaml"), vec![b'#'; (1 << 20) + 1]).unwrap();
        let files = read(&[folder.path().to_owned()], &Catalog::default()).unwrap();
        let messages: Vec<&str> = files.iter().map(|file| file.diagnostics[0].message.as_str()).collect();
        assert_eq!(
            messages,
            [
                "the file could not be read: it is larger than 1 MiB",
                "the file could not be read: it is not UTF-8 text (line 2)"
            ]
        );
    }

    #[test]
    fn a_reference_never_leaves_the_folder() {
        let outer = tempfile::tempdir().unwrap();
        let folder = outer.path().join("dags");
        std::fs::create_dir_all(folder.join("sql")).unwrap();
        std::fs::write(outer.path().join("secret"), "x").unwrap();
        std::fs::write(folder.join("sql/a.sql"), "SEL 1").unwrap();
        std::os::unix::fs::symlink("../secret", folder.join("link")).unwrap();
        assert_eq!(read_beside(&folder, "sql/a.sql"), Ok("SEL 1".to_owned()));
        assert_eq!(read_beside(&folder, "sql/../sql/a.sql"), Ok("SEL 1".to_owned()));
        let outside = Err("it is outside the folder of the DAG file".to_owned());
        assert_eq!(read_beside(&folder, "../secret"), outside);
        assert_eq!(read_beside(&folder, "link"), outside);
        assert_eq!(read_beside(&folder, "/etc/hostname"), outside);
        assert_eq!(read_beside(&folder, "sql"), Err("it is not a file".to_owned()));
        assert!(read_beside(&folder, "none").is_err());
    }
}
