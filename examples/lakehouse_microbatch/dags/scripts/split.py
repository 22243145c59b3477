"""Splits a batch of messages into CSV files by day and kind, and one with all rows. Each is there whole or not at all."""

import csv
import json
import os
import shutil
from pathlib import Path

COLUMNS = ["event_id", "happened_at", "kind", "customer", "amount"]


def partition(event):
    """Where an event belongs; what is no event raises an error."""
    if not isinstance(event, dict):
        raise ValueError("is no object")
    missing = [name for name in COLUMNS if event.get(name) is None]
    if missing:
        raise ValueError(f"lacks {', '.join(missing)}")
    kind = str(event["kind"])
    if not kind.isidentifier():
        raise ValueError(f"has the kind {kind!r}")
    day = str(event["happened_at"])[:10]
    if len(day.split("-")) != 3 or not day.replace("-", "").isdigit():
        raise ValueError(f"happened at {event['happened_at']!r}")
    return f"day={day}/kind={kind}"


def main(folder, batch):
    root = Path(folder)
    part = root / "parts" / batch
    shutil.rmtree(part, ignore_errors=True)
    opened = {}

    def write(place, header, row):
        if place not in opened:
            path = part / place
            path.parent.mkdir(parents=True, exist_ok=True)
            opened[place] = open(path, "w", encoding="utf-8", newline="")
            csv.writer(opened[place]).writerow(header)
        csv.writer(opened[place]).writerow(row)

    rows = f"rows/{batch}.csv"
    try:
        with open(root / "raw" / f"{batch}.jsonl", encoding="utf-8") as lines:
            for line in lines:
                event = json.loads(line)["value"]
                try:
                    place = f"lake/{partition(event)}/{batch}.csv"
                except ValueError as error:
                    write(f"rejected/{batch}.csv", ["reason", "message"], [str(error), line.strip()])
                    continue
                row = [event[name] for name in COLUMNS]
                write(place, COLUMNS, row)
                write(rows, COLUMNS, row)
    finally:
        for file in opened.values():
            file.close()
    for place in sorted(opened):
        target = root / place
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(part / place, target)
        print(target)
    shutil.rmtree(part, ignore_errors=True)
    return str(root / rows) if rows in opened else None
