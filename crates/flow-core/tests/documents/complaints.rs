//! Bad documents: each complaint with its words and its place, all at once.

use super::support::{complains, read, read_with, shown, task_complains};

#[test]
fn all_complaints_of_a_file_come_at_once() {
    complains(
        "dag_id: d\nschedul: '@daily'\ntasks:\n- id: a\n  uses: bsh\n  retries: soon\n- id: b\n  needs: [aa]\n  pool_slots: 0\n",
        &[
            "2:1 unknown key `schedul` of a DAG (did you mean `schedule`?)",
            "5:9 unknown operator `bsh` (did you mean `bash`?)",
            "6:12 `retries` must be a whole number, 0 or more, not `soon`",
            "8:11 task `b` depends on `aa`, which does not exist",
            "9:15 `pool_slots` must be a whole number, 1 or more, not `0`",
        ],
    );
}

#[test]
fn syntax_errors_have_their_place_and_plain_words() {
    for (text, expected) in [
        ("a: b\n c: d\n", "2:3 a `:` cannot stand here (check the indentation; a text with `: ` in it needs quotes)"),
        ("a: b: c\n", "1:5 a `:` cannot stand here (check the indentation; a text with `: ` in it needs quotes)"),
        ("tasks:\n\t- id: a\n", "2:1 a tab cannot be used to indent (use spaces)"),
        ("tasks:\n- id: a\n \tuses: bash\n", "3:2 a tab cannot be used to indent (use spaces)"),
        ("a: [1,\nb: 2\n", "1:4 `[` is not closed"),
        ("a: {b: 1\n", "1:4 `{` is not closed"),
        ("a: 'x\n", "1:5 a quote is not closed"),
        ("a: ]\n", "1:4 this bracket was never opened"),
        ("a: [1}\n", "1:4 `[` cannot be closed with `}`"),
        ("x: @foo\n", "1:4 a value cannot start with `@` (put the value in quotes)"),
        (
            "a: \"\\q\"\n",
            "1:4 unknown escape in a text in double quotes (write `\\\\` for a backslash, or use single quotes)",
        ),
        ("a: 1\nfoo bar\nc: 2\n", "2:1 expected `key: value` here (is there a `:` missing, or the indentation wrong?)"),
        (
            "a: {{ ds }}\n",
            "1:5 a value that starts with `{{` needs quotes (put the whole value in quotes: \"{{ … }}\")",
        ),
        ("? [a]\n: b\n", "1:3 a key must be text"),
        (
            "a: *no\n",
            "1:4 alias `*no` is not defined before here (write `&name` before the value that it stands for, or put the text in quotes)",
        ),
        ("a: !foo 1\n", "1:9 tag `!foo` is not supported (only `!!str`, `!!int`, `!!float`, `!!bool`, `!!null`)"),
        ("a: !!int x\n", "1:10 this does not fit its tag `!!int`"),
        ("a: &x [*x]\n", "1:8 an alias cannot stand inside the value it names"),
    ] {
        let parsed = read(text);
        assert_eq!(shown(&parsed), [expected], "in\n{text}");
        assert!(parsed.dags.is_empty());
    }
}

#[test]
fn duplicate_keys_and_undefined_aliases_are_all_found() {
    complains(
        "dag_id: d\ntags: [a]\ntags: [b]\ntasks:\n- id: x\n  retries: 1\n  pool: *p\n  retries: 2\n",
        &[
            "3:1 key `tags` is there twice (the first is on line 2)",
            "7:9 alias `*p` is not defined before here (write `&name` before the value that it stands for, or put the text in quotes)",
            "7:3 `pool` has no value",
            "8:3 key `retries` is there twice (the first is on line 6)",
        ]
        .iter()
        .copied()
        .filter(|line| !line.contains("`pool`"))
        .collect::<Vec<_>>(),
    );
}

#[test]
fn a_syntax_error_in_one_document_does_not_hide_the_next() {
    let parsed =
        read("dag_id: a\ntasks: [\n---\ndag_id: b\ntasks:\n- id: x\n---\ndag_id: c\ntasks:\n- id: y\n  uses: bsh\n");
    assert_eq!(shown(&parsed), ["2:8 `[` is not closed", "11:9 unknown operator `bsh` (did you mean `bash`?)"]);
    assert_eq!(parsed.dags.len(), 1);
    assert_eq!((parsed.dags[0].dag.id.as_str(), parsed.dags[0].document, parsed.dags[0].line), ("b", 1, 4));
}

#[test]
fn keys_in_the_wrong_place_say_where_they_belong() {
    task_complains(
        "uses: bash\nbash_command: echo\nwith: {bash_command: x}",
        "5:3 `bash_command` is an argument of the operator `bash`, not of the task (move it under `with`)",
    );
    task_complains(
        "uses: file_sensor\npoke_interval: 5\nwith: {filepath: x}",
        "5:3 `poke_interval` is an argument of the operator `file_sensor`, not of the task (move it under `with`)",
    );
    task_complains(
        "uses: bash\nwith: {bash_command: x, retries: 3}",
        "5:27 `retries` is a key of the task, not an argument of the operator `bash` (move it out of `with`, beside `uses`)",
    );
    complains(
        "dag_id: d\nretries: 3\ntasks: [{id: x}]\n",
        &["2:1 `retries` is a key of tasks, not of the DAG (move it under `default_args`, or into a task)"],
    );
    task_complains("depends_on: [a]", "4:3 unknown key `depends_on` of a task (upstream tasks are listed in `needs`)");
    task_complains("executor: x", "4:3 `executor` is an argument of Airflow's tasks that Flow does not have");
    complains(
        "$schema: https://airflow.apache.org/schemas/dag/2026-10-30.json\ndag_id: d\naccess_control: {}\nschedule: null\ntasks: [{id: x}]\n",
        &["3:1 `access_control` is an argument of Airflow's DAGs that Flow does not have"],
    );
    task_complains(
        "uses: bash\nbash_comand: echo\nwith: {bash_command: x}",
        "5:3 unknown key `bash_comand` of a task (did you mean `bash_command`, under `with`?)",
    );
}

#[test]
fn values_of_a_wrong_type_say_what_was_expected() {
    for (keys, expected) in [
        ("retries: -1", "4:12 `retries` must be a whole number, 0 or more, not `-1`"),
        ("retries: 1.5", "4:12 `retries` must be a whole number, 0 or more, not `1.5`"),
        ("retries: '2'", "4:12 `retries` must be a whole number, 0 or more, not `2`"),
        ("retries:", "4:3 `retries` has no value"),
        ("retries: 5000000000", "4:12 `retries` must be a whole number below 2^32, not `5000000000`"),
        ("depends_on_past: yes", "4:20 `depends_on_past` must be `true` or `false`, not `yes` (write `true`)"),
        ("depends_on_past: [true]", "4:20 `depends_on_past` must be `true` or `false`, not a list"),
        ("owner: true", "4:10 `owner` must be text, not `true` (put it in quotes)"),
        ("owner: {a: b}", "4:10 `owner` must be text, not a map"),
        ("pool: ''", "4:9 `pool` must be a name of 1 to 256 characters, not an empty text"),
        ("needs: a", "4:10 `needs` must be a list of texts, not `a` (write `[a]`)"),
        ("needs: [[a]]", "4:11 `needs` must be a list of texts, and this is a list"),
        ("trigger_rule: all_sucess", "4:17 `trigger_rule` cannot be `all_sucess` (did you mean `all_success`?)"),
        ("weight_rule: none", "4:16 `weight_rule` cannot be `none` (there are: `downstream`, `upstream`, `absolute`)"),
        ("retry_delay: soon", "4:16 `retry_delay` must be a duration such as `5m` or `1h30m`, not `soon`"),
        ("retry_delay: -5", "4:16 `retry_delay` must be a duration such as `5m`, `1h30m` or `PT5M`, not `-5`"),
        ("execution_timeout: 0", "4:22 `execution_timeout` must be longer than 0, not `0`"),
        (
            "retry_exponential_backoff: 0.5",
            "4:30 `retry_exponential_backoff` must be `true`, `false` or a factor of 1 or more, not `0.5`",
        ),
        ("max_active_tis_per_dag: 0", "4:27 `max_active_tis_per_dag` must be a whole number, 1 or more, not `0`"),
        (
            "retry_on: {exit_codes: [1, x]}",
            "4:30 `exit_codes` takes whole numbers from -2147483648 to 2147483647, not `x`",
        ),
        ("retry_on: {http_status: [99]}", "4:28 `http_status` takes whole numbers from 100 to 599, not `99`"),
        ("retry_on: {exit_code: [1]}", "4:14 unknown key `exit_code` of `retry_on` (did you mean `exit_codes`?)"),
        ("with: [a]", "4:9 `with` must be a map, not a list"),
        ("params: 5", "4:11 `params` must be a map, not `5`"),
        ("doc_md: {$f: x}", "4:12 `$f` may only stand inside `with`"),
    ] {
        let parsed = read(&format!("dag_id: d\ntasks:\n- id: x\n  {keys}\n"));
        assert_eq!(shown(&parsed).first().map(String::as_str), Some(expected), "{keys}");
    }
}

#[test]
fn keys_of_the_dag_are_checked() {
    for (keys, expected) in [
        ("timezone: Europe/Berln", "2:11 unknown time zone `Europe/Berln` (did you mean `Europe/Berlin`?)"),
        ("timezone: mars", "2:11 unknown time zone `mars` (write an IANA name such as `Europe/Berlin`)"),
        (
            "start_date: tomorrow",
            "2:13 `start_date` must be a time such as `2026-01-31` or `2026-01-31T06:00:00+01:00`, not `tomorrow`",
        ),
        (
            "start_date: 2026-02-30",
            "2:13 `start_date` must be a time such as `2026-01-31` or `2026-01-31T06:00:00+01:00`, not `2026-02-30`",
        ),
        (
            "start_date: 20260101",
            "2:13 `start_date` must be a date or time such as `2026-01-01` or `2026-01-01T06:00:00+01:00`, not `20260101`",
        ),
        ("catchup: on", "2:10 `catchup` must be `true` or `false`, not `on` (write `true`)"),
        ("max_active_runs: 0", "2:18 `max_active_runs` must be a whole number, 1 or more, not `0`"),
        ("tags: one", "2:7 `tags` must be a list of texts, not `one` (write `[one]`)"),
        (
            "overlap_policy: drop",
            "2:17 `overlap_policy` cannot be `drop` (there are: `queue`, `skip`, `cancel_running`)",
        ),
        (
            "dagrun_timeout: 5 minutes",
            "2:17 `dagrun_timeout` must be a duration such as `5m` or `1h30m`, not `5 minutes`",
        ),
        (
            "owner_links: {me: x}",
            "2:19 `me` must be a link such as `https://example.com/team` or `mailto:team@example.com`, not `x`",
        ),
        ("owner_links: {me: 'mailto:a@b.c'}", ""),
        ("schedule_interval: '@daily'", "2:1 unknown key `schedule_interval` of a DAG (it is called `schedule`)"),
        (
            "schedule: {assets: [a]}",
            "2:12 `assets` cannot be used: this version of Flow does not have schedules on assets",
        ),
        ("schedule: {kafka: {topic: t}}", "2:19 needs `group_id`"),
        ("schedule: {any: a}", "2:17 `any` must be a list, not `a`"),
        ("deadline: {}", "2:1 `deadline` cannot be used: this version of Flow does not have deadlines"),
        ("default_args: {id: x}", "2:16 `id` cannot stand in `default_args`"),
        (
            "default_args: {retrys: 1}",
            "2:16 unknown key `retrys` in `default_args`: no task or operator takes it (did you mean `retries`?)",
        ),
        ("default_args: {retries: x}", "2:25 `retries` must be a whole number, 0 or more, not `x`"),
        ("templates: {t: 5}", "2:16 `t` must be a map of task keys, not `5`"),
        ("templates: {t: {retries: x}}", "2:26 `retries` must be a whole number, 0 or more, not `x`"),
        ("templates: {t: {extends: u}}", "2:26 template `u` does not exist (there is only `t`)"),
        ("templates: {t: {extends: [u]}, u: {extends: t}}", "2:45 templates extend each other in a circle: t → u → t"),
    ] {
        let parsed = read(&format!("dag_id: d\n{keys}\ntasks: [{{id: x}}]\n"));
        let all = shown(&parsed);
        match expected {
            "" => assert_eq!(all, Vec::<String>::new(), "{keys}"),
            _ => assert_eq!(all, [expected], "{keys}"),
        }
    }
}

#[test]
fn ids_have_their_form() {
    task_complains("id: y", "4:3 key `id` is there twice (the first is on line 3)");
    complains("dag_id: a b\ntasks: [{id: x}]\n", &["1:9 `dag_id` may hold letters, digits, `-`, `_` and `.`, not ` `"]);
    complains("dag_id: ''\ntasks: [{id: x}]\n", &["1:9 `dag_id` has no value"]);
    complains(
        "dag_id: d\ntasks: [{id: a/b}, {}]\n",
        &["2:14 `id` may hold letters, digits, `-`, `_` and `.`, not `/`", "2:20 this task has no `id`"],
    );
    let long = "x".repeat(251);
    complains(&format!("dag_id: {long}\ntasks: []\n"), &["1:9 `dag_id` may be 250 characters long, and this is 251"]);
    complains(
        "tasks:\n- id: x\n---\ntasks:\n- id: x\n",
        &[
            "1:1 the document has no `dag_id` (in a file of several documents each needs its own)",
            "4:1 the document has no `dag_id` (in a file of several documents each needs its own)",
        ],
    );
}

#[test]
fn unknown_operators_name_what_is_near_or_what_to_use_instead() {
    task_complains("uses: bsh", "4:9 unknown operator `bsh` (did you mean `bash`?)");
    task_complains("uses: BashOperatr", "4:9 unknown operator `BashOperatr` (did you mean `BashOperator`?)");
    task_complains(
        "uses: zzz",
        "4:9 unknown operator `zzz` (there are: `empty`, `bash`, `email`, `branch`, `file_sensor`)",
    );
    task_complains(
        "uses: airflow.operators.bash.BashOperator",
        "4:9 unknown operator `airflow.operators.bash.BashOperator` (did you mean `bash`?)",
    );
    task_complains(
        "uses: airflow.providers.standard.operators.python.PythonOperator",
        "4:9 Flow has no operator for Airflow's class `airflow.providers.standard.operators.python.PythonOperator` (use `python` with a `script` or `file`; it runs in a process of its own)",
    );
    task_complains(
        "uses: airflow.providers.amazon.aws.operators.athena.AthenaOperator",
        "4:9 Flow has no operator for Airflow's class `airflow.providers.amazon.aws.operators.athena.AthenaOperator` (there are: `empty`, `bash`, `email`, `branch`, `file_sensor`)",
    );
}

#[test]
fn arguments_are_checked_by_the_operator() {
    task_complains("uses: bash", "4:9 `bash_command` is missing");
    task_complains("uses: bash\nwith: {}", "5:3 `bash_command` is missing");
    task_complains(
        "uses: bash\nwith: {bash_comand: x, bash_command: y}",
        "5:10 unknown key `bash_comand` (did you mean `bash_command`?)",
    );
    task_complains("uses: bash\nwith: {bash_command: [x]}", "5:24 `bash_command` must be text, not a list");
    task_complains(
        "uses: bash\nwith: {bash_command: x, append_env: sure}",
        "5:39 `append_env` must be `true` or `false`, not `sure`",
    );
    task_complains("uses: bash\nwith: {bash_command: x, env: {A: [1]}}", "5:36 `env.A` must be text, not a list");
    task_complains(
        "uses: file_sensor\nwith: {filepath: x, mode: pok}",
        "5:29 `mode` cannot be `pok` (did you mean `poke`?)",
    );
    complains("dag_id: d\ntasks:\n- id: x\n  with: {a: 1}\n", &["4:10 unknown key `a`"]);
}

#[test]
fn markers_are_checked() {
    let with = |with: &str| format!("uses: bash\nwith: {{bash_command: {with}}}");
    task_complains(
        &with("{$tt: x}"),
        "5:25 unknown marker `$tt`; keys that start with `$` are reserved (did you mean `$t`?)",
    );
    task_complains(&with("{$t: x, a: b}"), "5:25 `$t` cannot stand beside other keys");
    task_complains(&with("{$t: 5}"), "5:29 `$t` must be a text or `{$f: path}`, not `5`");
    task_complains(&with("{$x: nobody}"), "5:29 task `x` takes a result of `nobody`, which does not exist");
    task_complains(&with("{$x: x}"), "5:29 task `x` depends on itself");
    task_complains(&with("{$x: {key: k}}"), "5:25 `$x` does not name a `task`");
    complains(
        "dag_id: d\ntasks:\n- id: a\n- id: x\n  uses: bash\n  with: {bash_command: {$x: {task: a, ky: k}}}\n",
        &["6:39 unknown key `ky` of `$x` (there are: `task`, `key`)"],
    );
    task_complains(
        &with("{$f: ../secret}"),
        "5:29 `../secret` is outside the folder of this file (name a file beside this one, or below)",
    );
    task_complains(
        &with("{$f: /etc/passwd}"),
        "5:29 `/etc/passwd` is outside the folder of this file (name a file beside this one, or below)",
    );
    task_complains(&with("{$f: a.sh}"), "5:29 could not read `a.sh`");
    task_complains(&with("{$f: {$t: x}}"), "5:29 the path of a file cannot be a template");
    task_complains(
        "uses: bash\nwith: {bash_command: x, append_env: {$t: x}}",
        "5:40 `$t` cannot stand in `append_env`, which is not a templated argument",
    );
    let text = "dag_id: d\ntasks:\n- id: x\n  uses: bash\n  with: {bash_command: {$f: a.sh}}\n";
    let parsed = read_with(text, &[("a.sh", Err("permission denied"))]);
    assert_eq!(shown(&parsed), ["5:29 could not read `a.sh`: permission denied"]);
}

#[test]
fn names_across_tasks_must_exist_and_not_go_round() {
    complains(
        "dag_id: d\ntasks:\n- id: extract\n- id: load\n  needs: [extrct, load]\n- id: extract\n",
        &[
            "5:11 task `load` depends on `extrct`, which does not exist (did you mean `extract`?)",
            "5:19 task `load` depends on itself",
            "6:7 there are two tasks `extract` (the first is on line 3)",
        ],
    );
    complains(
        "dag_id: d\ntasks:\n- id: load\n  needs: [clean]\n- id: extract\n  needs: [clean]\n- id: clean\n  needs: [extract]\n",
        &["6:11 dependency cycle: extract → clean → extract"],
    );
}

#[test]
fn groups_are_checked() {
    complains(
        "dag_id: d\ntask_groups:\n  a: {parent: b}\n  b: {parent: a}\n  x: {tooltp: hi, needs: [y]}\n  g: {needs: [z], parent: nowhere}\ntasks:\n- {id: x, group: gg}\n- {id: z, group: g, needs: [g]}\n",
        &[
            "3:15 group `a` is inside itself",
            "5:3 `x` is the id of a task and of a group",
            "5:7 unknown key `tooltp` of a task group (did you mean `tooltip`?)",
            "5:27 group `x` depends on `y`, which does not exist",
            "6:15 group `g` cannot depend on task `z`, which is inside it",
            "6:27 group `nowhere` does not exist (there are: `a`, `b`, `x`, `g`)",
            "8:18 group `gg` does not exist (there are: `a`, `b`, `x`, `g`)",
            "9:29 task `z` is inside group `g` and cannot depend on it",
        ],
    );
}

#[test]
fn a_branch_must_choose_among_its_direct_downstream_tasks() {
    complains(
        "dag_id: d\ntasks:\n- {id: pick, uses: branch, with: {choose: [left, rigth, far]}}\n- {id: left, needs: [pick]}\n- {id: right, needs: [pick]}\n- {id: far, needs: [left]}\n",
        &[
            "3:50 task `pick` chooses `rigth`, which is not directly downstream of it (did you mean `right`?)",
            "3:57 task `pick` chooses `far`, which is not directly downstream of it (there are: `left`, `right`)",
        ],
    );
}

#[test]
fn rules_across_keys_are_checked() {
    complains(
        "dag_id: d\nstart_date: 2026-02-01\nend_date: 2026-01-01\ntasks:\n- {id: a, start_date: 2026-02-01, end_date: 2026-01-01}\n",
        &["3:11 `end_date` is before `start_date`", "5:45 `end_date` is before `start_date`"],
    );
    complains(
        "dag_id: d\nfail_fast: true\ntasks:\n- {id: a, trigger_rule: all_done}\n- {id: b}\n",
        &["4:25 with `fail_fast` every task has the rule `all_success`, not `all_done`"],
    );
}

#[test]
fn what_is_for_later_is_refused_and_not_ignored() {
    for (keys, what) in [
        ("expand: {bash_command: [a]}", "task mapping"),
        ("expand_kwargs: {$x: t}", "task mapping"),
        ("map_index_template: '{{ x }}'", "task mapping"),
        ("inlets: [a]", "assets"),
        ("outlets: [a]", "assets"),
        ("setup: true", "setup and teardown tasks"),
        ("teardown: true", "setup and teardown tasks"),
        ("run_as_user: bob", "running as another user"),
    ] {
        let key = keys.split(':').next().unwrap();
        let parsed = read(&format!("dag_id: d\ntasks:\n- id: x\n  {keys}\n"));
        let expected = format!("4:3 `{key}` cannot be used: this version of Flow does not have {what}");
        assert!(shown(&parsed).contains(&expected), "{keys}: {:?}", shown(&parsed));
        assert!(parsed.dags.is_empty());
    }
    task_complains("setup: 1", "4:10 `setup` must be `true` or `false`, not `1`");
    task_complains("expand: 1", "4:11 `expand` must be a map, not `1`");
}

#[test]
fn params_fit_their_own_schema() {
    for (param, expected) in [
        (
            "{default: eu, enum: [us, uk]}",
            "3:16 the default of parameter `p` must be one of `\"us\"`, `\"uk\"`, and is `\"eu\"`",
        ),
        ("{default: x, type: integer}", "3:16 the default of parameter `p` must be of type `integer`, and is `\"x\"`"),
        (
            "{default: 1.5, type: [integer, 'null']}",
            "3:16 the default of parameter `p` must be of type `integer` or `null`, and is `1.5`",
        ),
        ("{default: 3, minimum: 5}", "3:16 the default of parameter `p` must be at least 5, and is `3`"),
        ("{default: 5, exclusiveMaximum: 5}", "3:16 the default of parameter `p` must be less than 5, and is `5`"),
        ("{default: abc, maxLength: 2}", "3:16 the default of parameter `p` must have at most 2 characters, and has 3"),
        ("{default: ab, pattern: '^a$'}", "3:16 the default of parameter `p` must match `^a$`, and is `\"ab\"`"),
        (
            "{default: [1, x], items: {type: integer}}",
            "3:16 the default of parameter `p` at `[1]` must be of type `integer`, and is `\"x\"`",
        ),
        ("{default: a, pattern: '('}", "3:3 the pattern `(` of parameter `p` cannot be used: unclosed group"),
        (
            "{default: a, pattern: '(?=b)'}",
            "3:3 the pattern `(?=b)` of parameter `p` cannot be used: look-around, including look-ahead and look-behind, is not supported",
        ),
        ("{default: 1, typ: integer}", "3:19 unknown key `typ` of a parameter (did you mean `type`?)"),
        ("{default: 1, type: int}", "3:25 unknown type `int` (did you mean `integer`?)"),
        ("{default: 1, minimum: x}", "3:28 `minimum` must be a number, not `x`"),
    ] {
        complains(&format!("dag_id: d\nparams:\n  p: {param}\ntasks: [{{id: x}}]\n"), &[expected]);
    }
}

#[test]
fn documents_that_are_no_dags_are_passed_over_with_a_note() {
    complains("a: 1\n", &["1:1 note: this document has neither `dag_id` nor `tasks`, so it is no DAG"]);
    complains("- a\n", &["1:3 note: this document is not a map, so it is no DAG"]);
    complains("", &[]);
    complains("---\n---\n# nothing\n", &[]);
    complains("dag_id: d\n", &["1:9 warning: this DAG has no tasks"]);
}

#[test]
fn two_dags_of_a_file_have_two_ids() {
    let parsed = read("dag_id: a\ntasks: [{id: x}]\n---\ndag_id: a\ntasks: [{id: x}]\n");
    assert_eq!(shown(&parsed), ["4:9 there are two DAGs `a` in this file (the first is on line 1)"]);
    assert_eq!(parsed.dags.len(), 1);
}

#[test]
fn an_unknown_schema_lists_the_known_ones() {
    let known = "known are `https://airflow.apache.org/schemas/dag/2026-10-30.json`, `urn:flow:dag:1`; without `$schema` it is Flow's";
    complains("$schema: x\ndag_id: d\n", &[&format!("1:10 unknown `$schema`: `x` ({known})")]);
    let old = "https://airflow.apache.org/schemas/dag/2020-01-01.json";
    complains(
        &format!("$schema: {old}\ndag_id: d\n"),
        &[&format!("1:10 unknown version of Airflow's format: `{old}` ({known})")],
    );
}

#[test]
fn who_may_see_a_dag_is_said_in_words_that_there_are() {
    for (access, expected) in [
        ("", "2:1 `access_control` has no value"),
        ("[ada]", "2:17 `access_control` must be a map, not a list"),
        ("{ada: can_read}", "2:23 `ada` must be a list of texts, not `can_read` (write `[can_read]`)"),
        ("{ada: [can_raed]}", "2:24 `ada` cannot have `can_raed` here (did you mean `can_read`?)"),
        ("{ada: [can_delete]}", "2:24 `ada` cannot have `can_delete` here (there are: `can_read`, `can_edit`)"),
        ("{ada: [[can_read]]}", "2:24 `ada` must be a list of texts, and this is a list"),
        ("{'': [can_read]}", "2:18 a role or user has a name of 1 to 250 characters"),
        (
            "{viewer: [can_read]}",
            "2:18 warning: `viewer` is no role (the role is written `Viewer`; this is a user of that name)",
        ),
        ("{Op: [can_read]}", "2:18 warning: Op may do everything with every DAG (leave it out)"),
    ] {
        complains(&format!("dag_id: d\naccess_control: {access}\ntasks: [{{id: x}}]\n"), &[expected]);
    }
}
