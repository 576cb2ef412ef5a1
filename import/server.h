/*
 * What a running Mattermost server must be told after its database changed behind it: over its API, when
 * --api-url and --api-token-file are given. Else it is said what to do.
 *
 * Fact  docs/mattermost-facts.md "Caches"
 */
#ifndef IMPORT_SERVER_H
#define IMPORT_SERVER_H

#include "import/app.h"

/* Before anything is written: both options or none, and a token in the file. */
enum ark_rc server_open(struct app *a, struct ark_err *err);
/* Drop the server's caches, or say that somebody has to. A failure is a warning: what was written is. */
void server_drop_caches(struct app *a);

#endif
