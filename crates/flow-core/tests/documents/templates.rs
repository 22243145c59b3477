//! Templates and schedules inside documents: their mistakes at their place.

use super::support::{complains, read, shown};

#[test]
fn a_broken_template_is_shown_on_its_line() {
    for (with, at) in [
        ("{bash_command: 'echo {{ ds | nope }}'}", "5:"),
        ("\n    bash_command: |\n      one\n      two {{ ds | nope }}\n", "8:"),
        ("\n    bash_command: >-\n      one\n      two {{ ds | nope }}\n", "8:"),
        ("\n    bash_command: x\n    env:\n      A: a\n      B: '{{ ds | nope }}'\n", "9:"),
        ("{bash_command: {$t: 'echo {{ ds | nope }}'}}", "5:"),
    ] {
        let text = format!("dag_id: d\ntasks:\n- id: x\n  uses: bash\n  with: {with}\n");
        let parsed = read(&text);
        let all = shown(&parsed);
        assert_eq!(all.len(), 1, "{all:?}");
        assert!(all[0].starts_with(at) && all[0].contains("nope"), "{all:?}");
        assert!(parsed.dags.is_empty());
    }
}

#[test]
fn a_broken_condition_is_an_error() {
    let all = shown(&read("dag_id: d\ntasks:\n- id: x\n  if: 'a =='\n"));
    assert!(all.len() == 1 && all[0].starts_with("4:"), "{all:?}");
}

#[test]
fn a_broken_schedule_is_shown_at_its_place() {
    for (schedule, at) in [
        ("'61 * * * *'", "2:11"),
        ("never", "2:11"),
        ("['0 3 * * *', '0 25 * * *']", "2:25"),
        ("{uses: CronTriggerTimetable, with: {cron: x}}", "2:53"),
        ("{uses: CronTrigerTimetable}", "2:18"),
        ("{uses: DeltaTriggerTimetable, with: {delta: x}}", "2:"),
        ("5", "2:11"),
    ] {
        let parsed = read(&format!("dag_id: d\nschedule: {schedule}\ntasks: [{{id: x}}]\n"));
        let all = shown(&parsed);
        assert!(all.len() == 1 && all[0].starts_with(at), "{schedule}: {all:?}");
    }
    complains(
        "dag_id: d\nschedule: '@daily'\nparams: {p: {type: string}}\ntasks: [{id: x}]\n",
        &["3:10 parameter `p` has no `default`, which runs on a schedule need"],
    );
}
