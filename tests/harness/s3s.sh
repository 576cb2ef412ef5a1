#!/bin/sh
# An object store of other people (s3s-fs) for one command: keys and endpoint in AWS_*, bucket `bucket`.
#
#	s3s.sh S3S-FS COMMAND [ARG...]
set -eu

program=$1
shift
dir=$(mktemp -d "${TMPDIR:-/tmp}/ark-s3s.XXXXXX")
mkdir "$dir/data" "$dir/data/bucket" # a bucket is a folder there
port=$(python3 -c 'import socket
s = socket.socket()
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])')
"$program" --host 127.0.0.1 --port "$port" --access-key AK --secret-key SK "$dir/data" >"$dir/log" 2>&1 &
pid=$!
trap 'kill $pid 2>/dev/null; rm -rf "$dir"' EXIT
trap 'exit 129' HUP INT TERM
for _ in $(seq 100); do
	! python3 -c "import socket; socket.create_connection(('127.0.0.1', $port)).close()" 2>/dev/null || break
	sleep 0.1
done
status=0
env -u AWS_SESSION_TOKEN -u AWS_ENDPOINT_URL_S3 AWS_ACCESS_KEY_ID=AK AWS_SECRET_ACCESS_KEY="${S3S_SECRET:-SK}" \
	AWS_ENDPOINT_URL="http://127.0.0.1:$port" AWS_REGION=us-east-1 "$@" || status=$?
[ "$status" = 0 ] || sed 's/^/# s3s-fs: /' "$dir/log" | tail -20
exit "$status"
