//! Plain pages, without scripts: the DAGs and their schedules, logging in and out, until there is a user interface.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, StatusCode},
    response::{Html, IntoResponse, Redirect, Response},
};
use flow_store::DagRow;

use crate::{
    ApiError, App,
    access::{By, Who},
    auth,
    extract::Query,
};

#[derive(serde::Deserialize)]
pub(crate) struct Next {
    next: Option<String>,
}

/// `GET /`: the DAGs, or where to log in.
pub(crate) async fn show(State(app): State<App>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let who = match auth::identify(&app, &parts, false).await {
        Ok(who) => who,
        Err(error) => return refused_or_form(error, app.version),
    };
    match dags(&app, &who).await {
        Ok(dags) => Html(page(&person(&who, &parts.headers), &list(&dags), app.version)).into_response(),
        Err(error) => error.into_response(),
    }
}

/// `GET /login`
pub(crate) async fn log_in(State(app): State<App>, query: Result<Query<Next>, ApiError>, request: Request) -> Response {
    let next = query.ok().and_then(|Query(query)| query.next).unwrap_or_default();
    let next = auth::next_path(&next).unwrap_or("/");
    let (parts, _) = request.into_parts();
    match auth::identify(&app, &parts, false).await {
        Ok(who) if who.by == By::Session => Redirect::to(next).into_response(),
        _ => Html(page("", &form(next, ""), app.version)).into_response(),
    }
}

/// `GET /logout`: asks; a link alone logs nobody out.
pub(crate) async fn log_out(State(app): State<App>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    match auth::identify(&app, &parts, false).await {
        Ok(who) if who.by == By::Session => Html(page("", &person(&who, &parts.headers), app.version)).into_response(),
        _ => Redirect::to("/login").into_response(),
    }
}

/// The form again, and why it is there again.
pub(crate) fn refused(error: ApiError, next: &str, version: &str) -> Response {
    let body = Html(page("", &form(next, &error.sentence()), version));
    let mut response = error.into_response();
    let headers = body.into_response();
    for name in [axum::http::header::CONTENT_TYPE, axum::http::header::CONTENT_LENGTH] {
        response.headers_mut().remove(&name);
    }
    let (parts, body) = headers.into_parts();
    response.headers_mut().extend(parts.headers);
    *response.body_mut() = body;
    response
}

fn refused_or_form(error: ApiError, version: &str) -> Response {
    if error.status() == StatusCode::UNAUTHORIZED {
        Html(page("", &form("/", ""), version)).into_response()
    } else {
        error.into_response()
    }
}

/// Returns the DAGs that someone may see.
async fn dags(app: &App, who: &Who) -> Result<Vec<DagRow>, ApiError> {
    let hidden = auth::hidden_dags(app, who).await?;
    let mut dags = app.store.dags().await?;
    dags.retain(|dag| !dag.is_stale && !hidden.contains(&dag.dag_id));
    Ok(dags)
}

/// Who is logged in, and how to change that.
fn person(who: &Who, headers: &HeaderMap) -> String {
    let csrf = auth::session_id(headers).filter(|_| who.by == By::Session).map(auth::csrf_of);
    match csrf {
        Some(csrf) => format!(
            "<form method=\"post\" action=\"/auth/logout\"><input type=\"hidden\" name=\"csrf_token\" value=\"{csrf}\">\
             {} ({}) <button>Log out</button></form>\n",
            escape(&who.user),
            who.role.as_str()
        ),
        None => "<p><a href=\"/login\">Log in</a></p>\n".to_owned(),
    }
}

/// Where one logs in.
fn form(next: &str, problem: &str) -> String {
    let problem =
        if problem.is_empty() { String::new() } else { format!("<p role=\"alert\">{}</p>\n", escape(problem)) };
    format!(
        "<h2>Log in</h2>\n{problem}<form method=\"post\" action=\"/auth/login\">\
         <input type=\"hidden\" name=\"next\" value=\"{}\">\n\
         <p><label>User<br><input name=\"username\" autocomplete=\"username\" required autofocus></label></p>\n\
         <p><label>Password<br><input name=\"password\" type=\"password\" autocomplete=\"current-password\" required></label></p>\n\
         <p><button>Log in</button></p></form>\n",
        escape(next)
    )
}

/// A table of DAGs.
fn list(dags: &[DagRow]) -> String {
    let rows: String = dags
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
    let table = if rows.is_empty() {
        "<p>No DAGs yet. Put a YAML file into the DAG folder; it shows up within a second.</p>".to_owned()
    } else {
        format!(
            "<table><thead><tr><th>DAG</th><th>Owner</th><th>Schedule</th><th>Next run</th><th></th></tr></thead>\n\
             <tbody>\n{rows}</tbody></table>"
        )
    };
    format!(
        "{table}\n<p>From the shell: <code>flow runs list</code>, <code>flow trigger DAG --wait</code>, \
         <code>flow tasks log DAG RUN TASK</code>. From programs: <a href=\"/docs\">the REST API</a>.</p>"
    )
}

fn page(top: &str, body: &str, version: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Flow</title>\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<style>\
         :root{{color-scheme:light dark;font:15px/1.5 system-ui,sans-serif}}body{{margin:2rem auto;max-width:70rem;padding:0 1rem}}\
         table{{border-collapse:collapse;width:100%}}th,td{{text-align:left;padding:.4rem .8rem;border-bottom:1px solid #8884}}\
         input,button{{font:inherit;padding:.3rem .6rem}}[role=alert]{{color:#d33}}\
         code{{background:#8882;padding:.1rem .3rem;border-radius:3px}}</style></head>\n\
         <body><h1>Flow <small>{}</small></h1>\n{top}{body}</body></html>\n",
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
