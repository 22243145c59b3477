"""What people do with Airflow's API, through Airflow's released client, against Flow.

Every answer goes through the client's own models, so a field that is missing or of another type fails here.
"""

import json
import os
import time
import urllib.request

import airflow_client.client as airflow
from airflow_client.client.exceptions import ApiException

URL = os.environ["FLOW_URL"]


def log_in():
    body = json.dumps({"username": "admin", "password": os.environ["FLOW_PASSWORD"]}).encode()
    request = urllib.request.Request(f"{URL}/auth/token", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 201, answer.status
        return json.load(answer)["access_token"]


def refused(status, call, *args, **named):
    try:
        call(*args, **named)
    except ApiException as error:
        assert error.status == status, (error.status, error.body)
        return error
    raise AssertionError(f"{call.__name__} was not refused")


def wait_for(what, is_so):
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


configuration = airflow.Configuration(host=URL, access_token=log_in())
with airflow.ApiClient(configuration) as client:
    dags = airflow.DAGApi(client)
    runs = airflow.DagRunApi(client)
    tasks = airflow.TaskInstanceApi(client)

    # Nobody gets in with a wrong token.
    stranger = airflow.ApiClient(airflow.Configuration(host=URL, access_token="wrong"))
    refused(401, airflow.DAGApi(stranger).get_dags)

    # Where it stands.
    assert airflow.VersionApi(client).get_version().version
    health = airflow.MonitorApi(client).get_health()
    assert health.metadatabase.status == "healthy" and health.scheduler.status == "healthy", health
    assert airflow.JobApi(client).get_jobs(is_alive=True).total_entries >= 1
    assert airflow.ProviderApi(client).get_providers().total_entries == 0
    assert airflow.PluginApi(client).get_plugins().total_entries == 0
    assert airflow.ImportErrorApi(client).get_import_errors().total_entries == 0
    assert airflow.ConfigApi(client).get_config().sections

    # DAGs: list, filter, look, unpause.
    assert dags.get_dags().total_entries == 2
    found = dags.get_dags(tags=["test"], order_by=["-dag_id"])
    assert [dag.dag_id for dag in found.dags] == ["client"] and found.dags[0].is_paused
    assert dags.get_dags(dag_id_pattern="oth%").dags[0].dag_id == "other"
    details = dags.get_dag_details("client")
    assert details.params["region"] and details.latest_dag_version.version_number == 1, details
    assert dags.get_dag_tags().tags == ["test"]
    assert {task.task_id for task in airflow.TaskApi(client).get_tasks("client").tasks} == {"extract", "load", "report"}
    assert "dag_id: client" in airflow.DagSourceApi(client).get_dag_source("client", accept="application/json").content
    assert airflow.DagVersionApi(client).get_dag_versions("client").total_entries == 1
    assert not dags.patch_dag("client", airflow.DAGPatchBody(is_paused=False), update_mask=["is_paused"]).is_paused
    refused(404, dags.get_dag, "nothing")

    # Trigger with conf, and wait: the second task fails.
    body = airflow.TriggerDAGRunPostBody(dag_run_id="first", logical_date=None, conf={"region": "us"}, note="by hand")
    run = runs.trigger_dag_run("client", body)
    assert run.dag_run_id == "first" and run.conf == {"region": "us"} and run.note == "by hand", run
    refused(409, runs.trigger_dag_run, "client", body)
    wait_for("the run fails", lambda: runs.get_dag_run("client", "first").state == "failed")
    assert runs.get_dag_runs("client", state=["failed"]).dag_runs[0].dag_run_id == "first"
    assert runs.get_dag_runs("~").total_entries == 1

    # Task instances, a log, an XCom.
    listed = tasks.get_task_instances("client", "first")
    states = {instance.task_id: instance.state for instance in listed.task_instances}
    assert states == {"extract": "success", "load": "failed", "report": "upstream_failed"}, states
    assert tasks.get_task_instances("~", "~", state=["failed"]).total_entries == 1
    extract = tasks.get_task_instance("client", "first", "extract")
    assert extract.try_number == 1 and extract.dag_version.version_number == 1, extract
    assert tasks.get_task_instance_tries("client", "first", "extract").total_entries == 1
    log = tasks.get_log("client", "first", "extract", 1, full_content=True, accept="application/json")
    assert "region is us" in log.to_json(), log
    xcom = airflow.XComApi(client).get_xcom_entry("client", "first", "extract", "return_value")
    assert "42" in xcom.to_json(), xcom
    assert airflow.XComApi(client).get_xcom_entries("client", "first", "extract").total_entries == 1

    # A variable mends it; clear the failed task, and what follows.
    variables = airflow.VariableApi(client)
    made = variables.post_variable(airflow.VariableBody(key="mended", value="yes", description="for the test"))
    assert made.key == "mended" and made.value == "yes" and made.is_encrypted, made
    refused(409, variables.post_variable, airflow.VariableBody(key="mended", value="yes"))
    assert variables.get_variables(variable_key_pattern="mend%").total_entries == 1
    clear = airflow.ClearTaskInstancesBody(
        dry_run=True, dag_run_id="first", task_ids=["load"], include_downstream=True, only_failed=True
    )
    touched = tasks.post_clear_task_instances("client", clear)
    assert {instance.task_id for instance in touched.task_instances} == {"load", "report"}, touched
    clear.dry_run = False
    assert tasks.post_clear_task_instances("client", clear).total_entries == 2
    wait_for("the run succeeds", lambda: runs.get_dag_run("client", "first").state == "success")
    assert tasks.get_task_instance("client", "first", "load").try_number == 2

    # Mark a task, and a run.
    marked = tasks.patch_task_instance(
        "client", "first", "report", airflow.PatchTaskInstanceBody(new_state="failed", note="not really")
    )
    assert marked.task_instances[0].task_id == "report", marked
    wait_for("the mark", lambda: tasks.get_task_instance("client", "first", "report").state == "failed")
    patched = runs.patch_dag_run("client", "first", airflow.DAGRunPatchBody(state="success", note="fine"))
    assert patched.state == "success" and patched.note == "fine", patched

    # A connection: its password goes in and never comes out. A pool.
    connections = airflow.ConnectionApi(client)
    warehouse = airflow.ConnectionBody(
        connection_id="warehouse", conn_type="postgres", host="db", login="me", password="hunter2hunter2", port=5432
    )
    made = connections.post_connection(warehouse)
    assert made.connection_id == "warehouse" and "hunter2" not in made.to_json(), made
    assert connections.get_connections().total_entries == 1
    assert connections.patch_connection("warehouse", warehouse, update_mask=["host"]).host == "db"
    connections.delete_connection("warehouse")
    refused(404, connections.get_connection, "warehouse")
    pools = airflow.PoolApi(client)
    assert pools.post_pool(airflow.PoolBody(name="narrow", slots=2)).open_slots == 2
    assert pools.patch_pool("narrow", airflow.PoolPatchBody(slots=3), update_mask=["slots"]).slots == 3
    assert pools.get_pools().total_entries == 2
    pools.delete_pool("narrow")

    # What Flow does not have is empty.
    assert airflow.AssetApi(client).get_assets().total_entries == 0
    assert airflow.BackfillApi(client).list_backfills("client").total_entries == 0

    # Who did what; and away with the run.
    events = airflow.EventLogApi(client).get_event_logs(dag_id="client", event="trigger_dag_run")
    assert events.total_entries >= 1 and events.event_logs[0].owner == "admin", events
    stats = airflow.DagStatsApi(client).get_dag_stats(dag_ids=["client"])
    assert {entry.state.value: entry.count for entry in stats.dags[0].stats}["success"] == 1, stats
    variables.delete_variable("mended")
    runs.delete_dag_run("client", "first")
    refused(404, runs.get_dag_run, "client", "first")

print("all done")
