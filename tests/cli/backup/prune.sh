# Snapshots go and come back; what only they needed is deleted by sweeping.
workspace
store
matter-backup init repo
for n in 1 2 3 4; do
	matter-backup create repo --database "$(db)" --files store
	sql "$(db)" "update posts set message = message || ' $n' where id in (select id from posts order by id limit 40)"
done
run matter-backup prune repo
run matter-backup prune repo --keep-last 1 --keep-hourly 1 --keep-daily 1 --keep-weekly 1 --keep-monthly 1 \
	--keep-yearly 1 --keep-within 0h --keep-at-least 2 --dry-run | names
run matter-backup prune repo --keep-last 1 | names
run matter-backup prune repo --keep-last 1 --keep-at-least 1 --verbose | names | sed -E 's/\([0-9]+ bytes\)/(N bytes)/'
run matter-backup list repo | names
gone=$(basename "$(find repo/removed -type f | sort | tail -n 1)")
run matter-backup undelete repo "$gone"
run matter-backup verify repo "$gone" --verbose | names
run matter-backup prune repo --keep-last 1 --keep-at-least 1 | names
find repo/data -type f | wc -l
run matter-backup prune repo --sweep --drop-intent 0123456789abcdef --json | names | sed -E 's/bytes":[0-9]+/bytes":N/; s/\([0-9]+ bytes\)/(N bytes)/'
run matter-backup undelete repo "$gone" | names
run matter-backup verify repo --verbose | names
run matter-backup prune repo --drop-intent nonsense
find repo/data -type f | wc -l
run matter-backup create repo --database "$(db)" --files store
run matter-backup verify repo --verbose | names
