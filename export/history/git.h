/* libgit2 for this room: what its failures become. Included by .c files only. */
#ifndef EXPORT_HISTORY_GIT_H
#define EXPORT_HISTORY_GIT_H

#include <errno.h>
#include <git2.h>
#include <stdio.h>

#include "common/base/err.h"
#include "common/base/limits.h"

/* "doing: what libgit2 said"; kind IO. */
enum ark_rc history_git_stop(struct ark_err *err, const char *doing); /* STOP */
enum ark_rc history_git_fail(struct ark_err *err, const char *doing); /* FAIL */

#endif
