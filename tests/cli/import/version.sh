# One line; the same under --json.
matter-import --version | sed 's/[0-9.][0-9.]*$/VERSION/'
matter-import check -V | sed 's/[0-9.][0-9.]*$/VERSION/'
