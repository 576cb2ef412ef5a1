# Archives that mean harm or met with it: the right result or one error, memory as always, nothing outside.
python3 - "$fixtures/workspace/export" <<'END'
import os, sys, zipfile
export = sys.argv[1]

def archive(name, more):
    with zipfile.ZipFile(name, 'w', zipfile.ZIP_DEFLATED, compresslevel=1) as z:
        for folder, _, files in sorted(os.walk(export)):
            for f in sorted(files):
                path = os.path.join(folder, f)
                z.write(path, os.path.relpath(path, export))
        more(z)

def zeros(z):
    with z.open('random/2024-05-01.json', 'w', force_zip64=True) as out:
        for _ in range(1024):
            out.write(bytes(1 << 20))

deep = '[' * 10000 + ']' * 10000
archive('whole.zip', lambda z: None)
archive('nested-day.zip', lambda z: z.writestr('random/2024-05-01.json', deep))
archive('nested-message.zip', lambda z: z.writestr('random/2024-05-01.json',
    '[{"type":"message","user":"U1","ts":"1714600000.000100","text":"a","blocks":' + deep + '}]'))
archive('nested-list.zip', lambda z: z.writestr('aux.json', deep))
archive('names.zip', lambda z: [z.writestr(n, '[]') for n in
    ('../users.json', '../../evil/2024-05-01.json', '/evil/2024-05-01.json')])
archive('zeros.zip', zeros)
with zipfile.ZipFile('nothing.zip', 'w'):
    pass
whole = open('whole.zip', 'rb').read()
open('half.zip', 'wb').write(whole[:len(whole) // 2])
END
for name in whole nested-day nested-message nested-list names zeros nothing half; do
	echo "== $name"
	python3 - "$name" <<'END'
import json, resource, subprocess, sys
done = subprocess.run(['matter-import', 'check', sys.argv[1] + '.zip', '--json', '--report', 'report-' + sys.argv[1]],
                      capture_output=True, text=True)
lines = [json.loads(line) for line in done.stdout.splitlines()]
for line in lines:
    if line['message_type'] in ('warning', 'error'):
        print(line['message_type'], line['text'])
    elif line['message_type'] == 'summary':
        print(line['read'], 'read', line['written'], 'written', line['skipped_by_reason'])
print('exit', done.returncode)
# the bound that docs/design.md states
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print('memory within its bound' if peak < 256 * 1024 else f'{peak} KiB')
END
done
ls -d ../evil ../../evil /evil ../users.json 2>/dev/null || true
