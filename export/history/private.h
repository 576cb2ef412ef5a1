/* What repo.c and publish.c share. */
#ifndef EXPORT_HISTORY_PRIVATE_H
#define EXPORT_HISTORY_PRIVATE_H

#include <git2.h>

#include "common/io/publish.h"
#include "common/io/zstd.h"
#include "export/history/repo.h"

struct history_repo {
	char *path, *own, *incoming;
	struct export_folder *folder; /* own; NULL: a clone that is only read */
	int lock;
	git_repository *git;
	git_odb *odb;
	struct io_publish state; /* the new one while it is written */
	struct io_zstd_out *zstd;
	bool carry;
};

/* publish.c: take back or end what a run that died began; then our folder is as after a run that ended. */
enum ark_rc history_repo_recover(struct history_repo *r, struct ark_err *err);

#endif
