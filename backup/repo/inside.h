/* The files that every repository carries for people without us: README, restore.sh, neutralise.sql. */
#ifndef BACKUP_REPO_INSIDE_H
#define BACKUP_REPO_INSIDE_H

#include "common/repo/keep.h"

/* Write those that are missing or differ: rules of a newer program reach old repositories with the next snapshot. */
enum ark_rc inside_keep(struct repo_keep *keep, bool encrypted, struct ark_err *err);

#endif
