/*
 * The few things that a running Mattermost server is asked for over its REST API, after its database changed
 * behind it or before.
 *
 * Fact  docs/mattermost-facts.md "Caches", "The API"
 */
#ifndef ARK_MM_API_H
#define ARK_MM_API_H

#include <stdbool.h>

#include "common/base/err.h"

struct mm_api;

/*
 * token_file  its first line is an administrator's access token
 * FAIL        USAGE: no token in it, or the address is none; IO
 */
enum ark_rc mm_api_open(const char *url, const char *token_file, bool (*interrupted)(void), struct mm_api **out,
                        struct ark_err *err);
void mm_api_close(struct mm_api *api); /* NULL is fine */
void mm_api_closep(struct mm_api **api); /* for ark_auto */

/* Drop the caches of all nodes. ARK_OK: the server answered; status 200 is yes. */
enum ark_rc mm_api_drop_caches(struct mm_api *api, int *status, struct ark_err *err);
/* Delete a message as its author would: it and its replies stay in the database. ARK_OK: the server answered;
 * status 200 is yes, 404 is that there is none. Where the server asks for patience, it gets some. */
enum ark_rc mm_api_delete_post(struct mm_api *api, const char *id, int *status, struct ark_err *err);

#endif
