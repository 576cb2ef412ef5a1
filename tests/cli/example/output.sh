# Results on standard output, talk on standard error, quiet without a terminal; a full disk is told.
matter-example look a.zip "$(printf 'b\033[2J.zip')"
matter-example look --verbose a.zip
matter-example look --json a.zip
matter-example list || echo "exit $?"
matter-example list --quiet || echo "exit $?"
matter-example look a.zip >/dev/full || echo "exit $?"
# a closed standard output matters only to who writes to it; a closed standard error to nobody
matter-example look a.zip >&- || echo "exit $?"
matter-example list --quiet >&- || echo "exit $?"
matter-example look a.zip 2>&-
