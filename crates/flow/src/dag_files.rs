//! The DAG folder, as the web server asks for it: files of this host.

use std::{io, sync::Arc};

use flow_runtime::dag_files::{Editor, FileError};
use flow_server::{DagFile, DagFileError, DagFileLine, DagFileList, DagFiles, Later, NamedFiles};

/// The files of an [`Editor`].
pub(crate) struct FolderFiles(pub(crate) Arc<Editor>);

impl FolderFiles {
    /// Asks the editor on a thread that may wait for files.
    async fn ask<T: Send + 'static>(&self, what: impl FnOnce(&Editor) -> T + Send + 'static) -> io::Result<T> {
        let editor = self.0.clone();
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
            self.ask(list).await.unwrap_or_else(|error| DagFileList {
                files: Vec::new(),
                obstacle: Some(format!("the DAG folder cannot be reached: {error}")),
            })
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
        Box::pin(self.try_ask(move |editor| editor.write(&path, &text, etag.as_deref())))
    }

    fn remove<'a>(&'a self, path: &'a str, etag: Option<&'a str>) -> Later<'a, Result<(), DagFileError>> {
        let (path, etag) = (path.to_owned(), etag.map(str::to_owned));
        Box::pin(self.try_ask(move |editor| editor.remove(&path, etag.as_deref())))
    }

    fn named<'a>(&'a self, path: Option<&'a str>, names: Vec<String>) -> Later<'a, Result<NamedFiles, DagFileError>> {
        let path = path.map(str::to_owned);
        Box::pin(self.try_ask(move |editor| editor.named(path.as_deref(), names)))
    }
}
