#!/usr/bin/env python3
"""A server on 127.0.0.1 for tests: plain downloads, and an object store that checks signatures; both fail on demand.

    fault_server.py COMMAND [ARG...]  run COMMAND with ARK_TEST_HTTP (http://127.0.0.1:PORT) and keys in AWS_* set
    fault_server.py --serve FILE      write the port to FILE and serve until it is ended
                    --rule RULE       in front of that, any number of times: as to /__fault
                    --tls             first of all: over TLS with a certificate of its own, which AWS_CA_BUNDLE names;
                                      exit 77 without openssl

Plain downloads    /gen/SIZE/NAME (byte i is i % 251), /files/... (put there by /__file/...), /echo: the headers
Object store       bucket `bucket`, region us-east-1; path style, and host style as bucket.localhost
                   keys AK/SK-secret-of-tests, TK/TK-secret-of-tests with the session token `token/+of=tests`

What is asked for by the test itself, unsigned:

    POST /__fault?do=...&match=REGEX  the next requests whose "METHOD TARGET" matches fail; times (1), skip (0);
                                      every=N: each N-th of them instead
    POST /__reset                     forget rules, log, objects, files
    POST /__reset_rules               forget rules
    POST /__set?page=N&min_part=N&ignore_condition=1
    GET  /__log, /__count?match=REGEX, /__peak, /__uploads, /__keys
    PUT  /__file/PATH?type=...        GET, PUT /__object/BUCKET/KEY

do=  status    `status`, with Retry-After `after`, S3's error code `code`
     error200  200 with an <Error> of `code`          garbage   200 with a body that is nothing
     reset     the connection, before the body is read   lost   carried out, then reset instead of the answer
     cut       `at` bytes of the body, then closed    cutreset  the same, then reset
     short     a complete answer of only `at` bytes   stall     `at` bytes, then nothing for `seconds`
     slow      `seconds` before the answer            login     200 with a sign-in page
     norange   Range is ignored                       otherpart 206 with another part than asked for
     noetag, newetag, cutnoetag                       redirect  to `to`
     stale     lists as they were when the rule was made; again: lists begin anew instead of going on
"""
import email.utils
import hashlib
import http.server
import os
import re
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import bucket as s3  # noqa: E402
import sigv4  # noqa: E402

REGION = 'us-east-1'
TOKEN = 'token/+of=tests'
KEYS = {'AK': ('SK-secret-of-tests', None), 'TK': ('TK-secret-of-tests', TOKEN)}
LOGIN = b'<!DOCTYPE html><html><title>Sign in</title><form data-qa="signin_form"></form></html>'
PATTERN = bytes(range(251))


class Rule:
    def __init__(self, given):
        self.do, self.match = given['do'], re.compile(given.get('match', ''))
        self.every = int(given.get('every', 0))
        self.times, self.skip = int(given.get('times', 1)), int(given.get('skip', max(self.every - 1, 0)))
        self.given = given

    def number(self, name, otherwise):
        return float(self.given.get(name, otherwise))


class State:
    def __init__(self):
        self.lock = threading.RLock()
        self.buckets = s3.Buckets()
        self.clear()

    def clear(self):
        self.rules, self.log, self.files, self.now, self.peak = [], [], {}, {}, {}
        self.buckets.clear()

    def rule_for(self, line):
        with self.lock:
            for rule in self.rules:
                if rule.times > 0 and rule.match.search(line):
                    if rule.skip > 0:
                        rule.skip -= 1
                        continue
                    if rule.every > 0:
                        rule.skip = rule.every - 1
                    else:
                        rule.times -= 1
                    return rule
        return None

    def enter(self, host):
        with self.lock:
            self.now[host] = self.now.get(host, 0) + 1
            self.peak[host] = max(self.peak.get(host, 0), self.now[host])

    def leave(self, host):
        with self.lock:
            self.now[host] -= 1


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, handler=None):
        super().__init__(('127.0.0.1', 0), handler or Handler)
        self.state = State()

    def url(self):
        return f'http://127.0.0.1:{self.server_address[1]}'

    def handle_error(self, request, client_address):
        pass


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    disable_nagle_algorithm = True

    def log_message(self, *args):
        pass

    def any_method(self):
        state = self.server.state
        host = self.headers.get('Host', '').split(':')[0]
        self.rule, self.wanted = None, self.headers.get('Range', '-')
        if self.path.startswith('/__'):
            return self.control(state)
        state.enter(host)
        try:
            self.rule = state.rule_for(f'{self.command} {self.path}')
            self.serve(state, host)
        except OSError:
            self.close_connection = True
        finally:
            state.leave(host)
        return None

    def note(self, status, sent):
        """Into the log, before the client can know of it."""
        if not self.path.startswith('/__'):
            with self.server.state.lock:
                self.server.state.log.append(f'{self.command} {self.path} {status} {sent} {self.wanted} '
                                             f'{self.rule.do if self.rule else "-"}')

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = any_method

    def serve(self, state, host):
        do = self.rule.do if self.rule else ''
        if do == 'reset':
            self.note(0, 0)
            return self.reset()
        body = self.rfile.read(int(self.headers.get('Content-Length') or 0))
        if do == 'slow':
            time.sleep(self.rule.number('seconds', 0.2))
        if do == 'status':
            return self.write(self.refusal())
        if do == 'login':
            return self.write(s3.Answer(200, LOGIN, {'Content-Type': 'text/html; charset=utf-8'}))
        if do == 'redirect':
            return self.write(s3.Answer(302, b'', {'Location': self.rule.given['to']}))
        answer = self.plain(state)
        if answer is None:
            answer = self.store(state, host, body)
        if do == 'lost':
            self.note(answer.status, 0)
            return self.reset()
        if do == 'error200':
            answer = s3.error(200, self.rule.given.get('code', 'InternalError'), 'We encountered an internal error.')
        if do == 'garbage':
            answer = s3.Answer(200, b'<html><body>welcome to the hotel</body></html>', {'Content-Type': 'text/html'})
        return self.write(answer)

    def refusal(self):
        status = int(self.rule.given['status'])
        answer = s3.error(status, self.rule.given.get('code', 'Unknown'), 'as the test wants it')
        if 'after' in self.rule.given:
            after = self.rule.given['after']
            if after.startswith('date+'):
                after = email.utils.formatdate(time.time() + int(after[5:]), usegmt=True)
            answer.headers['Retry-After'] = after
        return answer

    def plain(self, state):
        """A download, or None: then it is for the object store."""
        path = urllib.parse.urlsplit(self.path).path
        if path == '/echo':
            return s3.Answer(200, str(self.headers).encode('latin-1'))
        if path.startswith('/gen/'):
            size = int(path.split('/')[2])
            return self.whole((PATTERN * (size // 251 + 1))[:size])
        if path.startswith('/files/'):
            found = state.files.get(path[len('/files/'):])
            return self.whole(*found) if found else s3.Answer(404, b'nothing here', {'Content-Type': 'text/plain'})
        return None

    def whole(self, body, kind='application/octet-stream'):
        """The body, or the part of it that is asked for."""
        etag = f'"{hashlib.md5(body).hexdigest()}"'
        if self.rule and self.rule.do == 'newetag':
            etag = '"another"'
        wanted = self.headers.get('Range')
        if self.headers.get('If-Range') not in (None, etag):
            wanted = None
        return s3.ranged(body, self.range(wanted), {'ETag': etag, 'Content-Type': kind})

    def range(self, wanted):
        do = self.rule.do if self.rule else ''
        if do == 'otherpart' and wanted:
            first = int(re.match(r'bytes=(\d+)', wanted)[1])
            return f'bytes={first + 1}-'
        return None if do == 'norange' else wanted

    def store(self, state, host, body):
        try:
            sigv4.check(self.command, self.path, self.headers, body, KEYS, REGION)
        except sigv4.Refused as no:
            return s3.error(no.status, no.code, no.message, no.region)
        path, _, text = self.path.partition('?')
        path = urllib.parse.unquote_to_bytes(path).decode('latin-1')[1:]
        name, _, key = path.partition('/')
        if host.endswith('.localhost'):
            name, key = host[:-len('.localhost')], path
        query = {n: v for n, v in urllib.parse.parse_qsl(text, keep_blank_values=True, encoding='latin-1')}
        do = self.rule.do if self.rule else ''
        if do == 'again':
            query.pop('continuation-token', None)
        headers = self.headers
        if self.range(headers.get('Range')) != headers.get('Range'):
            changed = self.range(headers.get('Range'))
            del headers['Range']
            if changed:
                headers['Range'] = changed
        answer = state.buckets.answer(self.command, name, key, query, headers, body, stale=do == 'stale')
        if do == 'newetag' and 'ETag' in answer.headers:
            answer.headers['ETag'] = '"another"'
        return answer

    def write(self, answer):
        do = self.rule.do if self.rule else ''
        at = min(int(self.rule.number('at', 0)), len(answer.body)) if self.rule else 0
        body = answer.body[:at] if do in ('cut', 'cutnoetag', 'cutreset', 'stall', 'short') else answer.body
        if do in ('noetag', 'cutnoetag'):
            answer.headers.pop('ETag', None)
        self.note(answer.status, 0 if self.command == 'HEAD' else len(body))
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.status != 204:
            self.send_header('Content-Length', str(len(body if do == 'short' else answer.body)))
        self.end_headers()
        if self.command != 'HEAD':
            self.wfile.write(body)
        if do == 'stall':
            time.sleep(self.rule.number('seconds', 3))
        if do == 'cutreset':
            time.sleep(0.05)  # a reset takes along what has not been read yet
            self.reset()
        if do in ('cut', 'cutnoetag', 'stall'):
            self.close_connection = True

    def reset(self):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        self.close_connection = True
        os.close(self.connection.detach())

    # --- what the test itself asks for

    def control(self, state):
        body = self.rfile.read(int(self.headers.get('Content-Length') or 0))
        path, _, text = self.path.partition('?')
        given = dict(urllib.parse.parse_qsl(text, keep_blank_values=True))
        verb = path.split('/')[1]
        with state.lock:
            answer = self.control_answer(state, verb, path[len(verb) + 2:], given, body)
        if isinstance(answer, str):
            answer = s3.Answer(200, answer.encode())
        self.write(answer)

    def control_answer(self, state, verb, rest, given, body):
        if verb == '__fault':
            state.rules.append(Rule(given))
            if given['do'] == 'stale':
                state.buckets.freeze()
        elif verb == '__reset':
            state.clear()
        elif verb == '__reset_rules':
            state.rules = []
        elif verb == '__set':
            for name, value in given.items():
                setattr(state.buckets, name, int(value))
        elif verb == '__file':
            state.files[rest] = (body, given.get('type', 'application/octet-stream'))
        elif verb == '__object':
            return self.object(state, rest, body)
        else:
            return self.told(state, verb, given)
        return ''

    def object(self, state, rest, body):
        name, _, key = urllib.parse.unquote_to_bytes(rest).decode('latin-1').partition('/')
        if self.command == 'PUT':
            return state.buckets.put(state.buckets.buckets[name], key, {}, body)
        found = state.buckets.buckets[name].get(key)
        return s3.Answer(200, found.body) if found else s3.Answer(404)

    def told(self, state, verb, given):
        if verb == '__log':
            return ''.join(line + '\n' for line in state.log)
        if verb == '__count':
            return str(sum(bool(re.search(given['match'], line)) for line in state.log))
        if verb == '__peak':
            return ''.join(f'{host} {most}\n' for host, most in sorted(state.peak.items()))
        if verb == '__uploads':
            return str(len(state.buckets.uploads))
        if verb == '__keys':
            return ''.join(f'{name}/{key} {len(o.body)}\n' for name, objects in sorted(state.buckets.buckets.items())
                           for key, o in sorted(objects.items()))
        return s3.Answer(400, b'no such control')


def speak_tls(server, folder):
    """Wrap the server's socket; the path of its certificate, which nobody else signed."""
    if shutil.which('openssl') is None:
        print('1..0 # SKIP no openssl')
        sys.exit(77)
    pem = os.path.join(folder, 'tls.pem')
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', pem, '-out', pem + '.crt', '-days', '30',
                    '-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'], check=True, stderr=subprocess.DEVNULL)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem + '.crt', pem)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    return pem + '.crt'


def environment(port, authority=None):
    where = f'{"https" if authority else "http"}://127.0.0.1:{port}'
    mine = {'ARK_TEST_HTTP': where, 'AWS_ENDPOINT_URL': where, 'AWS_ACCESS_KEY_ID': 'AK', 'AWS_REGION': REGION,
            'AWS_SECRET_ACCESS_KEY': KEYS['AK'][0], **({'AWS_CA_BUNDLE': authority} if authority else {})}
    kept = {k: v for k, v in os.environ.items() if not k.startswith('AWS_') and 'proxy' not in k.lower()}
    return {**kept, **mine}


def main():
    if len(sys.argv) < 2 or sys.argv[1] in ('-h', '--help'):
        print(__doc__)
        return 2
    server = Server()
    if sys.argv[1] == '--tls':
        del sys.argv[1]
        with tempfile.TemporaryDirectory() as folder:
            authority = speak_tls(server, folder)
            threading.Thread(target=server.serve_forever, daemon=True).start()
            return subprocess.call(sys.argv[1:], env=environment(server.server_address[1], authority))
    port, file = server.server_address[1], None
    while len(sys.argv) > 2 and sys.argv[1] in ('--rule', '--serve'):
        if sys.argv[1] == '--rule':
            server.state.rules.append(Rule(dict(urllib.parse.parse_qsl(sys.argv[2]))))
        else:
            file = sys.argv[2]
        del sys.argv[1:3]
    if file:
        signal.signal(signal.SIGTERM, lambda *args: os._exit(0))
        with open(file + '.new', 'w', encoding='ascii') as f:
            f.write(f'{port}\n')
        os.rename(file + '.new', file)
        server.serve_forever()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return subprocess.call(sys.argv[1:], env=environment(port))


if __name__ == '__main__':
    sys.exit(main())
