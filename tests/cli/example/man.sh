# The generated sections are clean roff.
command -v groff >/dev/null || { echo "no groff" >&2; exit 77; }
{
	echo '.TH MATTER-EXAMPLE 1 "" "1" "test"'
	matter-example --render=man
} >page.1
groff -Kutf8 -ww -man -Tutf8 -z page.1
groff -Kutf8 -man -Tutf8 -P-cbou page.1 | grep -o '^       *-[a-z, -]* *[A-Z]*$' | sed 's/^ *//'
