# A bulk import file: lines in their order, bodies beside them, the same bytes every time.
lines() { bsdtar -xOf "$1" import.jsonl; }
archive=$fixtures/workspace/export
run matter-import bulk "$archive" --team acme --team-name 'Acme & Sons' -o one.zip
stat -c %a one.zip
bsdtar -tf one.zip
matter-import bulk "$archive" --team acme --team-name 'Acme & Sons' --output two.zip >two.out
cmp one.zip two.zip && echo "the same bytes"
echo "== order of the lines"
lines one.zip | sed -E 's/^\{"type":"([a-z_]+)".*/\1/' | uniq -c | awk '{ print $1, $2 }'
echo "== every file that a post shows is there, byte by byte"
lines one.zip | grep -o '"path":"[^"]*"' | sort -u | sed 's/"path":"\(.*\)"/data\/\1/' >shown
bsdtar -tf one.zip | grep ^data/ | sort | diff - shown && echo "all"
bsdtar -xOf one.zip data/files/F0KMD0005/winter-plan.md | cmp - "$(find "$archive" -name '*winter-plan*' -type f | head -1)" && echo "equal"
echo "== a body that is a sign-in page stays behind, its note stays"
matter-import bulk "$fixtures/file-body-is-login-page/export" --team acme -o login.zip >login.out || true
bsdtar -tf login.zip
lines login.zip | grep -c attachments || true
echo "== threads, people without an address, guests, direct conversations"
lines one.zip | grep -m1 '"replies"' | cut -c1-160
matter-import bulk "$fixtures/users-without-email/export" --team acme -o mail.zip --email-domain people.example >mail.out 2>mail.err
lines mail.zip | grep -o '"email":"[^"]*"' | sort
lines one.zip | grep '"direct_channel"' | head -2
for guests in guest member skip; do
	matter-import bulk "$fixtures/guests/export" --team acme -o guests.zip --guests $guests >guests.out
	lines guests.zip | grep -c '"system_guest"\|channel_guest' || true
done
echo "== one channel; an administrator; single sign-on; people who are one"
matter-import bulk "$archive" --team acme -o into.zip --into-channel old-slack --default-auth ldap --auth-data id --admin mara \
	--merge-by-email --report report -c general --no-direct --no-joins --bots skip --since 2023-09-01 --until 2024-01-01 \
	--general keep --workspace T0OTHER01 --memory 1M --temp-dir "$TMPDIR" >into.out
lines into.zip | grep '"type":"channel"'
lines into.zip | grep '"username":"mara"' | cut -c1-420
lines into.zip | grep -c '"type":"post"'
head -3 report/users.csv | cut -d, -f1,2,6,8 | tr -d '\r'
echo "== what goes wrong"
run matter-import bulk "$archive" --team acme
run matter-import bulk "$archive" --team 'Not a name' -o no.zip
run matter-import bulk "$archive" --team acme -o nowhere/no.zip
run matter-import bulk "$archive" --team acme -o no.zip --users none.csv
ls
