"""Runs the documents beside this file through the real Airflow and writes down how they end: golden.json.

    AIRFLOW_PYTHON crates/flow/tests/airflow/record.py [DAG…]

Needs a Python with apache-airflow 3.4 (core and the standard provider) in it; nothing of it is needed to run the
tests. It works in a temporary home with a SQLite database, without a scheduler: `DAG.test()` runs each DAG to its end.
Then it asks Airflow which documents it accepts at all. With ids of DAGs it runs only those again.
"""

import json
import os
import pathlib
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
DOCUMENTS = HERE / "documents"
CHECKED = ("documents", "doubtful", "refused")


def prepare(home: pathlib.Path) -> None:
    """Sets the environment. Airflow reads it once, when it is imported."""
    world = home / "world"
    world.mkdir()
    importer = {"classpath": "airflow.sdk.importers.yaml_importer.YamlDagImporter"}
    os.environ |= {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(DOCUMENTS),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
        "AIRFLOW__DAG_PROCESSOR__DAG_IMPORTER_CONFIGS": json.dumps([importer]),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR",
        "AIRFLOW__SDK__ECOSYSTEM_USAGE_REPORTING": "False",
        "AIRFLOW_CONN_FS_DEFAULT": json.dumps({"conn_type": "fs", "extra": {"path": "/"}}),
        "WORLD": str(world),
        "TZ": "UTC",
    }


def load(folder: pathlib.Path) -> tuple[dict, dict]:
    """Returns the DAGs of a folder and the complaints about its files."""
    from airflow.dag_processing.dagbag import BundleDagBag
    from airflow.serialization.serialized_objects import DagSerialization

    bag = BundleDagBag(dag_folder=folder, bundle_path=folder, bundle_name="dags-folder")
    errors = dict(bag.import_errors)
    for dag in bag.dags.values():
        # The DAG processor serialises a DAG, and takes what goes wrong then for an import error too.
        try:
            DagSerialization.deserialize_dag(DagSerialization.serialize_dag(dag))
        except Exception as error:
            errors[dag.fileloc] = str(error)
    return bag.dags, errors


def run(dag, run: dict) -> dict:
    """Runs a DAG to its end, perhaps after an earlier run, and returns the facts."""
    import pendulum
    from airflow.models.xcom import XComModel
    from airflow.utils.session import create_session
    from sqlalchemy import select

    for date in [run["earlier"].get(dag.dag_id), run["logical_date"]]:
        if date:
            moment = pendulum.parse(date)
            done = dag.test(run_after=moment, logical_date=moment, run_conf=run["conf"].get(dag.dag_id))
    with create_session() as session:
        chosen = (XComModel.dag_id == dag.dag_id, XComModel.run_id == done.run_id, XComModel.key == "return_value")
        pushed = {row.task_id: row for row in session.scalars(select(XComModel).where(*chosen))}
        return {
            "run_state": str(done.state),
            "tasks": {
                task.task_id: {
                    "state": None if task.state is None else str(task.state),
                    "try_number": task.try_number,
                    "xcom": [pushed[task.task_id].value] if task.task_id in pushed else [],
                }
                for task in sorted(done.get_task_instances(session=session), key=lambda task: task.task_id)
            },
        }


def main() -> None:
    wanted = set(sys.argv[1:])
    with tempfile.TemporaryDirectory() as home:
        prepare(pathlib.Path(home))
        from airflow.utils.db import initdb

        initdb()
        from airflow import __version__

        how = json.loads((HERE / "runs.json").read_text())
        dags, errors = load(DOCUMENTS)
        if errors:
            sys.exit(f"Airflow refuses documents that should run: {json.dumps(errors, indent=2)}")
        before = json.loads((HERE / "golden.json").read_text())["dags"] if wanted else {}
        golden = {"airflow": __version__, "dags": {}, "accepted": {}}
        for dag_id, dag in sorted(dags.items()):
            golden["dags"][dag_id] = before[dag_id] if wanted and dag_id not in wanted else run(dag, how)
        for folder in CHECKED:
            for path in sorted((HERE / folder).glob("*.yaml")):
                _, errors = load(path)
                golden["accepted"][f"{folder}/{path.name}"] = not errors
        (HERE / "golden.json").write_text(json.dumps(golden, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
