/*
 * One PostgreSQL cluster in a folder: finding the programs, making it, starting, stopping. Knows
 * nothing of locks: embedded.c calls it under the right one. Not for other rooms.
 */
#ifndef ARK_DB_CLUSTER_H
#define ARK_DB_CLUSTER_H

#include "common/base/buf.h"
#include "common/db/process.h"

#define DB_CLUSTER_PORT "5432" /* part of the socket's name; there is no TCP */

struct db_cluster {
	struct db_user user;
	bool (*interrupted)(void);
	char programs[256];  /* folder of initdb and postgres */
	int major;           /* of these programs */
	char data[4096];     /* DIR/pg */
	char data_new[4096]; /* DIR/pg.tmp */
	char dir[4096];
	char log[4096];
	char socket_dir[128];
};

/* The newest programs installed, or those of `major` when it is not 0, or those in `folder`. */
enum ark_rc db_cluster_find(struct db_cluster *c, const char *folder, int major,
                            struct ark_err *err);
/* Major version of the cluster that is there, 0 when there is none. */
int db_cluster_version(const struct db_cluster *c);
/* Put it aside for db_cluster_make, which removes it. It does not run. */
enum ark_rc db_cluster_discard(struct db_cluster *c, int lock_fd, struct ark_err *err);
/* Make it; what an earlier try left behind goes first. lock_fd stays open in the programs. */
enum ark_rc db_cluster_make(struct db_cluster *c, int lock_fd, struct ark_err *err);
/* The server answers on its socket. */
bool db_cluster_answers(const struct db_cluster *c);
/* Start it and wait until it answers. */
enum ark_rc db_cluster_start(struct db_cluster *c, struct ark_err *err);
/* Stop it in good order and wait for that; nothing to do when it does not run. */
void db_cluster_stop(const struct db_cluster *c);

#endif
