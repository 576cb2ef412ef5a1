#!/usr/bin/env python3
"""matter-history --push over real transports: an sshd of an ordinary user on 127.0.0.1 with keys of its own, and git http-backend
behind a small server, with a password, plain and with TLS. What is refused says why, what is pushed is whole, and no
secret is told. TAP; skipped without PostgreSQL, the part with ssh without sshd (ARK_SSHD names another one).
"""
import base64
import getpass
import http.server
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True
import lines  # noqa: E402
from tap import Tap  # noqa: E402

SECRET = "geheim-und-lang"
SSHD = os.environ.get("ARK_SSHD") or next((x for x in ("/usr/sbin/sshd", "/usr/local/sbin/sshd") if os.path.exists(x)), None)
BACKEND = os.path.join(subprocess.run(["git", "--exec-path"], capture_output=True, text=True).stdout.strip(), "git-http-backend")
USER = "postgres" if os.geteuid() == 0 else getpass.getuser()
AS_USER = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--"] if os.geteuid() == 0 else []


def free_port():
	with socket.socket() as s:
		s.bind(("127.0.0.1", 0))
		return s.getsockname()[1]


def git(repo, *args):
	return subprocess.run(["git", "-c", "safe.directory=*", "-C", repo, *args], capture_output=True, text=True)


def head(repo):
	return git(repo, "rev-parse", "--verify", "-q", "refs/heads/main").stdout.strip()


class Place:
	"""A history, a home without anything of this machine, and remotes."""

	def __init__(self, work):
		self.work, self.home = work, os.path.join(work, "home")
		os.chmod(work, 0o755)
		os.makedirs(os.path.join(self.home, ".ssh"), 0o700)
		self.repo, self.ledger = os.path.join(work, "repo"), os.path.join(work, "ledger")
		open(self.ledger, "w").close()
		self.env = {"PATH": os.environ["PATH"], "HOME": self.home, "LC_ALL": "C.UTF-8"}
		self.env.update({k: v for k, v in os.environ.items() if k.startswith(("ASAN_", "UBSAN_", "LSAN_"))})
		self.tool("update", self.repo, "--database", DSN, "--attachments", "none")
		self.password = self.file("password", SECRET + "\n")

	def file(self, name, text):
		path = os.path.join(self.work, name)
		with open(path, "w", encoding="utf-8") as f:
			f.write(text)
		os.chmod(path, 0o600)
		return path

	def tool(self, *args, env=None):
		return subprocess.run([HISTORY, *args], env=dict(self.env, **(env or {})), capture_output=True, text=True, timeout=60)

	def push(self, url, *args, env=None):
		"""A rebuild without anything to take out only pushes."""
		return self.tool("rebuild", self.repo, "--ledger", self.ledger, "--push", url, *args, env=env)

	def remote(self, name):
		"""A bare repository that the server may write to; its path."""
		path = os.path.join(self.work, name)
		subprocess.run(["git", "init", "-q", "--bare", "-b", "main", path], check=True)
		subprocess.run(["git", "-C", path, "config", "http.receivepack", "true"], check=True)
		if AS_USER:
			for top, folders, files in os.walk(path):
				for x in [top] + [os.path.join(top, y) for y in folders + files]:
					shutil.chown(x, "postgres", "postgres")
		return path


def is_whole(remote, repo):
	return head(remote) == head(repo) != "" and git(remote, "fsck", "--full", "--strict").returncode == 0


def refused(tap, name, r, *texts):
	"""Not done, said why, with a hint, and without secrets."""
	told = r.stderr + r.stdout
	fine = r.returncode in (1, 2, 4) and "hint:" in r.stderr and all(x in r.stderr for x in texts) and SECRET not in told
	tap.check(name, fine, f"exit {r.returncode}: {told}")


def other_history(place, remote):
	"""Somebody else's commit becomes the remote's branch."""
	made = git(remote, "-c", "user.name=x", "-c", "user.email=x@x", "commit-tree", "-m", "other", git(remote, "rev-parse", "main^{tree}").stdout.strip())
	subprocess.run([*AS_USER, "git", "-C", remote, "update-ref", "refs/heads/main", made.stdout.strip()], check=True, cwd="/")


def same_for_all(tap, place, what, remote, url, *args, env=None):
	"""What every transport does with a branch."""
	r = place.push(url, *args, env=env)
	tap.check(f"{what}: pushed", r.returncode == 0 and is_whole(remote, place.repo), r.stderr)
	r = place.push(url, *args, env=env)
	tap.check(f"{what}: again", r.returncode == 0 and is_whole(remote, place.repo), r.stderr)
	other_history(place, remote)
	refused(tap, f"{what}: other commits are not replaced", place.push(url, *args, env=env), "--force-with-lease")
	refused(tap, f"{what}: nor with a lease", place.push(url, "--force-with-lease", *args, env=env), "somebody else")


# ---- ssh ----

def key(path):
	subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
	return open(path + ".pub", encoding="utf-8").read().strip()


def start_sshd(place, public):
	folder = os.path.join(place.work, "sshd")
	os.mkdir(folder)
	host = key(os.path.join(folder, "host"))
	port = free_port()
	with open(os.path.join(folder, "authorized"), "w", encoding="utf-8") as f:
		f.write(public + "\n")
	with open(os.path.join(folder, "config"), "w", encoding="utf-8") as f:
		f.write(f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nPidFile none\nAuthorizedKeysFile {folder}/authorized\n"
		        "StrictModes no\nUsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n")
	if AS_USER:
		for x in [folder] + [os.path.join(folder, y) for y in os.listdir(folder)]:
			shutil.chown(x, "postgres", "postgres")
	log = open(os.path.join(place.work, "sshd.log"), "w", encoding="utf-8")
	server = subprocess.Popen([*AS_USER, SSHD, "-D", "-e", "-f", folder + "/config"], stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/")
	for _ in range(200):
		with socket.socket() as s:
			if s.connect_ex(("127.0.0.1", port)) == 0:
				return server, port, host
		if server.poll() is not None:
			break
		time.sleep(0.05)
	raise RuntimeError("sshd does not start: " + open(log.name, encoding="utf-8").read())


def over_ssh(tap, place):
	names = ["ssh: pushed", "ssh: again", "ssh: other commits are not replaced", "ssh: nor with a lease", "ssh: no key", "ssh: an unknown host",
	         "ssh: another host's key", "ssh: another key", "ssh: a key of the agent", "ssh: no such repository", "ssh: nobody listens"]
	if SSHD is None:
		for name in names:
			tap.skip(name, "no sshd here")
		return
	known, mine = os.path.join(place.home, ".ssh", "known_hosts"), os.path.join(place.home, ".ssh", "id_ed25519")
	public = key(os.path.join(place.work, "key"))
	other = key(os.path.join(place.work, "otherkey"))
	server, port, host = start_sshd(place, public)
	try:
		remote = place.remote("by-ssh")
		url = f"ssh://{USER}@127.0.0.1:{port}{remote}"
		line = f"[127.0.0.1]:{port} " + " ".join(host.split()[:2]) + "\n"
		place.file("home/.ssh/known_hosts", line)
		refused(tap, "ssh: no key", place.push(url), "~/.ssh/id_ed25519")
		shutil.copy(os.path.join(place.work, "key"), mine)
		os.unlink(known)
		refused(tap, "ssh: an unknown host", place.push(url), "known_hosts")
		place.file("home/.ssh/known_hosts", f"[127.0.0.1]:{port} " + " ".join(other.split()[:2]) + "\n")
		refused(tap, "ssh: another host's key", place.push(url), "known_hosts")
		place.file("home/.ssh/known_hosts", line)
		shutil.copy(os.path.join(place.work, "otherkey"), mine)
		refused(tap, "ssh: another key", place.push(url), "~/.ssh/id_ed25519")
		shutil.copy(os.path.join(place.work, "key"), mine)
		same_for_all(tap, place, "ssh", remote, url)
		os.unlink(mine)
		by_agent(tap, place, f"ssh://{USER}@127.0.0.1:{port}{place.remote('by-agent')}", os.path.join(place.work, "by-agent"))
		shutil.copy(os.path.join(place.work, "key"), mine)
		refused(tap, "ssh: no such repository", place.push(f"ssh://{USER}@127.0.0.1:{port}/nowhere/at/all"), "the history here is complete")
	finally:
		server.send_signal(signal.SIGTERM)
		server.wait()
	refused(tap, "ssh: nobody listens", place.push(url), "the history here is complete")


def by_agent(tap, place, url, remote):
	sock = os.path.join(place.work, "agent")
	agent = subprocess.Popen(["ssh-agent", "-D", "-a", sock], stdout=subprocess.DEVNULL)
	try:
		for _ in range(200):
			if os.path.exists(sock):
				break
			time.sleep(0.05)
		env = {"SSH_AUTH_SOCK": sock}
		subprocess.run(["ssh-add", "-q", os.path.join(place.work, "key")], check=True, env=dict(place.env, **env))
		r = place.push(url, env=env)
		tap.check("ssh: a key of the agent", r.returncode == 0 and is_whole(remote, place.repo), r.stderr)
	finally:
		agent.terminate()
		agent.wait()


# ---- http ----

class Backend(http.server.BaseHTTPRequestHandler):
	"""git http-backend for the folder of the server, behind basic authentication."""

	def log_message(self, *args):
		pass

	def answer(self):
		wanted = "Basic " + base64.b64encode(("ann:" + SECRET).encode()).decode()
		size = int(self.headers.get("Content-Length") or 0)
		body = self.rfile.read(size) if "Transfer-Encoding" not in self.headers else self.chunks()
		if self.headers.get("Authorization") != wanted:
			self.send_response(401)
			self.send_header("WWW-Authenticate", 'Basic realm="histories"')
			self.send_header("Content-Length", "0")
			self.end_headers()
			return
		path, _, query = self.path.partition("?")
		env = {"PATH": os.environ["PATH"], "GIT_PROJECT_ROOT": self.server.top, "GIT_HTTP_EXPORT_ALL": "1", "PATH_INFO": path, "QUERY_STRING": query,
		       "REQUEST_METHOD": self.command, "CONTENT_TYPE": self.headers.get("Content-Type", ""), "REMOTE_USER": "ann", "CONTENT_LENGTH": str(len(body)),
		       "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"}
		out = subprocess.run([*AS_USER, BACKEND], input=body, env=env, capture_output=True, cwd="/").stdout
		head_bytes, _, content = out.partition(b"\r\n\r\n")
		status, fields = 200, []
		for line in head_bytes.decode().split("\r\n"):
			name, _, value = line.partition(": ")
			if name == "Status":
				status = int(value.split()[0])
			else:
				fields.append((name, value))
		self.send_response(status)
		for name, value in fields:
			self.send_header(name, value)
		self.send_header("Content-Length", str(len(content)))
		self.end_headers()
		self.wfile.write(content)

	def chunks(self):
		body = b""
		while True:
			size = int(self.rfile.readline().split(b";")[0], 16)
			body += self.rfile.read(size)
			self.rfile.readline()
			if size == 0:
				return body

	do_GET = do_POST = answer


def serve(place, tls):
	server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Backend)
	server.daemon_threads = True
	server.top = place.work
	if tls:
		context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
		context.load_cert_chain(tls + ".pem", tls + ".key")
		server.socket = context.wrap_socket(server.socket, server_side=True)
	threading.Thread(target=server.serve_forever, daemon=True).start()
	return server, server.server_address[1]


def over_http(tap, place):
	server, port = serve(place, None)
	remote = place.remote("by-http")
	url = f"http://ann@127.0.0.1:{port}/by-http"
	same_for_all(tap, place, "http", remote, url, "--push-password-file", place.password)
	refused(tap, "http: no password", place.push(url), "--push-password-file")
	refused(tap, "http: a wrong password", place.push(url, "--push-password-file", place.file("wrong", "something\n")), "right password")
	refused(tap, "http: no such repository", place.push(f"http://ann@127.0.0.1:{port}/nowhere", "--push-password-file", place.password))
	refused(tap, "http: a password in the address", place.push(f"http://ann:{SECRET}@127.0.0.1:{port}/by-http"), "--push-password-file")
	server.shutdown()
	server.server_close()
	refused(tap, "http: nobody listens", place.push(url, "--push-password-file", place.password), "the history here is complete")


def over_https(tap, place):
	tls = os.path.join(place.work, "tls")
	subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
	                "-keyout", tls + ".key", "-out", tls + ".pem"], check=True, capture_output=True)
	server, port = serve(place, tls)
	remote = place.remote("by-https")
	url = f"https://ann@localhost:{port}/by-https"
	refused(tap, "https: an unknown authority", place.push(url, "--push-password-file", place.password), "SSL_CERT_FILE")
	same_for_all(tap, place, "https", remote, url, "--push-password-file", place.password, env={"SSL_CERT_FILE": tls + ".pem"})
	server.shutdown()
	server.server_close()


def main():
	lines.run(IMPORT, "slack", os.path.join(HERE, "..", "..", "fixtures", "slack", "edited", "export"), "--team", "acme",
	          "--database", DSN, "--create-schema", "--create-team")
	tap = Tap()
	with tempfile.TemporaryDirectory() as work:
		place = Place(work)
		over_ssh(tap, place)
		over_http(tap, place)
		over_https(tap, place)
		refused(tap, "a transport that is none", place.push("gopher://127.0.0.1/x"), "ssh://")
	return tap.end()


if __name__ == "__main__":
	IMPORT, HISTORY = os.environ["MATTER_IMPORT"], os.environ["MATTER_HISTORY"]
	if "ARK_TEST_DSN" not in os.environ:
		os.execv(lines.PG, [lines.PG, sys.executable, os.path.abspath(__file__)])
	lines.BIN = os.environ["ARK_TEST_PG_BIN"]
	DSN = os.environ["ARK_TEST_DSN"].replace("dbname=postgres", "dbname=push")
	sys.exit(main())
