/*
 * Bodies out of the archives: one pass over each that holds any, in the order in which they stand there;
 * what nobody wants is passed over without being inflated.
 */
#ifndef IMPORT_FETCH_ARCHIVE_H
#define IMPORT_FETCH_ARCHIVE_H

#include "import/fetch/keep.h"
#include "import/slack/export.h"

struct from_archive {
	const struct slack_export *x;
	const struct ark_map *wanted; /* ids of files, or NULL: ask the ledger about each */
	const char *temp_dir;
	enum ark_rc (*tick)(void *ctx, uint64_t files, uint64_t bytes, struct ark_err *err);
	void *ctx;
};

enum ark_rc fetch_from_archive(const struct from_archive *from, struct keeper *k, struct ark_err *err);

#endif
