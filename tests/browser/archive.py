#!/usr/bin/env python3
"""The HTML archive in a real browser, opened as a file: pages open, searching finds, clicking leads to the
message, nothing is complained about on the console, nothing is asked from anywhere else.

Headless Chromium over its debugging pipe; skipped without Chromium or PostgreSQL.

  MATTER_IMPORT=... MATTER_EXPORT=... tests/browser/archive.py
"""
import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'roundtrip'))
import fixtures as fx  # noqa: E402

WAIT_S = 30


def pipe():
    """Not among the first five, which the browser gets: they are free where we have no standard input."""
    ends = []
    for fd in os.pipe():
        ends.append(fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 5))
        os.close(fd)
    return ends


class Browser:
    def __init__(self, program):
        self.profile = tempfile.mkdtemp(prefix='ark-browser-')
        to_child, from_us = pipe()
        to_us, from_child = pipe()

        def wire():  # it reads commands from 3 and answers on 4
            a, b = os.dup(to_child), os.dup(from_child)
            os.dup2(a, 3)
            os.dup2(b, 4)

        args = [program, '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
                '--disable-background-networking', '--disable-component-update', '--disable-sync',
                '--remote-debugging-pipe', f'--user-data-dir={self.profile}', 'about:blank']
        self.process = subprocess.Popen(args, preexec_fn=wire, close_fds=False, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_child)
        os.close(from_child)
        self.out, self.inp = os.fdopen(from_us, 'wb', 0), os.fdopen(to_us, 'rb', 0)
        self.rest, self.number, self.complaints, self.requests = b'', 0, [], []
        target = self.call('Target.createTarget', url='about:blank')['targetId']
        self.page = self.call('Target.attachToTarget', targetId=target, flatten=True)['sessionId']
        for domain in ('Page', 'Runtime', 'Log', 'Network'):
            self.call(f'{domain}.enable', page=True)

    def read(self):
        while b'\0' not in self.rest:
            piece = self.inp.read(65536)
            if not piece:
                raise fx.Failure('the browser is gone')
            self.rest += piece
        message, self.rest = self.rest.split(b'\0', 1)
        return json.loads(message)

    def call(self, method, page=False, **params):
        self.number += 1
        message = {'id': self.number, 'method': method, 'params': params}
        if page:
            message['sessionId'] = self.page
        self.out.write(json.dumps(message).encode() + b'\0')
        while True:
            answer = self.read()
            if answer.get('id') == self.number:
                if 'error' in answer:
                    raise fx.Failure(f"{method}: {answer['error']['message']}")
                return answer['result']
            self.note(answer)

    def note(self, event):
        params = event.get('params', {})
        if event.get('method') == 'Runtime.exceptionThrown':
            self.complaints.append(params['exceptionDetails'].get('text', '?'))
        elif event.get('method') == 'Runtime.consoleAPICalled' and params['type'] in ('error', 'warning', 'assert'):
            self.complaints.append(json.dumps(params['args'])[:300])
        elif event.get('method') == 'Log.entryAdded' and params['entry']['level'] in ('error', 'warning'):
            self.complaints.append(params['entry']['text'])
        elif event.get('method') == 'Network.requestWillBeSent':
            self.requests.append(params['request']['url'])

    def run(self, script):
        result = self.call('Runtime.evaluate', page=True, expression=script, returnByValue=True, awaitPromise=True)
        if 'exceptionDetails' in result:
            raise fx.Failure(f"{script}: {result['exceptionDetails']}")
        return result['result'].get('value')

    def until(self, script, what):
        end = time.monotonic() + WAIT_S
        while time.monotonic() < end:
            try:
                value = self.run(script)
            except fx.Failure as e:
                if 'navigated' not in str(e):  # the page went away while it was asked
                    raise
                value = None
            if value:
                return value
            time.sleep(0.1)
        raise fx.Failure(f'{what}: not within {WAIT_S} s; complaints: {self.complaints}')

    def open(self, url):
        self.call('Page.navigate', page=True, url=url)
        name = json.dumps(url.split('?')[0].split('#')[0])
        self.until(f'location.href.startsWith({name}) && document.readyState === "complete"', url)

    def close(self):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.profile, ignore_errors=True)


def need(claim, what):
    if not claim:
        raise fx.Failure(what)


def make_archive(cluster):
    tmp = os.path.join(cluster.dir, 'browser')
    os.makedirs(tmp)
    env = {k: v for k, v in os.environ.items() if not k.startswith(('MATTERARK_', 'MM_', 'PG'))}
    env.update(HOME=tmp, TMPDIR=tmp, LC_ALL='C.UTF-8')
    calls = [[os.environ['MATTER_IMPORT'], 'slack', os.path.join(fx.CASES, 'workspace', 'export'), '--team', 'acme',
              '--create-schema', '--database', cluster.url('browser'), '--files', os.path.join(tmp, 'files')],
             [os.environ['MATTER_EXPORT'], 'run', '--database', cluster.url('browser'), '--direct', '--format', 'html',
              '--attachments', 'copy', '--files', os.path.join(tmp, 'files'), '--out', os.path.join(tmp, 'out')]]
    for args in calls:
        done = fx.run(args, env=env)
        need(done.returncode in (0, 3), f'{args[1]}: {done.stderr}')
    return 'file://' + os.path.join(tmp, 'out', 'data', 'html')


def pages_open(b, top):
    b.open(top + '/index.html')
    need(b.run('document.querySelectorAll("table.channels a").length') >= 5, 'few channels on the overview')
    need(b.run('document.querySelectorAll("svg.plot rect.bar").length') > 1, 'no chart')
    need(b.run('getComputedStyle(document.querySelector(".panel")).borderTopWidth') == '1px', 'no style sheet')
    b.run('document.querySelector("table.channels a[href*=\'town-square\']").click()')
    b.until('location.pathname.endsWith("town-square/index.html") && document.readyState === "complete"', 'a channel')
    b.run('document.querySelector(".pages a").click()')
    b.until('document.querySelectorAll("article.post").length > 3', 'a month')


def search_finds(b, top):
    b.open(top + '/index.html')
    b.run('document.querySelector("input[name=q]").value = "sewing mach"; '
          'setTimeout(() => document.querySelector("form button").click())')
    b.until('location.pathname.endsWith("search.html") && document.querySelectorAll("#results li").length', 'results')
    need(b.run('document.querySelectorAll("#results li").length') == 1, 'not one result')
    need('sewing machine' in b.run('document.querySelector("#results li").textContent'), 'another result')
    need(b.run('document.querySelectorAll("#results mark").length') >= 2, 'nothing is marked')
    b.run('setTimeout(() => document.querySelector("#results a").click())')
    b.until('document.querySelector(":target") !== null && document.querySelector(":target").textContent'
            '.includes("sewing machine")', 'the message itself')


def search_narrows(b, top):
    for query, least, holds in (('from:mara in:town-square', 2, 'Mara'), ('from:nobody-at-all', 0, ''),
                                ('zzzzunheardof', 0, '')):
        b.open(top + '/search.html?q=' + query.replace(' ', '%20').replace(':', '%3A'))
        b.until('/message|Nothing/.test(document.getElementById("state").textContent)', query)
        if least:
            b.until('document.querySelectorAll("#results li").length', query)
        found = b.run('Array.from(document.querySelectorAll("#results .where"), x => x.textContent)')
        need(len(found) >= least and (least or not found), f'{query}: {len(found)} found')
        need(all(holds in x for x in found), f'{query}: {found}')


def nothing_is_wrong(b, _top):
    need(not b.complaints, f'on the console: {b.complaints}')
    need(len(b.requests) > 10, 'requests were not seen')
    away = [u for u in b.requests if not u.startswith(('file:', 'data:', 'about:'))]
    need(not away, f'asked from elsewhere: {away}')


def main():
    program = next((p for p in map(shutil.which, ('chromium', 'chromium-browser', 'google-chrome')) if p), None)
    bindir = fx.pg_bindir()
    if program is None or bindir is None:
        print('1..0 # SKIP no Chromium' if program is None else '1..0 # SKIP no PostgreSQL')
        sys.exit(fx.SKIPPED)
    cluster = fx.Cluster(bindir)
    browser, failed = None, 0
    checks = (pages_open, search_finds, search_narrows, nothing_is_wrong)
    try:
        cluster.start()
        top = make_archive(cluster)
        browser = Browser(program)
        print(f'1..{len(checks)}')
        for n, check in enumerate(checks, 1):
            try:
                check(browser, top)
                print(f'ok {n} - {check.__name__}', flush=True)
            except fx.Failure as e:
                failed += 1
                print('# ' + str(e))
                print(f'not ok {n} - {check.__name__}', flush=True)
    finally:
        if browser is not None:
            browser.close()
        cluster.stop()
    sys.exit(1 if failed else 0)


if __name__ == '__main__':
    main()
