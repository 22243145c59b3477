//! The graph of a DAG with the place of everything, ready to be drawn.

use std::collections::{BTreeSet, HashSet};

use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use flow_core::{
    Dag,
    graph::{self, Direction, Drawing, Member, Picture, Rect},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Refusals, dag_versions, dags};
use crate::{
    ApiError, App,
    error::ErrorBody,
    extract::{Path, Query},
    graphs::{Key, Sent},
};

/// Most ids of folded groups in a request.
const FOLDED_MAX: usize = 1_000;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct GraphQuery {
    /// The latest one when nothing is said
    version_number: Option<i64>,
    /// Which way the arrows go
    #[param(inline)]
    direction: Option<GraphDirection>,
    /// Groups that are drawn as one box, by id; `*` = all. May be repeated, 1,000 times at most
    #[serde(default)]
    folded: Vec<String>,
}

#[derive(Clone, Copy, Deserialize, Serialize, ToSchema)]
pub(super) enum GraphDirection {
    /// From left to right
    #[serde(rename = "LR")]
    LeftToRight,
    /// From top to bottom
    #[serde(rename = "TB")]
    TopToBottom,
}

/// A DAG as it is drawn. Lengths are pixels, from the top left corner
#[derive(Serialize, ToSchema)]
pub(super) struct GraphResponse {
    /// Null for a text that is only checked
    version_number: Option<i64>,
    direction: GraphDirection,
    width: i32,
    height: i32,
    /// Every task comes after those it depends on
    nodes: Vec<GraphNode>,
    /// Groups that are open, the outermost first
    groups: Vec<GraphGroup>,
    /// More than 50,000 are not drawn: all groups are folded then
    edges: Vec<GraphEdge>,
}

/// A box: a task, or a group that is folded. It is as wide as its label in a font of 13 pixels, 304 at most
#[derive(Serialize, ToSchema)]
struct GraphNode {
    id: String,
    label: String,
    kind: GraphNodeKind,
    /// How many tasks it stands for
    tasks: usize,
    /// The open group that it is in
    parent: Option<String>,
    /// The operator's short name; null for a group
    operator: Option<String>,
    trigger_rule: Option<&'static str>,
    is_mapped: bool,
    x: i32,
    y: i32,
    w: i32,
    h: i32,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum GraphNodeKind {
    Task,
    Group,
}

/// A frame around what is in a group; 22 pixels below its top are for the title
#[derive(Serialize, ToSchema)]
struct GraphGroup {
    id: String,
    label: String,
    parent: Option<String>,
    /// 0 = in no other group
    depth: usize,
    x: i32,
    y: i32,
    w: i32,
    h: i32,
}

/// An arrow
#[derive(Serialize, ToSchema)]
struct GraphEdge {
    from: String,
    to: String,
    /// When this way is taken: `true` or `false` behind a branch that says so. The last part of the line has room for it
    label: Option<String>,
    /// Corners of a line from the edge of `from` to the edge of `to`, as `[x, y]`
    #[schema(value_type = Vec<Vec<i32>>)]
    points: Vec<[i32; 2]>,
}

impl From<GraphDirection> for Direction {
    fn from(direction: GraphDirection) -> Self {
        match direction {
            GraphDirection::LeftToRight => Self::Right,
            GraphDirection::TopToBottom => Self::Down,
        }
    }
}

impl GraphResponse {
    /// Draws a DAG.
    pub(super) fn of(
        dag: &Dag,
        version_number: Option<i64>,
        direction: GraphDirection,
        folded: &BTreeSet<usize>,
    ) -> Self {
        let picture = Picture::of(dag, folded);
        let drawing = graph::draw(&picture, direction.into());
        let edge = |(arrow, corners): (&graph::Arrow, &Vec<(i32, i32)>)| {
            let (from, to) = if arrow.is_back { (arrow.to, arrow.from) } else { (arrow.from, arrow.to) };
            GraphEdge {
                from: id(dag, picture.boxes[from].stands_for),
                to: id(dag, picture.boxes[to].stands_for),
                label: arrow.label.clone(),
                points: corners.iter().map(|(x, y)| [*x, *y]).collect(),
            }
        };
        let node = |(one, rect): (&graph::Box, &Rect)| GraphNode::new(dag, one, *rect);
        Self {
            version_number,
            direction,
            width: drawing.width,
            height: drawing.height,
            nodes: picture.boxes.iter().zip(&drawing.boxes).map(node).collect(),
            groups: groups(dag, &picture, &drawing),
            edges: picture.arrows.iter().zip(&drawing.arrows).map(edge).collect(),
        }
    }
}

impl GraphNode {
    fn new(dag: &Dag, one: &graph::Box, Rect { x, y, width, height }: Rect) -> Self {
        let task = match one.stands_for {
            Member::Task(ix) => Some(dag.task(ix)),
            Member::Group(_) => None,
        };
        Self {
            id: id(dag, one.stands_for),
            label: one.label.clone(),
            kind: if task.is_some() { GraphNodeKind::Task } else { GraphNodeKind::Group },
            tasks: one.tasks,
            parent: one.frame.map(|frame| dag.groups[frame].id.clone()),
            operator: task.map(|task| task.operator.clone()),
            trigger_rule: task.map(|task| task.trigger_rule.as_str()),
            is_mapped: false,
            x,
            y,
            w: width,
            h: height,
        }
    }
}

fn id(dag: &Dag, member: Member) -> String {
    match member {
        Member::Task(ix) => dag.task(ix).id.to_string(),
        Member::Group(at) => dag.groups[at].id.clone(),
    }
}

fn groups(dag: &Dag, picture: &Picture, drawing: &Drawing) -> Vec<GraphGroup> {
    let group = |(at, rect): (usize, &Option<Rect>)| {
        let Rect { x, y, width, height } = (*rect)?;
        let (group, frame) = (&dag.groups[at], &picture.frames[at]);
        Some(GraphGroup {
            id: group.id.clone(),
            label: frame.label.clone(),
            parent: frame.parent.map(|parent| dag.groups[parent].id.clone()),
            depth: picture.path(Some(at)).len().saturating_sub(1),
            x,
            y,
            w: width,
            h: height,
        })
    };
    let mut groups: Vec<GraphGroup> = drawing.frames.iter().enumerate().filter_map(group).collect();
    groups.sort_by_key(|group| group.depth);
    groups
}

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(get_graph))
}

/// A DAG's tasks, groups and dependencies, with the place of each
#[utoipa::path(get, path = "/ui/dags/{dag_id}/graph", tag = "User interface",
    params(("dag_id" = String, Path), GraphQuery),
    responses((status = 200, body = GraphResponse), (status = 304, description = "As in `If-None-Match`"),
        (status = 404, body = ErrorBody), Refusals))]
async fn get_graph(
    State(app): State<App>,
    Path(dag_id): Path<String>,
    Query(query): Query<GraphQuery>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let version_id = match query.version_number {
        Some(number) => dag_versions::version(&app, &dag_id, number).await?.id,
        None => dags::find(&app, &dag_id).await?.version_id,
    };
    let cached = app.dags.read(&app.store, version_id).await?;
    let direction = query.direction.unwrap_or(GraphDirection::LeftToRight);
    if query.folded.len() > FOLDED_MAX {
        return Err(ApiError::invalid(&["query", "folded"], "there are more than 1,000; `*` stands for all groups"));
    }
    let folded = {
        let wanted: HashSet<&str> = query.folded.iter().map(String::as_str).collect();
        let is_all = wanted.contains("*");
        graph::outermost(&cached.dag, |group| is_all || wanted.contains(group))
    };
    let key = Key::new(version_id, direction.into(), folded.clone());
    let make = move || {
        let graph = GraphResponse::of(&cached.dag, Some(cached.number), direction, &folded);
        serde_json::to_string(&graph).map(Sent::new).map_err(|error| error.to_string())
    };
    let sent = app.graphs.get(key, make).await?;
    // It is the same until the DAG changes; who may see it is found out each time.
    let kept = [
        (header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache")),
        (header::ETAG, HeaderValue::from_str(&sent.etag).unwrap_or_else(|_| HeaderValue::from_static("\"\""))),
    ];
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if known.split(',').any(|known| known.trim().trim_start_matches("W/") == sent.etag) {
        return Ok((StatusCode::NOT_MODIFIED, kept).into_response());
    }
    let kind = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    Ok((kept, kind, sent.body.clone()).into_response())
}
