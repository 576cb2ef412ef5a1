# What is left out by option is counted under the option's name; it is no loss.
archive=$fixtures/workspace/export
try()
{
	echo "== $*"
	run matter-import check "$archive" "$@"
}
try --no-direct
try --no-joins
try --bots skip
try --bots keep
try --channels 'gen*' -c 'random'
try --channels 'none*'
try --since 2023-10-01
try --until 2023-10-01
try --since 2023-09-01T00:00:00Z --until 2023-10-01T00:00:00+00:00
try --guests skip
try --guests member
try --guests guest
