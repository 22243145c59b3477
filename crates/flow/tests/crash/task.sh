# What every task of the crash tests begins with. It writes down what happens, and holds locks while it, or anything
# it has started, is alive: the kernel says who is there at once with whom, not clocks.

say() {
    echo "$EPOCHREALTIME $1 $FLOW_CTX_DAG_ID $FLOW_CTX_RUN_ID $FLOW_CTX_TASK_ID $FLOW_CTX_TRY_NUMBER $$ ${2:--}" >>"$CRASH/effects"
}

# hold NAME N: takes one of the N places of that name, or says that there are more of us than places.
hold() {
    local place
    for ((place = 1; place <= $2; place++)); do
        exec {held}>>"$CRASH/locks/$1#$place"
        flock -n "$held" && return
        exec {held}>&-
    done
    say exceeded "$1"
}

# work SECONDS: takes its time, and writes down that it is done.
work() {
    sleep "$1"
    say end
}

# once NAME: true the first time in this run.
once() {
    [[ ! -e $CRASH/marks/$FLOW_CTX_RUN_ID.$1 ]] && : >"$CRASH/marks/$FLOW_CTX_RUN_ID.$1"
}

say start "$PPID"
exec {me}>>"$CRASH/locks/$FLOW_CTX_DAG_ID.$FLOW_CTX_RUN_ID.$FLOW_CTX_TASK_ID"
flock -n "$me" || say overlap
