#!/usr/bin/env python3
"""Tell real receivers about made-up runs: a web server, a mail server, Mosquitto, commands; and ones that
hang or are not there. Prints TAP.

usage: check_receivers.py NOTIFY_SAMPLE
"""
import email
import email.policy
import http.server
import json
import os
import shutil
import socket
import socketserver
import struct
import subprocess
import sys
import tempfile
import threading
import time

TOTAL_S = 15
SAMPLE = sys.argv[1]
results = []


def claim(name, ok, seen=''):
    results.append(ok)
    print('%sok %d - %s' % ('' if ok else 'not ', len(results), name))
    if not ok:
        print('# seen: %s' % (seen,))
    sys.stdout.flush()


def skip(name, why):
    results.append(True)
    print('ok %d - %s # SKIP %s' % (len(results), name, why))


def sample(*args, env=None, **more):
    """(milliseconds of the beginning, of the end, standard error, exit code)"""
    done = subprocess.run([SAMPLE, *[str(a) for a in args]], capture_output=True, text=True, timeout=60,
                          env={**os.environ, **(env or {})}, check=False, **more)
    times = done.stdout.split()
    return (int(times[0]), int(times[1]), done.stderr, done.returncode) if len(times) == 2 else \
        (None, None, done.stderr, done.returncode)


# --- receivers -----------------------------------------------------------------------------------

class Web(http.server.BaseHTTPRequestHandler):
    """Keeps what comes; answers as the first part of the path says."""
    protocol_version = 'HTTP/1.1'
    seen, lock, moody = [], threading.Lock(), {}

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get('Content-Length', 0)))
        with Web.lock:
            Web.seen.append((self.path, self.headers.get('Content-Type'), body))
            times = Web.moody[self.path] = Web.moody.get(self.path, 0) + 1
        part = self.path.split('/')[1]
        status = 200
        if part == 'gone' or (part == 'simple' and self.path[-1].isdigit()):
            status = 404
        if part == 'moody' and times < 3:
            status = 503
        self.send_response(status)
        self.send_header('Content-Length', '2')
        self.end_headers()
        self.wfile.write(b'ok')

    def log_message(self, *args):
        pass


class Mail(socketserver.StreamRequestHandler):
    """As much of SMTP as a client needs; no TLS, no login."""
    seen = []

    def say(self, line):
        self.wfile.write(line.encode() + b'\r\n')

    def handle(self):
        sender, to = None, []
        commands = []
        self.say('220 sink')
        for line in self.rfile:
            line = line.decode('ascii').rstrip('\r\n')
            word = line.upper()
            commands.append(line)
            if word.startswith('EHLO'):
                self.say('250-sink')
                self.say('250 8BITMIME')
            elif word.startswith('MAIL FROM:'):
                sender = line[10:]
                self.say('250 ok')
            elif word.startswith('RCPT TO:'):
                to.append(line[8:])
                self.say('550 nobody of that name' if 'nobody' in line else '250 ok')
            elif word == 'DATA':
                self.say('354 go on')
                data = b''
                while not data.endswith(b'\r\n.\r\n'):
                    more = self.rfile.readline()
                    if not more:
                        return
                    data += more
                Mail.seen.append((sender, to, data[:-3].replace(b'\r\n..', b'\r\n.'), commands))
                self.say('250 kept')
            elif word == 'QUIT':
                self.say('221 bye')
                return
            else:
                Mail.seen.append((None, None, b'', commands))
                self.say('502 no')


def serve(server):
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


def silent():
    """A port that takes connections and never says a word."""
    s = socket.create_server(('127.0.0.1', 0), backlog=64)
    return s, s.getsockname()[1]


def free_port():
    with socket.create_server(('127.0.0.1', 0)) as s:
        return s.getsockname()[1]


# --- the web -------------------------------------------------------------------------------------

def taken(prefix):
    with Web.lock:
        return [s for s in Web.seen if s[0].startswith(prefix)]


def check_web(web):
    begin, end, err, code = sample(0, '%s/hooks/key' % web, '%s/check/one/?create=1' % web)
    hook = taken('/hooks/')
    claim('a webhook gets one message, at the end', code == 0 and err == '' and len(hook) == 1 and
          hook[0][1] == 'application/json', (code, err, hook))
    card = json.loads(hook[0][2])['attachments'][0] if hook else {}
    claim('with colour, title and a table', card.get('color') == '#3db887' and
          card.get('title', '').startswith('matter-import slack on ') and
          '| posts written | 1234567 |' in card.get('text', ''), card)
    claim('a monitor is called at the beginning and at the end',
          [t[0] for t in taken('/check/one')] == ['/check/one/start?create=1', '/check/one/?create=1'],
          taken('/check/one'))
    sample(3, '%s/check/three' % web)
    sample(130, '%s/check/end' % web)
    claim('an exit code other than 0 stands behind its address', taken('/check/three')[1][0] == '/check/three/3'
          and taken('/check/end')[1][0] == '/check/end/130', taken('/check/'))
    claim('and it is told what happened', b'exit code 3' in taken('/check/three')[1][2],
          taken('/check/three')[1])
    sample(4, '%s/simple/a' % web)
    claim('a monitor that knows no codes hears /fail',
          [t[0] for t in taken('/simple/a')] == ['/simple/a/start', '/simple/a/4', '/simple/a/fail'],
          taken('/simple/a'))
    begin, end, err, code = sample(0, '%s/moody/hooks/x' % web)
    claim('a busy server is asked again', code == 0 and err == '' and len(taken('/moody/')) == 3,
          (err, taken('/moody/')))
    begin, end, err, code = sample(0, '%s/gone/hooks/secretkey' % web)
    claim('a webhook that is gone is a warning, and its key is not in it',
          code == 0 and "hooks/***' was not told: the answer is HTTP 404; continuing" in err and
          'secretkey' not in err, (code, err))
    begin, end, err, code = sample(0, 'http://127.0.0.1:%d/hooks/secretkey' % free_port())
    claim('so is one that is not there, asked again some times',
          code == 0 and 'Connection refused' in err and 'secretkey' not in err and end < TOTAL_S * 1000,
          (code, end, err))


# --- mail ----------------------------------------------------------------------------------------

def check_mail(port):
    begin, end, err, code = sample(3, 'smtp://127.0.0.1:%d/?to=ops%%2Bark@example.org&to=b@example.org'
                                      '&from=ark@example.org' % port)
    got = Mail.seen.pop() if Mail.seen else (None, None, b'', [])
    claim('a mail goes to everybody named', err == '' and got[0].startswith('<ark@example.org>') and
          got[1] == ['<ops+ark@example.org>', '<b@example.org>'] and not Mail.seen, (err, got))
    message = email.message_from_bytes(got[2], policy=email.policy.default)
    text = message.get_content().replace('\r\n', '\n')
    claim('and reads well', message['Subject'].startswith('matter-import slack on ') and
          message['Subject'].endswith(': done, but something is missing') and not message.defects and
          'caf\u00e9 | @all [x](y)\n' in text and '         1234567  posts written\n' in text and
          message['From'].addresses[0].addr_spec == 'ark@example.org' and message['Message-ID'], (str(message), text))
    begin, end, err, code = sample(0, 'smtp://127.0.0.1:%d/?to=nobody@example.org' % port)
    claim('an address that the server does not take is a warning',
          code == 0 and 'does not take the mail: answer 550' in err, err)
    del Mail.seen[:]
    begin, end, err, code = sample(0, 'smtp://user:secretpw@127.0.0.1:%d/?to=a@example.org' % port)
    claim('a password is not sent without TLS', code == 0 and 'secretpw' not in err and
          'offers no TLS, and a password is not sent without (use smtps://' in err and
          not any(c.startswith('AUTH') for s in Mail.seen for c in s[3]), (err, Mail.seen))


# --- MQTT ----------------------------------------------------------------------------------------

def packet(head, rest):
    assert len(rest) < 128
    return bytes([head, len(rest)]) + rest


def string(text):
    return struct.pack('>H', len(text)) + text.encode()


def exactly(s, n):
    data = b''
    while len(data) < n:
        more = s.recv(n - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def retained(port, topic, user):
    """(flags, payload) of the message that a topic keeps, or None."""
    with socket.create_connection(('127.0.0.1', port), timeout=5) as s:
        s.sendall(packet(0x10, string('MQTT') + bytes([4, 0xc2, 0, 60]) + string('reader') + string(user) +
                         string('pw')))
        if exactly(s, 4)[3] != 0:
            return None
        s.sendall(packet(0x82, b'\0\1' + string(topic) + b'\0'))
        s.settimeout(2)
        try:
            while True:
                head, = exactly(s, 1)
                length = shift = 0
                while True:
                    byte, = exactly(s, 1)
                    length |= (byte & 0x7f) << shift
                    shift += 7
                    if byte < 0x80:
                        break
                rest = exactly(s, length)
                if head >> 4 == 3:
                    n, = struct.unpack('>H', rest[:2])
                    return head & 0x0f, rest[2 + n:]
        except (socket.timeout, EOFError):
            return None


def make_certificate(folder):
    run = lambda *a: subprocess.run(['openssl', *a], cwd=folder, check=True, capture_output=True)
    run('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=matterark test',
        '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', 'key.pem', '-out', 'ca.pem')


def start_broker(folder, program):
    """(process, port, port with TLS or None)"""
    port, tls = free_port(), None
    subprocess.run(['mosquitto_passwd', '-b', '-c', os.path.join(folder, 'passwd'), 'ark', 'pw'], check=True,
                   capture_output=True)
    with open(os.path.join(folder, 'acl'), 'w') as f:
        f.write('user ark\ntopic readwrite backup/#\n')
    lines = ['per_listener_settings false', 'allow_anonymous false', 'password_file %s/passwd' % folder,
             'acl_file %s/acl' % folder, 'persistence false', 'listener %d 127.0.0.1' % port]
    if os.geteuid() == 0:
        lines.insert(0, 'user root')
    if shutil.which('openssl'):
        make_certificate(folder)
        tls = free_port()
        lines += ['listener %d 127.0.0.1' % tls, 'cafile %s/ca.pem' % folder, 'certfile %s/ca.pem' % folder,
                  'keyfile %s/key.pem' % folder]
    with open(os.path.join(folder, 'conf'), 'w') as f:
        f.write('\n'.join(lines) + '\n')
    broker = subprocess.Popen([program, '-c', os.path.join(folder, 'conf')], stdout=subprocess.DEVNULL,
                              stderr=open(os.path.join(folder, 'log'), 'w'))
    for _ in range(100):
        try:
            socket.create_connection(('127.0.0.1', port), timeout=1).close()
            return broker, port, tls
        except OSError:
            time.sleep(0.05)
    raise SystemExit('Mosquitto does not start: ' + open(os.path.join(folder, 'log')).read())


def check_mqtt(folder):
    program = shutil.which('mosquitto') or shutil.which('mosquitto', path='/usr/sbin:/usr/local/sbin')
    if program is None:
        skip('MQTT', 'Mosquitto is not installed')
        return
    broker, port, tls = start_broker(folder, program)
    try:
        begin, end, err, code = sample(1, 'mqtt://ark:pw@127.0.0.1:%d/backup/vm%%201?retain=1' % port)
        kept = retained(port, 'backup/vm 1', 'ark')
        run = json.loads(kept[1]) if kept else {}
        claim('a broker keeps the run as JSON', err == '' and kept is not None and run['status'] == 'failed' and
              run['problem'] == "cannot read 'a```b': line 1\nline 2 = @here" and
              run['counts']['read_bytes'] == 18446744073709551615, (err, kept))
        sample(0, 'mqtt://ark:pw@127.0.0.1:%d/backup/passing' % port)
        claim('without retain=1 it keeps nothing', retained(port, 'backup/passing', 'ark') is None)
        begin, end, err, code = sample(0, 'mqtt://ark:secretpw@127.0.0.1:%d/backup/x' % port)
        claim('a wrong password is a warning', code == 0 and
              ('does not accept user name and password' in err or 'may not connect' in err) and
              'secretpw' not in err, err)
        if tls is None:
            skip('MQTT over TLS', 'there is no openssl to make a certificate with')
            return
        check_mqtt_tls(folder, port, tls)
    finally:
        broker.terminate()
        broker.wait()


def check_mqtt_tls(folder, port, tls):
    done = subprocess.run([SAMPLE, 'mqtt', os.path.join(folder, 'ca.pem'), '127.0.0.1', str(tls), 'backup/tls',
                           'ark', 'pw'], capture_output=True, text=True, check=False)
    kept = retained(port, 'backup/tls', 'ark')
    claim('MQTT goes over TLS', done.returncode == 0 and kept is not None and kept[1] == b'over TLS',
          (done.stderr, kept))
    begin, end, err, code = sample(0, 'mqtts://ark:secretpw@127.0.0.1:%d/backup/tls' % tls)
    claim('a certificate that nobody signed is refused', code == 0 and 'certificate' in err and
          'secretpw' not in err, err)


# --- commands ------------------------------------------------------------------------------------

def check_exec(folder):
    out = os.path.join(folder, 'told')
    script = ('echo "$MATTERARK_NOTIFY_EVENT ${MATTERARK_NOTIFY_STATUS-} ${MATTERARK_NOTIFY_COUNT_POSTS_WRITTEN-} '
              '${MATTERARK_NOTIFY-unset} $OUT_OF_HERE" >>%s; cat >>%s; echo noise' % (out, out))
    begin, end, err, code = sample(3, 'exec:' + script, env={'MATTERARK_NOTIFY': 'exec:loop', 'OUT_OF_HERE': 'kept'})
    lines = open(out).read().splitlines()
    claim('a command gets variables and JSON, twice', err == '' and code == 0 and len(lines) == 4 and
          lines[0] == 'begin   unset kept' and json.loads(lines[1])['event'] == 'begin' and
          lines[2] == 'end losses 1234567 unset kept' and json.loads(lines[3])['exit_code'] == 3, (err, lines))
    begin, end, err, code = sample(0, 'exec:SECRET=x exit 7')
    more = sample(0, *['exec:true'] * 17)
    claim('more than 16 receivers are refused', more[3] == 2 and 'more than 16 times' in more[2], more)
    claim('one that fails is a warning that does not show it', code == 0 and 'exec:***' in err and
          'ended with exit code 7' in err and 'SECRET' not in err, err)


# --- time ----------------------------------------------------------------------------------------

def check_hanging(web, folder):
    """All of these hang at once, and a good receiver is among them."""
    port = silent()
    mark = os.path.join(folder, 'alive')
    stubborn = 'exec:trap "" TERM; while :; do touch %s; sleep 0.2; done' % mark
    started = time.time()
    begin, end, err, code = sample(
        0, 'http://127.0.0.1:%d/hooks/x' % port[1], 'http://127.0.0.1:%d/ping' % port[1],
        'mqtt://127.0.0.1:%d/t' % port[1], 'mqtts://127.0.0.1:%d/t' % port[1],
        'smtp://127.0.0.1:%d/?to=a@b' % port[1], 'smtps://127.0.0.1:%d/?to=a@b' % port[1], stubborn,
        '%s/hooks/good' % web, '%s/check/good' % web)
    took = time.time() - started
    arrived = taken('/hooks/good')
    return [('receivers that hang take no more than %d seconds' % TOTAL_S,
             code == 0 and took < TOTAL_S + 1.5 and err.count('was not told') == 9, (took, begin, end, err)),
            ('and do not keep others waiting', len(arrived) == 1 and len(taken('/check/good')) == 2, arrived),
            ('a command that does not end is ended', gone(mark), mark)]


def gone(mark):
    if not os.path.exists(mark):
        return False
    before = os.stat(mark).st_mtime
    time.sleep(0.6)
    return os.stat(mark).st_mtime == before


def check_metrics(folder):
    path = os.path.join(folder, 'ark.prom')
    sample(0, '--metrics', path, 'exec:true')
    first = open(path).read()
    sample(1, '--metrics', path, 'exec:true')
    second = open(path).read()
    value = lambda text, name: [l.split()[-1] for l in text.splitlines() if l.startswith(name + '{')]
    success = 'matterark_last_success_timestamp_seconds'
    claim('metrics stay when a run fails', value(first, success) == value(second, success) != [] and
          value(second, 'matterark_last_run_exit_code') == ['1'] and
          value(second, 'matterark_posts_written') == ['1234567'], second)
    claim('and are readable for the collector', os.stat(path).st_mode & 0o777 == 0o644 and
          os.listdir(folder).count('ark.prom') == 1 and not [f for f in os.listdir(folder) if '.part-' in f],
          os.listdir(folder))
    check_metrics_faults(folder, path)
    begin, end, err, code = sample(0, '--metrics', os.path.join(folder, 'ark.txt'), 'exec:true')
    claim('other names are refused', code == 2 and 'does not end in .prom' in err, err)


def check_metrics_faults(folder, path):
    """Every step of writing goes wrong once: what is there stays, or is new as a whole."""
    bad, faults = [], 0
    for how in ('enospc', 'eio', 'eintr', 'short', 'kill'):
        for step in range(1, 20):
            log = os.path.join(folder, 'steps')
            before = open(path).read()
            begin, end, err, code = sample(0, '--metrics', path, 'exec:true',
                                           env={'ARK_FAIL_AT': '%d:%s' % (step, how), 'ARK_FAIL_LOG': log})
            after = open(path).read()
            steps = len(open(log).read().splitlines())
            os.unlink(log)
            if steps < step:
                break
            faults += 1
            whole = after == before or (after.endswith('\n') and
                                        after.count('\n') == before.count('\n'))
            rest = [f for f in os.listdir(folder) if '.part-' in f]
            told = code == 0 and ('continuing' in err or how in ('eintr', 'short') or err == '')
            if not whole or (how != 'kill' and (rest or not told)) or (how == 'kill' and code != -9):
                bad.append((step, how, code, err, rest))
            for f in rest:
                os.unlink(os.path.join(folder, f))
    claim('metrics are whole whatever step fails (%d faults)' % faults, not bad and faults >= 15, bad)


def main():
    web = 'http://127.0.0.1:%d' % serve(http.server.ThreadingHTTPServer(('127.0.0.1', 0), Web))
    mail = serve(socketserver.ThreadingTCPServer(('127.0.0.1', 0), Mail))
    with tempfile.TemporaryDirectory() as folder:
        late = []
        hanging = threading.Thread(target=lambda: late.extend(check_hanging(web, folder)))
        hanging.start()
        check_web(web)
        check_mail(mail)
        check_mqtt(folder)
        check_exec(folder)
        check_metrics(folder)
        hanging.join()
        for row in late:
            claim(*row)
        if len(late) != 3:
            claim('the hanging ones were looked at', False)
    print('1..%d' % len(results))
    return 0 if all(results) else 1


sys.exit(main())
