# What is refused before anything is written.
run matter-backup init
run matter-backup list nowhere
mkdir full
echo something >full/file
run matter-backup init full
run matter-backup init repo
run matter-backup init repo
run matter-backup list repo
run matter-backup show repo
run matter-backup verify repo --verbose
run matter-backup check repo
run matter-backup create repo --database "$server dbname=not_there" --without-files 2>&1 | sed "s/.*FATAL/FATAL/"
run matter-backup create repo --embedded=nowhere --database x --without-files
run matter-backup create repo --mattermost-config nowhere.json
run matter-backup init other --encrypt nonsense
run matter-backup create repo --database "$server dbname=postgres" --without-files --pg-dump /bin/true 2>&1 | sed "s/PostgreSQL [0-9]*/PostgreSQL N/"
run matter-backup find repo
echo damaged >repo/repository
run matter-backup list repo
