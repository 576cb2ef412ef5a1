# minisign and we read each other's keys and signatures.
command -v minisign >/dev/null || {
	echo "minisign is not installed" >&2
	exit 77
}
workspace
matter-export keygen ours --no-password >/dev/null
matter-export run --database "$(db)" -o e1 --sign ours
minisign -V -q -p ours.pub -m e1/tagmanifest-sha256.txt && echo minisign takes our signature
echo changed >>e1/tagmanifest-sha256.txt
minisign -V -q -p ours.pub -m e1/tagmanifest-sha256.txt 2>/dev/null || echo and refuses it over something else

minisign -G -W -p theirs.pub -s theirs >/dev/null
matter-export run --database "$(db)" -o e2 --sign theirs
minisign -V -q -p theirs.pub -m e2/tagmanifest-sha256.txt && echo we sign with their key
matter-export verify e2 -p theirs.pub | grep -o 'signature good'
rm e2/tagmanifest-sha256.txt.minisig
minisign -S -s theirs -t 'by minisign' -m e2/tagmanifest-sha256.txt >/dev/null
matter-export verify e2 -p theirs.pub | grep -o 'signature good'

# a key of theirs with a password; scrypt wants 1 GiB, as theirs does
printf 'geheim\ngeheim\n' | minisign -G -p locked.pub -s locked >/dev/null 2>&1
echo geheim >password
matter-export run --database "$(db)" -o e3 --channel leads --sign locked --password-file password
minisign -V -q -p locked.pub -m e3/tagmanifest-sha256.txt && echo and with one that has a password
matter-export keygen ours2 --password-file password >/dev/null
echo text >text
minisign -S -s ours -m text >/dev/null && minisign -V -q -p ours.pub -m text && echo minisign signs with our key
echo geheim | minisign -S -s ours2 -m text >/dev/null 2>&1
minisign -V -q -p ours2.pub -m text && echo minisign opens our key with a password
