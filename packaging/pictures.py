#!/usr/bin/env python3
"""The pictures of docs/pictures: the made-up workspace of the fixtures is imported into a private database that lives as
long as this run, and the import's report and the HTML archive are shown by headless Chromium. Nothing is painted over, but
the database's temporary folder stands there as the one that is usual.

  PATH=build/dev/import:build/dev/export:$PATH packaging/pictures.py [FOLDER]
"""
import base64
import os
import shutil
import subprocess
import sys
import tempfile

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
