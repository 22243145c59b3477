//! Hostile and enormous documents: an answer, soon, and no panic.

use super::support::{complains, good, read, read_with, shown};

#[test]
fn a_file_beyond_the_limit_is_not_read() {
    let text = format!("dag_id: d\n# {}\n", "x".repeat(2 * 1024 * 1024));
    assert_eq!(shown(&read(&text)), ["0:0 the file has 2097165 bytes, more than the limit of 1 MiB"]);
}

#[test]
fn an_alias_bomb_is_stopped() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let inner = vec![format!("*a{}", level - 1); 10].join(", ");
        text.push_str(&format!("a{level}: &a{level} [{inner}]\n"));
    }
    let all = shown(&read(&text));
    assert_eq!(all.len(), 1, "{all:?}");
    assert!(all[0].ends_with("the aliases of this file stand for more than 100000 nodes"), "{all:?}");
}

#[test]
fn a_bomb_of_long_texts_is_stopped() {
    let text = format!("a: &a {}\nb: [{}]\n", "x".repeat(500_000), vec!["*a"; 1000].join(", "));
    let all = shown(&read(&text));
    assert!(all[0].ends_with("the aliases of this file stand for more than 100000 nodes"), "{all:?}");
}

#[test]
fn a_bomb_of_merges_is_stopped() {
    let mut text = String::from("m0: &m0 {a: 1, b: 2, c: 3, d: 4}\n");
    for level in 1..40 {
        text.push_str(&format!("m{level}: &m{level} {{<<: *m{0}, k{level}: [*m{0}, *m{0}]}}\n", level - 1));
    }
    let all = shown(&read(&text));
    assert!(all[0].contains("100000 nodes") || all[0].contains("64 deep"), "{all:?}");
}

#[test]
fn a_bomb_of_nested_anchors_is_stopped() {
    let open: String = (0..60).map(|level| format!("&a{level} [")).collect();
    let text = format!("a: {open}{}{}\n", "1,".repeat(50_000), "]".repeat(60));
    assert_eq!(shown(&read(&text)), ["1:347 the anchors of this file hold more than 100000 nodes"]);
    let within = format!("dag_id: d\nparams: {{p: &p [&a [{}]], q: *p}}\ntasks: [{{id: x}}]\n", "1,".repeat(40_000));
    good(&within);
}

#[expect(clippy::disallowed_methods, reason = "measures")]
#[test]
fn thousands_of_merges_into_a_large_map_are_read_soon() {
    let started = std::time::Instant::now();
    let keys: String = (0..20_000).map(|ix| format!("k{ix}: 1, ")).collect();
    let text = format!("dag_id: d\nparams: {{{keys}<<: [{}{{last: 1}}]}}\ntasks: [{{id: x}}]\n", "{},".repeat(100_000));
    let dag = good(&text);
    assert_eq!((dag.params.len(), dag.params.contains_key("last")), (20_001, true));
    let took = started.elapsed();
    assert!(took.as_secs() < 20, "took {took:?}");
}

#[test]
fn deep_nesting_is_stopped() {
    for text in ["[".repeat(100_000), "{a: ".repeat(100_000), "- ".repeat(100_000)] {
        let all = shown(&read(&text));
        assert_eq!(all.len(), 1, "{all:?}");
        assert!(all[0].ends_with("lists and maps are nested more than 64 deep"), "{all:?}");
    }
    let mut text = String::new();
    for level in 0..100_000 / 200 {
        text.push_str(&" ".repeat(level));
        text.push_str("a:\n");
    }
    assert!(shown(&read(&text))[0].ends_with("nested more than 64 deep"));
    let within = format!("dag_id: d\nparams: {{p: {}{}}}\ntasks: [{{id: x}}]\n", "[".repeat(60), "]".repeat(60));
    good(&within);
}

#[test]
fn aliases_do_not_nest_deeper_than_the_limit() {
    let deep = |inner: &str| format!("{}{inner}{}", "[".repeat(40), "]".repeat(40));
    let text = format!("a: &a {}\nb: &b {}\n", deep("x"), deep("*a"));
    assert_eq!(shown(&read(&text)), ["2:47 lists and maps are nested more than 64 deep"]);
}

#[test]
fn fragments_that_extend_each_other_many_times_cost_little() {
    let mut text = String::from("dag_id: d\ntemplates:\n  t0: {retries: 1}\n");
    for level in 1..30 {
        let base = format!("t{}", level - 1);
        text.push_str(&format!("  t{level}: {{extends: [{base}, u{level}]}}\n  u{level}: {{extends: {base}}}\n"));
    }
    text.push_str("tasks: [{id: x, extends: t29}]\n");
    assert_eq!(good(&text).tasks[0].retry.retries, 1);
}

#[test]
fn a_template_is_extended_once() {
    complains(
        "dag_id: d\ntemplates:\n  a: {}\n  b: {extends: [a, a]}\ntasks: [{id: x, extends: [a, b, a, a]}]\n",
        &["4:20 template `a` is named twice", "5:33 template `a` is named twice", "5:36 template `a` is named twice"],
    );
}

const TOO_MUCH: &str = "the tasks of this file hold more than 32 MiB (what `extends`, `default_args` and `$f` bring counts \
                        in each task; let the tasks read long texts from a file when they run)";

#[test]
fn what_tasks_take_over_is_bounded() {
    let (long, ids) = ("x".repeat(300_000), 0..1_000);
    let tasks = |keys: &str| ids.clone().map(|ix| format!("- {{id: t{ix}, {keys}}}\n")).collect::<String>();
    let numbers = (0..40_000).map(|number| format!("{number},")).collect::<String>();
    let by = |head: &str, keys: &str| format!("dag_id: d\n{head}\ntasks:\n{}", tasks(keys));
    for (text, place) in [
        (by(&format!("templates: {{t: {{uses: bash, with: {{bash_command: {long}}}}}}}"), "extends: t"), "2:50"),
        (by(&format!("default_args: {{bash_command: {long}}}"), "uses: bash"), "2:30"),
        (by(&format!("default_args: {{doc_md: {long}}}"), "retries: 1"), "2:24"),
        (by(&format!("templates: {{t: {{uses: branch, with: {{choose: [{numbers}]}}}}}}"), "extends: t"), "2:46"),
        (by(&format!("templates: {{t: {{needs: [{numbers}]}}}}"), "extends: t"), "2:24"),
    ] {
        let parsed = read(&text);
        let last = shown(&parsed).pop().unwrap();
        assert_eq!(last, format!("{place} {TOO_MUCH}"));
        assert!(parsed.dags.is_empty());
    }
    // The file's documents share the bound.
    let document = |id: &str| {
        let tasks: String = (0..100).map(|ix| format!("- {{id: t{ix}, extends: t}}\n")).collect();
        let with = "x".repeat(200_000);
        format!("dag_id: {id}\ntemplates: {{t: {{uses: bash, with: {{bash_command: {with}}}}}}}\ntasks:\n{tasks}")
    };
    let parsed = read(&[document("a"), document("b")].join("---\n"));
    assert_eq!(shown(&parsed), [format!("106:50 {TOO_MUCH}")]);
    assert_eq!(parsed.dags.len(), 1);
}

#[test]
fn a_file_that_many_tasks_name_is_bounded() {
    let content = "x".repeat(1 << 20);
    let tasks: String =
        (0..100).map(|ix| format!("- {{id: t{ix}, uses: bash, with: {{bash_command: {{$f: a.sh}}}}}}\n")).collect();
    let parsed = read_with(&format!("dag_id: d\ntasks:\n{tasks}"), &[("a.sh", Ok(&content))]);
    assert_eq!(shown(&parsed), [format!("34:51 {TOO_MUCH}")]);
    let one =
        format!("dag_id: d\ntasks: [{{id: x, uses: branch, with: {{choose: [{}]}}}}]", "{$f: a.sh},".repeat(9_000));
    assert_eq!(shown(&read_with(&one, &[("a.sh", Ok(&content))])).len(), 1);
}

#[test]
fn fragments_that_extend_a_large_one_are_bounded() {
    let large: String = (0..20_000).map(|ix| format!("a{ix}: 1, ")).collect();
    let others: String = (0..20_000).map(|ix| format!("  t{ix}: {{extends: t}}\n")).collect();
    let text = format!("dag_id: d\ntemplates:\n  t: {{with: {{{large}}}}}\n{others}tasks: [{{id: x}}]\n");
    let all = shown(&read(&text));
    assert!(all.len() == 1 && all[0].ends_with(TOO_MUCH), "{all:?}");
}

#[expect(clippy::disallowed_methods, reason = "measures")]
#[test]
fn names_that_are_repeated_cost_nothing() {
    let started = std::time::Instant::now();
    let tasks: String = (0..300).map(|ix| format!("- {{id: a{ix}, group: a}}\n- {{id: b{ix}, group: b}}\n")).collect();
    let needs = "a, ".repeat(200_000);
    let parsed = read(&format!("dag_id: d\ntask_groups: {{a: {{}}, b: {{needs: [{needs}]}}}}\ntasks:\n{tasks}"));
    assert_eq!(shown(&parsed), ["2:37 warning: `a` is named twice in `needs`"]);
    assert_eq!(parsed.dags[0].dag.tasks.iter().map(|task| task.upstream.len()).sum::<usize>(), 300 * 300);
    let took = started.elapsed();
    assert!(took.as_secs() < 20, "took {took:?}");
}

#[test]
fn edges_that_are_drawn_again_count() {
    // Each of the inner groups' leaves are the outer group's too.
    let groups: String = (0..40).map(|ix| format!("  g{ix}: {{parent: g{}}}\n", ix + 1)).collect();
    let names: Vec<String> = (0..=40).map(|ix| format!("g{ix}")).collect();
    let tasks: String = (0..200).map(|ix| format!("- {{id: a{ix}, group: g0}}\n- {{id: b{ix}, group: b}}\n")).collect();
    let needs = names.join(", ");
    let parsed =
        read(&format!("dag_id: d\ntask_groups:\n  b: {{needs: [{needs}]}}\n  g40: {{}}\n{groups}tasks:\n{tasks}"));
    assert_eq!(shown(&parsed), ["3:130 the DAGs of this file have more than 1000000 dependencies"]);
}

#[test]
fn too_many_tasks_are_refused() {
    let tasks: String = (0..10_001).map(|ix| format!("- id: t{ix}\n")).collect();
    complains(&format!("dag_id: d\ntasks:\n{tasks}"), &["2:1 a DAG may have 10000 tasks, and this has 10001"]);
}

#[expect(clippy::disallowed_methods, reason = "measures")]
#[test]
fn the_largest_dags_are_read_in_a_second() {
    let started = std::time::Instant::now();
    let chain: String = (1..10_000).map(|ix| format!("- {{id: t{ix}, needs: [t{}]}}\n", ix - 1)).collect();
    let dag = good(&format!("dag_id: d\ntasks:\n- id: t0\n{chain}"));
    assert_eq!((dag.tasks.len(), dag.tasks[0].priority_weight), (10_000, 10_000));
    // Far below a second on a quiet machine; the bound leaves room for a busy one.
    let took = started.elapsed();
    assert!(took.as_secs() < 10, "took {took:?}");
}

#[test]
fn a_cycle_of_all_tasks_is_shown_shortened() {
    let chain: String = (1..1_000).map(|ix| format!("- {{id: t{ix}, needs: [t{}]}}\n", ix - 1)).collect();
    let all = shown(&read(&format!("dag_id: d\ntasks:\n- {{id: t0, needs: [t999]}}\n{chain}")));
    assert_eq!(
        all,
        ["3:20 dependency cycle: t0 → t1 → t2 → t3 → t4 → t5 → … 989 more … → t995 → t996 → t997 → t998 → t999 → t0"]
    );
}

#[test]
fn groups_whose_product_is_too_large_are_refused() {
    let tasks: String =
        (0..5_000).map(|ix| format!("- {{id: a{ix}, group: a}}\n- {{id: b{ix}, group: b}}\n")).collect();
    let parsed = read(&format!("dag_id: d\ntask_groups: {{a: {{}}, b: {{needs: [a]}}}}\ntasks:\n{tasks}"));
    assert_eq!(shown(&parsed), ["2:34 the DAGs of this file have more than 1000000 dependencies"]);
}

#[test]
fn no_cut_of_a_document_makes_a_panic() {
    let text = "# ä\n$schema: urn:flow:dag:1\ndag_id: d\nparams: {p: {default: 1, type: integer}}\ndefault_args: &d {retries: 1}\n\
                templates: {t: {<<: *d, uses: bash, with: {bash_command: |\n  a\n  {{ b }}\n}}}\ntask_groups: {g: {}}\n\
                tasks:\n- {id: a, extends: t, group: g}\n- id: 'bü'\n  needs: [g, a]\n  uses: bash\n  with:\n    bash_command: >-\n      x\n\n      {{ y }}\n    env: {A: {$x: a}}\n";
    for at in (0..=text.len()).filter(|at| text.is_char_boundary(*at)) {
        for (start, end) in [(0, at), (at, text.len())] {
            let cut = &text[start..end];
            for complaint in read(cut).diagnostics {
                let shown = complaint.render("x.yaml", cut, true);
                assert!(!shown.is_empty());
            }
        }
    }
}

#[test]
fn no_changed_byte_of_a_document_makes_a_panic() {
    let text = "dag_id: d\nparams: {p: {default: 1}}\ntasks:\n- id: a\n  uses: bash\n  with: {bash_command: 'x', env: {A: 1}}\n- id: b\n  needs: [a]\n";
    for at in 0..text.len() {
        for byte in *b"\t\n:-{}[]'\"&*!|>%@#,?0 " {
            let mut changed = text.as_bytes().to_vec();
            changed[at] = byte;
            let changed = String::from_utf8(changed).unwrap();
            for complaint in read(&changed).diagnostics {
                complaint.render("x.yaml", &changed, false);
            }
        }
    }
}

/// Complaints about these would take hours if each looked at everything.
#[test]
fn thousands_of_mistakes_are_answered_soon() {
    let many = |line: &dyn Fn(usize) -> String, count: usize| (0..count).map(line).collect::<String>();
    let tasks = |keys: &dyn Fn(usize) -> String| {
        format!("dag_id: d\ntasks:\n{}", many(&|ix| format!("- {{id: task_{ix}, {}}}\n", keys(ix)), 10_000))
    };
    for text in [
        many(&|ix| format!("a{ix}: 1\n"), 90_000),
        format!("dag_id: d\n{}", many(&|ix| format!("schedul{ix}: 1\n"), 50_000)),
        format!("dag_id: d\ntasks:\n- id: x\n{}", many(&|ix| format!("  retrie{ix}: 1\n"), 40_000)),
        format!(
            "dag_id: d\ntasks:\n- id: x\n  uses: bash\n  with:\n{}",
            many(&|ix| format!("    bash{ix}: 1\n"), 40_000)
        ),
        many(&|_| "dag_id: d\n".to_owned(), 50_000),
        tasks(&|ix| format!("needs: [tsk_{ix}]")),
        tasks(&|ix| format!("group: grup_{ix}")),
        tasks(&|ix| format!("extends: tmplate_{ix}")),
        tasks(&|ix| format!("needs: [task_{ix}]")),
        tasks(&|ix| format!("uses: bsh{ix}")),
        tasks(&|ix| format!("needs: [task_{}]", (ix + 1) % 10_000)),
        tasks(&|ix| format!("needs: [task_{}]", ix ^ 1)),
        format!("task_groups:\n{}tasks: []\n", many(&|ix| format!("  g{ix}: {{parent: g{}}}\n", ix + 1), 9_000)),
        format!("task_groups:\n{}tasks: []\n", many(&|ix| format!("  g{ix}: {{parent: g{}}}\n", ix / 2), 9_000)),
        format!("templates:\n{}tasks: []\n", many(&|ix| format!("  t{ix}: {{extends: t{}}}\n", ix + 1), 9_000)),
        format!(
            "tasks:\n- id: x\n  uses: branch\n  with:\n    choose:\n{}",
            many(&|ix| format!("    - a{ix}\n"), 40_000)
        ),
        "--- [\n".repeat(50_000),
        "- [\n".repeat(50_000),
        "a: *b\n--- \n".repeat(50_000),
        "\t".repeat(500_000),
    ] {
        let complaints = read(&text).diagnostics.len();
        assert!(complaints <= 201, "{complaints}");
    }
}
