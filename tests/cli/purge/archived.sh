# Only what is kept elsewhere, as it reads now: in a snapshot, in an export.
PATH=$ARK_TEST_PG_BIN:$PATH
workspace
post edited random 60
sql "$(db)" "update posts set editat = createat + 5, updateat = createat + 5 where id = rpad('edited', 26, '0');
	insert into posts select (jsonb_populate_record(p, jsonb_build_object('id', rpad('before', 26, '0'), 'originalid', p.id,
	'deleteat', p.editat, 'editat', 0))).* from posts p where id = rpad('edited', 26, '0')"
matter-backup init repo
matter-backup create repo --database "$(db)" --files store --cache cache >/dev/null 2>&1
matter-export run --database "$(db)" --files store --out export >/dev/null 2>&1
plan()
{
	run matter-purge plan --database "$(db)" --older-than 2030-01-01 --channel random -o p >/dev/null
}
try()
{
	run matter-purge apply p --database "$(db)" --files store --archived-in "$@" | sed -E 's/[0-9]+ snapshots/N snapshots/'
}
plan
echo '== all of it is there'
try repo --cache cache --dry-run
try export --dry-run
echo '== a message is new'
post new random 0
plan
try repo --cache cache --yes
try export --yes
echo '== one was edited since'
sql "$(db)" "delete from posts where id = rpad('new', 26, '0'); update posts set editat = editat + 1, updateat = editat + 1 where id =
	rpad('edited', 26, '0')"
plan
try repo --cache cache --yes
try export --yes
echo '== what is no archive'
mkdir empty
try empty --yes
try absent --yes
try export --snapshot 2 --yes
try repo --snapshot nosuch --cache cache --yes
matter-export run --database "$(db)" --files store --out html --format html >/dev/null 2>&1
try html --yes
run matter-purge apply p --database "$(db)" --files store --snapshot 2 --yes
echo '== an export that is damaged'
matter-export run --database "$(db)" --files store --out damaged >/dev/null 2>&1
part=$(find damaged/data -path '*channel=random*' -name '*.zst' | sort | head -1)
size=$(stat -c %s "$part")
truncate -s $((size - 9)) "$part"
try damaged --yes | sed 's|damaged/data.*|damaged: WHERE|; s|month=[0-9-]*|month=M|'
echo '== an encrypted repository, a snapshot by name, and a series of exports'
public=$(matter-backup keygen --output key)
matter-backup init sealed --encrypt "$public" >/dev/null
matter-backup create sealed --database "$(db)" --files store --cache cache >/dev/null 2>&1
try sealed --cache cache --dry-run | tail -3
matter-export run --database "$(db)" --files store --out series --incremental >/dev/null 2>&1
post later random 3
matter-export run --database "$(db)" --files store --out series --incremental >/dev/null 2>&1
plan
try series --dry-run
matter-backup create sealed --database "$(db)" --files store --cache cache >/dev/null 2>&1
name=$(matter-backup list sealed | tail -1 | cut -f1)
try sealed --identity key --cache cache --snapshot "$name" --snapshots-kept 90d --yes
check "$(db)"
