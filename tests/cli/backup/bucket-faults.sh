# A repository in an object store that fails again and again: what is there afterwards is whole.
. "$SOURCE_ROOT/tests/harness/fault.sh"
workspace
store
printf 'SK-secret-of-tests\n' >secret
backup()
{
	run matter-backup "$@" --s3-endpoint "http://127.0.0.1:$port" --s3-access-key AK --s3-secret-key-file secret |
		sed "s/:$port/:PORT/g"
}
echo '-- a store that fails'
fault_serve --rule 'do=status&status=503&code=SlowDown&every=11' --rule 'do=lost&match=PUT&every=7' \
	--rule 'do=reset&every=13' --rule 'do=cut&at=100&match=GET&every=4'
backup init s3://bucket/repo
backup create s3://bucket/repo --database "$(db)" --files store | names
backup create s3://bucket/repo --database "$(db)" --files store | names
backup list s3://bucket/repo | names
backup verify s3://bucket/repo --verbose | names
[ "$(fault_count ' (lost|reset|status|cut)$')" -gt 10 ] && echo it failed
[ "$(fault_count 'AccessDenied|InvalidArgument')" = 0 ]
