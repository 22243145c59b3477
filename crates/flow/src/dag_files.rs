//! The DAG folder, as the web server asks for it: files of this host.

use std::{
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use flow_runtime::dag_files::{Editor, FileError};
use flow_server::{DagFile, DagFileError, DagFileLine, DagFileList, DagFiles, Later, NamedFiles};

use tokio::sync::Mutex;

/// A list of the folder is good for so long: many who look at once are one walk.
const LISTED_FOR: Duration = Duration::from_secs(1);

/// The files of an [`Editor`].
pub(crate) struct FolderFiles {
    editor: Arc<Editor>,
    /// What was listed last, for how many at most. Whoever lists holds it, so the folder is walked once at a time.
    listed: Mutex<Option<(Instant, usize, DagFileList)>>,
}

impl FolderFiles {
    pub(crate) fn new(editor: Editor) -> Self {
        Self { editor: Arc::new(editor), listed: Mutex::new(None) }
    }

    async fn forget(&self) {
        *self.listed.lock().await = None;
    }

    /// Asks the editor on a thread that may wait for files.
    async fn ask<T: Send + 'static>(&self, what: impl FnOnce(&Editor) -> T + Send + 'static) -> io::Result<T> {
        let editor = self.editor.clone();
        tokio::task::spawn_blocking(move || what(&editor)).await.map_err(io::Error::other)
    }

    async fn try_ask<T: Send + 'static>(
        &self,
        what: impl FnOnce(&Editor) -> Result<T, FileError> + Send + 'static,
    ) -> Result<T, DagFileError> {
        let failed = |error: io::Error| DagFileError::Failed(format!("the file cannot be reached: {error}"));
        self.ask(what).await.map_err(failed)?.map_err(|error| {
            let sentence = error.to_string();
            match error {
                FileError::Missing => DagFileError::Missing(sentence),
                FileError::Changed(_) => DagFileError::Changed(sentence),
                FileError::Refused(_) => DagFileError::Refused(sentence),
                FileError::Failed(_) => DagFileError::Failed(sentence),
            }
        })
    }
}

impl DagFiles for FolderFiles {
    fn list(&self, most: usize) -> Later<'_, DagFileList> {
        let list = move |editor: &Editor| match editor.list(most) {
            Ok(files) => {
                let line = |file: flow_runtime::dag_files::Listed| DagFileLine {
                    path: file.path,
                    bytes: file.bytes,
                    modified: file.modified,
                };
                DagFileList { files: files.into_iter().map(line).collect(), obstacle: editor.obstacle() }
            }
            Err(problem) => DagFileList { files: Vec::new(), obstacle: Some(editor.obstacle().unwrap_or(problem)) },
        };
        Box::pin(async move {
            let mut listed = self.listed.lock().await;
            if let Some((at, for_most, files)) = &*listed
                && at.elapsed() < LISTED_FOR
                && *for_most == most
            {
                return files.clone();
            }
            let files = self.ask(list).await.unwrap_or_else(|error| DagFileList {
                files: Vec::new(),
                obstacle: Some(format!("the DAG folder cannot be reached: {error}")),
            });
            *listed = Some((Instant::now(), most, files.clone()));
            files
        })
    }

    fn read<'a>(&'a self, path: &'a str) -> Later<'a, Result<DagFile, DagFileError>> {
        let path = path.to_owned();
        Box::pin(async move {
            let file = self.try_ask(move |editor| editor.read(&path)).await?;
            Ok(DagFile { text: file.text, etag: file.etag })
        })
    }

    fn write<'a>(
        &'a self,
        path: &'a str,
        text: &'a str,
        etag: Option<&'a str>,
    ) -> Later<'a, Result<String, DagFileError>> {
        let (path, text, etag) = (path.to_owned(), text.to_owned(), etag.map(str::to_owned));
        Box::pin(async move {
            let written = self.try_ask(move |editor| editor.write(&path, &text, etag.as_deref())).await;
            self.forget().await;
            written
        })
    }

    fn remove<'a>(&'a self, path: &'a str, etag: Option<&'a str>) -> Later<'a, Result<(), DagFileError>> {
        let (path, etag) = (path.to_owned(), etag.map(str::to_owned));
        Box::pin(async move {
            let removed = self.try_ask(move |editor| editor.remove(&path, etag.as_deref())).await;
            self.forget().await;
            removed
        })
    }

    fn named<'a>(&'a self, path: Option<&'a str>, names: Vec<String>) -> Later<'a, Result<NamedFiles, DagFileError>> {
        let path = path.map(str::to_owned);
        Box::pin(self.try_ask(move |editor| editor.named(path.as_deref(), names)))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use flow_runtime::dag_files::Limits;

    use super::*;

    #[tokio::test]
    async fn a_list_is_kept_for_a_moment_but_not_over_a_change() {
        let folder = tempfile::tempdir().unwrap();
        let files = FolderFiles::new(Editor::new(folder.path(), Limits::default()));
        let paths = async || files.list(10).await.files.into_iter().map(|file| file.path).collect::<Vec<_>>();
        fs::write(folder.path().join("a.yaml"), "tasks: []").unwrap();
        assert_eq!(paths().await, ["a.yaml"]);
        fs::write(folder.path().join("b.yaml"), "tasks: []").unwrap();
        assert_eq!(paths().await, ["a.yaml"], "it was walked a moment ago");
        let task = "tasks: [{ id: t, uses: empty }]";
        files.write("c.yaml", task, None).await.unwrap();
        assert_eq!(paths().await, ["a.yaml", "b.yaml", "c.yaml"]);
    }
}
