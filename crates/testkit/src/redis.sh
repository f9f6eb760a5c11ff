# Runs a Redis server until standard input ends: that is when the test that started it is over, however
# it ended. $2 is the port; the server's log goes to standard output.
set -eu

if ! command -v redis-server >/dev/null; then
    echo "no Redis server is installed (apt-get install redis-server)" >&2
    exit 1
fi

trap '' INT HUP TERM
folder=$(mktemp -d /tmp/switchyard-redis.XXXXXX)
redis-server --port "$2" --bind 127.0.0.1 --save "" --appendonly no --daemonize no --dir "$folder" &
server=$!
end() {
    # Also a stopped server must go.
    kill -KILL "$server" 2>/dev/null || true
    rm -rf "$folder"
}
trap end EXIT
while read -r _; do :; done
