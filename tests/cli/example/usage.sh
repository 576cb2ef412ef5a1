# Mistakes: exit code 2, one line and a hint, nothing on standard output.
code() { "$@" || echo "exit $?"; }
code matter-example
code matter-example lok
code matter-example load --team ours --dryrun a.zip
code matter-example look --team ours a.zip
code matter-example load a.zip
code matter-example load --team
code matter-example --log-json load --jobs=0 -t ours a.zip 2>&1 | sed 's/"time":"[^"]*"/"time":"T"/'
MATTERARK_JOBS=x code matter-example load -t ours a.zip
printf 'jobs = 3\n[matter-example]\nteem = ours\n' >c.conf
code matter-example load --config c.conf a.zip
