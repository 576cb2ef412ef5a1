/* The file store as a folder: bodies under a temporary name, on disk, then renamed. */
#ifndef IMPORT_FETCH_STORE_NOW_H
#define IMPORT_FETCH_STORE_NOW_H

#include "common/base/err.h"
#include "common/base/str.h"

struct store {
	const char *dir;
};

enum ark_rc store_put(struct store *s, const char *path, struct ark_str body, struct ark_err *err);

#endif
