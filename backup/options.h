/* The options of matter-backup as one struct, filled from the tables in options.c. */
#ifndef BACKUP_OPTIONS_H
#define BACKUP_OPTIONS_H

#include "backup/restore/testinst.h"
#include "common/cli/args.h"
#include "common/mm/place.h"
#include "common/notify/notify.h"
#include "common/store/store.h"

/* In the order of the table in options.c; main.c has one function for each. */
enum backup_command {
	COMMAND_INIT,
	COMMAND_CREATE,
	COMMAND_LIST,
	COMMAND_SHOW,
	COMMAND_DIFF,
	COMMAND_FIND,
	COMMAND_VERIFY,
	COMMAND_CHECK,
	COMMAND_PRUNE,
	COMMAND_UNDELETE,
	COMMAND_EXTRACT,
	COMMAND_RESTORE,
	COMMAND_DRILL,
	COMMAND_KEYGEN,
	COMMAND_COUNT,
};

struct backup_config {
	struct notify_options notify;
	struct mm_place_options place;
	struct store_s3_options s3;
	const char *identity;
	const char *cache;
	const char *encrypt;
	const char *output;
	const char *pg_dump;
	bool all_files;
	bool without_files;
	int64_t jobs;
	int64_t lock_wait;
	int64_t lock_tries;
	bool dry_run;
	int64_t percent;
	struct ark_when max_duration;
	struct ark_when max_age;
	int64_t min_rows;
	int64_t keep_last, keep_hourly, keep_daily, keep_weekly, keep_monthly, keep_yearly;
	struct ark_when keep_within;
	int64_t keep_at_least;
	bool sweep;
	const char *drop_intent;
	struct ark_list channels;
	const char *user, *file;
	struct ark_list teams;
	struct ark_when since;
	const char *to_database, *to_files;
	const char *config_out;
	const char *maintenance_db;
	const char *owner;
	bool production;
	const char *confirm_host;
	bool disconnect;
	bool with_purged;
	const char *ledger;
	struct testinst_options test;
};

extern const struct ark_tool BACKUP_TOOL;

#endif
