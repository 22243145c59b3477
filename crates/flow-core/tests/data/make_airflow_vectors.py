"""Writes airflow_runs.jsonl: which run Airflow's timetables plan, in cases drawn by chance.

    python3 -m venv venv && venv/bin/pip install apache-airflow-core==3.4.0b2
    venv/bin/python make_airflow_vectors.py

Left out is where Flow goes its own, documented way: DAGs without a start date, clocks that change (Airflow schedules on
wall-clock time), and an interval of a trigger that was missed without catchup (Airflow starts afresh at the current time).
"""

import json
import random
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pendulum
from airflow.timetables import interval, trigger
from airflow.timetables.base import DataInterval, TimeRestriction

HERE = Path(__file__).parent
RANDOM = random.Random(20261120)
NOW = None


def utcnow():
    return NOW


for module in (interval, trigger):
    module.utcnow = utcnow

CRONS = ["0 3 * * *", "*/20 * * * *", "0 0 * * 1", "15 6,18 * * 1-5", "0 0 1 * *", "30 4 1,15 * 5"]
DELTAS = [timedelta(minutes=7), timedelta(hours=1), timedelta(hours=5), timedelta(days=1)]


def seconds(delta):
    return int(delta.total_seconds())


def draw():
    kind = RANDOM.randrange(5)
    cron, delta = RANDOM.choice(CRONS), RANDOM.choice(DELTAS)
    if kind == 0:
        return {"uses": "CronTriggerTimetable", "with": {"cron": cron}}, trigger.CronTriggerTimetable(cron, timezone="UTC")
    if kind == 1:
        return (
            {"uses": "CronTriggerTimetable", "with": {"cron": cron, "interval": seconds(delta)}},
            trigger.CronTriggerTimetable(cron, timezone="UTC", interval=delta),
        )
    if kind == 2:
        return {"uses": "CronDataIntervalTimetable", "with": {"cron": cron}}, interval.CronDataIntervalTimetable(cron, "UTC")
    if kind == 3:
        return {"uses": "DeltaTriggerTimetable", "with": {"delta": seconds(delta)}}, trigger.DeltaTriggerTimetable(delta)
    return {"uses": "DeltaDataIntervalTimetable", "with": {"delta": seconds(delta)}}, interval.DeltaDataIntervalTimetable(delta)


def moment(low, high):
    base = datetime(2026, 11, 1, tzinfo=timezone.utc)
    at = base + timedelta(seconds=RANDOM.randint(low, high))
    return pendulum.instance(at.replace(second=0) if RANDOM.random() < 0.5 else at.replace(minute=0, second=0))


def text(at):
    return None if at is None else at.in_timezone("UTC").strftime("%Y-%m-%dT%H:%M:%SZ")


def main():
    global NOW
    day = 86_400
    lines = []
    while len(lines) < 800:
        schedule, timetable = draw()
        catchup = RANDOM.random() < 0.5
        start = moment(-5 * day, 12 * day)
        end = moment(5 * day, 30 * day) if RANDOM.random() < 0.3 else None
        restriction = TimeRestriction(start, end, catchup)
        last = None
        NOW = moment(0, 8 * day)
        if RANDOM.random() < 0.5:
            before = timetable.next_dagrun_info(last_automated_data_interval=None, restriction=restriction)
            if before is None or before.run_after > NOW:
                continue
            last = DataInterval(before.data_interval.start, before.data_interval.end)
            NOW = pendulum.instance(NOW + timedelta(seconds=RANDOM.randint(0, 3 * day)))
            if isinstance(timetable, trigger.DeltaTriggerTimetable) and not catchup:
                continue
        info = timetable.next_dagrun_info(last_automated_data_interval=last, restriction=restriction)
        if end is not None and NOW > end and info is None and not catchup:
            continue  # Flow still makes up for what was missed before the end.
        lines.append(
            json.dumps(
                {
                    "schedule": schedule,
                    "start_date": text(start),
                    "end_date": text(end),
                    "catchup": catchup,
                    "now": text(NOW),
                    "last_start": text(last and last.start),
                    "last_end": text(last and last.end),
                    "start": text(info and info.data_interval.start),
                    "end": text(info and info.data_interval.end),
                }
            )
        )
    (HERE / "airflow_runs.jsonl").write_text("\n".join(lines) + "\n")
    print(len(lines))


main()
