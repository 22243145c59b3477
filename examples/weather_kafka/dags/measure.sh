set -euo pipefail
{% set moment = logical_date if logical_date is defined else dag_run.run_after %}
hour="{{ moment.strftime('%Y-%m-%dT%H') }}"
folder={{ params.folder | shquote }}
file="$folder/readings_$hour.jsonl"
mkdir -p "$folder"
awk -v hour="$hour" 'BEGIN {
    count = split("oslo -4 berlin 11 cairo 29 quito 17", station)
    for (minute = 0; minute < 60; minute++) {
        for (at = 1; at < count; at += 2) {
            swing = (minute * 37 + at * 11) % 23 - 11
            printf "{\"station\":\"%s\",\"measured_at\":\"%s:%02d:00Z\",\"temperature\":%.1f}\n",
                station[at], hour, minute, station[at + 1] + swing
        }
    }
}' >"$file.part"
mv "$file.part" "$file"
echo "$file"
