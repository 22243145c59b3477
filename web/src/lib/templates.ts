// Beginnings of new DAG files. Only operators that every Flow has.

export interface Template {
  id: string;
  name: string;
  about: string;
  text: (dagId: string) => string;
}

/** What an empty page shows. */
export const FIRST_TEMPLATE = "first";

export const TEMPLATES: readonly Template[] = [
  {
    id: "minimal",
    name: "Minimal",
    about: "Two shell commands, one after the other, run by hand.",
    text: (dagId) => `dag_id: ${dagId}
description: Says hello
schedule: null
tasks:
  - id: hello
    uses: bash
    with:
      bash_command: echo "Hello from {{ dag.dag_id }}"
  - id: goodbye
    uses: bash
    needs: [hello]
    with:
      bash_command: echo "Run {{ run_id }} is done"
`,
  },
  {
    id: "etl",
    name: "Extract, transform, load",
    about: "Three shell steps over a file, each day at 02:00, with retries and a parameter.",
    text: (dagId) => `dag_id: ${dagId}
description: Takes numbers in, sums them up, keeps the sum
schedule: "0 2 * * *"
start_date: 2026-01-01
catchup: false
max_active_runs: 1
tags: [etl]
params:
  rows: { default: 100, type: integer, minimum: 1, description: How many rows to make up }
default_args: { owner: me, retries: 2, retry_delay: 1m }
tasks:
  - id: extract
    uses: bash
    with:
      bash_command: |
        set -euo pipefail
        file="/tmp/${dagId}-{{ ds_nodash }}.csv"
        seq 1 {{ params.rows }} > "$file"
        echo "$file"
  - id: transform
    uses: bash
    needs: [extract]
    with:
      bash_command: |
        set -euo pipefail
        awk '{ sum += $1 } END { print sum }' '{{ ti.xcom_pull(task_ids="extract") }}'
  - id: load
    uses: bash
    needs: [transform]
    with:
      bash_command: |
        set -euo pipefail
        echo '{{ ds }},{{ ti.xcom_pull(task_ids="transform") }}' >> /tmp/${dagId}-sums.csv
        tail -n 3 /tmp/${dagId}-sums.csv
`,
  },
  {
    id: "sensor",
    name: "Wait for a file, then Python",
    about: "Starts each hour, waits for a file without holding a slot, and reads it with Python.",
    text: (dagId) => `dag_id: ${dagId}
description: Waits for a file and counts its lines
schedule: "@hourly"
start_date: 2026-01-01
tags: [sensor]
default_args: { owner: me, retries: 1, retry_delay: 1m }
tasks:
  - id: wait_for_file
    uses: file_sensor
    with:
      filepath: /tmp/${dagId}.txt
      poke_interval: 30s
      timeout: 50m
  - id: count_lines
    uses: python
    needs: [wait_for_file]
    with:
      script: |
        def main(path):
            with open(path) as file:
                return sum(1 for _ in file)
      op_kwargs: { path: /tmp/${dagId}.txt }
  - id: report
    uses: bash
    needs: [count_lines]
    with:
      bash_command: echo '{{ ti.xcom_pull(task_ids="count_lines") }} lines'
`,
  },
  {
    id: FIRST_TEMPLATE,
    name: "A first DAG",
    about: "Two shell commands, one after the other, each day.",
    text: (dagId) => `dag_id: ${dagId}
description: My first DAG
schedule: "@daily"
start_date: 2026-01-01
tasks:
  - id: say_hello
    uses: bash
    with:
      bash_command: echo "hello from {{ run_id }}"
  - id: say_bye
    uses: bash
    needs: [say_hello]
    with: { bash_command: date }
`,
  },
];

/** The DAG's id that a file's name suggests. */
export function dagIdOf(path: string): string {
  const stem = path.slice(path.lastIndexOf("/") + 1).replace(/\.ya?ml$/i, "");
  return stem.replace(/[^A-Za-z0-9_.-]+/g, "_").slice(0, 250) || "new_dag";
}

/** The text that a new file begins with. */
export function beginning(templateId: string, path: string): string {
  const template = TEMPLATES.find((one) => one.id === templateId) ?? TEMPLATES[0];
  return template?.text(dagIdOf(path)) ?? "";
}
