/*
 * What is found out about a database before anything is written: its columns, its team, accounts and
 * channel names, what earlier runs brought.
 */
#ifndef IMPORT_LOAD_BASE_H
#define IMPORT_LOAD_BASE_H

#include "import/load/run.h"

/* Workspace id: given, else majority team of users.json, else a stored one that shares a channel, else
 * a hash of the conversations. Kept in l->strings. */
void base_workspace(struct load *l, const char *given);
/* A workspace of an earlier run that shares a conversation with this export becomes ours. FAIL REFUSED: an
 * organisation of which several workspaces are there already, each for itself. */
enum ark_rc base_adopt_workspace(struct load *l, struct db_conn *conn, struct ark_err *err);

/* The teams (load/team.h) as this database has them. FAIL REFUSED when one is not there and may not be
 * made; USAGE. Behind base_known_channels. */
enum ark_rc base_teams(struct load *l, struct db_conn *conn, bool may_create, bool *any_new,
                       struct ark_err *err);
/* Accounts (all of them: their names are taken), and whom earlier runs mapped. */
enum ark_rc base_accounts(struct load *l, struct db_conn *conn, bool state, struct ark_err *err);
/* Usable accounts in each team that are not those of anybody here: behind accounts_assign. */
enum ark_rc base_team_before(struct load *l, struct db_conn *conn, struct ark_err *err);
/* Names of the teams' channels, archived ones too. */
enum ark_rc base_channel_names(struct load *l, struct db_conn *conn, struct ark_err *err);
/* Channels that earlier runs made: before targets_make. */
enum ark_rc base_known_channels(struct load *l, struct db_conn *conn, bool *first_import,
                                struct ark_err *err);
/* Direct and group channels of the same people that exist: behind targets_make. */
enum ark_rc base_direct_channels(struct load *l, struct db_conn *conn, struct ark_err *err);
/* Number of this run in the database. */
enum ark_rc base_run_number(struct load *l, struct db_conn *conn, struct ark_err *err);

/* Names of the archives without their folders, as a JSON array; appended. */
void base_archive_names(const struct load *l, struct ark_buf *archives);
/* The row of this run in matterark.run. `created_database`: the run made the schema. */
enum ark_rc base_run_row(const struct load_job *job, struct load *l, struct db_conn *conn,
                         bool created_database, struct ark_err *err);

#endif
