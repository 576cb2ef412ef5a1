# What is chosen: by age and by deletion, threads as a whole, pins, persons; the plan as a file.
workspace
post young random 1
post old random 20
post thread random 30
post reply random 25 thread
post busy random 30
post answer random 2 busy
post pin random 40
sql "$(db)" "update posts set ispinned = true where id = rpad('pin', 26, '0')"
post gone random 50
post gonereply random 49 gone
sql "$(db)" "update posts set deleteat = updateat + 1000, updateat = updateat + 1000, props = '{\"deleteBy\": \"x\"}' where id in
	(rpad('gone', 26, '0'), rpad('gonereply', 26, '0'))"
post alone random 45 busy
sql "$(db)" "update posts set deleteat = updateat + 1000, updateat = updateat + 1000 where id = rpad('alone', 26, '0')"
post edited random 60
sql "$(db)" "update posts set editat = createat + 5, updateat = createat + 5 where id = rpad('edited', 26, '0');
	insert into posts select (jsonb_populate_record(p, jsonb_build_object('id', rpad('before', 26, '0'), 'originalid', p.id,
	'deleteat', p.editat, 'editat', 0))).* from posts p where id = rpad('edited', 26, '0')"
names()
{
	sed -nE 's/^([HP]) ([a-z]+)0+ .*/\1 \2/p; s/^U$/U/p' "$1" | grep -A3 -E '^U' | awk '/^U/ { u = $0; next } /^[HP]/ { print (u ? "unit: " : "      ") $0; u = "" }'
}
echo '== by age'
run matter-purge plan --database "$(db)" --channel random --older-than 14d -o age
names age
stat -c %a age
head -1 age | grep -o '"counts":{[^}]*}'
head -1 age | grep -o '"name":"acme/random"'
head -1 age | grep -o '"begins":"[^"]*"' | wc -l
echo '== pins'
run matter-purge plan --database "$(db)" --channel random --older-than 14d --keep-pinned -o pins
names pins | grep pin || echo no pin
echo '== deleted ones'
run matter-purge plan --database "$(db)" --deleted-before 30d -o deleted
names deleted
run matter-purge plan --database "$(db)" --deleted-before 30d --channel design --dry-run
echo '== either, in one channel'
run matter-purge plan --database "$(db)" --deleted-before 30d --older-than 35d --channel random -o both
names both
echo '== a person'
anybody=$(sql "$(db)" 'select username from users order by id limit 1')
run matter-purge plan --database "$(db)" --user "@$anybody" --older-than 14d --channel random -o person
names person
echo '== the same twice is the same but for its moment'
run matter-purge plan --database "$(db)" --channel random --older-than 2026-01-01 -o one >/dev/null
run matter-purge plan --database "$(db)" --channel random --older-than 2026-01-01 -o two >/dev/null
tail -n +2 one | grep -v '^E' >body
tail -n +2 two | grep -v '^E' | cmp - body && echo same
echo '== for programs'
run matter-purge plan --database "$(db)" --channel random --older-than 14d --dry-run --json
