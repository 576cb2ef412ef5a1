# An encrypted repository: the server writes and verifies, who has the key reads.
workspace
store
run matter-backup keygen -o key >recipient
grep -c '^matterark-recipient-[0-9a-f]*$' recipient
run matter-backup keygen --output key
run matter-backup init repo --encrypt "$(cat recipient)"
run matter-backup create repo --database "$(db)" --files store --verbose | names
run matter-backup create repo --database "$(db)" --files store --verbose | names
run matter-backup verify repo --verbose | names
run matter-backup list repo | names
echo "-- elsewhere, without what the server remembers"
run matter-backup show repo --cache other | names
run matter-backup show repo --cache other --identity key | grep -c table
if grep -rqa acme repo; then
	echo "the company's name stands there in clear"
fi
matter-backup keygen -o wrong >/dev/null
run matter-backup show repo --cache other --identity wrong
