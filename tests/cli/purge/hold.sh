# Legal hold: a person, a channel, a time, a message; errors name their line.
workspace
try()
{
	cat >hold
	run matter-purge plan --database "$(db)" --deleted-before 30d --older-than 2030-01-01 --channel '*' --hold hold --dry-run "$@" |
		grep -E 'stay|messages|error|hint|exit'
}
anybody=$(sql "$(db)" 'select username from users order by id limit 1')
some=$(sql "$(db)" "select min(p.id) from posts p join channels c on c.id = p.channelid where c.name = 'random'")
echo '== nothing is held'
try <<'END'
# nothing

END
echo '== a person; a person for some time'
try <<END
user $anybody # matter 1
END
try <<END
user @$anybody since 2023-11-01 until 2023-12-01
END
echo '== a channel'
try <<'END'
channel acme/random
	channel leads   since 2023-10-01
END
echo '== a message'
try <<END
post $some
END
echo '== everything of a time'
try <<'END'
all
END
try <<'END'
all until 1990-01-01
END
echo '== wrong'
for line in 'user nobody' 'channel none*' 'post x' 'post' 'user' 'everybody' 'all since' 'all since yesterday' 'all for 3d' \
	"user x' OR true; --" 'user a since 2023 until 2024 or so'; do
	printf '# one\n\n%s\n' "$line" | try
done
run matter-purge plan --database "$(db)" --deleted-before 30d --hold absent --dry-run
echo '== held since the plan was made'
run matter-purge plan --database "$(db)" --older-than 2030-01-01 --channel random -o p >/dev/null
echo 'channel random' >hold
run matter-purge apply p --database "$(db)" --files store --hold hold --yes
sql "$(db)" "select count(*) from posts p join channels c on c.id = p.channelid where c.name = 'random'"
