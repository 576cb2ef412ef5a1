# Contradictions, and what cannot be found.
workspace
run matter-purge plan --database "$(db)" -o p
run matter-purge plan --database "$(db)" -o p --older-than 14d
run matter-purge plan --database "$(db)" --deleted-before 30d
run matter-purge plan --database "$(db)" -o p --deleted-before 30d --channel 'no such*'
run matter-purge plan --database "$(db)" -o p --deleted-before 30d --user nobody
run matter-purge plan --database "$(db)" -o /nonexistent/p --deleted-before 30d
run matter-purge plan -o p --deleted-before 30d
run matter-purge apply absent --database "$(db)" --yes
echo '== names that mean something elsewhere'
for glob in "'; DROP TABLE posts; --" '%' '_____' '[' '\' '*/../*' "$(printf 'a\tb')" '$(touch here)'; do
	run matter-purge plan --database "$(db)" --dry-run --older-than 2030-01-01 --channel "$glob"
done
run matter-purge plan --database "$(db)" --dry-run --older-than 2030-01-01 --user "x' OR '1'='1"
echo '== but they are patterns'
run matter-purge plan --database "$(db)" --dry-run --older-than 2030-01-01 --channel 'acme/[dl]e*' --channel '?andom'
sql "$(db)" 'select count(*) from posts'
ls
