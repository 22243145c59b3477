// Every URL of the UI. A page is a file in pages/, loaded when it is first needed.

import type { QueryClient } from "@tanstack/react-query";
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  type RouteComponent,
} from "@tanstack/react-router";
import { ApiProblem } from "./api/client";
import { meQuery } from "./api/queries";
import { chunk } from "./lib/chunk";
import { parseSearch, type Search, stringifySearch } from "./lib/search";
import { BrokenPage } from "./pages/BrokenPage";
import { NotFoundPage } from "./pages/NotFoundPage";
import { Loading } from "./parts/Loading";

declare module "@tanstack/react-router" {
  interface StaticDataRouteOption {
    /** The last breadcrumb */
    crumb?: string;
  }
  interface Register {
    router: ReturnType<typeof createAppRouter>;
  }
}

/** `page(() => import("./pages/X"), "X")` */
function page<M extends Record<string, unknown>>(load: () => Promise<M>, name: keyof M & string): RouteComponent {
  return lazyRouteComponent(() => chunk(load) as Promise<Record<string, RouteComponent>>, name) as RouteComponent;
}

const root = createRootRouteWithContext<{ client: QueryClient }>()({
  component: Outlet,
  notFoundComponent: NotFoundPage,
  validateSearch: (search: Record<string, unknown>): Search => search as Search,
});

const login = createRoute({
  getParentRoute: () => root,
  path: "/login",
  component: page(() => import("./pages/LoginPage"), "LoginPage"),
});

const logout = createRoute({
  getParentRoute: () => root,
  path: "/logout",
  component: page(() => import("./pages/LogoutPage"), "LogoutPage"),
});

// Everything else is inside the shell, for those who are logged in.
const shell = createRoute({
  getParentRoute: () => root,
  id: "shell",
  component: page(() => import("./pages/RootLayout"), "RootLayout"),
  beforeLoad: async ({ context }) => {
    // Who is not logged in is led to /login by the client; any other problem is shown where it happens.
    await context.client.ensureQueryData(meQuery).catch((error) => {
      if (!(error instanceof ApiProblem) || error.status !== 401) throw error;
    });
  },
});

const dags = createRoute({
  getParentRoute: () => shell,
  path: "/",
  staticData: { crumb: "DAGs" },
  component: page(() => import("./pages/DagsPage"), "DagsPage"),
});

// --- a DAG ---

const dag = createRoute({
  getParentRoute: () => shell,
  id: "dag",
  component: page(() => import("./pages/DagLayout"), "DagLayout"),
});

const dagGrid = createRoute({
  getParentRoute: () => dag,
  path: "/dags/$dagId",
  component: page(() => import("./pages/DagGridPage"), "DagGridPage"),
});
const dagGraph = createRoute({
  getParentRoute: () => dag,
  path: "/dags/$dagId/graph",
  staticData: { crumb: "Graph" },
  component: page(() => import("./pages/DagGraphPage"), "DagGraphPage"),
});
const dagDuration = createRoute({
  getParentRoute: () => dag,
  path: "/dags/$dagId/duration",
  staticData: { crumb: "Duration" },
  component: page(() => import("./pages/DagDurationPage"), "DagDurationPage"),
});
const dagLanding = createRoute({
  getParentRoute: () => dag,
  path: "/dags/$dagId/landing",
  staticData: { crumb: "Landing" },
  component: page(() => import("./pages/DagLandingPage"), "DagLandingPage"),
});
const dagGantt = createRoute({
  getParentRoute: () => dag,
  path: "/dags/$dagId/gantt",
  staticData: { crumb: "Gantt" },
  component: page(() => import("./pages/DagGanttPage"), "DagGanttPage"),
});
const dagCalendar = createRoute({
  getParentRoute: () => dag,
  path: "/dags/$dagId/calendar",
  staticData: { crumb: "Calendar" },
  component: page(() => import("./pages/DagCalendarPage"), "DagCalendarPage"),
});
const dagRuns = createRoute({
  getParentRoute: () => dag,
  path: "/dags/$dagId/runs",
  staticData: { crumb: "Runs" },
  component: page(() => import("./pages/DagRunsPage"), "DagRunsPage"),
});
const dagCode = createRoute({
  getParentRoute: () => dag,
  path: "/dags/$dagId/code",
  staticData: { crumb: "Code" },
  component: page(() => import("./pages/DagCodePage"), "DagCodePage"),
});
const dagEvents = createRoute({
  getParentRoute: () => dag,
  path: "/dags/$dagId/events",
  staticData: { crumb: "Events" },
  component: page(() => import("./pages/DagEventsPage"), "DagEventsPage"),
});
const dagDetails = createRoute({
  getParentRoute: () => dag,
  path: "/dags/$dagId/details",
  staticData: { crumb: "Details" },
  component: page(() => import("./pages/DagDetailsPage"), "DagDetailsPage"),
});
const trigger = createRoute({
  getParentRoute: () => shell,
  path: "/dags/$dagId/trigger",
  staticData: { crumb: "Trigger" },
  component: page(() => import("./pages/TriggerPage"), "TriggerPage"),
});

// --- a run ---

const run = createRoute({
  getParentRoute: () => shell,
  id: "run",
  component: page(() => import("./pages/RunLayout"), "RunLayout"),
});

const runTasks = createRoute({
  getParentRoute: () => run,
  path: "/dags/$dagId/runs/$runId",
  component: page(() => import("./pages/RunTasksPage"), "RunTasksPage"),
});
const runGraph = createRoute({
  getParentRoute: () => run,
  path: "/dags/$dagId/runs/$runId/graph",
  staticData: { crumb: "Graph" },
  component: page(() => import("./pages/RunGraphPage"), "RunGraphPage"),
});
const runGantt = createRoute({
  getParentRoute: () => run,
  path: "/dags/$dagId/runs/$runId/gantt",
  staticData: { crumb: "Gantt" },
  component: page(() => import("./pages/RunGanttPage"), "RunGanttPage"),
});
const runDetails = createRoute({
  getParentRoute: () => run,
  path: "/dags/$dagId/runs/$runId/details",
  staticData: { crumb: "Details" },
  component: page(() => import("./pages/RunDetailsPage"), "RunDetailsPage"),
});
const runCallbacks = createRoute({
  getParentRoute: () => run,
  path: "/dags/$dagId/runs/$runId/callbacks",
  staticData: { crumb: "Callbacks" },
  component: page(() => import("./pages/RunCallbacksPage"), "RunCallbacksPage"),
});
const runEvents = createRoute({
  getParentRoute: () => run,
  path: "/dags/$dagId/runs/$runId/events",
  staticData: { crumb: "Events" },
  component: page(() => import("./pages/RunEventsPage"), "RunEventsPage"),
});

// --- a task instance: ?map_index= and ?try= ---

const task = createRoute({
  getParentRoute: () => shell,
  id: "task",
  component: page(() => import("./pages/TaskLayout"), "TaskLayout"),
});

const taskLog = createRoute({
  getParentRoute: () => task,
  path: "/dags/$dagId/runs/$runId/tasks/$taskId",
  component: page(() => import("./pages/TaskLogPage"), "TaskLogPage"),
});
const taskRendered = createRoute({
  getParentRoute: () => task,
  path: "/dags/$dagId/runs/$runId/tasks/$taskId/rendered",
  staticData: { crumb: "Rendered" },
  component: page(() => import("./pages/TaskRenderedPage"), "TaskRenderedPage"),
});
const taskXcom = createRoute({
  getParentRoute: () => task,
  path: "/dags/$dagId/runs/$runId/tasks/$taskId/xcom",
  staticData: { crumb: "XCom" },
  component: page(() => import("./pages/TaskXcomPage"), "TaskXcomPage"),
});
const taskTries = createRoute({
  getParentRoute: () => task,
  path: "/dags/$dagId/runs/$runId/tasks/$taskId/tries",
  staticData: { crumb: "Tries" },
  component: page(() => import("./pages/TaskTriesPage"), "TaskTriesPage"),
});
const taskDetails = createRoute({
  getParentRoute: () => task,
  path: "/dags/$dagId/runs/$runId/tasks/$taskId/details",
  staticData: { crumb: "Details" },
  component: page(() => import("./pages/TaskDetailsPage"), "TaskDetailsPage"),
});
const taskCallbacks = createRoute({
  getParentRoute: () => task,
  path: "/dags/$dagId/runs/$runId/tasks/$taskId/callbacks",
  staticData: { crumb: "Callbacks" },
  component: page(() => import("./pages/TaskCallbacksPage"), "TaskCallbacksPage"),
});
const taskEvents = createRoute({
  getParentRoute: () => task,
  path: "/dags/$dagId/runs/$runId/tasks/$taskId/events",
  staticData: { crumb: "Events" },
  component: page(() => import("./pages/TaskEventsPage"), "TaskEventsPage"),
});

// --- across DAGs ---

const browseRuns = createRoute({
  getParentRoute: () => shell,
  path: "/browse/runs",
  staticData: { crumb: "Runs" },
  component: page(() => import("./pages/BrowseRunsPage"), "BrowseRunsPage"),
});
const browseTasks = createRoute({
  getParentRoute: () => shell,
  path: "/browse/tasks",
  staticData: { crumb: "Task instances" },
  component: page(() => import("./pages/BrowseTasksPage"), "BrowseTasksPage"),
});
const browseEvents = createRoute({
  getParentRoute: () => shell,
  path: "/browse/events",
  staticData: { crumb: "Events" },
  component: page(() => import("./pages/BrowseEventsPage"), "BrowseEventsPage"),
});
const browseCallbacks = createRoute({
  getParentRoute: () => shell,
  path: "/browse/callbacks",
  staticData: { crumb: "Callbacks" },
  component: page(() => import("./pages/BrowseCallbacksPage"), "BrowseCallbacksPage"),
});
const browseErrors = createRoute({
  getParentRoute: () => shell,
  path: "/browse/errors",
  staticData: { crumb: "Import errors" },
  component: page(() => import("./pages/BrowseErrorsPage"), "BrowseErrorsPage"),
});

// --- administration ---

const pools = createRoute({
  getParentRoute: () => shell,
  path: "/admin/pools",
  staticData: { crumb: "Pools" },
  component: page(() => import("./pages/PoolsPage"), "PoolsPage"),
});
const variables = createRoute({
  getParentRoute: () => shell,
  path: "/admin/variables",
  staticData: { crumb: "Variables" },
  component: page(() => import("./pages/VariablesPage"), "VariablesPage"),
});
const connections = createRoute({
  getParentRoute: () => shell,
  path: "/admin/connections",
  staticData: { crumb: "Connections" },
  component: page(() => import("./pages/ConnectionsPage"), "ConnectionsPage"),
});
const users = createRoute({
  getParentRoute: () => shell,
  path: "/admin/users",
  staticData: { crumb: "Users" },
  component: page(() => import("./pages/UsersPage"), "UsersPage"),
});
const tokens = createRoute({
  getParentRoute: () => shell,
  path: "/admin/tokens",
  staticData: { crumb: "Tokens" },
  component: page(() => import("./pages/TokensPage"), "TokensPage"),
});
const processes = createRoute({
  getParentRoute: () => shell,
  path: "/admin/processes",
  staticData: { crumb: "Processes" },
  component: page(() => import("./pages/ProcessesPage"), "ProcessesPage"),
});
const config = createRoute({
  getParentRoute: () => shell,
  path: "/admin/config",
  staticData: { crumb: "Configuration" },
  component: page(() => import("./pages/ConfigPage"), "ConfigPage"),
});

// --- the editor: the file's path is the rest of the URL, in params._splat ---

const editor = createRoute({
  getParentRoute: () => shell,
  path: "/edit",
  staticData: { crumb: "Editor" },
});
const editorPage = page(() => import("./pages/EditorPage"), "EditorPage");
const editorFiles = createRoute({ getParentRoute: () => editor, path: "/", component: editorPage });
const editorFile = createRoute({ getParentRoute: () => editor, path: "$", component: editorPage });

const tree = root.addChildren([
  login,
  logout,
  shell.addChildren([
    dags,
    dag.addChildren([
      dagGrid,
      dagGraph,
      dagDuration,
      dagLanding,
      dagGantt,
      dagCalendar,
      dagRuns,
      dagCode,
      dagEvents,
      dagDetails,
    ]),
    trigger,
    run.addChildren([runTasks, runGraph, runGantt, runDetails, runCallbacks, runEvents]),
    task.addChildren([taskLog, taskRendered, taskXcom, taskTries, taskDetails, taskCallbacks, taskEvents]),
    browseRuns,
    browseTasks,
    browseEvents,
    browseCallbacks,
    browseErrors,
    pools,
    variables,
    connections,
    users,
    tokens,
    processes,
    config,
    editor.addChildren([editorFiles, editorFile]),
  ]),
]);

export function createAppRouter(client: QueryClient) {
  return createRouter({
    routeTree: tree,
    context: { client },
    parseSearch,
    stringifySearch,
    defaultPreload: "intent",
    defaultPreloadStaleTime: 0,
    // Ids of runs hold times; these need no escape in a path.
    pathParamsAllowedCharacters: [":", "+", "@"],
    scrollRestoration: true,
    scrollToTopSelectors: ["#main"],
    defaultPendingComponent: () => <Loading />,
    defaultPendingMs: 150,
    defaultErrorComponent: BrokenPage,
  });
}
