# Bodies into an object store that checks signatures, also while it fails: the same bytes as in a folder.
need_pg
. "$SOURCE_ROOT/tests/harness/fault.sh"
archive=$fixtures/file-modes/export
files()
{
	find "$1" -type f -exec sha256sum {} + | sed 's|  .*/| |' | sort
}
# six bodies are on their way at a time: which of them is the one that an error names is chance
import()
{
	name=$1
	shift
	run matter-import slack "$archive" --team acme --database "$(db "$name")" --create-schema --files-from archive "$@" |
		sed -E "s/:$port/:PORT/g; s/[a-z0-9]{26}/ID/g; s|file '[^']*': cannot put '(.*/)[^/']*'|file 'ONE': cannot put '\1ONE'|"
}
bucket()
{
	name=$1
	shift
	import "$name" --files s3://bucket/mm --s3-endpoint "http://127.0.0.1:$port" --s3-region us-east-1 \
		--s3-access-key AK --s3-secret-key-file secret --s3-style path "$@"
}
port=0
umask 077
echo SK-secret-of-tests >secret
import folder --files store >/dev/null
files store >folder.sum
echo '== a store'
fault_serve
bucket good
fault_objects mm/ | cmp - folder.sum && echo the same bytes
sql "$(db good)" "select count(*) from fileinfo where path <> ''"
echo '== again: nothing is put'
before=$(fault_count ^PUT)
bucket good
[ "$before" = "$(fault_count ^PUT)" ] && echo nothing put
echo '== the command files, addressed by host'
run matter-import slack "$archive" --team acme --database "$(db late)" --create-schema --files-from none | tail -1
AWS_ACCESS_KEY_ID=AK AWS_SECRET_ACCESS_KEY=SK-secret-of-tests run matter-import files "$archive" --database "$(db late)" \
	--files s3://bucket/late --s3-endpoint "http://localhost:$port" --s3-style host | sed "s/:$port/:PORT/g"
fault_objects late/ | cmp - folder.sum && echo the same bytes
[ "$(fault_count '^PUT /late/.* 200')" -gt 0 ] && echo by host
echo '== temporary keys'
echo TK-secret-of-tests >temporary
cat temporary | MATTERARK_S3_SESSION_TOKEN=token/+of=tests import token --files s3://bucket/mm --s3-endpoint "http://127.0.0.1:$port" \
	--s3-access-key TK --s3-secret-key-file /dev/stdin | tail -2
echo '== wrong keys'
echo wrong >secret
bucket wrong
echo SK-secret-of-tests >secret
echo '== a store that fails'
fault_serve --rule 'do=status&status=503&code=SlowDown&every=4' --rule 'do=lost&match=PUT&every=3' --rule 'do=reset&every=5'
bucket faults
fault_objects mm/ | cmp - folder.sum && echo the same bytes
[ "$(fault_count ' (lost|reset|status)$')" -gt 3 ] && echo it failed
echo '== a store that refuses'
fault_serve --rule 'do=status&status=403&code=AccessDenied&match=PUT&every=1'
bucket refused
