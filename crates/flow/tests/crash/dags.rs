//! The DAGs of the crash tests, and how their runs must end.

/// A DAG.
pub(crate) struct Pattern {
    pub(crate) id: &'static str,
    pub(crate) text: &'static str,
    /// How its runs end.
    pub(crate) ends: &'static str,
    /// How its tasks end, in topological order.
    pub(crate) tasks: &'static [(&'static str, &'static str)],
    /// (upstream, downstream): the one is done before the other starts.
    pub(crate) order: &'static [(&'static str, &'static str)],
    /// Runs that may be under way at once.
    pub(crate) max_active_runs: usize,
}

/// The pool that `pooled` uses, and its slots.
pub(crate) const POOL: (&str, i64) = ("three", 3);

/// All of them; those that are triggered.
pub(crate) const PATTERNS: &[Pattern] = &[
    Pattern {
        id: "chain",
        text: r#"
dag_id: chain
max_active_runs: 1000
tasks:
  - { id: a, uses: bash, with: { bash_command: '. "$CRASH/task.sh"; work 0.05' } }
  - { id: b, uses: bash, needs: [a], with: { bash_command: '. "$CRASH/task.sh"; work 0.2' } }
  - { id: c, needs: [b] }
  - { id: d, uses: bash, needs: [c], with: { bash_command: '. "$CRASH/task.sh"; work 0.5' } }
  - { id: e, uses: bash, needs: [d], with: { bash_command: '. "$CRASH/task.sh"; work 0' } }
"#,
        ends: "success",
        tasks: &[("a", "success"), ("b", "success"), ("c", "success"), ("d", "success"), ("e", "success")],
        order: &[("a", "b"), ("b", "d"), ("d", "e")],
        max_active_runs: usize::MAX,
    },
    Pattern {
        id: "diamond",
        text: r#"
dag_id: diamond
max_active_runs: 1000
max_active_tasks: 2
tasks:
  - { id: a, uses: bash, with: { bash_command: '. "$CRASH/task.sh"; hold "$FLOW_CTX_RUN_ID" 2; work 0.05' } }
  - { id: b, uses: bash, needs: [a], with: { bash_command: '. "$CRASH/task.sh"; hold "$FLOW_CTX_RUN_ID" 2; work 0.1' } }
  - { id: c, uses: bash, needs: [a], with: { bash_command: '. "$CRASH/task.sh"; hold "$FLOW_CTX_RUN_ID" 2; work 0.3' } }
  - { id: d, uses: bash, needs: [a], with: { bash_command: '. "$CRASH/task.sh"; hold "$FLOW_CTX_RUN_ID" 2; work 0.2' } }
  - { id: e, uses: bash, needs: [b, c, d], with: { bash_command: '. "$CRASH/task.sh"; hold "$FLOW_CTX_RUN_ID" 2; work 0.05' } }
"#,
        ends: "success",
        tasks: &[("a", "success"), ("b", "success"), ("c", "success"), ("d", "success"), ("e", "success")],
        order: &[("a", "b"), ("a", "c"), ("a", "d"), ("b", "e"), ("c", "e"), ("d", "e")],
        max_active_runs: usize::MAX,
    },
    Pattern {
        id: "pooled",
        text: r#"
dag_id: pooled
max_active_runs: 1000
tasks:
  - { id: a, uses: bash, pool: three, with: { bash_command: '. "$CRASH/task.sh"; hold three 3; work 0.1' } }
  - { id: b, uses: bash, pool: three, with: { bash_command: '. "$CRASH/task.sh"; hold three 3; work 0.05' } }
  - { id: alone, uses: bash, needs: [a, b], max_active_tis_per_dag: 1, with: { bash_command: '. "$CRASH/task.sh"; hold alone 1; work 0.05' } }
"#,
        ends: "success",
        tasks: &[("a", "success"), ("b", "success"), ("alone", "success")],
        order: &[("a", "alone"), ("b", "alone")],
        max_active_runs: usize::MAX,
    },
    Pattern {
        id: "mixed",
        text: r#"
dag_id: mixed
max_active_runs: 1000
tasks:
  - id: leaves_daemons
    uses: bash
    with:
      bash_command: |
        . "$CRASH/task.sh"
        setsid sleep 600 &
        (trap '' TERM; sleep 600) &
        work 0.1
  - id: fails_first
    uses: bash
    needs: [leaves_daemons]
    retries: 1
    retry_delay: 1s
    with: { bash_command: '. "$CRASH/task.sh"; if once failed; then exit 1; fi; work 0.05' }
  - { id: choose, uses: branch, needs: [leaves_daemons], with: { choose: right } }
  - { id: left, uses: bash, needs: [choose], with: { bash_command: '. "$CRASH/task.sh"; work 0' } }
  - { id: right, uses: bash, needs: [choose], with: { bash_command: '. "$CRASH/task.sh"; work 0.1; touch "$CRASH/marks/$FLOW_CTX_RUN_ID.seen"' } }
  - { id: waits, uses: bash_sensor, needs: [leaves_daemons], with: { bash_command: 'test -e "$CRASH/marks/$FLOW_CTX_RUN_ID.seen"', poke_interval: 0.3, timeout: 1h } }
  - { id: after, uses: bash, needs: [waits], with: { bash_command: '. "$CRASH/task.sh"; work 0' } }
"#,
        ends: "success",
        tasks: &[
            ("leaves_daemons", "success"),
            ("fails_first", "success"),
            ("choose", "success"),
            ("left", "skipped"),
            ("right", "success"),
            ("waits", "success"),
            ("after", "success"),
        ],
        order: &[("leaves_daemons", "right"), ("leaves_daemons", "fails_first"), ("leaves_daemons", "after")],
        max_active_runs: usize::MAX,
    },
    Pattern {
        id: "failing",
        text: r#"
dag_id: failing
max_active_runs: 2
tasks:
  - { id: before, uses: bash, with: { bash_command: '. "$CRASH/task.sh"; work 0' } }
  - { id: fails, uses: bash, needs: [before], with: { bash_command: '. "$CRASH/task.sh"; say end; exit 1' } }
  - { id: never, uses: bash, needs: [fails], with: { bash_command: '. "$CRASH/task.sh"; work 0' } }
  - { id: always, uses: bash, needs: [fails], trigger_rule: all_done, with: { bash_command: '. "$CRASH/task.sh"; work 0' } }
"#,
        ends: "failed",
        tasks: &[("before", "success"), ("fails", "failed"), ("never", "upstream_failed"), ("always", "success")],
        order: &[("before", "fails"), ("fails", "always")],
        max_active_runs: 2,
    },
];

/// One that runs by its timetable.
pub(crate) const TICKS: Pattern = Pattern {
    id: "ticks",
    text: r#"
dag_id: ticks
schedule: "*/3 * * * * *"
start_date: 2026-01-01
max_active_runs: 1
tasks:
  - { id: tick, uses: bash, with: { bash_command: '. "$CRASH/task.sh"; work 0.05' } }
"#,
    ends: "success",
    tasks: &[("tick", "success")],
    order: &[],
    max_active_runs: 1,
};

/// Returns a DAG by its id.
pub(crate) fn pattern(id: &str) -> Option<&'static Pattern> {
    PATTERNS.iter().chain([&TICKS]).find(|pattern| pattern.id == id)
}
