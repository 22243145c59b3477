# Sourced by with-postgres and with-mariadb: a throw-away server in a folder of its own, beside a command.
#
# Nothing is left behind, however the command or the script ends: a watcher holds the reading end of a pipe that closes
# when the script's process is gone, and cleans up then. The script says `name`, and how its server is stopped: `stop_server`.

say() { printf '%s: %s\n' "$name" "$*" >&2; }

dir=

# --- who runs it: servers refuse root. run_as USER…: the first that exists -----------------------------------
as() { (LC_ALL=C exec "$@"); }
user=$(id -un)
run_as() {
    local candidate
    [[ $(id -u) -eq 0 ]] || return 0
    user=
    for candidate in "$@"; do
        if id -u "$candidate" >/dev/null 2>&1; then user=$candidate; break; fi
    done
    if [[ -z $user ]]; then
        say "the server does not run as root, and there is none of these users to run it as: $*"
        exit 1
    fi
    uid=$(id -u "$user") gid=$(id -g "$user")
    if command -v setpriv >/dev/null; then
        as() { (cd / && HOME=${dir:-/} LC_ALL=C exec setpriv --reuid "$uid" --regid "$gid" --clear-groups -- "$@"); }
    elif command -v runuser >/dev/null; then
        as() { (cd / && HOME=${dir:-/} LC_ALL=C exec runuser -u "$user" -- "$@"); }
    else
        as() { (cd / && LC_ALL=C exec su -s /bin/sh "$user" -c 'exec "$0" "$@"' -- "$@"); }
    fi
}

# --- a folder of its own; the path of a socket may have 107 bytes only ---------------------------------------
make_dir() {
    local base=${TMPDIR:-/tmp}
    if [[ ${#base} -gt 60 ]] || ! as test -x "$base"; then base=/tmp; fi
    dir=$(mktemp -d "${base%/}/$1.XXXXXX")
    # From here on the watcher answers for the folder and the server. It outlives us, and a terminal's signals.
    exec 9> >(
        exec >/dev/null 2>&1
        trap '' INT TERM HUP
        cat
        clean_up
    )
    # Until the command runs, a signal waits for the step under way and then ends us.
    trap 'exit 130' INT
    trap 'exit 143' TERM
    trap 'exit 129' HUP
}

clean_up() {
    local i
    # More than once: a half-made server may be writing yet when this process was killed outright.
    for ((i = 0; i < 50; i++)); do
        stop_server || true
        rm -rf "$dir" || true
        [[ -e $dir ]] || break
        sleep 0.2
    done
}

own_dir() {
    if [[ $(id -u) -eq 0 ]]; then chown -R "$uid:$gid" "$dir"; fi
}

make_password() {
    password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
}

# --- certificates for TLS, where there is openssl: `tls` is then their folder. An authority (ca.pem), which signs one
# for the server (`localhost`, not 127.0.0.1) and one for a client whose name is `certified` ------------------------------
make_certificates() {
    tls=
    command -v openssl >/dev/null || return 0
    mkdir "$dir/tls"
    if (umask 077 && cd "$dir/tls" && sign_certificates) >"$dir/openssl.log" 2>&1 9>&- </dev/null; then
        tls=$dir/tls
    else
        say "without TLS: openssl made no certificates: $(tail -n 1 "$dir/openssl.log")"
    fi
}
sign_certificates() {
    local key=(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes) name
    printf '%s\n' 'basicConstraints = critical,CA:FALSE' 'subjectAltName = DNS:localhost' >names || return
    openssl req -x509 "${key[@]}" -days 30 -subj '/CN=Flow tests' -keyout ca.key -out ca.pem || return
    for name in server certified; do
        openssl req "${key[@]}" -subj "/CN=$name" -keyout "$name.key" -out "$name.csr" &&
            openssl x509 -req -in "$name.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -extfile names \
                -out "$name.pem" || return
    done
}

is_free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
some_port() { echo $((20000 + (RANDOM * 32768 + RANDOM) % 12000)); }

# --- the command, in a process group of its own, so that a signal to us ends all of it --------------------------
forward() { kill "-$1" -- "-$command" 2>/dev/null || true; }
run_beside() {
    local status=0 i
    set -m
    "$@" 9>&- <&0 &
    command=$!
    set +m
    trap 'forward INT' INT
    trap 'forward TERM' TERM
    trap 'forward HUP' HUP
    while :; do
        # A signal ends `wait` early; the command may take its time to end.
        wait "$command" && status=0 || status=$?
        kill -0 "$command" 2>/dev/null || break
    done

    exec 9>&-
    for ((i = 0; i < 300; i++)); do
        [[ -e $dir ]] || break
        sleep 0.1
    done
    exit "$status"
}
