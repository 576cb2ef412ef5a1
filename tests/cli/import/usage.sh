# Mistakes: exit code 2, one line and a hint, nothing touched.
code() { "$@" || echo "exit $?"; }
code matter-import
code matter-import improt a.zip
code matter-import slack --tema acme a.zip
code matter-import slack a.zip --dry-runn --team acme
code matter-import slack "$SOURCE_ROOT/fixtures/slack/guests/export" --database host=nowhere
code matter-import slack --team acme
code matter-import check
code matter-import check a.zip --team acme
code matter-import runs a.zip
code matter-import slack a.zip --team acme --database host=nowhere --embedded
code matter-import slack a.zip --team acme --guests friend
code matter-import slack a.zip --team acme --memory much
code matter-import slack a.zip --team acme --since yesterday
code matter-import slack a.zip --team acme --database 'postgres://[::1'
printf '# team of the move\nteam = acme\n\nbotts = skip\n' >import.conf
code matter-import slack a.zip --config import.conf
code matter-import slack a.zip --config nowhere.conf
MATTERARK_INDEXES=none code matter-import slack a.zip --team acme
ls -A
