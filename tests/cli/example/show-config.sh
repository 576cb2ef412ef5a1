# Every value with the place it came from; secrets stay secret; a file that others can read is warned of.
printf 'database = postgres://ark:geheim@db/mm\n[matter-example]\nmemory = 64M\n' >c.conf
chmod 644 c.conf
MATTERARK_JOBS=8 matter-example load --show-config --config c.conf -c 'a*' -c b --embedded=here
chmod 600 c.conf
matter-example look --show-config --json --config c.conf
