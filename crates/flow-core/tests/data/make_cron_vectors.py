"""Writes the vectors that tests/cron_vectors.rs compares with.

    python3 -m venv venv && venv/bin/pip install croniter==7.0.0 cronsim==2.8 tzdata
    venv/bin/python make_cron_vectors.py

cron_utc.tsv: what croniter (the library that Airflow uses) says, in UTC.
cron_zones.tsv: what cronsim (the rules of Debian's cron) says around changes of the clocks.
"""

import random
from datetime import datetime, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

from croniter import croniter
from cronsim import CronSim

HERE = Path(__file__).parent
RANDOM = random.Random(20261120)

CHOSEN = """
* * * * *|*/5 * * * *|0 * * * *|30 3 * * *|0 0 * * 0|0 0 * * 7|0 0 * * sun|0 0 * * SUN,7,0|0 0 1 * *|0 0 1 1 *
0 0 1 */3 *|0 0 13 * 5|0 0 13 * FRI|0 0 */2 * 1|0 0 * */2 *|0 0 1,15 * 3|0 0 L * *|0 0 1,L * *|0 0 L 2 *|0 0 L * 1
0 0 15W * *|0 0 1W * *|0 0 W15 * *|0 0 30W * *|0 0 * * 5#2|0 0 * * FRI#2|0 0 * * 1#1,3#3|0 0 * * 5#5|0 0 * * 0#1|0 0 * * 7#1
0 0 * * L5|0 0 * * L1,L3|0 0 * * L0|0 0 * * L7|0 0 ? * 1|0 0 1 * ?|0 0 ? * ?|5/15 * * * *|0 5/6 * * *|0 0 1/10 * *
0 0 * 2/5 *|0 0 * * 1/2|0 22-2 * * *|50-10 * * * *|50-10/5 * * * *|20-10/3 * * * *|0 0 28-3 * *|0 0 28-3/2 * *|0 0 * nov-feb *|0 0 * nov-feb/2 *
0 0 * * FRI-MON|0 0 * * fri-mon/2|0 0 * * 6-1|0 0 * * 5-7|0 0 * * sun-tue|0 0 * * 7-2|0 0 * * 0-7|0 0 * * SAT-SUN|0 12 29 2 *
0 12 31 * *|0 12 30 4,6,9,11 *|0 0 31 1-12/2 *|0 0 29 2 1|*,5 * * * *|0 0 * * *,1|*/70 * * * *|*/59 * * * *|*/1 * * * *|*/60 * * * *
0 */24 * * *|0 */25 * * *|0 0 */31 * *|0 0 */40 * *|0 0 * */12 *|0 0 * */13 *|0 0 * * */2|0 0 * * */3|0 0 * * */7|0 0 * * */8
0,30 9-17 * * 1-5|0 9-17/2 * * MON-FRI|15,45 */6 1-7 * *|0 0 1-7 * 1|0 0 8-14 * TUE|00 03 01 01 *|59 23 31 12 *|0 0 * jan,apr,jul,oct *|0 0 1 JAN-MAR *|10-20/3,40 1,2,3 * * *
* * * * * */15|0 3 * * * 30|30 2 1 * * 0,20,40|*/10 * * * * 5-50/15|0 0 1 1 * 0 2030|0 0 1 */6 * 0 2027-2031/2|0 12 * * 1 59 2028,2029|* * * * * *|0 0 29 2 * 0 2032-2040|@hourly
@daily|@weekly|@monthly|@yearly|@annually|@midnight|0 0 1-31 1 *|0-59 5 * * *|0 0-23 * 6 *
"""

STARTS = ["2026-11-20T08:45:30", "2027-12-31T23:59:59", "2028-02-29T00:00:00"]


def some(low, high, names=None):
    """A random field."""

    def value():
        at = RANDOM.randint(low, high)
        return RANDOM.choice(names[at - low]) if names and RANDOM.random() < 0.4 else str(at)

    def item():
        kind = RANDOM.random()
        if kind < 0.45:
            return value()
        # croniter takes a range of one value (`7-7`) for the whole field, so there are none here.
        a, b = sorted(RANDOM.sample(range(low, high + 1), 2))
        if kind < 0.7:
            return f"{a}-{b}"
        if kind < 0.8:
            return f"{a}-{b}/{RANDOM.randint(1, max(1, (high - low) // 2))}"
        if kind < 0.9:
            return f"{a}/{RANDOM.randint(1, max(1, (high - low) // 2))}"
        return f"*/{RANDOM.randint(2, max(2, (high - low) // 2))}"

    if RANDOM.random() < 0.4:
        return "*"
    return ",".join(item() for _ in range(RANDOM.choice([1, 1, 1, 2, 3])))


MONTHS = [[m, m.upper()] for m in "jan feb mar apr may jun jul aug sep oct nov dec".split()]
DAYS = [[d, d.upper()] for d in "sun mon tue wed thu fri sat".split()]


def random_expression():
    return " ".join([some(0, 59), some(0, 23), some(1, 31), some(1, 12, MONTHS), some(0, 6, DAYS)])


def utc():
    expressions = [e.strip() for line in CHOSEN.strip().splitlines() for e in line.split("|")]
    expressions += [random_expression() for _ in range(240)]
    lines = []
    for expression in dict.fromkeys(expressions):
        for start in STARTS:
            walk = croniter(expression, datetime.fromisoformat(start), max_years_between_matches=60)
            found = []
            try:
                for _ in range(6):
                    found.append(walk.get_next(datetime).isoformat())
            except Exception:
                found.append("end")
            lines.append("\t".join([expression, start, *found]))
    (HERE / "cron_utc.tsv").write_text("\n".join(lines) + "\n")
    return len(lines)


ZONES = {
    # zone: moments (UTC) shortly before a change of the clocks
    "Europe/Berlin": ["2026-03-28T12:00", "2026-10-24T12:00"],
    "America/New_York": ["2027-03-13T18:00", "2026-10-31T18:00"],
    "Australia/Lord_Howe": ["2026-10-03T03:00", "2027-04-03T03:00"],
    "America/Havana": ["2027-03-13T18:00", "2027-11-06T18:00"],
    "Asia/Beirut": ["2027-03-27T12:00", "2027-10-30T12:00"],
    "America/Sao_Paulo": ["2018-11-03T15:00", "2018-02-17T15:00"],
}
AROUND = """
30 2 * * *|0 2 * * *|30 1 * * *|0 1 * * *|0 3 * * *|45 1 * * *|15 0 * * *|0 0 * * *|30 23 * * *|15 2,3 * * *|0,30 1,2 * * *
*/30 * * * *|0 * * * *|30 * * * *|15 */2 * * *|*/20 1-3 * * *|*/15 0 * * *|30 2 * * 0|45 1 * * SUN|0 2 1 * *|10 0-4 * * *
"""


def zones():
    lines = []
    for zone, starts in ZONES.items():
        for start in starts:
            at = datetime.fromisoformat(start).replace(tzinfo=timezone.utc)
            for expression in (e.strip() for line in AROUND.strip().splitlines() for e in line.split("|")):
                walk = CronSim(expression, at.astimezone(ZoneInfo(zone)))
                found = [next(walk).astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S") for _ in range(12)]
                lines.append("\t".join([zone, expression, start + ":00", *found]))
    (HERE / "cron_zones.tsv").write_text("\n".join(lines) + "\n")
    return len(lines)


if __name__ == "__main__":
    print(utc(), zones())
