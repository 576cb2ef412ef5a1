# One tar file with everything; psql loads it, and the rows are the same.
workspace
store
matter-backup init repo
matter-backup create repo --database "$(db)" --files store
run matter-backup extract repo -o all.tar.zst --verbose
mkdir out
zstd -dcq all.tar.zst | tar -xf - -C out
cmp out/files/20240101/teams/noteam/channels/c/users/u/large/large.bin store/20240101/teams/noteam/channels/c/users/u/large/large.bin
sql "$server dbname=postgres" "create database extract_again"
(cd out && "$ARK_TEST_PG_BIN/psql" -XAtq -d "$(db again)" -f load.sql >/dev/null)
for table in posts users channels fileinfo; do
	sql "$(db)" "select '$table', count(*), md5(string_agg(t::text, '' order by t::text)) from $table t" >before
	sql "$(db again)" "select '$table', count(*), md5(string_agg(t::text, '' order by t::text)) from $table t" | cmp - before
done
echo "-- and by the script inside, into a third one"
sql "$server dbname=postgres" "create database extract_third"
run sh repo/restore.sh --production "$(newest)" "$(db third)" restored
cmp restored/20240101/teams/noteam/channels/c/users/u/large/large.bin store/20240101/teams/noteam/channels/c/users/u/large/large.bin
for table in posts users channels fileinfo; do
	sql "$(db)" "select count(*), md5(string_agg(t::text, '' order by t::text)) from $table t" >before
	sql "$(db third)" "select count(*), md5(string_agg(t::text, '' order by t::text)) from $table t" | cmp - before
done
run sh repo/restore.sh --production "$(newest)" "$(db third)" restored
run matter-backup extract repo -o /nowhere/all.tar.zst
