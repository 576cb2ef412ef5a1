# shellcheck shell=sh disable=SC2034
# For command-line cases that need fault_server.py; read with `.` from SOURCE_ROOT/tests/harness. The server writes a
# file `port` into the case's folder and ends with the case.

# fault_serve [--rule RULE]...: a new server, its port in $port
fault_serve()
{
	fault_end
	rm -f port
	python3 "$SOURCE_ROOT/tests/harness/fault_server.py" --serve port "$@" &
	fault_pid=$!
	trap fault_end EXIT
	for _ in $(seq 200); do
		[ ! -s port ] || break
		sleep 0.05
	done
	port=$(cat port)
}

fault_end()
{
	[ -z "${fault_pid-}" ] || kill "$fault_pid" 2>/dev/null || true
	fault_pid=
}

# fault_count REGEX: requests whose line in the log matches ("METHOD TARGET STATUS BYTES RANGE FAULT")
fault_count()
{
	python3 -c 'import sys, urllib.parse, urllib.request
where = f"http://127.0.0.1:{sys.argv[1]}/__count?match=" + urllib.parse.quote(sys.argv[2])
print(urllib.request.urlopen(where).read().decode())' "$port" "$1"
}

# fault_objects [PREFIX]: what is in the bucket there: digest and last part of the key, sorted
fault_objects()
{
	python3 - "$port" "bucket/${1-}" <<-'END' | sort
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
