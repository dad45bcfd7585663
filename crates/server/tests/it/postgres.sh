# Runs a PostgreSQL server of its own in a new directory for as long as standard input stays open: the end of the process
# that holds the other end, however it came, is the end of the server and of the directory.
#
#   sh postgres.sh BIN FSYNC      BIN: where initdb is; FSYNC: on or off
#
# Says `ready DIRECTORY` (the one with the socket) when it answers, or else what went wrong. PostgreSQL refuses to be root,
# so root hands it to another user.
set -eu
bin=$1
fsync=$2

# In memory where there is room for it: a new schema takes a tenth of the time there.
base=/tmp
room=$(df -Pk /dev/shm 2>/dev/null | awk 'NR == 2 { print $4 }')
if [ "$fsync" = off ] && [ -w /dev/shm ] && [ "${room:-0}" -gt 1000000 ]; then
    base=/dev/shm
fi
dir=$(mktemp -d "$base/tollgate-postgres.XXXXXX")
cd "$dir"
as=
if [ "$(id -u)" = 0 ]; then
    user=postgres
    id "$user" >/dev/null 2>&1 || user=nobody
    chown "$user" .
    as="setpriv --reuid=$user --regid=$(id -g "$user") --clear-groups"
fi

finish() {
    $as "$bin/pg_ctl" --pgdata=data --mode=immediate stop >/dev/null 2>&1 || true
    cd /
    rm -rf "$dir"
}
trap finish EXIT

# Most servers in the field compare text by a language, not by bytes: so does this one, where it can.
locale="--locale=C"
if "$bin/initdb" --help | grep -q -e --icu-locale; then
    locale="--locale=C --locale-provider=icu --icu-locale=en-US"
fi

# shellcheck disable=SC2086 # $as and $locale are lists of words
start() {
    $as "$bin/initdb" --pgdata=data --username=postgres --auth=trust --encoding=UTF8 --no-sync $locale &&
        $as "$bin/pg_ctl" --pgdata=data --log=server.log --wait start \
            --options="-k $dir -c listen_addresses='' -c max_connections=200 -c fsync=$fsync -c full_page_writes=$fsync \
                -c autovacuum=off -c wal_level=minimal -c max_wal_senders=0"
}

if ! start >start.log 2>&1; then
    echo "PostgreSQL did not start:"
    cat start.log server.log 2>/dev/null || true
    exit 1
fi
echo "ready $dir"
cat >/dev/null
