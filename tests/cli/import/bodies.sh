# What needs Slack or an object store: options that are refused before anything is written, and none of them asked
# for anything here.
need_pg
archive=$fixtures/file-modes/export
import()
{
	run matter-import slack "$archive" --team acme --database "$(db)" --create-schema "$@"
}
echo '== tokens'
import --slack-token-file absent
echo 'no token at all' >token
chmod 600 token
import --slack-token-file token
echo 'xoxb-0123456789-abcdef' >token
chmod 644 token
import --slack-token-file token --files store --slack-url http://127.0.0.1:1 --emoji-dir absent
echo '== downloads without a token'
import --files store --files-from download
databases
echo '== object stores'
echo secret >key
import --files s3://bucket/prefix --files-from archive --s3-access-key id
import --files s3://bucket/prefix --files-from none --s3-endpoint http://127.0.0.1:1 --s3-region eu-1 --s3-access-key id --s3-secret-key-file key --s3-style path
MATTERARK_S3_SECRET_KEY=secret MATTERARK_S3_SESSION_TOKEN=session run matter-import files --database "$(db)" --files s3://bucket/prefix --files-from none --show-config | grep -E 's3-(secret|session)'
echo '== emoji out of a folder'
mkdir emoji
cp "$fixtures/file-modes/export/__uploads/F0PNG0001/plot.png" emoji/acme_plot.png
cp emoji/acme_plot.png emoji/smile.png
echo text >emoji/acme_text.png
run matter-import files --database "$(db)" --files store --files-from archive --emoji-dir emoji
sql "$(db)" "select name, creatorid = '', deleteat from emoji"
cmp "store/emoji/$(sql "$(db)" 'select id from emoji')/image" emoji/acme_plot.png && echo same image
