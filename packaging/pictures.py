#!/usr/bin/env python3
"""The pictures of docs/pictures: the made-up workspace of the fixtures is imported into a private database that lives as
long as this run, and the import's report and the HTML archive are shown by headless Chromium. Nothing is painted over, but
the database's temporary folder stands there as the one that is usual. A larger archive is made and imported in a terminal
(tmux), whose screen is taken while messages are read.

  PATH=build/dev/import:build/dev/export:build/dev/bench/gen-slack:$PATH packaging/pictures.py [FOLDER]
"""
import base64
import html
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, 'tests', 'browser'))
from archive import Browser, fx, need  # noqa: E402

WIDTH, LIMIT = 1200, 150 * 1024
USUAL = '/var/lib/matterark'


def tool(tmp, *args):
    env = {k: v for k, v in os.environ.items() if not k.startswith(('MATTERARK_', 'MM_', 'PG'))}
    env.update(HOME=tmp, LC_ALL='C.UTF-8', TZ='UTC')
    done = subprocess.run(args, env=env, cwd=tmp, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    need(done.returncode in (0, 3), f'{args[0]}: {done.stderr}')


def make(tmp):
    """(report, HTML archive) as addresses."""
    shutil.copytree(os.path.join(ROOT, 'fixtures', 'slack', 'workspace', 'export'), os.path.join(tmp, 'tidewater-kites'))
    embedded = '--embedded=' + os.path.join(tmp, 'database')
    tool(tmp, 'matter-import', 'slack', 'tidewater-kites', '--team', 'kites', embedded, '--report', 'report')
    tool(tmp, 'matter-export', 'run', embedded, '--format', 'html', '--attachments', 'copy', '--out', 'archive')
    return f'file://{tmp}/report/report.html', f'file://{tmp}/archive/data/html'


def take(browser, path, height):
    """The upper part of the page that is open."""
    browser.call('Emulation.setDeviceMetricsOverride', page=True, width=WIDTH, height=height, deviceScaleFactor=1, mobile=False)
    browser.run('new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))')
    shot = base64.b64decode(browser.call('Page.captureScreenshot', page=True, format='png', optimizeForSpeed=False)['data'])
    need(len(shot) < LIMIT, f'{path}: {len(shot)} bytes')
    with open(path, 'wb') as out:
        out.write(shot)
    print(f'{path}: {len(shot)} bytes')


def show_usual_folder(browser, made):
    script = f'''Array.from(document.querySelectorAll("*")).filter(e => e.childElementCount === 0 && e.textContent === "{made}")
        .map(e => e.textContent = "{USUAL}").length'''
    need(browser.run(script) > 0, 'the report does not name its database')


def search(browser, words, most):
    browser.run(f'document.querySelector("input[name=q]").value = "{words}"; document.querySelector("form button").click()')
    browser.until('location.pathname.endsWith("search.html") && document.querySelectorAll("#results li").length', words)
    need(browser.run('document.querySelectorAll("#results li").length') <= most, f'{words}: too much is found')


PAGE = """<!doctype html><meta charset="utf-8"><style>
body { margin: 0; background: #f4f4f4 }
pre { margin: 16px; padding: 18px 22px; border-radius: 8px; background: #1d2430; color: #d9e1ec; font: 17px/1.45 monospace }
</style><pre>%s</pre>"""


class Terminal:
    """A shell in a terminal of its own, 100 columns wide."""

    def __init__(self, tmp):
        need(shutil.which('tmux') is not None, 'there is no tmux')
        self.base = ['tmux', '-S', os.path.join(tmp, 'terminal')]
        env = {'PATH': os.environ['PATH'], 'HOME': tmp, 'TERM': 'xterm-256color', 'LC_ALL': 'C.UTF-8', 'PS1': '$ '}
        self.do('-f', '/dev/null', 'new-session', '-d', '-x', '100', '-y', '16', '-c', tmp,
                'env -i ' + ' '.join(f"'{k}={v}'" for k, v in env.items()) + ' bash --norc')

    def do(self, *args):
        return subprocess.run([*self.base, *args], capture_output=True, text=True, check=True).stdout

    def type(self, text):
        self.do('send-keys', '-l', text)
        self.do('send-keys', 'Enter')

    def until(self, pattern, seconds=120):
        for _ in range(seconds * 20):
            screen = self.do('capture-pane', '-p').rstrip()
            if re.search(pattern, screen):
                return screen
            time.sleep(0.05)
        raise fx.Failure(f'the terminal does not show {pattern}: {screen}')

    def close(self):
        subprocess.run([*self.base, 'kill-server'], capture_output=True, check=False)


def terminal(browser, tmp, path):
    tool(tmp, 'gen-slack', '-n', '100000', '--seed', '4', '-o', 'tidewater.zip')
    shell = Terminal(tmp)
    try:
        shell.until(r'\$')
        shell.type('matter-import slack tidewater.zip --team kites --embedded=./try --report rehearsal')
        screens = [shell.until(r'importing .* [5-7]\d%'), shell.until(r'\d+ steps .*ETA').splitlines()[-1],
                   shell.until(r'(?s)\ntime .*\$$')]
    finally:
        shell.close()
    # what went over the last line of the screen stands below one another here
    end = screens[2].split('finishing\n', 1)[1]
    text = screens[0] + '\n' + screens[1] + '\n' + end
    with open(os.path.join(tmp, 'terminal.html'), 'w', encoding='utf-8') as page:
        page.write(PAGE % html.escape(text.replace(tmp, '/home/mira')))
    browser.open(f'file://{tmp}/terminal.html')
    take(browser, path, browser.run('document.body.offsetHeight + 32'))


def main():
    folder = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else os.path.join(ROOT, 'docs', 'pictures'))
    program = next((p for p in map(shutil.which, ('chromium', 'chromium-browser', 'google-chrome')) if p), None)
    need(program is not None, 'there is no Chromium')
    os.makedirs(folder, exist_ok=True)
    tmp = tempfile.mkdtemp(prefix='ark-pictures-')
    os.chmod(tmp, 0o755)  # PostgreSQL may run as another user
    browser = None
    try:
        report, archive = make(tmp)
        browser = Browser(program)
        browser.call('Emulation.setEmulatedMedia', page=True, features=[{'name': 'prefers-color-scheme', 'value': 'light'}])
        browser.call('Emulation.setScrollbarsHidden', page=True, hidden=True)
        terminal(browser, tmp, os.path.join(folder, 'terminal.png'))
        browser.open(report)
        show_usual_folder(browser, os.path.join(tmp, 'database'))
        take(browser, os.path.join(folder, 'import-report.png'), 895)
        browser.open(archive + '/index.html')
        take(browser, os.path.join(folder, 'archive.png'), 970)
        browser.run('document.querySelector("table.channels a[href*=\'town-square\']").click()')
        browser.until('location.pathname.endsWith("town-square/index.html") && document.readyState === "complete"', 'a channel')
        browser.run('document.querySelector(".pages a").click()')
        browser.until('document.querySelectorAll("article.post").length > 3', 'a month')
        take(browser, os.path.join(folder, 'archive-channel.png'), 900)
        browser.open(archive + '/index.html')
        search(browser, 'kite in:design', 10)
        take(browser, os.path.join(folder, 'archive-search.png'), 620)
    finally:
        if browser is not None:
            browser.close()
        shutil.rmtree(tmp, ignore_errors=True)


try:
    main()
except fx.Failure as e:
    sys.exit(f'pictures: {e}')
