# Parts of one run put together; a time stamp that cannot be had.
workspace
run matter-export merge
run matter-export merge a
run matter-export merge a --out b
run matter-export verify nowhere --timestamp-ca nothing
run matter-export run --database "$(db)" -o no --timestamp nonsense
run matter-export run --database "$(db)" -o no --timestamp http://127.0.0.1:1/tsa
run matter-export run --database "$(db)" -o one --shard 1/1
run matter-export merge one --dry-run
run matter-export merge one --out all --json | sed -E 's/"bytes":[0-9]+/"bytes":N/; s/[0-9.]+ KiB/SIZE/'
run matter-export verify all | sed -E 's/[0-9]{4}-[0-9-]*T[0-9:.]*Z/TIME/'
run matter-export merge one all --out both
