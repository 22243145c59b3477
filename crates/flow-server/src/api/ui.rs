//! What the web UI asks for: one call a screen, with no more than the screen shows.

use utoipa_axum::router::OpenApiRouter;

use crate::App;

mod calendar;
mod callbacks;
mod dag_cards;
mod gantt;
mod grid;
mod neighbours;
mod processes;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(calendar::routes())
        .merge(callbacks::routes())
        .merge(dag_cards::routes())
        .merge(gantt::routes())
        .merge(grid::routes())
        .merge(neighbours::routes())
        .merge(processes::routes())
}
