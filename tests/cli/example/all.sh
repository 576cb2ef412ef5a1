# Every kind of option, each in one of the places where it can stand.
printf '[matter-example]\nsince = 2024-05-01T12:00+02:00\nno-direct = yes\nslack-token = "a # b"\n' >c.conf
chmod 600 c.conf
show() { matter-example load --show-config --config c.conf "$@" | grep -v ' (not set)$'; }
show --team=ours -nvv --memory 1G --bots skip -o report
echo
MATTERARK_CHANNELS='a
b' MATTERARK_EMBEDDED=/srv/ark show --direct --no-dry-run
