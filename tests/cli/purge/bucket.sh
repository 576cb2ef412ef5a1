# Bodies in an object store, also while it fails; a path that two rows name; one that is no message's.
. "$SOURCE_ROOT/tests/harness/fault.sh"
umask 077
echo SK-secret-of-tests >secret
port=0
s3()
{
	"$@" --s3-endpoint "http://127.0.0.1:$port" --s3-region us-east-1 --s3-access-key AK --s3-secret-key-file secret --s3-style path
}
fill()
{
	s3 matter-import slack "$SOURCE_ROOT/fixtures/slack/workspace/export" --team acme --database "$(db "$1")" --create-schema \
		--create-team --files s3://bucket/mm >/dev/null 2>&1
	run matter-purge plan --database "$(db "$1")" --older-than 2030-01-01 --channel '*' -o p | tail -1
}
fault_serve
fill one
fault_objects mm/ | wc -l
echo '== another row names one of them, and a row names a picture of a person'
sql "$(db one)" "insert into fileinfo select (jsonb_populate_record(f, jsonb_build_object('id', rpad('copy', 26, '0'), 'postid', ''))).* from
	fileinfo f where path = (select min(path) from fileinfo where thumbnailpath <> ''); update fileinfo set path =
	'users/x/profile.png' where path = (select max(path) from fileinfo where thumbnailpath = '' and postid <> '')"
s3 run matter-purge apply p --database "$(db one)" --files s3://bucket/mm --yes
fault_objects mm/ | wc -l
sql "$(db one)" 'select count(*) from matterark.purge_work'
echo '== it fails now and then'
fault_serve --rule 'do=status&status=503&code=SlowDown&every=4' --rule 'do=reset&every=5'
fill two
s3 run matter-purge apply p --database "$(db two)" --files s3://bucket/mm --yes
fault_objects mm/2 | wc -l
echo '== it refuses'
fault_serve --rule 'do=status&status=403&code=AccessDenied&match=DELETE&every=1'
fill three
MATTERARK_S3_SESSION_TOKEN= s3 run matter-purge apply p --database "$(db three)" --files s3://bucket/mm --yes |
	sed -E "s|:$port|:PORT|; s/'[^']*'/'PATH'/g" | sort -u
sql "$(db three)" "select count(*) > 0 from matterark.purge_work where kind = 'object'"
