//! A plain page: the DAGs and their schedules, until there is a user interface.

use axum::{
    extract::State,
    http::StatusCode,
    response::{Html, IntoResponse, Response},
};
use flow_store::DagRow;

use crate::App;

/// `GET /`
pub(crate) async fn show(State(app): State<App>) -> Response {
    match app.store.dags().await {
        Ok(dags) => Html(page(&dags, app.version)).into_response(),
        Err(_) => {
            (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer; try again in a moment\n").into_response()
        }
    }
}

fn page(dags: &[DagRow], version: &str) -> String {
    let shown: Vec<&DagRow> = dags.iter().filter(|dag| !dag.is_stale).collect();
    let rows: String = shown
        .iter()
        .map(|dag| {
            let next = dag.next_run_after.map(|at| at.to_string()).unwrap_or_default();
            let state = if dag.is_paused { "paused" } else { "active" };
            format!(
                "<tr><td>{}</td><td>{}</td><td>{}</td><td>{next}</td><td>{state}</td></tr>\n",
                escape(&dag.dag_id),
                escape(&dag.owners),
                escape(&dag.schedule)
            )
        })
        .collect();
    let body = if rows.is_empty() {
        "<p>No DAGs yet. Put a YAML file into the DAG folder; it shows up within a second.</p>".to_owned()
    } else {
        format!(
            "<table><thead><tr><th>DAG</th><th>Owner</th><th>Schedule</th><th>Next run</th><th></th></tr></thead>\n\
             <tbody>\n{rows}</tbody></table>"
        )
    };
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Flow</title>\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<style>\
         :root{{color-scheme:light dark;font:15px/1.5 system-ui,sans-serif}}body{{margin:2rem auto;max-width:70rem;padding:0 1rem}}\
         table{{border-collapse:collapse;width:100%}}th,td{{text-align:left;padding:.4rem .8rem;border-bottom:1px solid #8884}}\
         code{{background:#8882;padding:.1rem .3rem;border-radius:3px}}</style></head>\n\
         <body><h1>Flow <small>{}</small></h1>\n{body}\n\
         <p>From the shell: <code>flow runs list</code>, <code>flow trigger DAG --wait</code>, \
         <code>flow tasks log DAG RUN TASK</code>. From programs: <a href=\"/docs\">the REST API</a>.</p></body></html>\n",
        escape(version)
    )
}

pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn text_of_users_is_never_markup() {
        assert_eq!(escape("<b a=\"&\">"), "&lt;b a=&quot;&amp;&quot;&gt;");
    }
}
