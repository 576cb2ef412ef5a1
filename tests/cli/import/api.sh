# A running server is told to drop its caches; when it cannot be, that is a warning.
need_pg
export=$fixtures/two-exports-overlap/first
cat >server.py <<'END'
import http.server, sys

class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        good = self.path == '/mm/api/v4/caches/invalidate' and self.headers['Authorization'] == 'Bearer secret-token'
        with open('asked', 'a') as f: # before the answer: the tool may be done right after it
            f.write('%s %s\n' % (self.command, self.path))
        self.send_response(200 if good else 401)
        self.send_header('Content-Length', '2')
        self.end_headers()
        self.wfile.write(b'{}')

    def log_message(self, *args):
        pass

server = http.server.HTTPServer(('127.0.0.1', 0), Handler)
with open('port.new', 'w') as f:
    f.write(str(server.server_port))
import os
os.rename('port.new', 'port')
server.serve_forever()
END
python3 server.py &
pid=$!
trap 'kill $pid' EXIT
while [ ! -e port ]; do sleep 0.05; done
url=http://127.0.0.1:$(cat port)/mm/
(umask 077; echo secret-token >token; echo wrong-token >wrong; : >empty)
matter-import slack "$export" --team acme --database "$(db)" --create-schema
run matter-import slack "$fixtures/two-exports-overlap/second" --team acme --database "$(db)" --api-url "$url" --api-token-file token
cat asked
newest=$(matter-import runs --database "$(db)" | tail -1 | cut -f1)
cat token | matter-import undo "$newest" --database "$(db)" --api-url "$url" --api-token-file /dev/stdin >plan # out of a pipe
cat asked
run matter-import slack "$fixtures/two-exports-overlap/second" --team acme --database "$(db)" --api-url "$url" --api-token-file wrong
newest=$(matter-import runs --database "$(db)" | tail -1 | cut -f1)
matter-import undo "$newest" --database "$(db)" --api-url http://127.0.0.1:1 --api-token-file token 2>&1 >plan |
	sed 's/dropped\? its caches:.*;/dropped its caches: WHY;/; s/caches: .*; System/caches: WHY; System/'
# contradictions are told before anything is read or written
run matter-import slack "$export" --team acme --database "$(db)" --api-url "$url"
run matter-import slack "$export" --team acme --database "$(db)" --api-url "$url" --api-token-file empty
run matter-import slack "$export" --team acme --database "$(db)" --api-url "$url" --api-token-file absent
