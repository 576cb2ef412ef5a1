# Bodies into an object store that checks signatures, also while it fails: the same bytes as in a folder.
need_pg
server_py=$SOURCE_ROOT/tests/harness/fault_server.py
archive=$fixtures/file-modes/export
serve()
{
	rm -f port
	python3 "$server_py" --serve port "$@" &
	server_pid=$!
	trap 'kill $server_pid 2>/dev/null' EXIT
	for _ in $(seq 200); do
		[ ! -s port ] || break
		sleep 0.05
	done
	port=$(cat port)
}
# objects [PREFIX]: what the store has there, as digest and last part of the key
objects()
{
	python3 - "$port" "bucket/${1-}" <<-'END'
		import hashlib, sys, urllib.parse, urllib.request
		where = f'http://127.0.0.1:{sys.argv[1]}'
		for line in urllib.request.urlopen(where + '/__keys').read().decode().splitlines():
		    key = line.rsplit(' ', 1)[0]
		    if not key.startswith(sys.argv[2]):
		        continue
		    body = urllib.request.urlopen(f'{where}/__object/{urllib.parse.quote(key)}').read()
		    print(hashlib.sha256(body).hexdigest(), key.rsplit('/', 1)[1])
	END
}
count()
{
	python3 -c 'import sys, urllib.parse, urllib.request
print(urllib.request.urlopen(f"http://127.0.0.1:{sys.argv[1]}/__count?match=" + urllib.parse.quote(sys.argv[2])).read().decode())' "$port" "$1"
}
files()
{
	find "$1" -type f -exec sha256sum {} + | sed 's|  .*/| |' | sort
}
import()
{
	name=$1
	shift
	run matter-import slack "$archive" --team acme --database "$(db "$name")" --create-schema --files-from archive "$@" |
		sed -E "s/:$port/:PORT/g; s/[a-z0-9]{26}/ID/g"
}
bucket()
{
	name=$1
	shift
	import "$name" --files s3://bucket/mm --s3-endpoint "http://127.0.0.1:$port" --s3-region us-east-1 \
		--s3-access-key AK --s3-secret-key-file secret --s3-style path "$@"
}
port=0
umask 077
echo SK-secret-of-tests >secret
import folder --files store >/dev/null
files store >folder.sum
echo '== a store'
serve
bucket good
objects mm/ | sort | cmp - folder.sum && echo the same bytes
sql "$(db good)" "select count(*) from fileinfo where path <> ''"
echo '== again: nothing is put'
before=$(count ^PUT)
bucket good
[ "$before" = "$(count ^PUT)" ] && echo nothing put
echo '== the command files, addressed by host'
run matter-import slack "$archive" --team acme --database "$(db late)" --create-schema --files-from none | tail -1
AWS_ACCESS_KEY_ID=AK AWS_SECRET_ACCESS_KEY=SK-secret-of-tests run matter-import files "$archive" --database "$(db late)" \
	--files s3://bucket/late --s3-endpoint "http://localhost:$port" --s3-style host | sed "s/:$port/:PORT/g"
objects late/ | sort | cmp - folder.sum && echo the same bytes
[ "$(count '^PUT /late/.* 200')" -gt 0 ] && echo by host
echo '== temporary keys'
echo TK-secret-of-tests >temporary
MATTERARK_S3_SESSION_TOKEN=token/+of=tests import token --files s3://bucket/mm --s3-endpoint "http://127.0.0.1:$port" \
	--s3-access-key TK --s3-secret-key-file temporary | tail -2
echo '== wrong keys'
echo wrong >secret
bucket wrong
echo SK-secret-of-tests >secret
kill "$server_pid"
echo '== a store that fails'
serve --rule 'do=status&status=503&code=SlowDown&every=4' --rule 'do=lost&match=PUT&every=3' --rule 'do=reset&every=5'
bucket faults
objects mm/ | sort | cmp - folder.sum && echo the same bytes
[ "$(count ' (lost|reset|status)$')" -gt 3 ] && echo it failed
kill "$server_pid"
echo '== a store that refuses'
serve --rule 'do=status&status=403&code=AccessDenied&match=PUT&every=1'
bucket refused
