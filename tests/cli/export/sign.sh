# A signed export: what verify accepts, and what it calls the first thing that is off.
workspace
run matter-export keygen key --no-password | sed 's/key [0-9A-F]*/key ID/'
run matter-export keygen key --no-password
run matter-export keygen other
echo geheim >password
run matter-export keygen locked --password-file password --json | sed 's/"id":"[0-9A-F]*"/"id":"ID"/'
run matter-export run --database "$(db)" -o no --evidence
run matter-export run --database "$(db)" -o no --sign locked
echo falsch >wrong
run matter-export run --database "$(db)" -o no --sign locked --password-file wrong
run matter-export run --database "$(db)" -o no -s nowhere
run matter-export run --database "$(db)" -o no --password-file password
run matter-export run --database "$(db)" -o e --direct --evidence --sign key
cat password | run matter-export run --database "$(db)" -o locked-e --channel leads --sign locked --password-file /dev/stdin
verify()
{
	run matter-export verify e "$@" | sed -E 's/[0-9A-F]{16}/ID/g'
}
verify --public-key key.pub
verify -p "$(sed -n 2p key.pub)"
verify -p locked.pub
verify
verify --public-key nonsense
run matter-export verify locked-e -p locked.pub
run matter-export list e
run matter-export list e --json
run matter-export list nowhere
run matter-export verify .

cp -a e whole
file=data/team=acme/channel=leads/month=2023-09/part-0.jsonl.zst
# damaged WHAT COMMAND...: e changed by the command, verified, put back
damaged()
{
	echo "== $1"
	shift
	(cd e && "$@")
	verify -p key.pub
	rm -rf e
	cp -a whole e
}
damaged 'a byte of a message' sh -c "printf X | dd of=$file bs=1 seek=40 conv=notrunc 2>/dev/null"
damaged 'another message, same length of file' sh -c "zstdcat data/people.jsonl.zst | zstd -3 -q >$file -f"
damaged 'a file gone' rm $file
damaged 'a file more' sh -c 'echo >data/more'
damaged 'a manifest that goes along' sh -c "rm $file; sed -i '\\|$file|d' manifest-sha256.txt"
damaged 'tag manifest too' sh -c "rm $file; sed -i '\\|$file|d' manifest-sha256.txt
	sed -i \"s|^.*  manifest-sha256.txt|\$(sha256sum manifest-sha256.txt)|\" tagmanifest-sha256.txt"
damaged 'no signature' rm tagmanifest-sha256.txt.minisig
damaged 'a comment changed' sed -i 's/timestamp:/timestamp:1/' tagmanifest-sha256.txt.minisig
damaged 'no bag' rm bagit.txt
damaged 'a name that leads out' sh -c 'echo "$(printf %064d 0)  data/../../key" >>manifest-sha256.txt
	sed -i "s|^.*  manifest-sha256.txt|$(sha256sum manifest-sha256.txt)|" tagmanifest-sha256.txt; rm tagmanifest-sha256.txt.minisig'
# unsigned, but its own manifests agree: only the counts tell
rm e/$file e/tagmanifest-sha256.txt.minisig
(cd e && sed -i "\\|$file|d" manifest-sha256.txt &&
	sed -i "s|^.*  manifest-sha256.txt|$(sha256sum manifest-sha256.txt)|" tagmanifest-sha256.txt)
verify
