# Messages are deleted over the API first, and caches dropped; what the API deleted counts as planned.
workspace
cat >server.py <<'END'
import http.server, os, subprocess, sys

class Handler(http.server.BaseHTTPRequestHandler):
    busy = 2

    def answer(self, status, headers=()):
        with open('asked', 'a') as f: # before the answer: the tool may be done right after it
            f.write('%s %s %d\n' % (self.command, self.path.rsplit('/', 1)[0], status))
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header('Content-Length', '2')
        self.end_headers()
        self.wfile.write(b'{}')

    def do_POST(self):
        self.answer(200)

    def do_DELETE(self):
        if self.headers['Authorization'] != 'Bearer secret-token':
            return self.answer(403)
        if Handler.busy > 0:
            Handler.busy -= 1
            return self.answer(429, [('Retry-After', '0')])
        post = self.path.rsplit('/', 1)[1]
        # as the server does it: the message and its replies, marked and touched
        subprocess.run([sys.argv[1], '-XAtq', '-c', "update posts set deleteat = t, updateat = t, props = props || '{\"deleteBy\": \"x\"}' "
                        "from (select (extract(epoch from now()) * 1000)::bigint as t) x where '%s' in (id, rootid)" % post,
                        sys.argv[2]], check=True)
        if os.path.exists('stop'):
            os.kill(int(open('pid').read()), 9)
        self.answer(200)

    def log_message(self, *args):
        pass

server = http.server.HTTPServer(('127.0.0.1', 0), Handler)
with open('port.new', 'w') as f:
    f.write(str(server.server_port))
os.rename('port.new', 'port')
server.serve_forever()
END
python3 server.py "$ARK_TEST_PG_BIN/psql" "$(db)" &
pid=$!
trap 'kill $pid' EXIT
while [ ! -e port ]; do sleep 0.05; done
url=http://127.0.0.1:$(cat port)/
(umask 077; echo secret-token >token; echo wrong >wrong)
plan()
{
	run matter-purge plan --database "$(db)" --older-than 2030-01-01 --channel "$1" -o p >/dev/null
}
apply()
{
	run matter-purge apply p --database "$(db)" --files store --yes --api-url "$url" "$@" | sed -E "s/'[a-z0-9]{26}'/'ID'/"
}
plan random
echo '== the token is nobody'"'"'s'
apply --api-token-file wrong
apply
rm -f asked
echo '== messages and their replies'
apply --api-token-file token
sort asked | uniq -c | sed -E 's/^ +//'
check "$(db)"
echo '== killed between the API and the database: the same plan goes on'
plan design
touch stop
sh -c 'echo $$ >pid; exec matter-purge apply p --database "$1" --files store --yes --api-url "$2" --api-token-file token' sh "$(db)" "$url" \
	>/dev/null 2>&1 || echo killed
rm stop
cat token | apply --api-token-file /dev/stdin | grep -E 'messages removed|stay'
sql "$(db)" "select count(*) from matterark.purge_deleting"
check "$(db)"
