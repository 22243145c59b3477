// Written by `npm run api` from docs/reference/openapi.json. Do not edit.

export interface paths {
    "/api/v2/assets": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Assets */
        get: operations["get_assets"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v2/assets/aliases": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Aliases of assets */
        get: operations["get_asset_aliases"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v2/assets/aliases/{asset_alias_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** An alias of assets */
        get: operations["get_asset_alias"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v2/assets/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Changes of assets */
        get: operations["get_asset_events"];
        put?: never;
        /** Tell that an asset has changed */
        post: operations["create_asset_event"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v2/assets/{asset_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** An asset */
        get: operations["get_asset"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v2/assets/{asset_id}/materialize": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Run what makes an asset */
        post: operations["materialize_asset"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v2/assets/{asset_id}/queuedEvents": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Changes of an asset that wait for others */
        get: operations["get_asset_queued_events"];
        put?: never;
        post?: never;
        /** Forget them */
        delete: operations["delete_asset_queued_events"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v2/assets/{asset_id}/state-store": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What is kept with an asset */
        get: operations["list_asset_state_store"];
        put?: never;
        post?: never;
        /** Forget all of it */
        delete: operations["clear_asset_state_store"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v2/assets/{asset_id}/state-store/{key}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One of these values */
        get: operations["get_asset_state_store"];
        /** Set it */
        put: operations["set_asset_state_store"];
        post?: never;
        /** Forget it */
        delete: operations["delete_asset_state_store"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v2/auth/login": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** To the page where one logs in */
        get: operations["login"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v2/auth/logout": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** To the page where one logs out. A link of another site can lead here, so this itself logs nobody out */
        get: operations["logout"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v2/backfills": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Backfills */
        get: operations["list_backfills"];
        put?: never;
        /** Run a DAG for a span of the past */
        post: operations["create_backfill"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v2/backfills/dry_run": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Tell which runs a backfill would make */
        post: operations["create_backfill_dry_run"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v2/backfills/{backfill_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A backfill */
        get: operations["get_backfill"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v2/backfills/{backfill_id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Cancel it */
        put: operations["cancel_backfill"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v2/backfills/{backfill_id}/pause": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Pause it */
        put: operations["pause_backfill"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v2/backfills/{backfill_id}/unpause": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Let it go on */
        put: operations["unpause_backfill"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v2/config": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Every setting, as JSON or as text */
        get: operations["get_config"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v2/config/section/{section}/option/{option}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One of them */
        get: operations["get_config_value"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v2/connections": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Connections of the database; those of the environment are not among them */
        get: operations["get_connections"];
        put?: never;
        /** Make a connection */
        post: operations["post_connection"];
        delete?: never;
        options?: never;
        head?: never;
        /** Make, change and delete connections */
        patch: operations["bulk_connections"];
        trace?: never;
    };
    "/api/v2/connections/defaults": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Make the connections that are there from the beginning: in Flow, none */
        post: operations["create_default_connections"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v2/connections/enqueue-test": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A test that waits or has ended: there is none, see the other one */
        get: operations["get_connection_test"];
        put?: never;
        /** Test a connection on a worker: not in this version */
        post: operations["enqueue_connection_test"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v2/connections/test": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Connect and log in, from the web server; secrets that are stored are only tried with what is stored */
        post: operations["test_connection"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v2/connections/{connection_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One of them */
        get: operations["get_connection"];
        put?: never;
        post?: never;
        /** Delete a connection */
        delete: operations["delete_connection"];
        options?: never;
        head?: never;
        /** Change a connection; a password, or a secret of `extra`, that is `***` stays as it is */
        patch: operations["patch_connection"];
        trace?: never;
    };
    "/api/v2/dagSources/{dag_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The text of a DAG, as JSON or as it is */
        get: operations["get_dag_source"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v2/dagStats": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * How many runs are in which state. Of those that have ended, the latest 5,000 of all DAGs asked for count, in equal
         *     shares, and at most 500 of a DAG
         */
        get: operations["get_dag_stats"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v2/dagTags": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The tags of all DAGs */
        get: operations["get_dag_tags"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v2/dagWarnings": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What is odd about DAGs: tasks that name a pool that is not there */
        get: operations["list_dag_warnings"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v2/dags": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** DAGs */
        get: operations["get_dags"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /** Pause DAGs, or let them go on: those of a page of the list */
        patch: operations["patch_dags"];
        trace?: never;
    };
    "/api/v2/dags/{dag_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A DAG */
        get: operations["get_dag"];
        put?: never;
        post?: never;
        /**
         * Delete a DAG, its history and its logs; its file, if it is still there, makes a new one when it changes
         * @description A long history goes in several requests: 409 with `Retry-After` = a part of it is gone, ask again for the rest.
         */
        delete: operations["delete_dag"];
        options?: never;
        head?: never;
        /** Pause a DAG, or let it go on */
        patch: operations["patch_dag"];
        trace?: never;
    };
    "/api/v2/dags/{dag_id}/assets/queuedEvents": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Changes of assets that a DAG waits with */
        get: operations["get_dag_asset_queued_events"];
        put?: never;
        post?: never;
        /** Forget them */
        delete: operations["delete_dag_asset_queued_events"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v2/dags/{dag_id}/assets/{asset_id}/queuedEvents": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One of them */
        get: operations["get_dag_asset_queued_event"];
        put?: never;
        post?: never;
        /** Forget it */
        delete: operations["delete_dag_asset_queued_event"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v2/dags/{dag_id}/clearDagRuns": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Clears several runs */
        post: operations["clear_dag_runs"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v2/dags/{dag_id}/clearPartitions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Clear the runs of partitions */
        post: operations["clear_partitions"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v2/dags/{dag_id}/clearTaskInstances": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Run task instances again
         * @description Answers with what was cleared, or with `dry_run` what would be. Many runs are cleared some at a time, by date: what was
         *     cleared before an interruption stays so. What takes too long ends with 409, which says how many runs were cleared, up
         *     to which date, and the dates to go on with; to ask the same again clears what was done once more.
         */
        post: operations["post_clear_task_instances"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v2/dags/{dag_id}/dagRuns": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Runs of a DAG, or of all: `~` */
        get: operations["get_dag_runs"];
        put?: never;
        /** Starts a run by hand */
        post: operations["trigger_dag_run"];
        delete?: never;
        options?: never;
        head?: never;
        /** Changes and deletes runs */
        patch: operations["bulk_dag_runs"];
        trace?: never;
    };
    "/api/v2/dags/{dag_id}/dagRuns/list": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Runs of all DAGs, with the filters in a body */
        post: operations["get_list_dag_runs_batch"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One run */
        get: operations["get_dag_run"];
        put?: never;
        post?: never;
        /** Deletes a run that is not running, with everything that belongs to it */
        delete: operations["delete_dag_run"];
        options?: never;
        head?: never;
        /** Changes the state or the note of a run */
        patch: operations["patch_dag_run"];
        trace?: never;
    };
    "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/clear": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Clears a run */
        post: operations["clear_dag_run"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/hitlDetails": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Questions that tasks ask people */
        get: operations["get_hitl_details"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskGroupInstances/{group_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /** Say how the tasks of a group ended, or give them a note */
        patch: operations["patch_task_group_instances"];
        trace?: never;
    };
    "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskGroupInstances/{group_id}/dry_run": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /** What saying how the tasks of a group ended would change */
        patch: operations["patch_task_group_instances_dry_run"];
        trace?: never;
    };
    "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Task instances of a run; `~` stands for all DAGs, and for all runs
         * @description Pages by `limit` and `offset`, or by `cursor`: empty for the first page, then `next_cursor` until that is null. Without
         *     `order_by` the newest run comes first.
         */
        get: operations["get_task_instances"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Change or delete many task instances
         * @description Each action says what became of its entities, and one that is refused does not keep the others from being done.
         */
        patch: operations["bulk_task_instances"];
        trace?: never;
    };
    "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/list": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Task instances of many DAGs and runs */
        post: operations["get_task_instances_batch"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A task instance that is not mapped */
        get: operations["get_task_instance"];
        put?: never;
        post?: never;
        /** Delete a task instance of a run that has ended */
        delete: operations["delete_task_instance"];
        options?: never;
        head?: never;
        /**
         * Say how a task ended, or give it a note
         * @description With `include_past` and `include_future` other runs are changed too, some at a time: what was changed before an
         *     interruption stays so. What takes too long ends with 409, and the same may be asked again for the rest.
         */
        patch: operations["patch_task_instance"];
        trace?: never;
    };
    "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/dependencies": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Why a task instance does not start; nothing when it has */
        get: operations["get_task_instance_dependencies"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/dry_run": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /** What saying how a task ended would change */
        patch: operations["patch_task_instance_dry_run"];
        trace?: never;
    };
    "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/externalLogUrl/{try_number}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Where a log is kept elsewhere: nowhere */
        get: operations["get_external_log_url"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/links": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Links that the operator of a task instance offers */
        get: operations["get_extra_links"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/listMapped": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The task instances of a mapped task */
        get: operations["get_mapped_task_instances"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/logs/{try_number}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The log of one try
         * @description As JSON with a token to go on with; as `application/x-ndjson`, a message a line; as `text/plain`, by `Range` or
         *     `offset` and `limit`; or as `text/event-stream`, live.
         */
        get: operations["get_log"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/logs/{try_number}/search": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Find text in a log
         * @description Searches for a few seconds at most; `continuation_token` goes on. A line is found once, unless it is longer than
         *     3,000 bytes.
         */
        get: operations["search_log"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/state-store": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What is kept with a task instance */
        get: operations["list_task_state_store"];
        put?: never;
        post?: never;
        /** Forget all of it */
        delete: operations["clear_task_state_store"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/state-store/{key}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One of these values */
        get: operations["get_task_state_store"];
        /** Set it */
        put: operations["set_task_state_store"];
        post?: never;
        /** Forget it */
        delete: operations["delete_task_state_store"];
        options?: never;
        head?: never;
        /** Change it */
        patch: operations["patch_task_state_store"];
        trace?: never;
    };
    "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/tries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The tries of a task instance, the latest last */
        get: operations["get_task_instance_tries"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/tries/{task_try_number}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One try */
        get: operations["get_task_instance_try_details"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/xcomEntries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** XComs of a task; `~` stands for all DAGs, all runs, all tasks */
        get: operations["get_xcom_entries"];
        put?: never;
        /** Make an XCom */
        post: operations["create_xcom_entry"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/xcomEntries/{xcom_key}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** An XCom with its value */
        get: operations["get_xcom_entry"];
        put?: never;
        post?: never;
        /** Delete an XCom */
        delete: operations["delete_xcom_entry"];
        options?: never;
        head?: never;
        /** Give an XCom another value */
        patch: operations["update_xcom_entry"];
        trace?: never;
    };
    "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/{map_index}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One of a mapped task */
        get: operations["get_mapped_task_instance"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /** The same for one of a mapped task */
        patch: operations["patch_mapped_task_instance"];
        trace?: never;
    };
    "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/{map_index}/dependencies": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The same for one of a mapped task */
        get: operations["get_mapped_task_instance_dependencies"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/{map_index}/dry_run": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /** The same for one of a mapped task */
        patch: operations["patch_mapped_task_instance_dry_run"];
        trace?: never;
    };
    "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/{map_index}/hitlDetails": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The question of a task instance */
        get: operations["get_hitl_detail"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /** Answer it */
        patch: operations["update_hitl_detail"];
        trace?: never;
    };
    "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/{map_index}/hitlDetails/tries/{try_number}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The question of an earlier try */
        get: operations["get_hitl_detail_try_detail"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/{map_index}/tries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The same for one of a mapped task */
        get: operations["get_mapped_task_instance_tries"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/{map_index}/tries/{task_try_number}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The same for one of a mapped task */
        get: operations["get_mapped_task_instance_try_details"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/upstreamAssetEvents": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Changes of assets that a run was made for */
        get: operations["get_upstream_asset_events"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/wait": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Waits until a run has ended: one JSON object a line, with `state` and at last `results` */
        get: operations["wait_dag_run_until_finished"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v2/dags/{dag_id}/dagVersions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The versions of a DAG; `~` = of all */
        get: operations["get_dag_versions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v2/dags/{dag_id}/dagVersions/{version_number}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One of them */
        get: operations["get_dag_version"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v2/dags/{dag_id}/details": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A DAG, with what its text says */
        get: operations["get_dag_details"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v2/dags/{dag_id}/favorite": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Make a DAG a favourite of the one who asks */
        post: operations["favorite_dag"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v2/dags/{dag_id}/tasks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The tasks of a DAG, as it is now */
        get: operations["get_tasks"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v2/dags/{dag_id}/tasks/{task_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A task of a DAG, as it is now */
        get: operations["get_task"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v2/dags/{dag_id}/unfavorite": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Make it no favourite any more */
        post: operations["unfavorite_dag"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v2/eventLogs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What happened, the oldest first */
        get: operations["get_event_logs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v2/eventLogs/{event_log_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One event */
        get: operations["get_event_log"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v2/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What changes, as it changes
         * @description A stream of server-sent events. `data` is JSON: `kind`, `dag_id`, `run_id`, `task_id`, `map_index`, `try_number`,
         *     `state`, `at`. `event: reload` says that some were left out. An event may come twice.
         */
        get: operations["stream_events"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v2/importErrors": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** DAG files that could not be read, but those of DAGs that are hidden from who asks */
        get: operations["get_import_errors"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v2/importErrors/{import_error_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One of them */
        get: operations["get_import_error"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v2/jobs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Schedulers and workers, those that have ended too */
        get: operations["get_jobs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v2/monitor/health": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The states of the parts; always 200 */
        get: operations["get_health"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v2/parseDagFile/{file_token}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Read a DAG file again soon, though it has not changed */
        put: operations["reparse_dag_file"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v2/plugins": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Plugins */
        get: operations["get_plugins"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v2/plugins/importErrors": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Plugins that could not be loaded */
        get: operations["import_errors_of_plugins"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v2/pools": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Pools, and what is in use */
        get: operations["get_pools"];
        put?: never;
        /** Make a pool */
        post: operations["post_pool"];
        delete?: never;
        options?: never;
        head?: never;
        /** Make, change and delete pools */
        patch: operations["bulk_pools"];
        trace?: never;
    };
    "/api/v2/pools/{pool_name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One of them */
        get: operations["get_pool"];
        put?: never;
        post?: never;
        /** Delete a pool; tasks that name it do not start any more */
        delete: operations["delete_pool"];
        options?: never;
        head?: never;
        /** Change a pool; of `default_pool` only `slots` and `include_deferred` */
        patch: operations["patch_pool"];
        trace?: never;
    };
    "/api/v2/providers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Packages of operators; Flow's are built in */
        get: operations["get_providers"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v2/tokens": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One's own tokens; for an Admin everyone's */
        get: operations["get_tokens"];
        put?: never;
        /** Makes a token; the answer is the only place where its secret is shown */
        post: operations["post_token"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v2/tokens/{token_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A token, without its secret */
        get: operations["get_token"];
        put?: never;
        post?: never;
        /** Revokes a token: it is good no more, at once */
        delete: operations["delete_token"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v2/users": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** All users */
        get: operations["get_users"];
        put?: never;
        /** Makes a user */
        post: operations["post_user"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v2/users/{username}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A user */
        get: operations["get_user"];
        put?: never;
        post?: never;
        /** Deletes a user, and ends their sessions and tokens */
        delete: operations["delete_user"];
        options?: never;
        head?: never;
        /** Changes a user: a role, a password, whether they may log in. A new password ends all tokens and sessions; the session that asked for it gets a new id */
        patch: operations["patch_user"];
        trace?: never;
    };
    "/api/v2/variables": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Variables of the database; those of the environment are not among them */
        get: operations["get_variables"];
        put?: never;
        /** Make a variable */
        post: operations["post_variable"];
        delete?: never;
        options?: never;
        head?: never;
        /** Make, change and delete variables */
        patch: operations["bulk_variables"];
        trace?: never;
    };
    "/api/v2/variables/{variable_key}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One of them */
        get: operations["get_variable"];
        put?: never;
        post?: never;
        /** Delete a variable */
        delete: operations["delete_variable"];
        options?: never;
        head?: never;
        /** Change a variable; a value that is `***` where a secret was shown so stays as it is */
        patch: operations["patch_variable"];
        trace?: never;
    };
    "/api/v2/version": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The version of Flow */
        get: operations["get_version"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/auth/login": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Begins a session: cookies, and for a form the way to `next` */
        post: operations["create_session"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/auth/logout": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Ends the session. Without one it does nothing; tokens are revoked at `/api/v2/tokens` */
        post: operations["delete_session"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/auth/me": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who is logged in, and what a page needs to send changes */
        get: operations["get_me"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/auth/token": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Stands for a token where everyone may come in without one (`web.anonymous_role`) */
        get: operations["create_token_of_nobody"];
        put?: never;
        /** A token for a name and a password; good for a day */
        post: operations["create_token"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/auth/token/cli": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** The same, good for an hour */
        post: operations["create_token_cli"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/livez": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Does this process answer? Whoever starts processes may start it anew when it does not */
        get: operations["get_liveness"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What this process has measured, in the text format of Prometheus
         * @description For everyone with `metrics.anonymous_scrape`. See docs/reference/metrics.md.
         */
        get: operations["get_metrics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/readyz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Can this server do its work now? 503 while its database does not answer: send requests to another */
        get: operations["get_readiness"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/ui/callbacks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Callbacks, the latest first */
        get: operations["get_callbacks"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/ui/callbacks/{callback_id}/retry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Tries a callback again: one that failed from its first try on, one that waits at once */
        post: operations["retry_callback"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/ui/dags": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** DAGs with their last runs, and how far the newest is */
        get: operations["get_dag_cards"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/ui/dags/check": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Say what is wrong with the text of a DAG file, and what its DAGs look like */
        post: operations["check_dag_text"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/ui/dags/lastRunStates": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The state of the latest run of each DAG that has one */
        get: operations["get_last_run_states"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/ui/dags/{dag_id}/backlog": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The runs that are due as soon as a DAG is unpaused; none when it is not paused */
        get: operations["get_backlog"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/ui/dags/{dag_id}/calendar": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The runs of a DAG, counted by the day on which they were due */
        get: operations["get_calendar"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/ui/dags/{dag_id}/dagRuns/{dag_run_id}/edit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Clear, mark or cancel a run, or a task of it */
        post: operations["edit_dag_run"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/ui/dags/{dag_id}/dagRuns/{dag_run_id}/edit/preview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Say what an edit would change */
        post: operations["preview_edit"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/ui/dags/{dag_id}/dagRuns/{dag_run_id}/gantt": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Every try of a run's task instances */
        get: operations["get_gantt"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/ui/dags/{dag_id}/dagRuns/{dag_run_id}/tasks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The task instances of a run, all of them, in the order of its DAG */
        get: operations["get_tasks_of_run"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/ui/dags/{dag_id}/dagRuns/{dag_run_id}/tasks/{task_id}/neighbours": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The tasks before and after a task with their states, and the runs before and after its own */
        get: operations["get_neighbours"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/ui/dags/{dag_id}/dagRuns/{dag_run_id}/tasks/{task_id}/{map_index}/explain": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Why a task instance runs, waits or does not run */
        get: operations["explain_task"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/ui/dags/{dag_id}/dagRuns/{dag_run_id}/tasks/{task_id}/{map_index}/rendered": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A task's arguments as they are for a run: those of the last attempt, else those that the next one would see */
        get: operations["render_task"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/ui/dags/{dag_id}/document": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The text of a DAG and of the files that it names */
        get: operations["get_document"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/ui/dags/{dag_id}/graph": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A DAG's tasks, groups and dependencies, with the place of each */
        get: operations["get_graph"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/ui/dags/{dag_id}/grid": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The tasks of a DAG in its last runs */
        get: operations["get_grid"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/ui/files": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The files of the DAG folder, but those with a DAG that is hidden from who asks */
        get: operations["get_dag_files"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/ui/files/{path}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The text of a DAG file */
        get: operations["get_dag_file"];
        /** Save the text of a DAG file, or add one */
        put: operations["put_dag_file"];
        post?: never;
        /** Remove a DAG file: its DAGs run no more, and keep their history */
        delete: operations["delete_dag_file"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/ui/processes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Schedulers and workers that are there, or have fallen silent */
        get: operations["get_processes"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/ui/schema/dag": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The JSON schema of DAG files, with every operator: for editors */
        get: operations["get_dag_schema"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        AppBuilderMenuItemResponse: {
            category: string | null;
            href: string;
            name: string;
        };
        AppBuilderViewResponse: {
            category: string | null;
            label: string | null;
            name: string | null;
            view: string | null;
        };
        AssetAliasCollectionResponse: {
            asset_aliases: components["schemas"]["AssetAliasResponse"][];
            /** Format: int64 */
            total_entries: number;
        };
        AssetAliasResponse: {
            group: string;
            /** Format: int64 */
            id: number;
            name: string;
        };
        AssetCollectionResponse: {
            assets: components["schemas"]["AssetResponse"][];
            /** Format: int64 */
            total_entries: number;
        };
        AssetEventAccessControl: {
            allow_global?: boolean | null;
            consumer_teams?: string[] | null;
        };
        AssetEventCollectionResponse: {
            asset_events: components["schemas"]["AssetEventResponse"][];
            /** Format: int64 */
            total_entries: number;
        };
        AssetEventResponse: {
            /** Format: int64 */
            asset_id: number;
            created_dagruns: components["schemas"]["DagRunAssetReference"][];
            extra: Record<string, never> | null;
            group: string | null;
            /** Format: int64 */
            id: number;
            name: string | null;
            partition_key: string | null;
            source_dag_id: string | null;
            /** Format: int64 */
            source_map_index: number;
            source_run_id: string | null;
            source_task_id: string | null;
            timestamp: components["schemas"]["When"];
            uri: string | null;
        };
        AssetResponse: {
            aliases: components["schemas"]["AssetAliasResponse"][];
            consuming_tasks: components["schemas"]["TaskInletAssetReference"][];
            created_at: components["schemas"]["When"];
            extra: Record<string, never> | null;
            group: string;
            /** Format: int64 */
            id: number;
            last_asset_event: components["schemas"]["LastAssetEventResponse"] | null;
            name: string;
            producing_tasks: components["schemas"]["TaskOutletAssetReference"][];
            scheduled_dags: components["schemas"]["DagScheduleAssetReference"][];
            updated_at: components["schemas"]["When"];
            uri: string;
            watchers: components["schemas"]["AssetWatcherResponse"][];
        };
        AssetStateStoreBody: {
            value: unknown;
        };
        AssetStateStoreCollectionResponse: {
            asset_state_store: components["schemas"]["AssetStateStoreResponse"][];
            /** Format: int64 */
            total_entries: number;
        };
        AssetStateStoreLastUpdatedBy: {
            dag_id: string | null;
            kind: components["schemas"]["AssetStateStoreWriterKind"];
            /** Format: int64 */
            map_index: number | null;
            run_id: string | null;
            task_id: string | null;
        };
        AssetStateStoreResponse: {
            key: string;
            last_updated_by: components["schemas"]["AssetStateStoreLastUpdatedBy"] | null;
            updated_at: components["schemas"]["When"];
            value: unknown;
        };
        /** @enum {string} */
        AssetStateStoreWriterKind: "task" | "watcher" | "api";
        AssetWatcherResponse: {
            created_date: components["schemas"]["When"];
            name: string;
            /** Format: int64 */
            trigger_id: number;
        };
        BackfillCollectionResponse: {
            backfills: components["schemas"]["BackfillResponse"][];
            /** Format: int64 */
            total_entries: number;
        };
        BackfillPostBody: {
            dag_id: string;
            dag_run_conf?: Record<string, never> | null;
            from_date: components["schemas"]["When"];
            /** Format: int64 */
            max_active_runs?: number | null;
            reprocess_behavior?: components["schemas"]["ReprocessBehavior"] | null;
            run_backwards?: boolean | null;
            run_on_latest_version?: boolean | null;
            to_date: components["schemas"]["When"];
        };
        BackfillResponse: {
            completed_at: components["schemas"]["When"] | null;
            created_at: components["schemas"]["When"];
            dag_display_name: string;
            dag_id: string;
            dag_run_conf: Record<string, never> | null;
            from_date: components["schemas"]["When"];
            /** Format: int64 */
            id: number;
            is_paused: boolean;
            /** Format: int64 */
            max_active_runs: number;
            reprocess_behavior: components["schemas"]["ReprocessBehavior"];
            to_date: components["schemas"]["When"];
            updated_at: components["schemas"]["When"];
        };
        BaseInfoResponse: {
            /** @description `healthy` or `unhealthy` */
            status: string | null;
        };
        /** @enum {string} */
        BulkActionNotOnExistence: "fail" | "skip";
        /** @enum {string} */
        BulkActionOnExistence: "fail" | "skip" | "overwrite";
        BulkActionResponse: {
            /** @description `error` and `status_code` of what was refused */
            errors: {
                [key: string]: unknown;
            }[];
            /** @description Names of those that it was done to */
            success: string[];
        };
        BulkAction_BulkDAGRunBody: {
            /** @enum {string} */
            action: "create";
            action_on_existence?: components["schemas"]["BulkActionOnExistence"];
            entities: {
                /** @description Left out = the one in the path */
                dag_id?: string | null;
                dag_run_id: string;
                note?: string | null;
                state?: components["schemas"]["DagRunMutableStates"] | null;
            }[];
        } | {
            /** @enum {string} */
            action: "update";
            action_on_non_existence?: components["schemas"]["BulkActionNotOnExistence"];
            entities: {
                /** @description Left out = the one in the path */
                dag_id?: string | null;
                dag_run_id: string;
                note?: string | null;
                state?: components["schemas"]["DagRunMutableStates"] | null;
            }[];
            /** @description Only these fields */
            update_mask?: string[] | null;
        } | {
            /** @enum {string} */
            action: "delete";
            action_on_non_existence?: components["schemas"]["BulkActionNotOnExistence"];
            entities: components["schemas"]["Named_BulkDAGRunBody"][];
        };
        BulkAction_BulkTaskInstanceBody: {
            /** @enum {string} */
            action: "create";
            action_on_existence?: components["schemas"]["BulkActionOnExistence"];
            entities: {
                /** @description Needed where the path says `~` */
                dag_id?: string | null;
                /** @description Needed where the path says `~` */
                dag_run_id?: string | null;
                include_downstream?: boolean;
                include_future?: boolean;
                include_past?: boolean;
                include_upstream?: boolean;
                /**
                 * Format: int32
                 * @description Without it all of the task
                 */
                map_index?: number | null;
                new_state?: components["schemas"]["TaskInstanceState"] | null;
                note?: string | null;
                task_id: string;
            }[];
        } | {
            /** @enum {string} */
            action: "update";
            action_on_non_existence?: components["schemas"]["BulkActionNotOnExistence"];
            entities: {
                /** @description Needed where the path says `~` */
                dag_id?: string | null;
                /** @description Needed where the path says `~` */
                dag_run_id?: string | null;
                include_downstream?: boolean;
                include_future?: boolean;
                include_past?: boolean;
                include_upstream?: boolean;
                /**
                 * Format: int32
                 * @description Without it all of the task
                 */
                map_index?: number | null;
                new_state?: components["schemas"]["TaskInstanceState"] | null;
                note?: string | null;
                task_id: string;
            }[];
            /** @description Only these fields */
            update_mask?: string[] | null;
        } | {
            /** @enum {string} */
            action: "delete";
            action_on_non_existence?: components["schemas"]["BulkActionNotOnExistence"];
            entities: components["schemas"]["Named_BulkTaskInstanceBody"][];
        };
        BulkAction_ConnectionBody: {
            /** @enum {string} */
            action: "create";
            action_on_existence?: components["schemas"]["BulkActionOnExistence"];
            entities: {
                /** @description `postgres`, `http`, … */
                conn_type: string;
                connection_id: string;
                description?: string | null;
                /** @description A JSON object; `***` within = as it is */
                extra?: string | null;
                host?: string | null;
                login?: string | null;
                /** @description `***` = as it is */
                password?: string | null;
                /** Format: int32 */
                port?: number | null;
                schema?: string | null;
                /** @description There are no teams */
                team_name?: string | null;
            }[];
        } | {
            /** @enum {string} */
            action: "update";
            action_on_non_existence?: components["schemas"]["BulkActionNotOnExistence"];
            entities: {
                /** @description `postgres`, `http`, … */
                conn_type: string;
                connection_id: string;
                description?: string | null;
                /** @description A JSON object; `***` within = as it is */
                extra?: string | null;
                host?: string | null;
                login?: string | null;
                /** @description `***` = as it is */
                password?: string | null;
                /** Format: int32 */
                port?: number | null;
                schema?: string | null;
                /** @description There are no teams */
                team_name?: string | null;
            }[];
            /** @description Only these fields */
            update_mask?: string[] | null;
        } | {
            /** @enum {string} */
            action: "delete";
            action_on_non_existence?: components["schemas"]["BulkActionNotOnExistence"];
            entities: components["schemas"]["Named_ConnectionBody"][];
        };
        BulkAction_PoolBody: {
            /** @enum {string} */
            action: "create";
            action_on_existence?: components["schemas"]["BulkActionOnExistence"];
            entities: {
                description?: string | null;
                /** @description Kept, and without effect: nothing in Flow is deferred */
                include_deferred?: boolean;
                name: string;
                /**
                 * Format: int64
                 * @description -1 = no limit
                 */
                slots: number;
                /** @description There are no teams */
                team_name?: string | null;
            }[];
        } | {
            /** @enum {string} */
            action: "update";
            action_on_non_existence?: components["schemas"]["BulkActionNotOnExistence"];
            entities: {
                description?: string | null;
                /** @description Kept, and without effect: nothing in Flow is deferred */
                include_deferred?: boolean;
                name: string;
                /**
                 * Format: int64
                 * @description -1 = no limit
                 */
                slots: number;
                /** @description There are no teams */
                team_name?: string | null;
            }[];
            /** @description Only these fields */
            update_mask?: string[] | null;
        } | {
            /** @enum {string} */
            action: "delete";
            action_on_non_existence?: components["schemas"]["BulkActionNotOnExistence"];
            entities: components["schemas"]["Named_PoolBody"][];
        };
        BulkAction_VariableBody: {
            /** @enum {string} */
            action: "create";
            action_on_existence?: components["schemas"]["BulkActionOnExistence"];
            entities: {
                description?: string | null;
                key: string;
                /** @description There are no teams */
                team_name?: string | null;
                /** @description A text; anything else is kept as JSON */
                value: unknown;
            }[];
        } | {
            /** @enum {string} */
            action: "update";
            action_on_non_existence?: components["schemas"]["BulkActionNotOnExistence"];
            entities: {
                description?: string | null;
                key: string;
                /** @description There are no teams */
                team_name?: string | null;
                /** @description A text; anything else is kept as JSON */
                value: unknown;
            }[];
            /** @description Only these fields */
            update_mask?: string[] | null;
        } | {
            /** @enum {string} */
            action: "delete";
            action_on_non_existence?: components["schemas"]["BulkActionNotOnExistence"];
            entities: components["schemas"]["Named_VariableBody"][];
        };
        BulkBody_BulkDAGRunBody: {
            actions: components["schemas"]["BulkAction_BulkDAGRunBody"][];
        };
        BulkBody_BulkTaskInstanceBody: {
            actions: components["schemas"]["BulkAction_BulkTaskInstanceBody"][];
        };
        BulkBody_ConnectionBody: {
            actions: components["schemas"]["BulkAction_ConnectionBody"][];
        };
        BulkBody_PoolBody: {
            actions: components["schemas"]["BulkAction_PoolBody"][];
        };
        BulkBody_VariableBody: {
            actions: components["schemas"]["BulkAction_VariableBody"][];
        };
        BulkCleared: components["schemas"]["ClearTaskInstanceCollectionResponse"] | components["schemas"]["DAGRunCollectionResponse"];
        BulkDAGRunBody: {
            /** @description Left out = the one in the path */
            dag_id?: string | null;
            dag_run_id: string;
            note?: string | null;
            state?: components["schemas"]["DagRunMutableStates"] | null;
        };
        BulkDAGRunClearBody: {
            dag_runs?: components["schemas"]["BulkDAGRunBody"][] | null;
            /** @default true */
            dry_run: boolean;
            note?: string | null;
            only_failed?: boolean;
            only_new?: boolean;
            partition_date_end?: components["schemas"]["When"] | null;
            partition_date_start?: components["schemas"]["When"] | null;
            /** @description Runs have no partitions: must be null */
            partition_key?: string | null;
            run_on_latest_version?: boolean | null;
        };
        /** @description What became of the actions; null = there was none of the kind */
        BulkResponse: {
            create: components["schemas"]["BulkActionResponse"] | null;
            delete: components["schemas"]["BulkActionResponse"] | null;
            update: components["schemas"]["BulkActionResponse"] | null;
        };
        /** @description What one of many task instances is to become */
        BulkTaskInstanceBody: {
            /** @description Needed where the path says `~` */
            dag_id: string | null;
            /** @description Needed where the path says `~` */
            dag_run_id: string | null;
            include_downstream: boolean;
            include_future: boolean;
            include_past: boolean;
            include_upstream: boolean;
            /**
             * Format: int32
             * @description Without it all of the task
             */
            map_index: number | null;
            new_state: components["schemas"]["TaskInstanceState"] | null;
            note: string | null;
            task_id: string;
        };
        CalendarDay: {
            /** @description `2026-11-20` */
            date: string;
            /**
             * Format: int64
             * @description Runs that the timetable will make, at most 366 days from now
             */
            planned: number;
            states: components["schemas"]["DayStates"];
        };
        CalendarResponse: {
            /** @description Those on which there is something, the first first */
            days: components["schemas"]["CalendarDay"][];
            /** @description Whether all was counted: at most 100,000 runs are, the newest, and the next 10,000 of the plan */
            is_complete: boolean;
        };
        CallbackCollectionResponse: {
            callbacks: components["schemas"]["CallbackResponse"][];
            /**
             * Format: int64
             * @description For `before` of the next page; null when this is the last
             */
            next: number | null;
            /**
             * Format: int64
             * @description All that there are, at most 10,000; null when counting them would take too long
             */
            total_entries: number | null;
        };
        CallbackResponse: {
            /** Format: int64 */
            callback_id: number;
            created_at: components["schemas"]["When"];
            dag_id: string;
            dag_run_id: string;
            ended_at: components["schemas"]["When"] | null;
            /** @description What went wrong at the last try */
            error: string | null;
            /** @description `execute`, `success`, `failure`, `retry` or `skipped` */
            event: string;
            /** @description The end of what the last try said */
            log: string | null;
            /** Format: int64 */
            map_index: number;
            next_try_at: components["schemas"]["When"] | null;
            /**
             * Format: int64
             * @description The try of the task; of a run, how often it was cleared
             */
            number: number;
            operator: string;
            /** @description `pending`, `delivered` or `failed` */
            state: string;
            /** @description Null when it is the run's */
            task_id: string | null;
            /**
             * Format: int64
             * @description Tries to deliver it that have begun
             */
            tries: number;
        };
        CheckedDag: {
            dag_id: string;
            graph: components["schemas"]["GraphResponse"] | null;
        };
        ClearPartitionsBody: {
            clear_task_instances?: boolean | null;
            dry_run?: boolean | null;
            partition_date_end?: components["schemas"]["When"] | null;
            partition_date_start?: components["schemas"]["When"] | null;
            partition_key?: string | null;
            run_id?: string | null;
        };
        ClearPartitionsResponse: {
            /** Format: int64 */
            dag_runs_cleared: number;
            dry_run: boolean;
            /** Format: int64 */
            task_instances_cleared: number;
        };
        ClearTaskInstanceCollectionResponse: {
            task_instances: components["schemas"]["ClearedTask"][];
            total_entries: number;
        };
        /** @description Which task instances are to run again */
        ClearTaskInstancesBody: {
            /** @description Without it all runs between the dates */
            dag_run_id?: string | null;
            /**
             * @description Only say what would be cleared
             * @default true
             */
            dry_run: boolean;
            end_date?: components["schemas"]["When"] | null;
            include_downstream?: boolean;
            include_future?: boolean;
            include_past?: boolean;
            include_upstream?: boolean;
            note?: string | null;
            /** @default true */
            only_failed: boolean;
            only_running?: boolean;
            /** @description A conflict when one of them is running */
            prevent_running_task?: boolean;
            /**
             * @description False: runs that have ended stay so, and nothing of them starts before they are cleared themselves
             * @default true
             */
            reset_dag_runs: boolean;
            /** @description With the DAG's current version, instead of the one the run was made with */
            run_on_latest_version?: boolean | null;
            start_date?: components["schemas"]["When"] | null;
            /** @description Ids of tasks, or pairs of an id and a map index; without it all tasks */
            task_ids?: unknown[] | null;
        };
        Cleared: components["schemas"]["ClearTaskInstanceCollectionResponse"] | components["schemas"]["DAGRunResponse"];
        ClearedTask: components["schemas"]["TaskInstanceResponse"] | components["schemas"]["NewTaskResponse"];
        Config: {
            sections: components["schemas"]["ConfigSection"][];
        };
        ConfigOption: {
            key: string;
            /** @description The file and line, variable or flag */
            place: string | null;
            /** @description Where it comes from: `default`, `file`, `env` or `flag` */
            source: string;
            value: string;
        };
        ConfigSection: {
            name: string;
            options: components["schemas"]["ConfigOption"][];
        };
        ConnectionBody: {
            /** @description `postgres`, `http`, … */
            conn_type: string;
            connection_id: string;
            description?: string | null;
            /** @description A JSON object; `***` within = as it is */
            extra?: string | null;
            host?: string | null;
            login?: string | null;
            /** @description `***` = as it is */
            password?: string | null;
            /** Format: int32 */
            port?: number | null;
            schema?: string | null;
            /** @description There are no teams */
            team_name?: string | null;
        };
        ConnectionCollectionResponse: {
            connections: components["schemas"]["ConnectionResponse"][];
            /** Format: int64 */
            total_entries: number;
        };
        ConnectionResponse: {
            conn_type: string;
            connection_id: string;
            description: string | null;
            /** @description JSON; secrets in it are `***` */
            extra: string | null;
            host: string | null;
            login: string | null;
            /** @description `***` when there is one */
            password: string | null;
            /** Format: int32 */
            port: number | null;
            schema: string | null;
            team_name: string | null;
        };
        ConnectionTestRequestBody: {
            commit_on_success?: boolean;
            executor?: string | null;
            queue?: string | null;
        };
        ConnectionTestResponse: {
            message: string;
            status: boolean;
        };
        CreateAssetEventsBody: {
            access_control?: components["schemas"]["AssetEventAccessControl"] | null;
            /** Format: int64 */
            asset_id: number;
            extra?: Record<string, never> | null;
            partition_key?: string | null;
        };
        DAGCollectionResponse: {
            dags: components["schemas"]["DAGResponse"][];
            /** Format: int64 */
            total_entries: number;
        };
        DAGDetailsResponse: {
            /** Format: int64 */
            active_runs_count: number;
            allowed_run_types: string[] | null;
            asset_expression: {
                [key: string]: unknown;
            } | null;
            bundle_name: string | null;
            bundle_version: string | null;
            catchup: boolean;
            /** Format: int64 */
            concurrency: number;
            dag_display_name: string;
            dag_id: string;
            /**
             * Format: duration
             * @description ISO 8601
             */
            dag_run_timeout: string | null;
            /** @description Always null: they are part of each task */
            default_args: {
                [key: string]: unknown;
            } | null;
            description: string | null;
            doc_md: string | null;
            end_date: components["schemas"]["When"] | null;
            /** @description For `parseDagFile` */
            file_token: string;
            fileloc: string;
            has_import_errors: boolean;
            has_task_concurrency_limits: boolean;
            is_backfillable: boolean;
            is_favorite: boolean;
            is_paused: boolean;
            is_paused_upon_creation: boolean | null;
            is_stale: boolean;
            last_expired: components["schemas"]["When"] | null;
            /**
             * Format: double
             * @description Always null: it is a matter of microseconds
             */
            last_parse_duration: number | null;
            last_parsed: components["schemas"]["When"] | null;
            last_parsed_time: components["schemas"]["When"] | null;
            latest_dag_version: components["schemas"]["DagVersionResponse"] | null;
            /** Format: int64 */
            max_active_runs: number | null;
            /** Format: int64 */
            max_active_tasks: number;
            /** Format: int64 */
            max_consecutive_failed_dag_runs: number;
            next_dagrun_data_interval_end: components["schemas"]["When"] | null;
            next_dagrun_data_interval_start: components["schemas"]["When"] | null;
            next_dagrun_logical_date: components["schemas"]["When"] | null;
            next_dagrun_run_after: components["schemas"]["When"] | null;
            owner_links: {
                [key: string]: string;
            } | null;
            owners: string[];
            params: {
                [key: string]: unknown;
            } | null;
            relative_fileloc: string | null;
            render_template_as_native_obj: boolean;
            rerun_with_latest_version: boolean | null;
            start_date: components["schemas"]["When"] | null;
            tags: components["schemas"]["DagTagResponse"][];
            template_search_path: string[] | null;
            timetable_description: string | null;
            timetable_partitioned: boolean;
            timetable_periodic: boolean;
            timetable_summary: string | null;
            timezone: string | null;
        };
        DAGPatchBody: {
            is_paused: boolean;
        };
        DAGResponse: {
            allowed_run_types: string[] | null;
            bundle_name: string | null;
            bundle_version: string | null;
            dag_display_name: string;
            dag_id: string;
            description: string | null;
            /** @description For `parseDagFile` */
            file_token: string;
            fileloc: string;
            has_import_errors: boolean;
            has_task_concurrency_limits: boolean;
            is_backfillable: boolean;
            is_paused: boolean;
            is_stale: boolean;
            last_expired: components["schemas"]["When"] | null;
            /**
             * Format: double
             * @description Always null: it is a matter of microseconds
             */
            last_parse_duration: number | null;
            last_parsed_time: components["schemas"]["When"] | null;
            /** Format: int64 */
            max_active_runs: number | null;
            /** Format: int64 */
            max_active_tasks: number;
            /** Format: int64 */
            max_consecutive_failed_dag_runs: number;
            next_dagrun_data_interval_end: components["schemas"]["When"] | null;
            next_dagrun_data_interval_start: components["schemas"]["When"] | null;
            next_dagrun_logical_date: components["schemas"]["When"] | null;
            next_dagrun_run_after: components["schemas"]["When"] | null;
            owners: string[];
            relative_fileloc: string | null;
            tags: components["schemas"]["DagTagResponse"][];
            timetable_description: string | null;
            timetable_partitioned: boolean;
            timetable_periodic: boolean;
            timetable_summary: string | null;
        };
        DAGRunClearBody: {
            /**
             * @description Only says what would be cleared
             * @default true
             */
            dry_run: boolean;
            note?: string | null;
            only_failed?: boolean;
            /** @description Only tasks that the DAG's latest version has and the run has not */
            only_new?: boolean;
            /** @description What is cleared runs with the DAG's latest version */
            run_on_latest_version?: boolean | null;
        };
        DAGRunCollectionResponse: {
            dag_runs: components["schemas"]["DAGRunResponse"][];
            next_cursor: string | null;
            previous_cursor: string | null;
            /**
             * Format: int64
             * @description At most 10,000, which then means "so many or more"; null when counting would take too long
             */
            total_entries: number | null;
            /**
             * Format: int64
             * @description How far entries are counted, when that may matter
             */
            total_entries_limit: number | null;
        };
        DAGRunPatchBody: {
            note?: string | null;
            state?: components["schemas"]["DagRunMutableStates"] | null;
        };
        DAGRunResponse: {
            bundle_version: string | null;
            conf: Record<string, never> | null;
            dag_display_name: string;
            dag_id: string;
            dag_run_id: string;
            /** @description The one that it is pinned to */
            dag_versions: components["schemas"]["DagVersionResponse"][];
            data_interval_end: components["schemas"]["When"] | null;
            data_interval_start: components["schemas"]["When"] | null;
            /**
             * Format: double
             * @description Seconds, once it has ended
             */
            duration: number | null;
            end_date: components["schemas"]["When"] | null;
            last_scheduling_decision: components["schemas"]["When"] | null;
            logical_date: components["schemas"]["When"] | null;
            note: string | null;
            partition_date: components["schemas"]["When"] | null;
            partition_key: string | null;
            queued_at: components["schemas"]["When"] | null;
            run_after: components["schemas"]["When"];
            run_type: components["schemas"]["DagRunType"];
            start_date: components["schemas"]["When"] | null;
            state: components["schemas"]["DagRunState"];
            triggered_by: components["schemas"]["DagRunTriggeredByType"] | null;
            triggering_user_name: string | null;
        };
        DAGRunsBatchBody: {
            conf_contains?: string | null;
            dag_ids?: string[] | null;
            /** Format: double */
            duration_gt?: number | null;
            /**
             * Format: double
             * @description In seconds
             */
            duration_gte?: number | null;
            /** Format: double */
            duration_lt?: number | null;
            /** Format: double */
            duration_lte?: number | null;
            end_date_gt?: components["schemas"]["When"] | null;
            end_date_gte?: components["schemas"]["When"] | null;
            end_date_lt?: components["schemas"]["When"] | null;
            end_date_lte?: components["schemas"]["When"] | null;
            logical_date_gt?: components["schemas"]["When"] | null;
            logical_date_gte?: components["schemas"]["When"] | null;
            logical_date_lt?: components["schemas"]["When"] | null;
            logical_date_lte?: components["schemas"]["When"] | null;
            order_by?: string | null;
            /**
             * Format: int32
             * @description More than 1,000 are never returned at once
             */
            page_limit?: number | null;
            /** Format: int32 */
            page_offset?: number | null;
            run_after_gt?: components["schemas"]["When"] | null;
            run_after_gte?: components["schemas"]["When"] | null;
            run_after_lt?: components["schemas"]["When"] | null;
            run_after_lte?: components["schemas"]["When"] | null;
            start_date_gt?: components["schemas"]["When"] | null;
            start_date_gte?: components["schemas"]["When"] | null;
            start_date_lt?: components["schemas"]["When"] | null;
            start_date_lte?: components["schemas"]["When"] | null;
            states?: (components["schemas"]["DagRunState"] | null)[] | null;
        };
        DAGSourceResponse: {
            content: string | null;
            dag_display_name: string;
            dag_id: string;
            /** Format: int64 */
            version_number: number | null;
        };
        DAGTagCollectionResponse: {
            tags: string[];
            total_entries: number;
        };
        DAGVersionCollectionResponse: {
            dag_versions: components["schemas"]["DagVersionResponse"][];
            /** Format: int64 */
            total_entries: number;
        };
        DAGWarningCollectionResponse: {
            dag_warnings: components["schemas"]["DAGWarningResponse"][];
            /** Format: int64 */
            total_entries: number;
        };
        DAGWarningResponse: {
            dag_display_name: string;
            dag_id: string;
            message: string;
            timestamp: components["schemas"]["When"];
            warning_type: components["schemas"]["DagWarningType"];
        };
        /** @description Runs that are due as soon as a DAG is unpaused */
        DagBacklog: {
            /** @description How many; 10,001 when there are more than 10,000 */
            due: number;
            /** @description The ids of the first four */
            first: string[];
            /** @description The DAG makes up for the past */
            has_catchup: boolean;
            /** @description The id of the last, when all were counted */
            last: string | null;
        };
        DagCard: {
            /** @description Whether the one who asks may trigger, pause and change it */
            can_edit: boolean;
            dag_display_name: string;
            dag_id: string;
            description: string | null;
            /** @description Relative to the DAG folder */
            file: string;
            has_import_errors: boolean;
            /** @description Of the one who asks */
            is_favorite: boolean;
            is_paused: boolean;
            next_run: components["schemas"]["When"] | null;
            owners: string[];
            /** @description The newest last */
            recent_runs: components["schemas"]["RunCard"][];
            /** @description As briefly as it can be written; null = none */
            schedule: string | null;
            /** @description The same in words: "at 03:00 every day, Europe/Berlin" */
            schedule_words: string;
            tags: string[];
            /**
             * @description How many task instances of the newest run are in which state (`no_status`: nothing has been decided yet); null =
             *     there is no run
             */
            task_states: {
                [key: string]: number;
            } | null;
            /** @description IANA name */
            timezone: string;
        };
        DagCards: {
            counts: components["schemas"]["DagCounts"];
            dags: components["schemas"]["DagCard"][];
            /**
             * Format: int64
             * @description At most 10,000, which then means "so many or more"
             */
            total_entries: number;
        };
        /** @description How many DAGs the filters but `paused` let through */
        DagCounts: {
            /** Format: int64 */
            active: number;
            /** Format: int64 */
            all: number;
            /** Format: int64 */
            paused: number;
        };
        /** @description A complaint about a place in a text. Lines and columns count from 1, columns in characters */
        DagDiagnostic: {
            /** @description Always null */
            code: string | null;
            column: number | null;
            end_column: number | null;
            end_line: number | null;
            /** @description What may have been meant, or another way out */
            help: string | null;
            /** @description Null when it is about the whole text */
            line: number | null;
            message: string;
            severity: components["schemas"]["DagSeverity"];
        };
        /** @description A version of a DAG with all that it takes to read it again */
        DagDocument: {
            /** @description The place of the DAG among the file's documents, from 0 */
            document: number;
            /** @description The DAG file, relative to the DAG folder */
            file: string;
            /** @description What the DAG file names with `$f` */
            files: {
                [key: string]: components["schemas"]["DocumentFile"];
            };
            text: string;
            /** Format: int64 */
            version_number: number;
        };
        DagFileBody: {
            /** @description Of the text that it takes the place of; null = the file is new */
            etag?: string | null;
            /** @description Save it though it has errors */
            force?: boolean;
            /** @description At most 1 MiB */
            text: string;
        };
        DagFileInList: {
            /** @description Of the DAGs that it held when it was last read */
            dag_ids: string[];
            has_errors: boolean;
            modified: components["schemas"]["When"];
            /** @description Below the DAG folder, with `/` */
            path: string;
            /**
             * Format: int64
             * @description In bytes
             */
            size: number;
        };
        DagFileResponse: {
            /** @description To be sent back with a change: it tells whether the file is still as it was read */
            etag: string;
            path: string;
            text: string;
        };
        DagFileSaved: {
            /** @description Of what was saved */
            etag: string;
        };
        DagFilesResponse: {
            can_edit: boolean;
            /** @description By path; at most 10,000 */
            files: components["schemas"]["DagFileInList"][];
            /** @description A sentence, when not */
            why_not: string | null;
        };
        DagProcessorInfoResponse: {
            latest_dag_processor_heartbeat: components["schemas"]["When"] | null;
            status: string | null;
        };
        DagRunAssetReference: {
            dag_id: string;
            data_interval_end: components["schemas"]["When"] | null;
            data_interval_start: components["schemas"]["When"] | null;
            end_date: components["schemas"]["When"] | null;
            logical_date: components["schemas"]["When"] | null;
            partition_key: string | null;
            run_id: string;
            start_date: components["schemas"]["When"];
            state: string;
            triggering: boolean;
        };
        /**
         * @description States that someone may give to a run.
         * @enum {string}
         */
        DagRunMutableStates: "queued" | "success" | "failed";
        /** @enum {string} */
        DagRunState: "queued" | "running" | "success" | "failed";
        /** @enum {string} */
        DagRunTriggeredByType: "cli" | "operator" | "rest_api" | "ui" | "test" | "timetable" | "asset" | "backfill";
        /**
         * @description Airflow's types of runs; Flow makes no `operator_triggered` and `asset_materialization`.
         * @enum {string}
         */
        DagRunType: "backfill" | "scheduled" | "manual" | "operator_triggered" | "asset_triggered" | "asset_materialization";
        DagScheduleAssetReference: {
            created_at: components["schemas"]["When"];
            dag_id: string;
            updated_at: components["schemas"]["When"];
        };
        /** @enum {string} */
        DagSeverity: "error" | "warning";
        DagStatsCollectionResponse: {
            dags: components["schemas"]["DagStatsResponse"][];
            total_entries: number;
        };
        DagStatsResponse: {
            dag_display_name: string;
            dag_id: string;
            stats: components["schemas"]["DagStatsStateResponse"][];
        };
        DagStatsStateResponse: {
            /** Format: int64 */
            count: number;
            state: components["schemas"]["DagRunState"];
        };
        DagTagResponse: {
            dag_display_name: string;
            dag_id: string;
            name: string;
        };
        /** @description A text that is to be a DAG file */
        DagTextBody: {
            /** @description Where it is to be, below the DAG folder: files that it names with `$f` are looked for beside it */
            path?: string | null;
            /** @description At most 1 MiB */
            text: string;
        };
        /** @description What was understood of a text, and what is wrong with it */
        DagTextResponse: {
            /** @description Those without an error */
            dags: components["schemas"]["CheckedDag"][];
            diagnostics: components["schemas"]["DagDiagnostic"][];
        };
        /** @description A version of a DAG. */
        DagVersionResponse: {
            bundle_name: string | null;
            bundle_url: string | null;
            bundle_version: string | null;
            created_at: components["schemas"]["When"];
            dag_display_name: string;
            dag_id: string;
            /** Format: uuid */
            id: string;
            /** Format: int64 */
            version_number: number;
        };
        /** @enum {string} */
        DagWarningType: "asset conflict" | "non-existent pool" | "runtime varying value";
        /** @description How many runs that were due on a day are in which state */
        DayStates: {
            /** Format: int64 */
            failed: number;
            /** Format: int64 */
            queued: number;
            /** Format: int64 */
            running: number;
            /** Format: int64 */
            success: number;
        };
        /** @description A file, or why it could not be read */
        DocumentFile: {
            problem: string | null;
            text: string | null;
        };
        DryRunBackfillCollectionResponse: {
            backfills: components["schemas"]["DryRunBackfillResponse"][];
            /** Format: int64 */
            total_entries: number;
        };
        DryRunBackfillResponse: {
            logical_date: components["schemas"]["When"] | null;
            partition_date: components["schemas"]["When"] | null;
            partition_key: string | null;
        };
        /** @enum {string} */
        EditAction: "clear" | "mark" | "cancel";
        /** @description What is to be done to a run or to one of its tasks */
        EditBody: {
            action: components["schemas"]["EditAction"];
            /** @description Also what depends on the task */
            downstream?: boolean;
            /** @description Of a clear: on the newest version of the DAG instead of the run's own */
            latest_version?: boolean;
            /**
             * Format: int32
             * @description Null = all of a mapped task's instances
             */
            map_index?: number | null;
            /** @description Of a clear: only what failed, and what was not started because of it */
            only_failed?: boolean;
            state?: components["schemas"]["EditMark"] | null;
            /** @description Null = the whole run */
            task_id?: string | null;
            /** @description Also what the task depends on */
            upstream?: boolean;
        };
        /** @enum {string} */
        EditMark: "success" | "failed";
        /** @description A change of a task instance that was made, or would be */
        EditedTask: {
            from: string;
            /** Format: int32 */
            map_index: number;
            task_id: string;
            to: string;
        };
        EventLogCollectionResponse: {
            event_logs: components["schemas"]["EventLogResponse"][];
            /** Format: int64 */
            total_entries: number;
        };
        EventLogResponse: {
            dag_display_name: string | null;
            dag_id: string | null;
            /** @description What happened: `task_state`, `run_state`, or what a person asked for */
            event: string;
            /** Format: int64 */
            event_log_id: number;
            /** @description The state, and why */
            extra: string | null;
            logical_date: components["schemas"]["When"] | null;
            /** Format: int64 */
            map_index: number | null;
            /** @description The user; null when Flow did it by itself */
            owner: string | null;
            run_id: string | null;
            task_display_name: string | null;
            task_id: string | null;
            /** Format: int64 */
            try_number: number | null;
            when: components["schemas"]["When"];
        };
        ExternalLogUrlResponse: {
            url: string;
        };
        ExternalViewResponse: {
            category: string | null;
            destination: string;
            href: string;
            icon: string | null;
            icon_dark_mode: string | null;
            name: string;
            nav_top_level: boolean | null;
            url_route: string | null;
        };
        ExtraLinkCollectionResponse: {
            extra_links: {
                [key: string]: string | null;
            };
            /** Format: int64 */
            total_entries: number;
        };
        FastAPIAppResponse: {
            app: string;
            name: string;
            url_prefix: string;
        };
        FastAPIRootMiddlewareResponse: {
            middleware: string;
            name: string;
        };
        GanttBar: {
            end_date: components["schemas"]["When"] | null;
            /**
             * Format: int64
             * @description -1 = not mapped
             */
            map_index: number;
            queued_when: components["schemas"]["When"] | null;
            start_date: components["schemas"]["When"] | null;
            /** @description Of this try; `no_status`: nothing has been decided yet */
            state: string;
            task_id: string;
            /**
             * Format: int32
             * @description 0 = it was never scheduled
             */
            try_number: number;
        };
        GanttResponse: {
            /** @description By task in the order of the DAG, then by try. What has not begun has a bar without times */
            bars: components["schemas"]["GanttBar"][];
            /** @description Otherwise there are more tries than 50,000: those of some tasks are left out, except for the latest */
            is_complete: boolean;
        };
        /** @enum {string} */
        GraphDirection: "LR" | "TB";
        /** @description An arrow */
        GraphEdge: {
            from: string;
            /** @description When this way is taken: `true` or `false` behind a branch that says so. The last part of the line has room for it */
            label: string | null;
            /** @description Corners of a line from the edge of `from` to the edge of `to`, as `[x, y]` */
            points: number[][];
            to: string;
        };
        /** @description A frame around what is in a group; 22 pixels below its top are for the title */
        GraphGroup: {
            /** @description 0 = in no other group */
            depth: number;
            /** Format: int32 */
            h: number;
            id: string;
            label: string;
            parent: string | null;
            /** Format: int32 */
            w: number;
            /** Format: int32 */
            x: number;
            /** Format: int32 */
            y: number;
        };
        /** @description A box: a task, or a group that is folded. It is as wide as its label in a font of 13 pixels, 304 at most */
        GraphNode: {
            /** Format: int32 */
            h: number;
            id: string;
            is_mapped: boolean;
            kind: components["schemas"]["GraphNodeKind"];
            label: string;
            /** @description The operator's short name; null for a group */
            operator: string | null;
            /** @description The open group that it is in */
            parent: string | null;
            /** @description How many tasks it stands for */
            tasks: number;
            trigger_rule: string | null;
            /** Format: int32 */
            w: number;
            /** Format: int32 */
            x: number;
            /** Format: int32 */
            y: number;
        };
        /** @enum {string} */
        GraphNodeKind: "task" | "group";
        /** @description A DAG as it is drawn. Lengths are pixels, from the top left corner */
        GraphResponse: {
            direction: components["schemas"]["GraphDirection"];
            /** @description More than 50,000 are not drawn: all groups are folded then */
            edges: components["schemas"]["GraphEdge"][];
            /** @description Groups that are open, the outermost first */
            groups: components["schemas"]["GraphGroup"][];
            /** Format: int32 */
            height: number;
            /** @description Every task comes after those it depends on */
            nodes: components["schemas"]["GraphNode"][];
            /**
             * Format: int64
             * @description Null for a text that is only checked
             */
            version_number: number | null;
            /** Format: int32 */
            width: number;
        };
        /** @enum {string} */
        GridKind: "task" | "group";
        GridResponse: {
            /** @description There are older runs */
            has_more: boolean;
            /** @description The newest first */
            runs: components["schemas"]["GridRun"][];
            /** @description In the order of the DAG, a group before its members; what the newest version no longer has comes last */
            tasks: components["schemas"]["GridTask"][];
        };
        GridRun: {
            data_interval_end: components["schemas"]["When"] | null;
            end_date: components["schemas"]["When"] | null;
            /** @description Milliseconds since 1970, with `times` only */
            ends?: (number | null)[];
            has_note: boolean;
            logical_date: components["schemas"]["When"] | null;
            queued_at: components["schemas"]["When"] | null;
            run_after: components["schemas"]["When"];
            run_id: string;
            run_type: components["schemas"]["DagRunType"];
            start_date: components["schemas"]["When"] | null;
            /** @description Milliseconds since 1970, with `times` only */
            starts?: (number | null)[];
            state: components["schemas"]["DagRunState"];
            /**
             * @description A letter for each task of `tasks`, groups left out: `.` nothing decided, `s` success, `f` failed, `r` running, `q` queued, `c` scheduled, `k` skipped,
             *     `u` upstream_failed, `y` up_for_retry, `e` up_for_reschedule, `d` deferred, `t` restarting, `x` removed, `-` not in
             *     this run
             */
            states: string;
            /** @description Numbers of tries, in the same order; 0 = none */
            tries: number[];
            /** Format: int64 */
            version_number: number;
        };
        GridTask: {
            /**
             * Format: int32
             * @description How many groups are around it
             */
            depth: number;
            id: string;
            is_mapped: boolean;
            /** @description The newest version does not have it */
            is_removed: boolean;
            kind: components["schemas"]["GridKind"];
            label: string;
            /** @description Null for a group, and for what is not in the newest version */
            operator: string | null;
            /** @description The id of the group around it */
            parent: string | null;
        };
        HITLDetail: {
            assigned_users: components["schemas"]["HITLUser"][];
            body: string | null;
            chosen_options: string[] | null;
            created_at: components["schemas"]["When"];
            defaults: string[] | null;
            multiple: boolean;
            options: string[];
            params: Record<string, never>;
            params_input: Record<string, never>;
            responded_at: components["schemas"]["When"] | null;
            responded_by_user: components["schemas"]["HITLUser"] | null;
            response_received: boolean;
            subject: string;
            task_instance: components["schemas"]["TaskInstanceResponse"];
        };
        HITLDetailCollection: {
            hitl_details: components["schemas"]["HITLDetail"][];
            /** Format: int64 */
            total_entries: number;
        };
        HITLDetailHistory: {
            assigned_users: components["schemas"]["HITLUser"][];
            body: string | null;
            chosen_options: string[] | null;
            created_at: components["schemas"]["When"];
            defaults: string[] | null;
            multiple: boolean;
            options: string[];
            params: Record<string, never>;
            params_input: Record<string, never>;
            responded_at: components["schemas"]["When"] | null;
            responded_by_user: components["schemas"]["HITLUser"] | null;
            response_received: boolean;
            subject: string;
            task_instance: components["schemas"]["TaskInstanceHistoryResponse"];
        };
        HITLDetailResponse: {
            chosen_options: string[];
            params_input: Record<string, never>;
            responded_at: components["schemas"]["When"];
            responded_by: components["schemas"]["HITLUser"];
        };
        HITLUser: {
            id: string;
            name: string;
        };
        /** @description The body of an answer that is an error. */
        HTTPExceptionResponse: {
            /** @description A sentence. */
            detail: unknown;
        };
        /** @description The body of an answer to a request that makes no sense. */
        HTTPValidationError: {
            detail: components["schemas"]["ValidationError"][];
        };
        HealthInfoResponse: {
            dag_processor: components["schemas"]["DagProcessorInfoResponse"];
            metadatabase: components["schemas"]["BaseInfoResponse"];
            remote_logs: components["schemas"]["RemoteLogsInfoResponse"] | null;
            scheduler: components["schemas"]["SchedulerInfoResponse"];
            triggerer: components["schemas"]["TriggererInfoResponse"];
        };
        ImportErrorCollectionResponse: {
            import_errors: components["schemas"]["ImportErrorResponse"][];
            /** Format: int64 */
            total_entries: number;
        };
        ImportErrorResponse: {
            bundle_name: string | null;
            filename: string;
            /** Format: int64 */
            import_error_id: number;
            /** @description With lines of the file. To roles below Op they are shown once a DAG of the file is known */
            stack_trace: string;
            timestamp: components["schemas"]["When"];
        };
        JobCollectionResponse: {
            jobs: components["schemas"]["JobResponse"][];
            /** Format: int64 */
            total_entries: number;
        };
        JobResponse: {
            dag_display_name: string | null;
            dag_id: string | null;
            end_date: components["schemas"]["When"] | null;
            executor_class: string | null;
            hostname: string | null;
            /** Format: int64 */
            id: number;
            job_type: string | null;
            latest_heartbeat: components["schemas"]["When"] | null;
            start_date: components["schemas"]["When"] | null;
            state: string | null;
            unixname: string | null;
        };
        LastAssetEventResponse: {
            /** Format: int64 */
            id: number | null;
            timestamp: components["schemas"]["When"] | null;
        };
        /** @description A line that was looked for. */
        LogMatch: {
            after: string[];
            before: string[];
            /**
             * Format: int64
             * @description From 1.
             */
            line: number;
            /**
             * Format: int64
             * @description Position of the line in the log.
             */
            offset: number;
            /** @description The line, cut when it is long. */
            text: string;
        };
        /** @description What was found in a part of a log. */
        LogSearchResponse: {
            /** @description There is more to search. */
            continuation_token: string | null;
            matches: components["schemas"]["LogMatch"][];
            /**
             * Format: int64
             * @description Up to here was searched.
             */
            searched_to: number;
            /**
             * Format: int64
             * @description Length of the log.
             */
            size: number;
        };
        LoginBody: {
            /**
             * Format: int32
             * @description Seconds that the token is good; by default a day, or an hour for a command line
             */
            expires_in?: number | null;
            /** Format: password */
            password: string;
            username: string;
        };
        LoginResponse: {
            access_token: string;
        };
        LogoutBody: {
            /** @description In place of the header `X-CSRF-Token` */
            csrf_token?: string | null;
        };
        MaterializeAssetBody: {
            conf?: Record<string, never> | null;
            dag_run_id?: string | null;
            data_interval_end?: components["schemas"]["When"] | null;
            data_interval_start?: components["schemas"]["When"] | null;
            logical_date?: components["schemas"]["When"] | null;
            note?: string | null;
            partition_key?: string | null;
            run_after?: components["schemas"]["When"] | null;
        };
        /** @description Who is logged in. */
        MeResponse: {
            /** @description `session`, `token`, `nothing` or `process` */
            by: string;
            /** @description What a session sends as `X-CSRF-Token` with each change; null without a session */
            csrf_token: string | null;
            /** @description `Viewer`, `User`, `Op` or `Admin` */
            role: string;
            /** @description Null when nobody is, and everyone may come in all the same */
            username: string | null;
        };
        /** @description A name, or the whole of which only the name counts. */
        Named_BulkDAGRunBody: string | {
            /** @description Left out = the one in the path */
            dag_id?: string | null;
            dag_run_id: string;
            note?: string | null;
            state?: components["schemas"]["DagRunMutableStates"] | null;
        };
        /** @description A name, or the whole of which only the name counts. */
        Named_BulkTaskInstanceBody: string | {
            /** @description Needed where the path says `~` */
            dag_id?: string | null;
            /** @description Needed where the path says `~` */
            dag_run_id?: string | null;
            include_downstream?: boolean;
            include_future?: boolean;
            include_past?: boolean;
            include_upstream?: boolean;
            /**
             * Format: int32
             * @description Without it all of the task
             */
            map_index?: number | null;
            new_state?: components["schemas"]["TaskInstanceState"] | null;
            note?: string | null;
            task_id: string;
        };
        /** @description A name, or the whole of which only the name counts. */
        Named_ConnectionBody: string | {
            /** @description `postgres`, `http`, … */
            conn_type: string;
            connection_id: string;
            description?: string | null;
            /** @description A JSON object; `***` within = as it is */
            extra?: string | null;
            host?: string | null;
            login?: string | null;
            /** @description `***` = as it is */
            password?: string | null;
            /** Format: int32 */
            port?: number | null;
            schema?: string | null;
            /** @description There are no teams */
            team_name?: string | null;
        };
        /** @description A name, or the whole of which only the name counts. */
        Named_PoolBody: string | {
            description?: string | null;
            /** @description Kept, and without effect: nothing in Flow is deferred */
            include_deferred?: boolean;
            name: string;
            /**
             * Format: int64
             * @description -1 = no limit
             */
            slots: number;
            /** @description There are no teams */
            team_name?: string | null;
        };
        /** @description A name, or the whole of which only the name counts. */
        Named_VariableBody: string | {
            description?: string | null;
            key: string;
            /** @description There are no teams */
            team_name?: string | null;
            /** @description A text; anything else is kept as JSON */
            value: unknown;
        };
        NeighbourRun: {
            dag_run_id: string;
            state: string;
        };
        NeighbourTask: {
            /** @description Those of its task instances in this run, each once: several when it is mapped, none when it was added later */
            states: string[];
            task_id: string;
        };
        NeighbourTasks: {
            /** @description The first 50, in the order of the DAG */
            tasks: components["schemas"]["NeighbourTask"][];
            /** @description How many there are */
            total: number;
        };
        NeighboursResponse: {
            /** @description What waits for it */
            downstream: components["schemas"]["NeighbourTasks"];
            next_run: components["schemas"]["NeighbourRun"] | null;
            previous_run: components["schemas"]["NeighbourRun"] | null;
            /** @description What it waits for, in the version of its run */
            upstream: components["schemas"]["NeighbourTasks"];
        };
        /** @description A task that the run does not have yet. No more fields than these: it is told from a task instance by that. */
        NewTaskResponse: {
            task_display_name: string;
            task_id: string;
        };
        /** @description What a task instance is to become */
        PatchTaskInstanceBody: {
            include_downstream?: boolean;
            include_future?: boolean;
            include_past?: boolean;
            include_upstream?: boolean;
            new_state?: components["schemas"]["TaskInstanceState"] | null;
            /** @description Null takes it away, when `update_mask` names it */
            note?: string | null;
        };
        PluginCollectionResponse: {
            plugins: components["schemas"]["PluginResponse"][];
            /** Format: int64 */
            total_entries: number;
        };
        PluginImportErrorCollectionResponse: {
            import_errors: components["schemas"]["PluginImportErrorResponse"][];
            /** Format: int64 */
            total_entries: number;
        };
        PluginImportErrorResponse: {
            error: string;
            source: string;
        };
        PluginResponse: {
            appbuilder_menu_items: components["schemas"]["AppBuilderMenuItemResponse"][];
            appbuilder_views: components["schemas"]["AppBuilderViewResponse"][];
            external_views: components["schemas"]["ExternalViewResponse"][];
            fastapi_apps: components["schemas"]["FastAPIAppResponse"][];
            fastapi_root_middlewares: components["schemas"]["FastAPIRootMiddlewareResponse"][];
            flask_blueprints: string[];
            global_operator_extra_links: string[];
            listeners: string[];
            macros: string[];
            name: string;
            operator_extra_links: string[];
            react_apps: components["schemas"]["ReactAppResponse"][];
            source: string;
            timetables: string[];
        };
        PoolBody: {
            description?: string | null;
            /** @description Kept, and without effect: nothing in Flow is deferred */
            include_deferred?: boolean;
            name: string;
            /**
             * Format: int64
             * @description -1 = no limit
             */
            slots: number;
            /** @description There are no teams */
            team_name?: string | null;
        };
        PoolCollectionResponse: {
            pools: components["schemas"]["PoolResponse"][];
            /** Format: int64 */
            total_entries: number;
        };
        PoolPatchBody: {
            description?: string | null;
            include_deferred?: boolean | null;
            /** @description The name in the address */
            pool?: string | null;
            /** Format: int64 */
            slots?: number | null;
            /** @description There are no teams */
            team_name?: string | null;
        };
        PoolResponse: {
            /**
             * Format: int64
             * @description Always 0: nothing in Flow is deferred
             */
            deferred_slots: number;
            description: string | null;
            include_deferred: boolean;
            name: string;
            /**
             * Format: int64
             * @description Running and queued
             */
            occupied_slots: number;
            /**
             * Format: int64
             * @description -1 = no limit
             */
            open_slots: number;
            /** Format: int64 */
            queued_slots: number;
            /** Format: int64 */
            running_slots: number;
            /** Format: int64 */
            scheduled_slots: number;
            /**
             * Format: int64
             * @description -1 = no limit
             */
            slots: number;
            team_name: string | null;
        };
        ProcessResponse: {
            heartbeat_at: components["schemas"]["When"];
            hostname: string;
            id: string;
            /** @description It was heard of within the last 30 seconds */
            is_alive: boolean;
            kind: components["schemas"]["ProcessWord"];
            /** Format: int64 */
            pid: number;
            /** @description Null: it runs no tasks, as the next two */
            queues: string[] | null;
            /**
             * Format: int32
             * @description Task instances that it is at
             */
            running: number | null;
            /**
             * Format: int64
             * @description Most task instances that it runs at once
             */
            slots: number | null;
            started_at: components["schemas"]["When"];
            version: string;
        };
        /** @enum {string} */
        ProcessWord: "standalone" | "scheduler" | "worker";
        ProcessesResponse: {
            /** @description Those that have not said that they ended, the oldest first */
            processes: components["schemas"]["ProcessResponse"][];
        };
        ProviderCollectionResponse: {
            providers: components["schemas"]["ProviderResponse"][];
            /** Format: int64 */
            total_entries: number;
        };
        ProviderResponse: {
            description: string;
            documentation_url: string | null;
            package_name: string;
            version: string;
        };
        QueuedEventCollectionResponse: {
            queued_events: components["schemas"]["QueuedEventResponse"][];
            /** Format: int64 */
            total_entries: number;
        };
        QueuedEventResponse: {
            /** Format: int64 */
            asset_id: number;
            created_at: components["schemas"]["When"];
            dag_display_name: string;
            dag_id: string;
        };
        ReactAppResponse: {
            bundle_url: string;
            category: string | null;
            destination: string;
            icon: string | null;
            icon_dark_mode: string | null;
            name: string;
            nav_top_level: boolean | null;
            url_route: string | null;
        };
        RemoteLogsInfoResponse: {
            failing_since: components["schemas"]["When"] | null;
            status: string | null;
            /**
             * Format: int64
             * @description Logs that wait to be copied, those of running attempts among them
             */
            waiting: number;
        };
        /** @enum {string} */
        ReprocessBehavior: "failed" | "completed" | "none";
        RunCard: {
            end_date: components["schemas"]["When"] | null;
            run_after: components["schemas"]["When"];
            run_id: string;
            run_type: components["schemas"]["DagRunType"];
            start_date: components["schemas"]["When"] | null;
            state: components["schemas"]["DagRunState"];
        };
        SchedulerInfoResponse: {
            latest_scheduler_heartbeat: components["schemas"]["When"] | null;
            status: string | null;
        };
        SessionBody: {
            /** @description Where a form goes on to: a path on this site */
            next?: string | null;
            /** Format: password */
            password: string;
            username: string;
        };
        /** @description A line of a log. */
        StructuredLogMessage: {
            event: string;
            /** @description `info`, `warning` or `error` */
            level?: string;
            /** @description `task.stdout`, `task.stderr`, or `flow` for Flow's own words */
            logger?: string;
            timestamp?: components["schemas"]["When"];
        };
        TaskCollectionResponse: {
            tasks: components["schemas"]["TaskResponse"][];
            /** Format: int64 */
            total_entries: number;
        };
        TaskDependencyCollectionResponse: {
            dependencies: components["schemas"]["TaskDependencyResponse"][];
        };
        /** @description Why a task instance does not start */
        TaskDependencyResponse: {
            /** @description A word for programs: `trigger_rule`, `pool`, `retry`, … */
            name: string;
            reason: string;
        };
        TaskInletAssetReference: {
            created_at: components["schemas"]["When"];
            dag_id: string;
            task_id: string;
            updated_at: components["schemas"]["When"];
        };
        TaskInstanceCollectionResponse: {
            next_cursor: string | null;
            previous_cursor: string | null;
            task_instances: components["schemas"]["TaskInstanceResponse"][];
            /**
             * Format: int64
             * @description How many there are, counted up to `total_entries_limit`; null when counting would take too long
             */
            total_entries: number | null;
            /** Format: int64 */
            total_entries_limit: number | null;
        };
        TaskInstanceHistoryCollectionResponse: {
            task_instances: components["schemas"]["TaskInstanceHistoryResponse"][];
            /** Format: int64 */
            total_entries: number;
        };
        TaskInstanceHistoryResponse: {
            dag_display_name: string;
            dag_id: string;
            dag_run_id: string;
            dag_version: components["schemas"]["DagVersionResponse"] | null;
            /**
             * Format: double
             * @description In seconds
             */
            duration: number | null;
            end_date: components["schemas"]["When"] | null;
            executor: string | null;
            executor_config: string;
            hostname: string | null;
            /** Format: int64 */
            map_index: number;
            /** Format: int64 */
            max_tries: number;
            operator: string | null;
            operator_name: string | null;
            /** Format: int64 */
            pid: number | null;
            pool: string;
            /** Format: int64 */
            pool_slots: number;
            /** Format: int64 */
            priority_weight: number | null;
            queue: string | null;
            queued_when: components["schemas"]["When"] | null;
            scheduled_when: components["schemas"]["When"] | null;
            start_date: components["schemas"]["When"] | null;
            state: components["schemas"]["TaskInstanceState"] | null;
            task_display_name: string;
            task_id: string;
            /** Format: int64 */
            try_number: number;
            unixname: string | null;
        };
        TaskInstanceResponse: {
            dag_display_name: string;
            dag_id: string;
            dag_run_id: string;
            dag_version: components["schemas"]["DagVersionResponse"] | null;
            /**
             * Format: double
             * @description In seconds
             */
            duration: number | null;
            end_date: components["schemas"]["When"] | null;
            executor: string | null;
            executor_config: string;
            hostname: string | null;
            /** Format: uuid */
            id: string;
            logical_date: components["schemas"]["When"] | null;
            /**
             * Format: int64
             * @description -1 = not mapped
             */
            map_index: number;
            /** Format: int64 */
            max_tries: number;
            note: string | null;
            operator: string | null;
            operator_name: string | null;
            /** Format: int64 */
            pid: number | null;
            pool: string;
            /** Format: int64 */
            pool_slots: number;
            /** Format: int64 */
            priority_weight: number | null;
            queue: string | null;
            queued_when: components["schemas"]["When"] | null;
            /** @description The arguments as the latest attempt saw them, secrets masked */
            rendered_fields: Record<string, never>;
            rendered_map_index: string | null;
            run_after: components["schemas"]["When"];
            scheduled_when: components["schemas"]["When"] | null;
            start_date: components["schemas"]["When"] | null;
            state: components["schemas"]["TaskInstanceState"] | null;
            task_display_name: string;
            task_id: string;
            /** @description Flow has no triggerer */
            trigger: Record<string, never> | null;
            triggerer_job: Record<string, never> | null;
            /** Format: int64 */
            try_number: number;
            unixname: string | null;
        };
        /**
         * @description Where a task instance stands
         * @enum {string}
         */
        TaskInstanceState: "removed" | "scheduled" | "queued" | "running" | "success" | "restarting" | "failed" | "up_for_retry" | "up_for_reschedule" | "upstream_failed" | "skipped" | "deferred" | "awaiting_input";
        /** @description Which task instances are wanted */
        TaskInstancesBatchBody: {
            dag_ids?: string[] | null;
            dag_run_ids?: string[] | null;
            /** Format: double */
            duration_gt?: number | null;
            /**
             * Format: double
             * @description In seconds
             */
            duration_gte?: number | null;
            /** Format: double */
            duration_lt?: number | null;
            /** Format: double */
            duration_lte?: number | null;
            end_date_gt?: components["schemas"]["When"] | null;
            end_date_gte?: components["schemas"]["When"] | null;
            end_date_lt?: components["schemas"]["When"] | null;
            end_date_lte?: components["schemas"]["When"] | null;
            executor?: string[] | null;
            logical_date_gt?: components["schemas"]["When"] | null;
            logical_date_gte?: components["schemas"]["When"] | null;
            logical_date_lt?: components["schemas"]["When"] | null;
            logical_date_lte?: components["schemas"]["When"] | null;
            order_by?: string | null;
            /**
             * Format: int32
             * @default 100
             */
            page_limit: number | null;
            /** Format: int32 */
            page_offset?: number | null;
            pool?: string[] | null;
            queue?: string[] | null;
            run_after_gt?: components["schemas"]["When"] | null;
            run_after_gte?: components["schemas"]["When"] | null;
            run_after_lt?: components["schemas"]["When"] | null;
            run_after_lte?: components["schemas"]["When"] | null;
            start_date_gt?: components["schemas"]["When"] | null;
            start_date_gte?: components["schemas"]["When"] | null;
            start_date_lt?: components["schemas"]["When"] | null;
            start_date_lte?: components["schemas"]["When"] | null;
            state?: (components["schemas"]["TaskInstanceState"] | null)[] | null;
            task_ids?: string[] | null;
        };
        TaskInstancesLogResponse: {
            content: components["schemas"]["StructuredLogMessage"][];
            continuation_token: string | null;
        };
        /** @description A task instance in a few words */
        TaskOfRun: {
            /** Format: double */
            duration: number | null;
            end_date: components["schemas"]["When"] | null;
            hostname: string | null;
            /** Format: int32 */
            map_index: number;
            /** Format: int32 */
            max_tries: number;
            operator: string;
            pool: string;
            queue: string;
            queued_when: components["schemas"]["When"] | null;
            start_date: components["schemas"]["When"] | null;
            /** @description Null = nothing has been decided yet */
            state: string | null;
            task_id: string;
            /** Format: int32 */
            try_number: number;
        };
        TaskOutletAssetReference: {
            created_at: components["schemas"]["When"];
            dag_id: string;
            task_id: string;
            updated_at: components["schemas"]["When"];
        };
        TaskResponse: {
            class_ref: {
                [key: string]: string;
            } | null;
            depends_on_past: boolean;
            doc_md: string | null;
            downstream_task_ids: string[] | null;
            end_date: components["schemas"]["When"] | null;
            execution_timeout: components["schemas"]["TimeDelta"] | null;
            extra_links: string[];
            is_mapped: boolean | null;
            operator_name: string | null;
            owner: string | null;
            params: {
                [key: string]: unknown;
            } | null;
            pool: string | null;
            /** Format: int32 */
            pool_slots: number | null;
            /**
             * Format: int64
             * @description What slots are handed out by: the rule has been applied
             */
            priority_weight: number | null;
            queue: string | null;
            /** Format: int32 */
            retries: number | null;
            retry_delay: components["schemas"]["TimeDelta"] | null;
            /**
             * Format: double
             * @description The factor; 0 = the delay stays the same
             */
            retry_exponential_backoff: number;
            start_date: components["schemas"]["When"] | null;
            task_display_name: string | null;
            task_id: string | null;
            template_fields: string[] | null;
            trigger_rule: string | null;
            ui_color: string | null;
            ui_fgcolor: string | null;
            wait_for_downstream: boolean;
            weight_rule: string | null;
        };
        TaskStateStoreBody: {
            /** @description A moment, `default` or null */
            expires_at?: string | null;
            value: unknown;
        };
        TaskStateStoreCollectionResponse: {
            task_state_store: components["schemas"]["TaskStateStoreResponse"][];
            /** Format: int64 */
            total_entries: number;
        };
        TaskStateStorePatchBody: {
            value: unknown;
        };
        TaskStateStoreResponse: {
            expires_at: components["schemas"]["When"] | null;
            key: string;
            updated_at: components["schemas"]["When"];
            value: unknown;
        };
        /** @description A span of time, as Airflow writes it. */
        TimeDelta: {
            __type: string;
            /** Format: int64 */
            days: number;
            /** Format: int64 */
            microseconds: number;
            /** Format: int64 */
            seconds: number;
        };
        TokenBody: {
            /**
             * Format: int32
             * @description Seconds that it is good; by default 90 days
             */
            expires_in?: number | null;
            /** @description What it is for */
            name: string;
            /** @description Whose it is to be; for an Admin */
            username?: string | null;
        };
        TokenCollectionResponse: {
            tokens: components["schemas"]["TokenResponse"][];
            /** Format: int64 */
            total_entries: number;
        };
        TokenCreatedResponse: {
            /** @description The secret; it is shown only here */
            access_token: string;
        };
        TokenResponse: {
            created_at: components["schemas"]["When"];
            expires_at: components["schemas"]["When"] | null;
            /** Format: int64 */
            id: number;
            last_used_at: components["schemas"]["When"] | null;
            name: string;
            /** @description How the secret begins */
            prefix: string;
            revoked_at: components["schemas"]["When"] | null;
            username: string;
        };
        TriggerDAGRunPostBody: {
            conf?: Record<string, never> | null;
            dag_run_id?: string | null;
            data_interval_end?: components["schemas"]["When"] | null;
            data_interval_start?: components["schemas"]["When"] | null;
            logical_date: components["schemas"]["When"] | null;
            note?: string | null;
            /** @description Runs have no partitions: must be null */
            partition_key?: string | null;
            run_after?: components["schemas"]["When"] | null;
        };
        TriggererInfoResponse: {
            latest_triggerer_heartbeat: components["schemas"]["When"] | null;
            /** @description Always null: nothing in Flow needs a triggerer. */
            status: string | null;
        };
        UpdateHITLDetailPayload: {
            chosen_options: string[];
            params_input?: Record<string, never> | null;
        };
        UserBody: {
            /** @description Whether they may log in */
            is_active?: boolean | null;
            /** Format: password */
            password: string;
            /** @description `Viewer`, `User`, `Op` or `Admin` */
            role: string;
            username: string;
        };
        UserCollectionResponse: {
            /** Format: int64 */
            total_entries: number;
            users: components["schemas"]["UserResponse"][];
        };
        /** @description What changes; the rest stays. */
        UserPatchBody: {
            is_active?: boolean | null;
            /**
             * Format: password
             * @description The password until now: needed by whoever changes their own
             */
            old_password?: string | null;
            /** Format: password */
            password?: string | null;
            role?: string | null;
        };
        UserResponse: {
            created_at: components["schemas"]["When"];
            is_active: boolean;
            last_login_at: components["schemas"]["When"] | null;
            role: string;
            username: string;
        };
        /** @description A part of a request that makes no sense. */
        ValidationError: {
            ctx: {
                [key: string]: unknown;
            };
            /** @description Always null: what was sent may be a secret */
            input: unknown;
            /** @description Where: `["query", "limit"]`. */
            loc: unknown[];
            msg: string;
            type: string;
        };
        VariableBody: {
            description?: string | null;
            key: string;
            /** @description There are no teams */
            team_name?: string | null;
            /** @description A text; anything else is kept as JSON */
            value: unknown;
        };
        VariableCollectionResponse: {
            /** Format: int64 */
            total_entries: number;
            variables: components["schemas"]["VariableResponse"][];
        };
        VariableResponse: {
            description: string | null;
            is_encrypted: boolean;
            key: string;
            team_name: string | null;
            /** @description Secrets are `***`; null = this process does not have the key to decrypt it */
            value: string | null;
        };
        VersionInfo: {
            git_version: string | null;
            version: string;
        };
        /** @description Why a task instance is where it is */
        WaitReason: {
            /** @description A word for programs: `trigger_rule`, `pool`, `retry`, … */
            kind: string;
            /** @description A sentence */
            text: string;
        };
        /**
         * Format: date-time
         * @description A moment: RFC 3339, in UTC when it comes from Flow.
         */
        When: string;
        XComCollectionResponse: {
            /** Format: int64 */
            total_entries: number;
            xcom_entries: components["schemas"]["XComResponse"][];
        };
        /** @description An XCom to be made */
        XComCreateBody: {
            key: string;
            /**
             * Format: int32
             * @default -1
             */
            map_index: number;
            /** @description Any JSON, at most 256 KiB */
            value: unknown;
        };
        XComResponse: {
            dag_display_name: string;
            dag_id: string;
            key: string;
            logical_date: components["schemas"]["When"] | null;
            /** Format: int64 */
            map_index: number;
            run_after: components["schemas"]["When"];
            run_id: string;
            task_display_name: string;
            task_id: string;
            timestamp: components["schemas"]["When"];
        };
        XComResponseNative: {
            dag_display_name: string;
            dag_id: string;
            key: string;
            logical_date: components["schemas"]["When"] | null;
            /** Format: int64 */
            map_index: number;
            run_after: components["schemas"]["When"];
            run_id: string;
            task_display_name: string;
            task_id: string;
            timestamp: components["schemas"]["When"];
            value: unknown;
        };
        /** @description An XCom's new value */
        XComUpdateBody: {
            /**
             * Format: int32
             * @default -1
             */
            map_index: number;
            /** @description Any JSON, at most 256 KiB */
            value: unknown;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    get_assets: {
        parameters: {
            query?: {
                /** @description Most entries to return; more than 1,000 are never returned at once */
                limit?: number;
                /** @description Entries to leave out before the first */
                offset?: number;
                name_pattern?: string;
                name_prefix_pattern?: string;
                uri_pattern?: string;
                uri_prefix_pattern?: string;
                dag_ids?: string[];
                only_active?: boolean;
                order_by?: string[];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As in Airflow */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AssetCollectionResponse"];
                };
            };
        };
    };
    get_asset_aliases: {
        parameters: {
            query?: {
                /** @description Most entries to return; more than 1,000 are never returned at once */
                limit?: number;
                /** @description Entries to leave out before the first */
                offset?: number;
                name_pattern?: string;
                name_prefix_pattern?: string;
                order_by?: string[];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As in Airflow */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AssetAliasCollectionResponse"];
                };
            };
        };
    };
    get_asset_alias: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                asset_alias_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As in Airflow */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AssetAliasResponse"];
                };
            };
        };
    };
    get_asset_events: {
        parameters: {
            query?: {
                /** @description Most entries to return; more than 1,000 are never returned at once */
                limit?: number;
                /** @description Entries to leave out before the first */
                offset?: number;
                order_by?: string[];
                asset_id?: number;
                source_dag_id?: string;
                source_task_id?: string;
                source_run_id?: string;
                source_map_index?: number;
                name_pattern?: string;
                name_prefix_pattern?: string;
                timestamp_gte?: components["schemas"]["When"];
                timestamp_gt?: components["schemas"]["When"];
                timestamp_lte?: components["schemas"]["When"];
                timestamp_lt?: components["schemas"]["When"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As in Airflow */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AssetEventCollectionResponse"];
                };
            };
        };
    };
    create_asset_event: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateAssetEventsBody"];
            };
        };
        responses: {
            /** @description As in Airflow */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AssetEventResponse"];
                };
            };
        };
    };
    get_asset: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                asset_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As in Airflow */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AssetResponse"];
                };
            };
        };
    };
    materialize_asset: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                asset_id: number;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["MaterializeAssetBody"];
            };
        };
        responses: {
            /** @description As in Airflow */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DAGRunResponse"];
                };
            };
        };
    };
    get_asset_queued_events: {
        parameters: {
            query?: {
                before?: string;
            };
            header?: never;
            path: {
                asset_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As in Airflow */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["QueuedEventCollectionResponse"];
                };
            };
        };
    };
    delete_asset_queued_events: {
        parameters: {
            query?: {
                before?: string;
            };
            header?: never;
            path: {
                asset_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As in Airflow */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    list_asset_state_store: {
        parameters: {
            query?: {
                /** @description Most entries to return; more than 1,000 are never returned at once */
                limit?: number;
                /** @description Entries to leave out before the first */
                offset?: number;
            };
            header?: never;
            path: {
                asset_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As in Airflow */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AssetStateStoreCollectionResponse"];
                };
            };
        };
    };
    clear_asset_state_store: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                asset_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As in Airflow */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    get_asset_state_store: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                asset_id: number;
                key: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As in Airflow */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AssetStateStoreResponse"];
                };
            };
        };
    };
    set_asset_state_store: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                asset_id: number;
                key: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AssetStateStoreBody"];
            };
        };
        responses: {
            /** @description As in Airflow */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    delete_asset_state_store: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                asset_id: number;
                key: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As in Airflow */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    login: {
        parameters: {
            query?: {
                /** @description Where to go then: a path on this site */
                next?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The page itself, for whoever follows */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    logout: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The page itself, for whoever follows */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    list_backfills: {
        parameters: {
            query: {
                dag_id: string;
                order_by?: string[];
                /** @description Most entries to return; more than 1,000 are never returned at once */
                limit?: number;
                /** @description Entries to leave out before the first */
                offset?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As in Airflow */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BackfillCollectionResponse"];
                };
            };
        };
    };
    create_backfill: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["BackfillPostBody"];
            };
        };
        responses: {
            /** @description As in Airflow */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BackfillResponse"];
                };
            };
        };
    };
    create_backfill_dry_run: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["BackfillPostBody"];
            };
        };
        responses: {
            /** @description As in Airflow */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DryRunBackfillCollectionResponse"];
                };
            };
        };
    };
    get_backfill: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                backfill_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As in Airflow */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BackfillResponse"];
                };
            };
        };
    };
    cancel_backfill: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                backfill_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As in Airflow */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BackfillResponse"];
                };
            };
        };
    };
    pause_backfill: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                backfill_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As in Airflow */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BackfillResponse"];
                };
            };
        };
    };
    unpause_backfill: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                backfill_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As in Airflow */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BackfillResponse"];
                };
            };
        };
    };
    get_config: {
        parameters: {
            query?: {
                section?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Config"];
                    "text/plain": string;
                };
            };
        };
    };
    get_config_value: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                section: string;
                option: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Config"];
                    "text/plain": string;
                };
            };
        };
    };
    get_connections: {
        parameters: {
            query?: {
                /** @description Most entries to return; more than 1,000 are never returned at once */
                limit?: number;
                /** @description Entries to leave out before the first */
                offset?: number;
                order_by?: string[];
                connection_id_pattern?: string;
                connection_id_prefix_pattern?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConnectionCollectionResponse"];
                };
            };
        };
    };
    post_connection: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ConnectionBody"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConnectionResponse"];
                };
            };
        };
    };
    bulk_connections: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["BulkBody_ConnectionBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BulkResponse"];
                };
            };
        };
    };
    create_default_connections: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    get_connection_test: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: never;
    };
    enqueue_connection_test: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ConnectionTestRequestBody"];
            };
        };
        responses: never;
    };
    test_connection: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ConnectionBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConnectionTestResponse"];
                };
            };
        };
    };
    get_connection: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                connection_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConnectionResponse"];
                };
            };
        };
    };
    delete_connection: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                connection_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    patch_connection: {
        parameters: {
            query?: {
                /** @description Change only these fields */
                update_mask?: string[];
            };
            header?: never;
            path: {
                connection_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ConnectionBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConnectionResponse"];
                };
            };
        };
    };
    get_dag_source: {
        parameters: {
            query?: {
                /** @description The latest one when nothing is said */
                version_number?: number;
            };
            header?: never;
            path: {
                dag_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DAGSourceResponse"];
                    "text/plain": string;
                };
            };
        };
    };
    get_dag_stats: {
        parameters: {
            query?: {
                /** @description All DAGs when nothing is said */
                dag_ids?: string[];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DagStatsCollectionResponse"];
                };
            };
        };
    };
    get_dag_tags: {
        parameters: {
            query?: {
                /** @description Most entries to return; more than 1,000 are never returned at once */
                limit?: number;
                /** @description Entries to leave out before the first */
                offset?: number;
                /** @description `name`, or `-name` */
                order_by?: string[];
                tag_name_pattern?: string;
                tag_name_prefix_pattern?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DAGTagCollectionResponse"];
                };
            };
        };
    };
    list_dag_warnings: {
        parameters: {
            query?: {
                /** @description Most entries to return; more than 1,000 are never returned at once */
                limit?: number;
                /** @description Entries to leave out before the first */
                offset?: number;
                dag_id?: string;
                warning_type?: components["schemas"]["DagWarningType"];
                order_by?: string[];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DAGWarningCollectionResponse"];
                };
            };
        };
    };
    get_dags: {
        parameters: {
            query?: {
                /** @description Most entries to return; more than 1,000 are never returned at once */
                limit?: number;
                /** @description Entries to leave out before the first */
                offset?: number;
                tags?: string[];
                /** @description Whether a DAG must have one of the tags or all of them */
                tags_match_mode?: "any" | "all";
                owners?: string[];
                dag_id_pattern?: string;
                dag_id_prefix_pattern?: string;
                /** @description Leave out DAGs whose files are gone */
                exclude_stale?: boolean;
                paused?: boolean;
                dag_display_name_pattern?: string;
                dag_display_name_prefix_pattern?: string;
                has_import_errors?: boolean;
                last_dag_run_state?: components["schemas"]["DagRunState"];
                /** @description There is one bundle: `dags-folder` */
                bundle_name?: string;
                bundle_version?: string;
                /** @description Flow has no assets */
                has_asset_schedule?: boolean;
                asset_dependency?: string;
                /** @description Of the latest run, as the next seven */
                dag_run_start_date_gte?: components["schemas"]["When"];
                dag_run_start_date_gt?: components["schemas"]["When"];
                dag_run_start_date_lte?: components["schemas"]["When"];
                dag_run_start_date_lt?: components["schemas"]["When"];
                dag_run_end_date_gte?: components["schemas"]["When"];
                dag_run_end_date_gt?: components["schemas"]["When"];
                dag_run_end_date_lte?: components["schemas"]["When"];
                dag_run_end_date_lt?: components["schemas"]["When"];
                dag_run_state?: string[];
                order_by?: string[];
                is_favorite?: boolean;
                /** @description Names of Airflow's classes: `airflow.timetables.trigger.CronTriggerTimetable` */
                timetable_type?: string[];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DAGCollectionResponse"];
                };
            };
        };
    };
    patch_dags: {
        parameters: {
            query?: {
                update_mask?: string[];
                /** @description Most entries to return; more than 1,000 are never returned at once */
                limit?: number;
                /** @description Entries to leave out before the first */
                offset?: number;
                tags?: string[];
                /** @description Whether a DAG must have one of the tags or all of them */
                tags_match_mode?: "any" | "all";
                owners?: string[];
                dag_id_pattern?: string;
                dag_id_prefix_pattern?: string;
                /** @description Leave out DAGs whose files are gone */
                exclude_stale?: boolean;
                paused?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["DAGPatchBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DAGCollectionResponse"];
                };
            };
        };
    };
    get_dag: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                dag_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DAGResponse"];
                };
            };
        };
    };
    delete_dag: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                dag_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Always null */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": string | null;
                };
            };
        };
    };
    patch_dag: {
        parameters: {
            query?: {
                update_mask?: string[];
            };
            header?: never;
            path: {
                dag_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["DAGPatchBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DAGResponse"];
                };
            };
        };
    };
    get_dag_asset_queued_events: {
        parameters: {
            query?: {
                before?: string;
            };
            header?: never;
            path: {
                dag_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As in Airflow */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["QueuedEventCollectionResponse"];
                };
            };
        };
    };
    delete_dag_asset_queued_events: {
        parameters: {
            query?: {
                before?: string;
            };
            header?: never;
            path: {
                dag_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As in Airflow */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    get_dag_asset_queued_event: {
        parameters: {
            query?: {
                before?: string;
            };
            header?: never;
            path: {
                dag_id: string;
                asset_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As in Airflow */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["QueuedEventResponse"];
                };
            };
        };
    };
    delete_dag_asset_queued_event: {
        parameters: {
            query?: {
                before?: string;
            };
            header?: never;
            path: {
                dag_id: string;
                asset_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As in Airflow */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    clear_dag_runs: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                dag_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["BulkDAGRunClearBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BulkCleared"];
                };
            };
        };
    };
    clear_partitions: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                dag_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ClearPartitionsBody"];
            };
        };
        responses: {
            /** @description As in Airflow */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ClearPartitionsResponse"];
                };
            };
        };
    };
    post_clear_task_instances: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                dag_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ClearTaskInstancesBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskInstanceCollectionResponse"];
                };
            };
        };
    };
    get_dag_runs: {
        parameters: {
            query?: {
                /** @description Most entries to return; more than 1,000 are never returned at once */
                limit?: number;
                /** @description Entries to leave out before the first */
                offset?: number;
                /**
                 * @description A place in the list, from `next_cursor` or `previous_cursor` of a page; empty = the first page. `offset` is
                 *     then left aside
                 */
                cursor?: string;
                order_by?: string[];
                run_type?: string[];
                state?: string[];
                dag_version?: number[];
                /** @description A text in the configuration */
                conf_contains?: string;
                run_id_pattern?: string;
                run_id_prefix_pattern?: string;
                triggering_user_name_pattern?: string;
                triggering_user_name_prefix_pattern?: string;
                dag_id_pattern?: string;
                dag_id_prefix_pattern?: string;
                /** @description Bundles have no versions: finds nothing */
                bundle_version?: string;
                /** @description Runs have no partitions: finds nothing */
                partition_key_pattern?: string;
                /** @description Runs have no partitions: finds nothing */
                partition_key_prefix_pattern?: string;
                /** @description Runs have no partitions: finds nothing */
                partition_date_gte?: string;
                /** @description Runs have no partitions: finds nothing */
                partition_date_lte?: string;
                /** @description Runs consume no assets: finds nothing */
                consuming_asset_pattern?: string;
                updated_at_gte?: components["schemas"]["When"];
                updated_at_gt?: components["schemas"]["When"];
                updated_at_lte?: components["schemas"]["When"];
                updated_at_lt?: components["schemas"]["When"];
                run_after_gte?: components["schemas"]["When"];
                run_after_gt?: components["schemas"]["When"];
                run_after_lte?: components["schemas"]["When"];
                run_after_lt?: components["schemas"]["When"];
                logical_date_gte?: components["schemas"]["When"];
                logical_date_gt?: components["schemas"]["When"];
                logical_date_lte?: components["schemas"]["When"];
                logical_date_lt?: components["schemas"]["When"];
                start_date_gte?: components["schemas"]["When"];
                start_date_gt?: components["schemas"]["When"];
                start_date_lte?: components["schemas"]["When"];
                start_date_lt?: components["schemas"]["When"];
                end_date_gte?: components["schemas"]["When"];
                end_date_gt?: components["schemas"]["When"];
                end_date_lte?: components["schemas"]["When"];
                end_date_lt?: components["schemas"]["When"];
                /** @description In seconds */
                duration_gte?: number;
                duration_gt?: number;
                duration_lte?: number;
                duration_lt?: number;
            };
            header?: never;
            path: {
                dag_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DAGRunCollectionResponse"];
                };
            };
        };
    };
    trigger_dag_run: {
        parameters: {
            query?: never;
            header?: {
                /** @description The span that asks for the run: traces link the run to it */
                traceparent?: string | null;
            };
            path: {
                dag_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TriggerDAGRunPostBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DAGRunResponse"];
                };
            };
        };
    };
    bulk_dag_runs: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                dag_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["BulkBody_BulkDAGRunBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BulkResponse"];
                };
            };
        };
    };
    get_list_dag_runs_batch: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Always `~` */
                dag_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["DAGRunsBatchBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DAGRunCollectionResponse"];
                };
            };
        };
    };
    get_dag_run: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                dag_id: string;
                dag_run_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DAGRunResponse"];
                };
            };
        };
    };
    delete_dag_run: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                dag_id: string;
                dag_run_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    patch_dag_run: {
        parameters: {
            query?: {
                /** @description Fields of the body that count; none = all */
                update_mask?: string[];
            };
            header?: never;
            path: {
                dag_id: string;
                dag_run_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["DAGRunPatchBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DAGRunResponse"];
                };
            };
        };
    };
    clear_dag_run: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                dag_id: string;
                dag_run_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["DAGRunClearBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Cleared"];
                };
            };
        };
    };
    get_hitl_details: {
        parameters: {
            query?: {
                /** @description Most entries to return; more than 1,000 are never returned at once */
                limit?: number;
                /** @description Entries to leave out before the first */
                offset?: number;
                order_by?: string[];
                dag_id_pattern?: string;
                dag_id_prefix_pattern?: string;
                task_id?: string;
                task_id_pattern?: string;
                task_id_prefix_pattern?: string;
                map_index?: number;
                state?: string[];
                response_received?: boolean;
                responded_by_user_id?: string[];
                responded_by_user_name?: string[];
                subject_search?: string;
                body_search?: string;
                created_at_gte?: components["schemas"]["When"];
                created_at_gt?: components["schemas"]["When"];
                created_at_lte?: components["schemas"]["When"];
                created_at_lt?: components["schemas"]["When"];
            };
            header?: never;
            path: {
                dag_id: string;
                dag_run_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As in Airflow */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HITLDetailCollection"];
                };
            };
        };
    };
    patch_task_group_instances: {
        parameters: {
            query?: {
                update_mask?: string[];
            };
            header?: never;
            path: {
                dag_id: string;
                dag_run_id: string;
                group_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PatchTaskInstanceBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskInstanceCollectionResponse"];
                };
            };
        };
    };
    patch_task_group_instances_dry_run: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                dag_id: string;
                dag_run_id: string;
                group_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PatchTaskInstanceBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskInstanceCollectionResponse"];
                };
            };
        };
    };
    get_task_instances: {
        parameters: {
            query?: {
                /** @description The place from which to go on: empty for the first page, then `next_cursor` of the answer */
                cursor?: string;
                task_id?: string;
                task_display_name_pattern?: string;
                task_display_name_prefix_pattern?: string;
                task_group_id?: string;
                dag_id_pattern?: string;
                dag_id_prefix_pattern?: string;
                run_id_pattern?: string;
                run_id_prefix_pattern?: string;
                updated_at_gte?: components["schemas"]["When"];
                updated_at_gt?: components["schemas"]["When"];
                updated_at_lte?: components["schemas"]["When"];
                updated_at_lt?: components["schemas"]["When"];
                run_after_gte?: components["schemas"]["When"];
                run_after_gt?: components["schemas"]["When"];
                run_after_lte?: components["schemas"]["When"];
                run_after_lt?: components["schemas"]["When"];
                logical_date_gte?: components["schemas"]["When"];
                logical_date_gt?: components["schemas"]["When"];
                logical_date_lte?: components["schemas"]["When"];
                logical_date_lt?: components["schemas"]["When"];
                start_date_gte?: components["schemas"]["When"];
                start_date_gt?: components["schemas"]["When"];
                start_date_lte?: components["schemas"]["When"];
                start_date_lt?: components["schemas"]["When"];
                end_date_gte?: components["schemas"]["When"];
                end_date_gt?: components["schemas"]["When"];
                end_date_lte?: components["schemas"]["When"];
                end_date_lt?: components["schemas"]["When"];
                /** @description In seconds */
                duration_gte?: number;
                duration_gt?: number;
                duration_lte?: number;
                duration_lt?: number;
                /** @description Also `none`: nothing has been decided yet */
                state?: string[];
                pool?: string[];
                pool_name_pattern?: string;
                pool_name_prefix_pattern?: string;
                queue?: string[];
                queue_name_pattern?: string;
                queue_name_prefix_pattern?: string;
                /** @description Flow has no executors: what is asked for by one is not there */
                executor?: string[];
                version_number?: number[];
                try_number?: number[];
                operator?: string[];
                operator_name_pattern?: string;
                operator_name_prefix_pattern?: string;
                map_index?: number[];
                rendered_map_index_pattern?: string;
                rendered_map_index_prefix_pattern?: string;
                order_by?: string[];
                /** @description Most entries to return; more than 1,000 are never returned at once */
                limit?: number;
                /** @description Entries to leave out before the first */
                offset?: number;
            };
            header?: never;
            path: {
                dag_id: string;
                dag_run_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskInstanceCollectionResponse"];
                };
            };
        };
    };
    bulk_task_instances: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                dag_id: string;
                dag_run_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["BulkBody_BulkTaskInstanceBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BulkResponse"];
                };
            };
        };
    };
    get_task_instances_batch: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description `~` */
                dag_id: string;
                /** @description `~` */
                dag_run_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TaskInstancesBatchBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskInstanceCollectionResponse"];
                };
            };
        };
    };
    get_task_instance: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                dag_id: string;
                dag_run_id: string;
                task_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskInstanceResponse"];
                };
            };
        };
    };
    delete_task_instance: {
        parameters: {
            query?: {
                /** @description Without it the one that is not mapped */
                map_index?: number;
            };
            header?: never;
            path: {
                dag_id: string;
                dag_run_id: string;
                task_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is gone */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": string | null;
                };
            };
        };
    };
    patch_task_instance: {
        parameters: {
            query?: {
                /** @description Without it the one that is not mapped */
                map_index?: number;
                update_mask?: string[];
            };
            header?: never;
            path: {
                dag_id: string;
                dag_run_id: string;
                task_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PatchTaskInstanceBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskInstanceCollectionResponse"];
                };
            };
        };
    };
    get_task_instance_dependencies: {
        parameters: {
            query?: {
                /** @description Without it the one that is not mapped */
                map_index?: number;
            };
            header?: never;
            path: {
                dag_id: string;
                dag_run_id: string;
                task_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskDependencyCollectionResponse"];
                };
            };
        };
    };
    patch_task_instance_dry_run: {
        parameters: {
            query?: {
                /** @description Without it the one that is not mapped */
                map_index?: number;
                update_mask?: string[];
            };
            header?: never;
            path: {
                dag_id: string;
                dag_run_id: string;
                task_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PatchTaskInstanceBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskInstanceCollectionResponse"];
                };
            };
        };
    };
    get_external_log_url: {
        parameters: {
            query?: {
                /** @description Without it the one that is not mapped */
                map_index?: number;
            };
            header?: never;
            path: {
                dag_id: string;
                dag_run_id: string;
                task_id: string;
                try_number: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ExternalLogUrlResponse"];
                };
            };
        };
    };
    get_extra_links: {
        parameters: {
            query?: {
                map_index?: number;
                try_number?: number;
            };
            header?: never;
            path: {
                dag_id: string;
                dag_run_id: string;
                task_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As in Airflow */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ExtraLinkCollectionResponse"];
                };
            };
        };
    };
    get_mapped_task_instances: {
        parameters: {
            query?: {
                updated_at_gte?: components["schemas"]["When"];
                updated_at_gt?: components["schemas"]["When"];
                updated_at_lte?: components["schemas"]["When"];
                updated_at_lt?: components["schemas"]["When"];
                run_after_gte?: components["schemas"]["When"];
                run_after_gt?: components["schemas"]["When"];
                run_after_lte?: components["schemas"]["When"];
                run_after_lt?: components["schemas"]["When"];
                logical_date_gte?: components["schemas"]["When"];
                logical_date_gt?: components["schemas"]["When"];
                logical_date_lte?: components["schemas"]["When"];
                logical_date_lt?: components["schemas"]["When"];
                start_date_gte?: components["schemas"]["When"];
                start_date_gt?: components["schemas"]["When"];
                start_date_lte?: components["schemas"]["When"];
                start_date_lt?: components["schemas"]["When"];
                end_date_gte?: components["schemas"]["When"];
                end_date_gt?: components["schemas"]["When"];
                end_date_lte?: components["schemas"]["When"];
                end_date_lt?: components["schemas"]["When"];
                /** @description In seconds */
                duration_gte?: number;
                duration_gt?: number;
                duration_lte?: number;
                duration_lt?: number;
                /** @description Also `none`: nothing has been decided yet */
                state?: string[];
                pool?: string[];
                pool_name_pattern?: string;
                pool_name_prefix_pattern?: string;
                queue?: string[];
                queue_name_pattern?: string;
                queue_name_prefix_pattern?: string;
                /** @description Flow has no executors: what is asked for by one is not there */
                executor?: string[];
                version_number?: number[];
                try_number?: number[];
                operator?: string[];
                operator_name_pattern?: string;
                operator_name_prefix_pattern?: string;
                map_index?: number[];
                rendered_map_index_pattern?: string;
                rendered_map_index_prefix_pattern?: string;
                order_by?: string[];
                /** @description Most entries to return; more than 1,000 are never returned at once */
                limit?: number;
                /** @description Entries to leave out before the first */
                offset?: number;
            };
            header?: never;
            path: {
                dag_id: string;
                dag_run_id: string;
                task_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskInstanceCollectionResponse"];
                };
            };
        };
    };
    get_log: {
        parameters: {
            query?: {
                /** @description All of the log at once, not a part of it with a token for the next */
                full_content?: boolean;
                map_index?: number;
                /** @description `continuation_token` of the answer before: go on there */
                token?: string;
                /** @description Begin at this byte */
                offset?: number;
                /** @description Most bytes to return; without it, text is returned to its end */
                limit?: number;
                /** @description Only the last lines; at most 100,000, and 4 MiB of them */
                tail?: number;
                /** @description With `tail`: the last lines before this byte */
                before?: number;
                /** @description Go on until the attempt has ended; for `text/plain`, `application/x-ndjson` and `text/event-stream` */
                follow?: boolean;
                /** @description Answer with a file to keep */
                download?: boolean;
            };
            header?: never;
            path: {
                dag_id: string;
                dag_run_id: string;
                task_id: string;
                try_number: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskInstancesLogResponse"];
                    "application/x-ndjson": string;
                    "text/plain": string;
                    "text/event-stream": string;
                };
            };
            /** @description A range of the text */
            206: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
        };
    };
    search_log: {
        parameters: {
            query: {
                /** @description What to look for */
                q: string;
                /** @description `q` is a regular expression; it is tried on each line, and on about 4,000 bytes at a time of a longer one */
                regex?: boolean;
                /** @description Capital and small letters differ */
                case_sensitive?: boolean;
                /** @description Lines to show before and after each match, at most 10 */
                context?: number;
                /** @description Most matches to return, at most 1,000 */
                limit?: number;
                map_index?: number;
                /** @description `continuation_token` of the answer before: go on there */
                token?: string;
            };
            header?: never;
            path: {
                dag_id: string;
                dag_run_id: string;
                task_id: string;
                try_number: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LogSearchResponse"];
                };
            };
        };
    };
    list_task_state_store: {
        parameters: {
            query?: {
                map_index?: number;
                /** @description Most entries to return; more than 1,000 are never returned at once */
                limit?: number;
                /** @description Entries to leave out before the first */
                offset?: number;
            };
            header?: never;
            path: {
                dag_id: string;
                dag_run_id: string;
                task_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As in Airflow */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskStateStoreCollectionResponse"];
                };
            };
        };
    };
    clear_task_state_store: {
        parameters: {
            query?: {
                all_map_indices?: boolean;
                map_index?: number;
            };
            header?: never;
            path: {
                dag_id: string;
                dag_run_id: string;
                task_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As in Airflow */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    get_task_state_store: {
        parameters: {
            query?: {
                map_index?: number;
            };
            header?: never;
            path: {
                dag_id: string;
                dag_run_id: string;
                task_id: string;
                key: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As in Airflow */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskStateStoreResponse"];
                };
            };
        };
    };
    set_task_state_store: {
        parameters: {
            query?: {
                map_index?: number;
            };
            header?: never;
            path: {
                dag_id: string;
                dag_run_id: string;
                task_id: string;
                key: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TaskStateStoreBody"];
            };
        };
        responses: {
            /** @description As in Airflow */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    delete_task_state_store: {
        parameters: {
            query?: {
                map_index?: number;
            };
            header?: never;
            path: {
                dag_id: string;
                dag_run_id: string;
                task_id: string;
                key: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As in Airflow */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    patch_task_state_store: {
        parameters: {
            query?: {
                map_index?: number;
            };
            header?: never;
            path: {
                dag_id: string;
                dag_run_id: string;
                task_id: string;
                key: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TaskStateStorePatchBody"];
            };
        };
        responses: {
            /** @description As in Airflow */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    get_task_instance_tries: {
        parameters: {
            query?: {
                /** @description Without it the one that is not mapped */
                map_index?: number;
            };
            header?: never;
            path: {
                dag_id: string;
                dag_run_id: string;
                task_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskInstanceHistoryCollectionResponse"];
                };
            };
        };
    };
    get_task_instance_try_details: {
        parameters: {
            query?: {
                /** @description Without it the one that is not mapped */
                map_index?: number;
            };
            header?: never;
            path: {
                dag_id: string;
                dag_run_id: string;
                task_id: string;
                task_try_number: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskInstanceHistoryResponse"];
                };
            };
        };
    };
    get_xcom_entries: {
        parameters: {
            query?: {
                /** @description Most entries to return; more than 1,000 are never returned at once */
                limit?: number;
                /** @description Entries to leave out before the first */
                offset?: number;
                xcom_key?: string;
                map_index?: number;
                xcom_key_pattern?: string;
                xcom_key_prefix_pattern?: string;
                dag_display_name_pattern?: string;
                dag_display_name_prefix_pattern?: string;
                run_id_pattern?: string;
                run_id_prefix_pattern?: string;
                task_id_pattern?: string;
                task_id_prefix_pattern?: string;
                map_index_filter?: number;
                logical_date_gte?: components["schemas"]["When"];
                logical_date_gt?: components["schemas"]["When"];
                logical_date_lte?: components["schemas"]["When"];
                logical_date_lt?: components["schemas"]["When"];
                run_after_gte?: components["schemas"]["When"];
                run_after_gt?: components["schemas"]["When"];
                run_after_lte?: components["schemas"]["When"];
                run_after_lt?: components["schemas"]["When"];
                order_by?: string[];
            };
            header?: never;
            path: {
                dag_id: string;
                dag_run_id: string;
                task_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["XComCollectionResponse"];
                };
            };
        };
    };
    create_xcom_entry: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                dag_id: string;
                dag_run_id: string;
                task_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["XComCreateBody"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["XComResponseNative"];
                };
            };
        };
    };
    get_xcom_entry: {
        parameters: {
            query?: {
                map_index?: number;
                /** @description Values are JSON: there is nothing to do */
                deserialize?: boolean;
                /** @description The value as a text */
                stringify?: boolean;
            };
            header?: never;
            path: {
                dag_id: string;
                dag_run_id: string;
                task_id: string;
                xcom_key: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["XComResponseNative"];
                };
            };
        };
    };
    delete_xcom_entry: {
        parameters: {
            query?: {
                map_index?: number;
            };
            header?: never;
            path: {
                dag_id: string;
                dag_run_id: string;
                task_id: string;
                xcom_key: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is gone */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    update_xcom_entry: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                dag_id: string;
                dag_run_id: string;
                task_id: string;
                xcom_key: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["XComUpdateBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["XComResponseNative"];
                };
            };
        };
    };
    get_mapped_task_instance: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                dag_id: string;
                dag_run_id: string;
                task_id: string;
                map_index: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskInstanceResponse"];
                };
            };
        };
    };
    patch_mapped_task_instance: {
        parameters: {
            query?: {
                update_mask?: string[];
            };
            header?: never;
            path: {
                dag_id: string;
                dag_run_id: string;
                task_id: string;
                map_index: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PatchTaskInstanceBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskInstanceCollectionResponse"];
                };
            };
        };
    };
    get_mapped_task_instance_dependencies: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                dag_id: string;
                dag_run_id: string;
                task_id: string;
                map_index: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskDependencyCollectionResponse"];
                };
            };
        };
    };
    patch_mapped_task_instance_dry_run: {
        parameters: {
            query?: {
                update_mask?: string[];
            };
            header?: never;
            path: {
                dag_id: string;
                dag_run_id: string;
                task_id: string;
                map_index: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PatchTaskInstanceBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskInstanceCollectionResponse"];
                };
            };
        };
    };
    get_hitl_detail: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                dag_id: string;
                dag_run_id: string;
                task_id: string;
                map_index: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As in Airflow */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HITLDetail"];
                };
            };
        };
    };
    update_hitl_detail: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                dag_id: string;
                dag_run_id: string;
                task_id: string;
                map_index: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UpdateHITLDetailPayload"];
            };
        };
        responses: {
            /** @description As in Airflow */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HITLDetailResponse"];
                };
            };
        };
    };
    get_hitl_detail_try_detail: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                dag_id: string;
                dag_run_id: string;
                task_id: string;
                map_index: number;
                try_number: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As in Airflow */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HITLDetailHistory"];
                };
            };
        };
    };
    get_mapped_task_instance_tries: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                dag_id: string;
                dag_run_id: string;
                task_id: string;
                map_index: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskInstanceHistoryCollectionResponse"];
                };
            };
        };
    };
    get_mapped_task_instance_try_details: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                dag_id: string;
                dag_run_id: string;
                task_id: string;
                map_index: number;
                task_try_number: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskInstanceHistoryResponse"];
                };
            };
        };
    };
    get_upstream_asset_events: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                dag_id: string;
                dag_run_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As in Airflow */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AssetEventCollectionResponse"];
                };
            };
        };
    };
    wait_dag_run_until_finished: {
        parameters: {
            query: {
                /** @description Seconds between two lines */
                interval: number;
                /** @description Tasks whose results the last line holds */
                result?: string[];
            };
            header?: never;
            path: {
                dag_id: string;
                dag_run_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/x-ndjson": string;
                };
            };
        };
    };
    get_dag_versions: {
        parameters: {
            query?: {
                /** @description Most entries to return; more than 1,000 are never returned at once */
                limit?: number;
                /** @description Entries to leave out before the first */
                offset?: number;
                version_number?: number;
                /** @description There is one bundle: `dags-folder` */
                bundle_name?: string;
                bundle_version?: string;
                order_by?: string[];
            };
            header?: never;
            path: {
                dag_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DAGVersionCollectionResponse"];
                };
            };
        };
    };
    get_dag_version: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                dag_id: string;
                version_number: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DagVersionResponse"];
                };
            };
        };
    };
    get_dag_details: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                dag_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DAGDetailsResponse"];
                };
            };
        };
    };
    favorite_dag: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                dag_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    get_tasks: {
        parameters: {
            query?: {
                /** @description A field, with a `-` before it for the other direction */
                order_by?: string;
            };
            header?: never;
            path: {
                dag_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskCollectionResponse"];
                };
            };
        };
    };
    get_task: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                dag_id: string;
                task_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskResponse"];
                };
            };
        };
    };
    unfavorite_dag: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                dag_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    get_event_logs: {
        parameters: {
            query?: {
                /** @description Most entries to return; more than 1,000 are never returned at once */
                limit?: number;
                /** @description Entries to leave out before the first */
                offset?: number;
                order_by?: string[];
                dag_id?: string;
                task_id?: string;
                run_id?: string;
                map_index?: number;
                try_number?: number;
                /** @description The user */
                owner?: string;
                event?: string;
                excluded_events?: string[];
                included_events?: string[];
                before?: components["schemas"]["When"];
                after?: components["schemas"]["When"];
                dag_id_pattern?: string;
                dag_id_prefix_pattern?: string;
                task_id_pattern?: string;
                task_id_prefix_pattern?: string;
                run_id_pattern?: string;
                run_id_prefix_pattern?: string;
                owner_pattern?: string;
                owner_prefix_pattern?: string;
                event_pattern?: string;
                event_prefix_pattern?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EventLogCollectionResponse"];
                };
            };
        };
    };
    get_event_log: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                event_log_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EventLogResponse"];
                };
            };
        };
    };
    stream_events: {
        parameters: {
            query?: {
                /** @description Only events of these DAGs */
                dag_id?: string[];
                /** @description Only events of this run */
                dag_run_id?: string;
                /** @description Begin after the event with this number; the header `Last-Event-ID` does the same */
                after?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
        };
    };
    get_import_errors: {
        parameters: {
            query?: {
                /** @description Most entries to return; more than 1,000 are never returned at once */
                limit?: number;
                /** @description Entries to leave out before the first */
                offset?: number;
                order_by?: string[];
                filename_pattern?: string;
                filename_prefix_pattern?: string;
                filename?: string;
                /** @description There is one bundle: `dags-folder` */
                bundle_name?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ImportErrorCollectionResponse"];
                };
            };
        };
    };
    get_import_error: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                import_error_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ImportErrorResponse"];
                };
            };
        };
    };
    get_jobs: {
        parameters: {
            query?: {
                /** @description Most entries to return; more than 1,000 are never returned at once */
                limit?: number;
                /** @description Entries to leave out before the first */
                offset?: number;
                is_alive?: boolean;
                start_date_gte?: components["schemas"]["When"];
                start_date_gt?: components["schemas"]["When"];
                start_date_lte?: components["schemas"]["When"];
                start_date_lt?: components["schemas"]["When"];
                end_date_gte?: components["schemas"]["When"];
                end_date_gt?: components["schemas"]["When"];
                end_date_lte?: components["schemas"]["When"];
                end_date_lt?: components["schemas"]["When"];
                order_by?: string[];
                /** @description `running` or `success` */
                job_state?: string;
                /** @description `SchedulerJob` or `WorkerJob` */
                job_type?: string;
                hostname?: string;
                /** @description Flow has no executors */
                executor_class?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobCollectionResponse"];
                };
            };
        };
    };
    get_health: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HealthInfoResponse"];
                };
            };
        };
    };
    reparse_dag_file: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description From a DAG */
                file_token: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Always null */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": string | null;
                };
            };
        };
    };
    get_plugins: {
        parameters: {
            query?: {
                /** @description Most entries to return; more than 1,000 are never returned at once */
                limit?: number;
                /** @description Entries to leave out before the first */
                offset?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As in Airflow */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PluginCollectionResponse"];
                };
            };
        };
    };
    import_errors_of_plugins: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As in Airflow */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PluginImportErrorCollectionResponse"];
                };
            };
        };
    };
    get_pools: {
        parameters: {
            query?: {
                /** @description Most entries to return; more than 1,000 are never returned at once */
                limit?: number;
                /** @description Entries to leave out before the first */
                offset?: number;
                order_by?: string[];
                pool_name_pattern?: string;
                pool_name_prefix_pattern?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PoolCollectionResponse"];
                };
            };
        };
    };
    post_pool: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PoolBody"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PoolResponse"];
                };
            };
        };
    };
    bulk_pools: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["BulkBody_PoolBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BulkResponse"];
                };
            };
        };
    };
    get_pool: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                pool_name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PoolResponse"];
                };
            };
        };
    };
    delete_pool: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                pool_name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    patch_pool: {
        parameters: {
            query?: {
                /** @description Change only these fields */
                update_mask?: string[];
            };
            header?: never;
            path: {
                pool_name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PoolPatchBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PoolResponse"];
                };
            };
        };
    };
    get_providers: {
        parameters: {
            query?: {
                /** @description Most entries to return; more than 1,000 are never returned at once */
                limit?: number;
                /** @description Entries to leave out before the first */
                offset?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As in Airflow */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProviderCollectionResponse"];
                };
            };
        };
    };
    get_tokens: {
        parameters: {
            query?: {
                /** @description Most entries to return; more than 1,000 are never returned at once */
                limit?: number;
                /** @description Entries to leave out before the first */
                offset?: number;
                /** @description Only this user's */
                username?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TokenCollectionResponse"];
                };
            };
        };
    };
    post_token: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TokenBody"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TokenCreatedResponse"];
                };
            };
        };
    };
    get_token: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                token_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TokenResponse"];
                };
            };
        };
    };
    delete_token: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                token_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    get_users: {
        parameters: {
            query?: {
                /** @description Most entries to return; more than 1,000 are never returned at once */
                limit?: number;
                /** @description Entries to leave out before the first */
                offset?: number;
                order_by?: string[];
                username_pattern?: string;
                username_prefix_pattern?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UserCollectionResponse"];
                };
            };
        };
    };
    post_user: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UserBody"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UserResponse"];
                };
            };
        };
    };
    get_user: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                username: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UserResponse"];
                };
            };
        };
    };
    delete_user: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                username: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    patch_user: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                username: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UserPatchBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UserResponse"];
                };
            };
        };
    };
    get_variables: {
        parameters: {
            query?: {
                /** @description Most entries to return; more than 1,000 are never returned at once */
                limit?: number;
                /** @description Entries to leave out before the first */
                offset?: number;
                order_by?: string[];
                variable_key_pattern?: string;
                variable_key_prefix_pattern?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["VariableCollectionResponse"];
                };
            };
        };
    };
    post_variable: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["VariableBody"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["VariableResponse"];
                };
            };
        };
    };
    bulk_variables: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["BulkBody_VariableBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BulkResponse"];
                };
            };
        };
    };
    get_variable: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                variable_key: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["VariableResponse"];
                };
            };
        };
    };
    delete_variable: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                variable_key: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    patch_variable: {
        parameters: {
            query?: {
                /** @description Change only these fields */
                update_mask?: string[];
            };
            header?: never;
            path: {
                variable_key: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["VariableBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["VariableResponse"];
                };
            };
        };
    };
    get_version: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["VersionInfo"];
                };
            };
        };
    };
    create_session: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SessionBody"];
                "application/x-www-form-urlencoded": components["schemas"]["SessionBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MeResponse"];
                };
            };
        };
    };
    delete_session: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LogoutBody"];
                "application/x-www-form-urlencoded": components["schemas"]["LogoutBody"];
            };
        };
        responses: {
            /** @description Logged out */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    get_me: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MeResponse"];
                };
            };
        };
    };
    create_token_of_nobody: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LoginResponse"];
                };
            };
        };
    };
    create_token: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LoginBody"];
                "application/x-www-form-urlencoded": components["schemas"]["LoginBody"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LoginResponse"];
                };
            };
        };
    };
    create_token_cli: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LoginBody"];
                "application/x-www-form-urlencoded": components["schemas"]["LoginBody"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LoginResponse"];
                };
            };
        };
    };
    get_liveness: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
        };
    };
    get_metrics: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
        };
    };
    get_readiness: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
        };
    };
    get_callbacks: {
        parameters: {
            query?: {
                dag_id?: string;
                dag_run_id?: string;
                task_id?: string;
                map_index?: number;
                /** @description `pending`, `delivered`, `failed`, or `failing`: those of the pending whose last try did not work */
                state?: string;
                /** @description Most callbacks to return; never more than 500 */
                limit?: number;
                /** @description Those older than the callback with this id: `next` of the page before */
                before?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CallbackCollectionResponse"];
                };
            };
        };
    };
    retry_callback: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                callback_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CallbackResponse"];
                };
            };
        };
    };
    get_dag_cards: {
        parameters: {
            query?: {
                /** @description Most entries to return; more than 1,000 are never returned at once */
                limit?: number;
                /** @description Entries to leave out before the first */
                offset?: number;
                tags?: string[];
                /** @description Whether a DAG must have one of the tags or all of them */
                tags_match_mode?: "any" | "all";
                owners?: string[];
                dag_id_pattern?: string;
                dag_id_prefix_pattern?: string;
                /** @description Leave out DAGs whose files are gone */
                exclude_stale?: boolean;
                paused?: boolean;
                dag_display_name_pattern?: string;
                dag_display_name_prefix_pattern?: string;
                has_import_errors?: boolean;
                last_dag_run_state?: components["schemas"]["DagRunState"];
                /** @description There is one bundle: `dags-folder` */
                bundle_name?: string;
                bundle_version?: string;
                /** @description Flow has no assets */
                has_asset_schedule?: boolean;
                asset_dependency?: string;
                /** @description Of the latest run, as the next seven */
                dag_run_start_date_gte?: components["schemas"]["When"];
                dag_run_start_date_gt?: components["schemas"]["When"];
                dag_run_start_date_lte?: components["schemas"]["When"];
                dag_run_start_date_lt?: components["schemas"]["When"];
                dag_run_end_date_gte?: components["schemas"]["When"];
                dag_run_end_date_gt?: components["schemas"]["When"];
                dag_run_end_date_lte?: components["schemas"]["When"];
                dag_run_end_date_lt?: components["schemas"]["When"];
                dag_run_state?: string[];
                order_by?: string[];
                is_favorite?: boolean;
                /** @description Names of Airflow's classes: `airflow.timetables.trigger.CronTriggerTimetable` */
                timetable_type?: string[];
                /** @description Last runs of each DAG; more than 30 are never returned */
                runs?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DagCards"];
                };
            };
        };
    };
    check_dag_text: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["DagTextBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DagTextResponse"];
                };
            };
        };
    };
    get_last_run_states: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        [key: string]: string;
                    };
                };
            };
        };
    };
    get_backlog: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                dag_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DagBacklog"];
                };
            };
        };
    };
    get_calendar: {
        parameters: {
            query?: {
                /**
                 * @description The first day; when nothing is said, 365 days before the last
                 * @example 2026-01-01
                 */
                from?: string;
                /**
                 * @description The last day, at most 366 days in all; when nothing is said, 365 days after the first, or today
                 * @example 2026-12-31
                 */
                to?: string;
                /** @description The IANA name of the zone whose days they are */
                timezone?: string;
            };
            header?: never;
            path: {
                dag_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CalendarResponse"];
                };
            };
        };
    };
    edit_dag_run: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                dag_id: string;
                dag_run_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["EditBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EditedTask"][];
                };
            };
        };
    };
    preview_edit: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                dag_id: string;
                dag_run_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["EditBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EditedTask"][];
                };
            };
        };
    };
    get_gantt: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                dag_id: string;
                dag_run_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GanttResponse"];
                };
            };
        };
    };
    get_tasks_of_run: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                dag_id: string;
                dag_run_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskOfRun"][];
                };
            };
        };
    };
    get_neighbours: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                dag_id: string;
                dag_run_id: string;
                task_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NeighboursResponse"];
                };
            };
        };
    };
    explain_task: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                dag_id: string;
                dag_run_id: string;
                task_id: string;
                map_index: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WaitReason"][];
                };
            };
        };
    };
    render_task: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                dag_id: string;
                dag_run_id: string;
                task_id: string;
                map_index: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never>;
                };
            };
        };
    };
    get_document: {
        parameters: {
            query?: {
                /** @description The version that this run is pinned to, instead of the newest */
                dag_run_id?: string;
            };
            header?: never;
            path: {
                dag_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DagDocument"];
                };
            };
        };
    };
    get_graph: {
        parameters: {
            query?: {
                /** @description The latest one when nothing is said */
                version_number?: number;
                /** @description Which way the arrows go */
                direction?: "LR" | "TB";
                /** @description Groups that are drawn as one box, by id; `*` = all. May be repeated, 1,000 times at most */
                folded?: string[];
            };
            header?: never;
            path: {
                dag_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GraphResponse"];
                };
            };
        };
    };
    get_grid: {
        parameters: {
            query?: {
                /** @description Most runs to return; more than 365 are never returned, nor more than make 250,000 cells */
                limit?: number;
                /** @description The newest run is due at this moment or before */
                run_after_lte?: components["schemas"]["When"];
                /**
                 * @description Only what comes after this run, which is the last of the page before: runs that are older, or due at the same
                 *     moment and made before it
                 */
                before_run_id?: string;
                run_type?: string[];
                state?: string[];
                /** @description With the start and end of each task instance */
                times?: boolean;
            };
            header?: never;
            path: {
                dag_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GridResponse"];
                };
            };
        };
    };
    get_dag_files: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DagFilesResponse"];
                };
            };
        };
    };
    get_dag_file: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Below the DAG folder, percent-encoded as one part of the address */
                path: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DagFileResponse"];
                };
            };
        };
    };
    put_dag_file: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Below the DAG folder, percent-encoded as one part of the address */
                path: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["DagFileBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DagFileSaved"];
                };
            };
        };
    };
    delete_dag_file: {
        parameters: {
            query?: {
                /** @description Of the text that the file must hold */
                etag?: string;
            };
            header?: never;
            path: {
                /** @description Below the DAG folder, percent-encoded as one part of the address */
                path: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is gone */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    get_processes: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProcessesResponse"];
                };
            };
        };
    };
    get_dag_schema: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never>;
                };
            };
        };
    };
}
