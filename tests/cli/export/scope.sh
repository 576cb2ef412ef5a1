# What each option of the scope leaves in, counted from the lines themselves.
workspace
n=0
try()
{
	n=$((n + 1))
	echo "== $*"
	run matter-export run --database "$(db)" --out "e$n" "$@"
	[ -d "e$n" ] && lines "e$n" | wc -l
	return 0
}
try
try --direct
try -t acme
try --team nobody
try --channel 'des*' -c leads
try --user priya
try -u @nobody
try --no-deleted
try --since 2023-10-01 --until 2023-12-01
try --match KITE
try -m kite --context 1
try --context 2
try --format jsonl,jsonl
try -f docx
try --shard 1/2
try --shard 2/2 -j 1
try --shard 3/2
try --attachments none --jobs 3
run matter-export run --database "$(db)" --dry-run --direct
run matter-export run --database "$(db)" -n --json --channel leads
run matter-export run --database "$(db)" --snapshot 1-2-3 -o x | sed 's/snapshot: .*1-2-3.*/snapshot: what the server says/' # versions differ
run matter-export run --database "$(db)"
run matter-export run --database "$(db)" --out e1
(cd e1 && sha256sum --quiet -c manifest-sha256.txt tagmanifest-sha256.txt && echo sums agree)
