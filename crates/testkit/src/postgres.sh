# Runs a PostgreSQL server of its own until standard input ends: that is when the tests are over,
# however they ended. Prints the folder of its socket once it answers.
#
# The server refuses to run as root, so root steps down first.
set -eu

if [ "$(id -u)" = 0 ]; then
    user=nobody
    if id -u postgres >/dev/null 2>&1; then user=postgres; fi
    cd /
    exec setpriv --reuid="$user" --regid="$(id -g "$user")" --clear-groups sh -c "$1" sh "$1"
fi

# The folder of the newest server, unless one is on the path.
programs=""
if ! command -v initdb >/dev/null || ! command -v pg_ctl >/dev/null; then
    for folder in $(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -t/ -k5 -n); do
        programs="$folder/"
    done
    if [ -z "$programs" ]; then
        echo "no PostgreSQL server is installed (apt-get install postgresql)" >&2
        exit 1
    fi
fi

# An interrupt ends the tests; this then ends with its input and cleans up.
trap '' INT HUP TERM
folder=$(mktemp -d /tmp/switchyard-postgres.XXXXXX)
end() {
    "${programs}pg_ctl" -D "$folder/data" -m immediate stop >/dev/null 2>&1 || true
    rm -rf "$folder"
}
trap end EXIT

"${programs}initdb" -D "$folder/data" -U postgres -A trust -E UTF8 --locale=C --no-sync >"$folder/initdb.log" 2>&1 ||
    { cat "$folder/initdb.log" >&2; exit 1; }
"${programs}pg_ctl" -D "$folder/data" -l "$folder/server.log" -w -t 60 \
    -o "-k $folder -c listen_addresses='' -c fsync=off -c synchronous_commit=off \
        -c full_page_writes=off -c max_connections=300 -c shared_buffers=64MB" \
    start >/dev/null 2>&1 || { cat "$folder/server.log" >&2; exit 1; }

echo "$folder"
while read -r _; do :; done
