# restore from a repository in a bucket, encrypted, into a bucket; the object store fails now and then.
. "$SOURCE_ROOT/tests/harness/fault.sh"
workspace
store
printf 'SK-secret-of-tests\n' >secret
backup()
{
	run matter-backup "$@" --s3-endpoint "http://127.0.0.1:$port" --s3-access-key AK --s3-secret-key-file secret |
		sed -E "s/:$port/:PORT/g" | grep -v '^proof\|^named' | names || true
}
fault_serve --rule 'do=reset&every=29' --rule 'do=lost&match=PUT&every=31'
matter-backup keygen -o key >recipient
backup init s3://bucket/repo --encrypt "$(cat recipient)"
backup create s3://bucket/repo --database "$(db)" --files store
echo "-- a bucket"
backup restore s3://bucket/repo --identity key --to-database "$(db copy)" --to-files s3://bucket/copy --config-out copy.json --verbose
(cd store && find . -type f -exec sha256sum {} + | sed 's|  .*/| |') | sort >want
fault_objects copy/2024 >have
cmp want have
fault_objects copy/ | grep -c 'matterark-test-copy.json\|image.png'
grep 'AmazonS3\|DriverName' copy.json | grep -v Export | sed "s/:$port/:PORT/"
grep -c SK-secret copy.json || true
echo "-- again, and what is refused"
backup restore s3://bucket/repo --identity key --to-database "$(db copy)" --to-files s3://bucket/copy --config-out copy.json --jobs 1
fault_objects copy/2024 | cmp want -
backup restore s3://bucket/repo --identity key --to-database "$(db two)" --to-files s3://bucket/copy --config-out two.json
backup restore s3://bucket/repo --identity key --to-database "$(db two)" --to-files s3://bucket/repo/files --config-out two.json
backup restore s3://bucket/repo --identity key --to-database "$(db two)" --to-files s3://bucket --config-out two.json
backup restore s3://bucket/repo --identity key --to-database "$(db two)" --to-files s3://bucket/two
backup restore s3://bucket/repo --to-database "$(db two)" --to-files s3://bucket/two --config-out two.json | sed 's/[0-9a-f]\{64\}/ID/'
echo "-- the store of production is a bucket"
run matter-backup init plain
backup create plain --database "$(db)" --files s3://bucket/copy
backup restore plain --to-database "$(db two)" --to-files s3://bucket/copy --config-out two.json
backup restore plain --to-database "$(db two)" --to-files s3://bucket/copy/inside --config-out two.json
MATTERARK_S3_ENDPOINT="http://localhost:$port" run matter-backup restore plain --to-database "$(db two)" --to-files s3://bucket/ \
	--config-out two.json --s3-access-key AK --s3-secret-key-file secret
backup drill s3://bucket/repo --identity key --database "$server dbname=postgres" --verbose
