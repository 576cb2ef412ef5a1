/* The files that every repository carries for people without us: README, restore.sh, neutralise.sql. */
#ifndef BACKUP_REPO_INSIDE_H
#define BACKUP_REPO_INSIDE_H

#include "common/repo/keep.h"

/* Write them, in place of what is there. */
enum ark_rc inside_write(struct repo_keep *keep, bool encrypted, struct ark_err *err);

#endif
