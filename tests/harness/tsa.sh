#!/bin/sh
# A time stamping authority for tests: `openssl ts` behind a small HTTP server on this machine.
#
#	tsa.sh COMMAND [ARG...]    run COMMAND with ARK_TSA_URL and ARK_TSA_CA set, then end it
#
# Addresses: /tsa stamps, /deny refuses in the words of RFC 3161, /other stamps something else, /broken answers
# with status 500, /text with no time stamp at all. ARK_TSA_OTHER_CA is an authority that stamped nothing.
# Exit 77 where there is no openssl.
set -eu
command -v openssl >/dev/null || {
	echo "1..0 # SKIP no openssl"
	exit 77
}
work=$(mktemp -d)
server=
trap 'if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; fi; rm -rf "$work"' EXIT
cat >"$work/openssl.cnf" <<'END'
[req]
distinguished_name = name
prompt = no
[name]
CN = test
[ca]
basicConstraints = critical, CA:TRUE
[stamps]
extendedKeyUsage = critical, timeStamping
[tsa]
default_tsa = authority
[authority]
serial = serial
default_policy = 1.2.3.4.1
digests = sha256
signer_digest = sha256
ess_cert_id_chain = no
ess_cert_id_alg = sha256
END
(
	cd "$work"
	for ca in ca other; do
		openssl req -x509 -newkey rsa:2048 -nodes -keyout $ca.key -out $ca.pem -days 30 -subj "/CN=$ca" \
			-config openssl.cnf -extensions ca
	done
	openssl req -newkey rsa:2048 -nodes -keyout tsa.key -out tsa.csr -subj /CN=tsa -config openssl.cnf
	openssl x509 -req -in tsa.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -extfile openssl.cnf \
		-extensions stamps -out tsa.pem
	echo 01 >serial
) >"$work/log" 2>&1 || {
	cat "$work/log" >&2
	exit 1
}
cat >"$work/server.py" <<'END'
import http.server, os, subprocess, sys
work = sys.argv[1]
os.chdir(work)

def stamp(query):
	open("query", "wb").write(query)
	subprocess.run(["openssl", "ts", "-reply", "-config", "openssl.cnf", "-queryfile", "query", "-signer", "tsa.pem",
	                "-inkey", "tsa.key", "-out", "answer"], check=True, stderr=subprocess.DEVNULL)
	return open("answer", "rb").read()

def other(query):
	open("something", "wb").write(b"something else")
	subprocess.run(["openssl", "ts", "-query", "-data", "something", "-sha256", "-cert", "-out", "query2"], check=True,
	               stderr=subprocess.DEVNULL)
	return stamp(open("query2", "rb").read())

# TimeStampResp ::= SEQUENCE { PKIStatusInfo { status 2, statusString { "not today" } } }
DENY = b"\x30\x12\x30\x10\x02\x01\x02\x30\x0b\x0c\x09not today"

class Handler(http.server.BaseHTTPRequestHandler):
	def do_POST(self):
		query = self.rfile.read(int(self.headers["Content-Length"]))
		good = self.headers["Content-Type"] == "application/timestamp-query"
		make = {"/tsa": stamp, "/other": other, "/deny": lambda q: DENY, "/text": lambda q: b"hello"}.get(self.path)
		body = make(query) if good and make else b""
		self.send_response(200 if body else 500)
		self.send_header("Content-Type", "application/timestamp-reply")
		self.send_header("Content-Length", str(len(body)))
		self.end_headers()
		self.wfile.write(body)

	def log_message(self, *args):
		pass

server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
open("port.new", "w").write(str(server.server_port))
os.rename("port.new", "port")
server.serve_forever()
END
python3 "$work/server.py" "$work" &
server=$!
n=0
while [ ! -e "$work/port" ]; do
	n=$((n + 1))
	[ $n -lt 200 ] || exit 1
	sleep 0.05
done
ARK_TSA_URL=http://127.0.0.1:$(cat "$work/port")
export ARK_TSA_URL ARK_TSA_CA="$work/ca.pem" ARK_TSA_OTHER_CA="$work/other.pem"
"$@"
